"""Cards and forms for every chat: long ones, odd ones, and the same card before and after people worked on it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from bot.cards import forms
from bot.cards.card import (
    Block,
    Button,
    Buttons,
    Card,
    Code,
    Fact,
    Facts,
    Field,
    Form,
    Heading,
    ItemRow,
    ItemState,
    Option,
    Text,
    Tone,
    Verbatim,
)  # fmt: skip
from bot.domain import events as e
from bot.domain.deployment import evolve
from tests.adapters.slack.cards import ANN, NOW, STATES, cards, items_of, loaded, row, view

LONG = {
    "latin": "word " * 1_000,
    "no blanks": "x" * 5_000,
    "arabic": "مرحبا بالعالم " * 357,
    "chinese": "検査項目" * 1_250,
    "emoji": "👩\u200d🚀🎉 " * 1_000,
    "backticks": "`a` ``b` c`` ` " * 333,
    "pipes": "| a | b " * 625,
    "signs": "<!channel> *a* _b_ ~c~ & " * 200,
    "mentions": "@everyone <@1> ||x|| __y__ :tada: " * 150,
    "links": "[runbook](https://docs.example/run?a=1&b=2) " * 110,
}
LENGTHS: dict[str, Callable[[int], Block]] = {
    "text": lambda n: Text("*a* & `b` " * (n // 8)),
    "small": lambda n: Text("&" * n, small=True),
    "small lines": lambda n: Text("\n".join("a" * (n // 6)), small=True),
    "verbatim": lambda n: Verbatim("文" * n),
    "signs": lambda n: Verbatim("*" * n),
    "code": lambda n: Code("*" * n),
    "heading": lambda n: Heading("h " * n),
    "facts": lambda n: Facts(tuple(Fact("Error rate <1>", "v" * 300, "t" * 300, True) for _ in range(n // 100))),
    "buttons": lambda n: Buttons(tuple(Button("b" * 90, f"x:{i}:{'y' * 90}") for i in range(n // 100))),
}
"""Blocks of any length."""
TITLES = [
    ("Pre-Deployment", Tone.PLAIN, "Pre-Deployment"),
    ("Pre-Deployment", Tone.GOOD, "✅ Pre-Deployment"),
    ("Not done", Tone.WARN, "⚠️ Not done"),
    ("Rollback", Tone.BAD, "🔴 Rollback"),
    ("✅ T+30 m check: healthy", Tone.GOOD, "✅ T+30 m check: healthy"),
    ("Предеплой", Tone.GOOD, "✅ Предеплой"),
    ("“Smoke tests”", Tone.GOOD, "✅ “Smoke tests”"),
    ("/deploy", Tone.PLAIN, "/deploy"),
]
"""A title, its tone, and how both are said."""
BARS = [
    (61, 107, "▓▓▓▓▓░░░░░"),
    (0, 9, "░" * 10),
    (1, 107, "▓" + "░" * 9),
    (106, 107, "▓" * 9 + "░"),
    (9, 9, "▓" * 10),
]
"""Progress that is full only at the end."""
FACTS = Facts(
    (
        Fact("Error rate", "0.12 %", "< 0.1 %", False),
        Fact("P99", "180 ms", "< 200 ms", True),
        Fact("Sentry", "no data", "0", None),
        Fact("Version", "v1.2.0"),
    )
)
TWO_SECTIONS = Card(
    "P",
    "t",
    (
        Heading("A · 0 of 8"),
        *(row(f"a{number}") for number in range(8)),
        Heading("B · 0 of 7"),
        *(row(f"b{number}") for number in range(7)),
    ),
)


def three(block: Callable[[int], Block], number: int) -> Card:
    """A card of three blocks of this length."""
    return Card("T", "t", tuple(block(number) for _ in range(3)))


def done(*names: str) -> list[ItemRow]:
    """Items these people ticked."""
    return [row(f"item-{n}", state="ticked", status=f"{name} Tue 24 Nov 10:04") for n, name in enumerate(names)]


def finished_section() -> Card:
    """A section that is done, and one that is not."""
    rows = done("Ann", "Sam", "Ann")
    return Card("P", "t", (Heading("Code Quality · 3 of 3"), *rows, Heading("Docs · 0 of 1"), row("open")))


def wanderers(name: str, parts: Callable[[Card], tuple[Card, ...]]) -> list[str]:
    """States of a checklist in which some item stands in another message than at first."""

    def standing(state: str) -> dict[str, list[list[str]]]:
        rows = [card for card in cards(loaded(name), state) if any(items_of(card))]
        return {items_of(card)[0]: [items_of(part) for part in parts(card)] for card in rows}

    fresh = standing("fresh")
    return [state for state in STATES if state != "fresh" and standing(state) != fresh]


def worked_on(data: st.DataObject) -> tuple[Card, Card]:
    """A card with items, and the same card after people ticked, excused and noted what they liked."""
    labels = data.draw(st.lists(st.sampled_from([*LONG, "Tests pass `npm test`", "**b**"]), max_size=25))
    commands = data.draw(st.lists(st.none() | st.just("npm test"), min_size=25, max_size=25))
    rows = [row(f"item-{n}", LONG.get(label, label), command=commands[n]) for n, label in enumerate(labels)]

    def worked(one: ItemRow) -> ItemRow:
        state = data.draw(st.sampled_from(ItemState))
        drawn = data.draw(st.lists(st.sampled_from(["sign-off: QA", *LONG]), max_size=3))
        status = "" if state is ItemState.OPEN else "Sam 10:04: not applicable, " + "why " * 70
        hints = tuple(LONG.get(hint, hint) for hint in drawn)
        more: dict[str, Any] = {} if data.draw(st.booleans()) else {"buttons": ()}
        return row(one.id, one.markdown, state.value, command=one.command, hints=hints, status=status, **more)

    before = Card("P", "t", (Heading(f"A · 0 of {len(rows)}"), *rows))
    lines = (Text("Due now. Please tick what is true, or say why it does not apply.", small=True),)
    blocks = (*lines, Heading(f"A · 9 of {len(rows)}"), *map(worked, rows))
    return before, replace(before, blocks=blocks, tone=Tone.GOOD, mentions=("qa",))


def core_forms() -> Iterator[Form]:
    """Every form of the core."""
    fresh = view(loaded("azora"), "fresh")
    back = e.RollbackStarted(at=NOW, by=ANN, to_version="v1", reason="red")
    task = fresh.plan.steps[0].tasks[0]
    rolling = type(fresh)(fresh.plan, evolve(fresh.state, [back]), NOW)
    for answer in (
        forms.excuse_form(fresh, task),
        forms.note_form(fresh, task),
        forms.accept_form(fresh, "t30:0"),
        forms.rollback_form(fresh, ("v1.1.9", "v1.1.8")),
        forms.rolled_back_form(rolling),
        forms.cancel_form(fresh),
        forms.start_form("v1", ("azora", "petforce"), ("production", "staging"), text="The window is open."),
        forms.freeze_form("1 dec - 3 jan"),
    ):
        assert answer.form is not None
        yield answer.form


def any_form(actions: st.SearchStrategy[str]) -> st.SearchStrategy[Form]:
    """Forms with these actions and any words."""
    odd = ["", "<!channel>", "@everyone", "x" * 5_000, "ب" * 5_000, "文\n文", "`*_~|", "*" * 4_000]
    words = st.text(max_size=40) | st.sampled_from(odd)
    fields = st.builds(
        Field,
        name=st.text("abc_", min_size=1, max_size=30),
        label=words,
        kind=st.sampled_from(["line", "paragraph", "choice"]),
        value=words,
        required=st.booleans(),
        hint=words,
        options=st.lists(st.builds(Option, words, words), max_size=4).map(tuple),
    )
    several = st.lists(fields, min_size=1, max_size=5, unique_by=lambda field: field.name).map(tuple)
    return st.builds(Form, title=words, action=actions, fields=several, submit=words, text=words)
