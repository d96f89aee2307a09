"""Inline Markdown as mrkdwn: the team's formatting stays, nobody's text is obeyed."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.slack.limits import Room, json_bytes
from adapters.slack.mrkdwn import is_cut, literal, to_mrkdwn
from bot.cards import card
from bot.cards.runs import clean
from tests.adapters.slack.cards import seen

GAP = "\u200b"
ATTACKS = [
    "<!channel>", "<!here|x>", "<@U0ANN>", "<#C0ONE|general>", "<!subteam^S0QA>", "<!date^0^{date}|x>",
    "[x](<!channel>)", "[<!channel>](https://a.example)", "[x](https://a.example|<!here>)", "![<!here>](x)",
    "[a](javascript:alert)", "<https://a.example|<!channel>>", "&lt;!channel&gt;", "&#60;!channel&#62;",
    "\\<!channel\\>",    "`<!channel>`", "**<!channel>**", "<\u200b!channel>", "https://a.example/<!channel>", "https://a.example/|<@U0ANN>",
    "[x](https://a.example/%3C!channel%3E)", "<mailto:a@b.example>", "<!--", "\ud800<!channel>", "*a*_b_~c~`d`",
]  # fmt: skip
WORDS = st.text(st.sampled_from("ab *_~`<>&|!@#[]()\\\n:/.9é文ب🎉\u200d＊＿｀") | st.characters(), max_size=60)
FORMATTED = [
    r"\*(?=\S)[^*\n]*(?<=\S)\*",
    r"_(?=\S)[^_\n]*(?<=\S)_",
    r"~(?=\S)[^~\n]*(?<=\S)~",
    r"`[^`\n]*[^`\s][^`\n]*`",
]


def plain(text: str) -> str:
    return text.replace(GAP, "").replace("ˋ", "`").replace("｀", "`")


def obeyed(mrkdwn: str) -> list[str]:
    """What Slack would take for more than text, but for links."""
    escaped = re.sub(r"&(amp|lt|gt);", "", mrkdwn)
    found = re.findall(r"<(?!https?://|mailto:).{0,9}", mrkdwn, re.IGNORECASE) + re.findall(r"&.{0,9}", escaped)
    inside = re.findall(r"<([^<>]*)>", mrkdwn)
    return (
        found + [link for link in inside if link.count("|") > 1] + (["<>"] if mrkdwn.count("<") != len(inside) else [])
    )


def formatted(mrkdwn: str) -> list[str]:
    """What Slack would show in another style: signs at the edge of a word, a zero-width space counting as a blank."""
    plain = re.sub(r"<[^<>]*>", "link", mrkdwn).replace(GAP, " ")
    return [hit.group() for signs in FORMATTED for hit in re.finditer(rf"(?<!\w){signs}(?!\w)", plain)]


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("**bold** _it_ *it* ~~gone~~", "*bold* _it_ _it_ ~gone~"),
        ("***both***", "_*both*_"),
        ("`npm test`", "`npm test`"),
        ("[docs](https://a.example/x?a=1&b=2)", "<https://a.example/x?a=1&amp;b=2|docs>"),
        ("[**docs**](https://a.example)", "*<https://a.example|docs>*"),
        ("![chart](https://a.example/c.png)", "<https://a.example/c.png|chart>"),
        ("[a|b](https://a.example/p|q)", "<https://a.example/p%7Cq|a¦b>"),
        ("see https://a.example/x.", "see <https://a.example/x>."),
        ("[runbook](./RUNBOOK.md)", "runbook"),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("a < b & c > d", "a &lt; b &amp; c &gt; d"),
        ("R&amp;D", "R&amp;D"),
        ("one\ntwo", "one\ntwo"),
        ("**one\ntwo**", "*one*\n*two*"),
        ("a**b**c", f"a{GAP}*b*{GAP}c"),
        ("**a** b", "*a* b"),
        ("snake_case and 5 * 3", "snake_case and 5 * 3"),
        (r"\*not bold\*", f"{GAP}*{GAP}not bold{GAP}*{GAP}"),
        (r"\`not code\`", "ˋnot codeˋ"),
        ("＊full width＊", f"{GAP}＊{GAP}full width{GAP}＊{GAP}"),
        (r"\> no quote", f"{GAP}&gt; no quote"),
        ("x\n> no quote", f"x\n{GAP}&gt; no quote"),
        ("``a `b` c``", "a ˋbˋ c"),
        ("| a | b |", "| a | b |"),
        ("مرحبا **بالعالم**", "مرحبا *بالعالم*"),
        ("**確認**済み", f"*確認*{GAP}済み"),
        ("👩‍🚀 🎉", "👩‍🚀 🎉"),
    ],
)
def test_formatting_of_the_document_stays(markdown: str, expected: str) -> None:
    if markdown == "***both***":
        assert to_mrkdwn(markdown) in ("_*both*_", "*_both_*")
    else:
        assert to_mrkdwn(markdown) == expected


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_is_smuggled(attack: str) -> None:
    for text in (attack, card.escape(attack), f"x {attack} y", f"**{attack}**", f"[{attack}](https://a.example)"):
        assert obeyed(to_mrkdwn(text)) == []
        assert obeyed(literal(text)) == []


@given(WORDS, WORDS)
@settings(max_examples=300, deadline=None)
def test_no_markdown_becomes_a_mention_or_breaks_a_link(one: str, two: str) -> None:
    for text in (one, f"{one} **{two}**", f"[{one}](https://a.example/{two})", f"`{one}`{two}"):
        assert obeyed(to_mrkdwn(text)) == []


@given(WORDS)
@settings(max_examples=300, deadline=None)
@example("*a*")
@example("_a_b_")
@example("`a`")
@example(">a")
@example("a *b* `c` ~d~")
def test_what_a_person_typed_is_shown_as_typed(text: str) -> None:
    flat = " ".join(clean(text).split())
    for drawn in (literal(text), to_mrkdwn(card.escape(clean(text)))):
        assert seen(drawn) == plain(flat)
        assert formatted(drawn) == []
        assert not re.search(r"(?m)^ *(?:&gt;|＞)", drawn)


@given(WORDS, st.integers(8, 60), st.integers(24, 120))
@settings(max_examples=300, deadline=None)
def test_what_is_cut_fits_and_says_so(text: str, chars: int, size: int) -> None:
    room = Room(chars, size)
    for drawn, cut in (
        (to_mrkdwn(text, room), is_cut(text, room)),
        (literal(text, room), literal(text) != literal(text, room)),
    ):
        assert len(drawn) <= chars
        assert json_bytes(drawn) - 2 <= size
        assert obeyed(drawn) == []
        assert not cut or "…" in drawn


def test_a_style_that_is_cut_is_closed() -> None:
    assert to_mrkdwn("**all tests pass on staging**", Room(12, 60)) == "*all tests…*"


def test_a_link_that_does_not_fit_is_left_out_whole() -> None:
    drawn = to_mrkdwn(f"read [the runbook](https://a.example/{'x' * 200}) first", Room(40, 200))
    assert drawn.startswith("read")
    assert obeyed(drawn) == []
    assert len(drawn) <= 40


def test_a_joined_emoji_or_an_accent_is_not_torn_apart() -> None:
    assert literal("aaaa👩\u200d🚀bbbbbbbb", Room(7, 90)) in ("aaaa…", "aaaa👩\u200d🚀…")
    assert literal("cafe\u0301 is long enough", Room(5, 90)) == "caf…"


@pytest.mark.parametrize("letter", ["a", "文", "ب", "🎉", "`", "*", "|", "<"])
def test_five_thousand_characters_are_kept_whole(letter: str) -> None:
    text = (letter * 50 + " ") * 98
    assert seen(literal(text)) == plain(text.strip())
