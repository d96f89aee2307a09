"""Inline Markdown as Discord's: the team's formatting stays, nobody's text is obeyed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.discord.markdown import code_block, is_cut, literal, to_discord, verbatim
from adapters.slack.mrkdwn import to_mrkdwn
from bot.cards import card
from bot.cards.runs import clean
from bot.cards.times import instant
from bot.cards.words import plain
from tests.adapters.discord.cards import formatted, obeyed, seen

GAP = "\u200b"
ATTACKS = [
    "@everyone", "@here", "<@100000000000000009>", "<@!100000000000000009>", "<@&100000000000000009>", "<#123456789>",
    "</deploy start:123456789>", "<t:1700000000:R>", "<:tada:123456789>", "<a:tada:123456789>", "<id:customize>",
    "```py\nx\n```", ":tada:", "||spoiler||", "__under__", "**bold**", "*it*", "~~gone~~", "`code`", "``co`de``",
    "[x](https://evil.example)", "[x](<https://evil.example>)", "# head", "-# small", "> quote", ">>> quote", "- list",
    "* list", "_it_", "1. list", "10) list", "\\@everyone", "\\<@100000000000000009>", "https://a.example/@everyone",
    "https://a.example/<@100000000000000009>", "[@everyone](https://a.example)", "![@here](https://a.example/x.png)",
    "&#64;everyone", "&lt;@100000000000000009&gt;", "steam://run/1", "@\u200beveryone", "\ud800@everyone", "a\n# head",
    "a\n- list", "**@everyone**", "*a*_b_~~c~~`d`||e||",
]  # fmt: skip
WORDS = st.text(
    st.sampled_from("ab *_~`<>&|!@#[]()\\\n:/.9é文ب🎉\u200d-+=1") | st.characters(), max_size=60
) | st.lists(st.sampled_from(ATTACKS), max_size=3).map("".join)


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**bold** _it_ *it* ~~gone~~", "**bold** *it* *it* ~~gone~~"),
        ("`npm test`", "`npm test`"),
        ("`a_b*c`", "`a_b*c`"),
        ("[docs](https://a.example/x?a=1&b=2)", "[docs](https://a.example/x?a=1&b=2)"),
        ("[**docs**](https://a.example)", "**[docs](https://a.example)**"),
        ("![chart](https://a.example/c.png)", "[chart](https://a.example/c.png)"),
        ("[x](https://a.example/a_(b))", "[x](https://a.example/a_%28b%29)"),
        ("see https://a.example/x_y_z.", "see <https://a.example/x_y_z>."),
        ("[https://b.example](https://a.example)", "https://b.example (<https://a.example>)"),
        ("[runbook](./RUNBOOK.md)", "runbook"),
        ("[mail](mailto:a@b.example)", "mail"),
        ("one\ntwo", "one\ntwo"),
        ("**one\ntwo**", "**one**\n**two**"),
        ("**a**_b_", f"**a**{GAP}*b*"),
        ("snake_case and 5 * 3", r"snake\_case and 5 \* 3"),
        (r"\*not bold\*", r"\*not bold\*"),
        (r"\# no heading", r"\# no heading"),
        ("x\n\\# no heading", "x\n\\# no heading"),
        ("1\\. not a list", "1\\. not a list"),
        ("``a `b` c``", "`` a `b` c ``"),
        ("at 10:04 a -> b, a < b", r"at 10:04 a -> b, a \< b"),
        ("C:\\Users", r"C:\\Users"),
        ("0.12 % at 10:04: fine", "0.12 % at 10:04: fine"),
        (":100: :+1: :tada:", r"\:100: \:+1: \:tada:"),
        ("مرحبا **بالعالم**", "مرحبا **بالعالم**"),
        ("👩‍🚀 🎉", "👩‍🚀 🎉"),
    ],
)
def test_formatting_of_the_document_stays(markdown: str, expected: str) -> None:
    assert to_discord(markdown) == expected


@pytest.mark.parametrize("attack", ATTACKS)
def test_what_somebody_typed_calls_nobody_and_formats_nothing(attack: str) -> None:
    for text in (to_discord(card.escape(attack)), literal(attack), verbatim(attack), f"☐ {literal(attack)}"):
        assert obeyed(text) == []
        assert formatted(text) == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_a_document_calls_nobody_either(attack: str) -> None:
    for text in (attack, f"x {attack} y", f"**{attack}**", f"[{attack}](https://a.example)"):
        assert obeyed(to_discord(text)) == []


@given(WORDS, WORDS)
@settings(max_examples=200, deadline=None)
@example("@", "everyone")
@example("<", "@100000000000000009>")
@example("https://a.example/", "@here")
def test_any_words_are_shown_and_never_obeyed(one: str, two: str) -> None:
    for drawn in (literal(one + two), to_discord(card.escape(one + two)), verbatim(f"{one}{two}")):
        assert obeyed(drawn) == []
        assert formatted(drawn) == []
    for text in (f"{one} **{two}**", f"[{one}](https://a.example/{two})", f"*{one}*~~{two}~~", f"`{one}`{two}"):
        assert obeyed(to_discord(text)) == []
    if "http" not in one:
        assert seen(literal(one)).split() == clean(one).replace(GAP, "").replace("ˋ", "`").split()


@given(WORDS)
@settings(max_examples=100, deadline=None)
def test_an_announcement_is_shown_letter_for_letter(text: str) -> None:
    shown = clean(text).replace(GAP, "").replace("ˋ", "`")
    if "http" not in shown:
        assert seen(verbatim(text)) == shown


def test_addresses_in_an_announcement_can_be_followed() -> None:
    assert verbatim("  - see https://a.example/x_y, *now*\n2. b") == (
        f"{GAP}  \\- see <https://a.example/x_y>, \\*now\\*\n2\\. b"
    )


def test_a_command_can_be_copied() -> None:
    assert code_block("kubectl get pods\necho `x` @here <b> *1") == "```\nkubectl get pods\necho `x` @here <b> *1\n```"
    assert code_block("a ```b``` c") == "```\na ˋˋˋbˋˋˋ c\n```"
    assert code_block("") == "```\n \n```"
    assert seen(code_block("x" * 500, 100)).endswith("…")


@given(WORDS, st.integers(1, 80))
@settings(max_examples=100, deadline=None)
def test_what_is_cut_fits_and_says_so(markdown: str, room: int) -> None:
    whole, cut = to_discord(markdown), to_discord(markdown, room)
    assert len(cut) <= max(room, 1)
    assert is_cut(markdown, room) == (len(whole) > room)
    assert (cut == whole) if len(whole) <= room else "…" in cut
    assert obeyed(cut) == []


def test_a_cut_closes_its_styles() -> None:
    assert to_discord("**a very long and bold sentence** and more", 20) == "**a very long and…**"
    assert to_discord("`kubectl get pods`", 10) == "`kubectl…`"


def test_an_instant_is_everybodys_own_time() -> None:
    said = instant("14:00 UTC", datetime(2026, 11, 24, 14, 0, tzinfo=UTC))
    assert to_discord(f"open until {said}, 2 h left") == "open until <t:1795528800:f>, 2 h left"
    assert plain(said) == "14:00 UTC"
    assert to_mrkdwn(said) == "14:00 UTC"
    assert to_discord("[x](time:never)") == "x"
    assert to_discord(card.escape(said)) == r"\[14:00 UTC\](time\:2026-11-24T14:00Z)"
