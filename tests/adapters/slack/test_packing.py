"""What a card cut into messages says in each of them. What every chat promises: tests/adapters/test_packing.py."""

from __future__ import annotations

from adapters.slack.packing import parts
from bot.cards.card import Card, Heading, Text
from tests.adapters.slack.cards import (
    announcement,
    cards,
    items_of,
    loaded,
    messages,
    row,
    seen,
    texts,
)


def test_a_phase_of_twelve_items_is_at_most_two_messages() -> None:
    assert len(parts(next(card for card in cards(loaded("petforce"), "fresh") if len(items_of(card)) == 12))) == 2


def test_what_goes_on_says_so() -> None:
    rows = [row(f"item-{number}", f"Item {number}") for number in range(25)]
    first, second, *_ = parts(Card("Pre-Deployment", "all", (Heading("Quality · 0 of 25"), *rows), mentions=("qa",)))
    assert (first.title, second.title) == ("Pre-Deployment", "Pre-Deployment (continued)")
    assert (first.text, first.mentions, second.mentions) == ("all", ("qa",), ())
    assert second.text.startswith("Pre-Deployment (continued): 0 of ")
    assert "Item 13" in second.text


def test_a_section_over_several_messages_counts_its_items_in_each() -> None:
    rows = [row(f"item-{number}", state="ticked" if number < 13 else "open") for number in range(25)]
    split = parts(Card("P", "t", (Heading("Quality · 13 of 25"), *rows)))
    headings = [block.text for part in split for block in part.blocks if isinstance(block, Heading)]
    counts = [len(items_of(part)) for part in split]
    assert headings[0] == f"Quality · {counts[0]} of {counts[0]}"
    assert headings[1] == f"Quality (continued) · {13 - counts[0]} of {counts[1]}"
    assert all(len(part.blocks) == count + 1 for part, count in zip(split, counts, strict=True))


def test_a_long_announcement_is_said_whole() -> None:
    text = "\n".join(f"{number}. Änderung <{number}> *so* | wie sie ist" for number in range(900))
    sent = messages(announcement(text, "Änderung"))
    shown = "\n".join("".join(texts(block, "text")) for message in sent for block in message["blocks"])
    assert shown == text
    assert len(sent) > 2


def test_long_prose_loses_no_word() -> None:
    prose = " ".join(f"word{number}" for number in range(3_000))
    sent = messages(Card("T", "t", (Text(prose),)))
    assert " ".join(" ".join(map(seen, texts(message["blocks"]))) for message in sent).split() == prose.split()
