"""What a card cut into messages says in each of them. What every chat promises: tests/adapters/test_packing.py."""

from __future__ import annotations

from adapters.discord.packing import parts
from bot.cards.card import Button, Buttons, Card, Heading, Text
from tests.adapters.discord.cards import buttons, messages, texts, words
from tests.adapters.slack.cards import announcement, items_of, row


def test_eleven_items_share_a_message() -> None:
    rows = [row(f"item-{number}", f"Item {number} is checked") for number in range(22)]
    split = parts(Card("Pre-Deployment", "all", (Heading("Quality · 0 of 22"), *rows), mentions=("qa",)))
    assert [len(items_of(part)) for part in split] == [11, 11]
    assert [part.title for part in split] == ["Pre-Deployment", "Pre-Deployment (continued)"]
    assert [part.mentions for part in split] == [("qa",), ()]


def test_a_long_announcement_is_said_whole() -> None:
    text = "\n".join(f"{number}. Änderung <{number}> *so* | wie _sie_ ist" for number in range(900))
    sent = messages(announcement(text, "Änderung"))
    assert "\n".join(map(words, sent)) == text
    assert len(sent) > 2


def test_no_button_is_lost() -> None:
    block = Buttons(tuple(Button(f"B{number}", f"x:{number}") for number in range(130)))
    sent = messages(Card("T", "t", (block,)))
    assert [each["custom_id"] for message in sent for each in buttons(message)] == [f"x:{n}" for n in range(130)]


def test_long_prose_loses_no_word() -> None:
    prose = " ".join(f"word{number}" for number in range(3_000))
    sent = messages(Card("", "t", (Text(prose),)))
    assert " ".join(" ".join(texts(message)) for message in sent).split() == prose.split()
