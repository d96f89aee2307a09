"""What a stranger's text meets: the reader, policies, commands, words for times and amounts, templates, calendars.

Each target takes the fuzzer's choices and raises only for a fault of ours: an exception that the function does not
declare. What it declares is its answer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol
from zoneinfo import ZoneInfo

from adapters.calendars.ics import listed, parse
from bot.commands import Mistake, parse_command
from bot.domain.calendar import Unreadable, opening, rules_for
from checklists.adopt import adopt
from checklists.library import ChecklistError, from_texts
from checklists.plan import make_plan
from checklists.policy_file import PolicyError, load_policy
from checklists.quantities import parse_band, parse_duration, parse_moment
from checklists.reader import DocumentError, read_checklist
from checklists.templates import TemplateError, check, render
from checklists.windows import parse_dates, parse_freeze, parse_when, parse_window

FOLDER = Path(__file__).resolve().parents[2] / "checklists"
NOW = datetime(2026, 11, 24, 15, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
_SERVICES, _ENVIRONMENTS = ("azora", "ca-marketplace", "pet.store"), ("production", "staging")
_VALUES = {"version": "v1.2.0", "changes": ["Faster", "{{ reason }}"], "metrics": [{"name": "x", "ok": True}]}


class Choices(Protocol):
    """`atheris.FuzzedDataProvider`, as far as it is used."""

    def ConsumeBytes(self, count: int) -> bytes: ...
    def ConsumeIntInRange(self, low: int, high: int) -> int: ...
    def ConsumeBool(self) -> bool: ...


Target = Callable[[Choices], None]
LONGEST = 4_096


def text_of(choices: Choices, longest: int) -> str:
    """Text of any bytes: what is no UTF-8 is a lone surrogate."""
    return choices.ConsumeBytes(longest).decode("utf-8", "surrogateescape")


def document(choices: Choices) -> None:
    """A document of any bytes is read, or refused with a place and a way out."""
    with contextlib.suppress(DocumentError):
        found = read_checklist(choices.ConsumeBytes(LONGEST), name="x.md")
        assert len({item.id for item in found.items()}) == len(list(found.items()))


def policy(choices: Choices) -> None:
    """A policy is loaded, or refused with places; one that is loaded makes a plan and a calendar."""
    text = text_of(choices, LONGEST)
    with contextlib.suppress(PolicyError):
        loaded = load_policy(text, file="x.yaml")
        made = make_plan(_SHOP, loaded, environment="production")
        assert all(step.tasks for step in made.steps)
        with contextlib.suppress(ValueError):
            opening(rules_for(loaded, "production"), NOW)


def pair(choices: Choices) -> None:
    """A document and its policy together."""
    markdown, text = choices.ConsumeBytes(choices.ConsumeIntInRange(0, LONGEST)), text_of(choices, LONGEST)
    with contextlib.suppress(PolicyError, DocumentError, ChecklistError):
        from_texts("x", markdown, text)


def adoption(choices: Choices) -> None:
    """Any document is adopted into a policy that loads."""
    with contextlib.suppress(DocumentError):
        load_policy(adopt(choices.ConsumeBytes(2_048), name="x"), file="x.yaml")


def command(choices: Choices) -> None:
    """Whatever is typed behind `/deploy` is understood or turned away in words."""
    with contextlib.suppress(Mistake):
        parse_command(text_of(choices, 600), services=_SERVICES, environments=_ENVIRONMENTS)


def times(choices: Choices) -> None:
    """Windows, dates, freezes and moments in words."""
    words = text_of(choices, 120)
    for understood in (parse_window, parse_dates, parse_duration, parse_moment, parse_band):
        with contextlib.suppress(ValueError):
            understood(words)
    with contextlib.suppress(ValueError):
        assert parse_when(words, NOW, BERLIN) > NOW - timedelta(days=1)
    with contextlib.suppress(ValueError):
        parse_freeze(words, NOW, BERLIN)


def template(choices: Choices) -> None:
    """A template prints, or is refused; it never reaches what it was not given."""
    text = text_of(choices, 1_000)
    check(text)
    with contextlib.suppress(TemplateError):
        assert "object at 0x" not in render(text, _VALUES)


def calendar(choices: Choices) -> None:
    """A calendar file closes something, or cannot be read."""
    with contextlib.suppress(Unreadable):
        parsed = parse(choices.ConsumeBytes(2_048), "x.ics")
        listed(parsed, source="x.ics", start=NOW, end=NOW + timedelta(days=400), zone=BERLIN)


_SHOP = read_checklist("# Shop\n## Prepare\n- [ ] Tests pass\n## Switch\n- [ ] Traffic switched\n", name="shop.md")

TARGETS: dict[str, Target] = {
    "document": document,
    "policy": policy,
    "pair": pair,
    "adoption": adoption,
    "command": command,
    "times": times,
    "template": template,
    "calendar": calendar,
}


def seeds(target: str) -> list[bytes]:
    """Where the fuzzer begins: the five documents, their policies, and what people write."""
    documents = [path.read_bytes() for path in sorted(FOLDER.glob("*.md"))]
    policies = [path.read_bytes() for path in sorted(FOLDER.glob("*.yaml"))]
    match target:
        case "document" | "adoption" | "pair":
            return [*documents, *(text[at : at + 1_500] for text in documents for at in range(0, len(text), 1_500))]
        case "policy":
            return [*policies, *(text[at : at + 1_500] for text in policies for at in range(0, len(text), 1_500))]
        case "calendar":
            return [path.read_bytes() for path in sorted(FOLDER.glob("*.ics"))]
        case "command":
            return [
                b"start v1.2.0 azora production at tue 10:00",
                b'lock azora 2h "why"',
                b"freeze add 1 dec - 3 jan x",
            ]
        case "times":
            return [b"tue-thu 10:00-16:00", b"2026-12-20 - 2027-01-03", b"T-48h", b"< 0.1%", b"fri 16:55", b"1h 30m"]
        case _:
            return [b"{% for c in changes %}{{ c }}{% endfor %} {{ links.x is known }}"]


WORDS = (
    "- [ ] ", "- [x] ", "## ", "```", "| --- |", "timezone:", "windows:", "freezes:", "weekly:", "rrule:", "DTSTART",
    "RRULE:FREQ=", "BEGIN:VEVENT", "END:VEVENT", "EXDATE", "tue-thu", "00:00-24:00", "start ", "schedule ", "rollback ",
    "--emergency", "--yes", " at ", "T+30m", "{{ ", " }}", "{% if ", "{% endif %}", "__class__", "mro()",
    "&anchor", "*anchor",
    "!!python/object", "<<:", "%", "ms", "\u2028", "\x00", "​",
)  # fmt: skip
"""A dictionary for the mutations."""
