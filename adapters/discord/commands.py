"""`/deploy` as Discord knows it: each sub-command with its options, and back to the text that the core understands.

One table. Discord's limits (interactions/application-commands): names of 32, descriptions of 100 characters, 25
options, required ones first; groups one level deep.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

COMMAND = "deploy"
ABOUT = "Deploy by the checklist: start, see where it stands, roll back"

_SUBCOMMAND, _GROUP, _STRING = 1, 2, 3
_QUOTES = str.maketrans(dict.fromkeys("\"'“”„«»‘", "’"))
"""What the command line takes for quotation marks, as the apostrophe that is none."""
_DASHES = "-–—"
_FLAG = re.compile(r"[^a-z0-9_-]+")


class Kind(Enum):
    """What an option is in the command's text."""

    NAME = "a name or version: one word"
    AT = "a time, behind `at`"
    TIME = "a time, by its place"
    TO = "a version, behind `to`"
    LANE = "the name of a way around the gate, behind `--`"
    REASON = "the reason for it: words"
    TEXT = "words"
    UNTIL = "a time or a duration, behind `until` and all words"
    TAKE = "yes, for `--take`"
    ITEM = "an item: not for the core"


@dataclass(frozen=True, slots=True)
class Option:
    """One option. `offers`: what is completed for it, as the beginning of a command in which `{service}` and
    `{environment}` stand for what was chosen; `not_from`: a beginning whose offers are left out."""

    name: str
    does: str
    kind: Kind = Kind.NAME
    required: bool = False
    offers: str = ""
    not_from: str = ""


@dataclass(frozen=True, slots=True)
class Sub:
    """One sub-command; with two words the first is its group."""

    words: tuple[str, ...]
    does: str
    options: tuple[Option, ...] = ()


def _running(command: str = "status") -> tuple[Option, Option]:
    return (
        Option("service", "Which deployment; needed only if several run", offers=f"{command} "),
        Option("environment", "Where; needed only if it runs in several places", offers="status {service} "),
    )


_VERSION = Option("version", "What is deployed: v1.2.0, a tag or a commit", required=True)
_WHERE = (
    Option("service", "The checklist; left out, the usual one", offers="start v0 production "),
    Option("environment", "Where to; left out, production", offers="start v0 {checklist} "),
)

SUBS = (
    Sub(
        ("start",),
        "Start a deployment and post its checklist",
        (
            _VERSION,
            *_WHERE,
            Option("at", "Later, at this time: tue 10:00, in 2h, 2026-11-24 10:00", Kind.AT),
            Option("lane", "A way around the gate that the policy names: emergency, hotfix", Kind.LANE),
            Option("reason", "Why that way is taken; it is kept", Kind.REASON),
        ),
    ),
    Sub(
        ("schedule",),
        "Plan a deployment; without a time, for when the window opens",
        (_VERSION, *_WHERE, Option("at", "When: tue 10:00, in 2h, 2026-11-24 10:00", Kind.AT)),
    ),
    Sub(("approve",), "Approve a deployment that waits for it", _running()),
    Sub(("go",), "Give a deployment that waits its go", _running()),
    Sub(("status",), "Where a deployment stands", _running()),
    Sub(
        ("items",),
        "The open items, or one of them with its command and all its buttons",
        (*_running("items"), Option("item", "One item to see whole", Kind.ITEM)),
    ),
    Sub(("advance",), "Complete this phase and open the next", _running("advance")),
    Sub(("deployed",), "It is in production: start the clock of the checks", _running("deployed")),
    Sub(
        ("rollback",),
        "Roll back, at any moment; without a reason a form asks for it",
        (
            *_running("rollback"),
            Option(
                "version", "Back to which; left out, the one before", Kind.TO,
                offers="rollback {service} {environment}", not_from="status {service} ",
            ),
            Option("reason", "Why; it is announced", Kind.TEXT),
        ),
    ),
    Sub(
        ("cancel",),
        "Give up before it is deployed; without a reason a form asks for it",
        (*_running("cancel"), Option("reason", "Why; it is kept", Kind.TEXT)),
    ),
    Sub(("list",), "Deployments, running ones first"),
    Sub(
        ("window",),
        "May it start, and when does it open or close",
        (
            Option("service", "The checklist; left out, the usual one", offers="window production "),
            Option("environment", "Where to; left out, production", offers="window {checklist} "),
            Option("at", "Some other time: fri 16:55", Kind.AT),
        ),
    ),
    Sub(
        ("freeze", "add"),
        "Nothing is deployed for a while; without a time a form asks for it",
        (
            Option("when", "From when to when: 1 dec - 3 jan, today, fri 12:00 - mon 9:00", Kind.TIME),
            Option("service", "Only this one; left out, all", offers='freeze add "today" '),
            Option("reason", "Why; everybody who is stopped reads it", Kind.TEXT),
        ),
    ),
    Sub(("freeze", "list"), "Freezes that stand"),
    Sub(
        ("freeze", "remove"),
        "Lift a freeze",
        (Option("id", "Which one", required=True, offers="freeze remove "),),
    ),
    Sub(
        ("lock",),
        "Nobody else starts it meanwhile",
        (
            Option("reason", "Why; everybody who is stopped reads it", Kind.TEXT, required=True),
            *_WHERE,
            Option("until", "How long, 2h, or until when, fri 18:00; left out, until it is unlocked", Kind.UNTIL),
            Option("take_over", "Write yes to take over somebody else's lock", Kind.TAKE),
        ),
    ),
    Sub(
        ("unlock",),
        "Lift the lock, also the one a rollback leaves behind",
        (*_WHERE, Option("reason", "Why; it is announced", Kind.TEXT)),
    ),
    Sub(("queue",), "Be told when it is free; again: no longer", _WHERE),
    Sub(
        ("incident", "open"),
        "Something is wrong now: it holds deployments where the policy says so",
        (
            Option("reason", "What is wrong", Kind.TEXT, required=True),
            Option("service", "Only this one; left out, all", offers="incident open "),
        ),
    ),
    Sub(("incident", "list"), "Incidents that are open"),
    Sub(
        ("incident", "close"),
        "It is over",
        (Option("id", "Which one", required=True, offers="incident close "),),
    ),
    Sub(
        ("why",),
        "Why a deployment was let through, held or turned away, as things stood then",
        (Option("service", "Which deployment: its service or its id", offers="status "),),
    ),
    Sub(
        ("checklist",),
        "Read a checklist, also the parts nobody ticks",
        (Option("name", "Which one", offers="checklist "),),
    ),
    Sub(("help",), "What /deploy can do"),
)  # fmt: skip
_GROUPS = {"freeze": "When nothing is deployed", "incident": "Active incidents"}


class Unusable(ValueError):
    """The options do not make a command. The sentence says why."""


class Typed(NamedTuple):
    """What somebody typed: the sub-command, its options by name, and the option being typed, if any."""

    sub: Sub
    values: Mapping[str, str]
    focused: str = ""


def payload() -> list[dict[str, Any]]:
    """The definition that Discord is given."""
    options: list[dict[str, Any]] = []
    groups: dict[str, dict[str, Any]] = {}
    for sub in SUBS:
        name, does = sub.words[-1], sub.does
        drawn = {"type": _SUBCOMMAND, "name": name, "description": does, "options": [*map(_option, sub.options)]}
        if len(sub.words) == 1:
            options.append(drawn)
            continue
        group = sub.words[0]
        if group not in groups:
            groups[group] = {"type": _GROUP, "name": group, "description": _GROUPS[group], "options": []}
            options.append(groups[group])
        groups[group]["options"].append(drawn)
    return [{"type": 1, "name": COMMAND, "description": ABOUT, "options": options, "contexts": [0]}]


def same(known: Sequence[Mapping[str, Any]]) -> bool:
    """Whether Discord's definition, as it tells it, is ours. What it adds (ids, versions, defaults) does not count."""
    return [_plain(each) for each in known] == [_plain(each) for each in payload()]


def typed(data: Mapping[str, Any]) -> Typed:
    """What an interaction's data says. Raises Unusable for a sub-command of another release."""
    words: list[str] = []
    options: Sequence[Mapping[str, Any]] = data.get("options") or ()
    while options and options[0].get("type") in (_SUBCOMMAND, _GROUP):
        words.append(str(options[0]["name"]))
        options = options[0].get("options") or ()
    sub = next((each for each in SUBS if each.words == tuple(words)), None)
    if sub is None:
        raise Unusable("That command is from an older release. Please restart your Discord app, and try again.")
    values = {str(option["name"]): str(option.get("value") or "").strip() for option in options}
    focused = next((str(option["name"]) for option in options if option.get("focused")), "")
    return Typed(sub, {name: value for name, value in values.items() if value or name == focused}, focused)


def text_of(said: Typed) -> str:
    """The command as it would be typed. Nothing in a value can become another word or flag. Raises Unusable."""
    with_lane = any(option.kind is Kind.LANE for option in said.sub.options)
    if with_lane and "reason" in said.values and "lane" not in said.values:
        raise Unusable("A reason goes with a way around the gate: please fill in `lane`, too, or leave it out.")
    if said.values and any(option.kind is Kind.TIME for option in said.sub.options) and "when" not in said.values:
        raise Unusable("From when to when? Please fill in `when`, or leave all out: then a form asks.")
    words = [*said.sub.words]
    for option in sorted(said.sub.options, key=lambda option: (option.kind is Kind.UNTIL, option.kind is Kind.TEXT)):
        value = said.values.get(option.name, "")
        if value:
            words += _words(option, value)
    return " ".join(words)


def beginnings(said: Typed, *, running: str, checklist: str) -> tuple[str, str]:
    """The beginning of a command whose completions are the choices for the option being typed, and one whose
    completions are none of them. Empty where nothing is offered. `running` is the service meant where none is named,
    `checklist` any checklist there is."""
    option = next((option for option in said.sub.options if option.name == said.focused), None)
    if option is None or not option.offers:
        return "", ""
    service = said.values.get("service", "")
    environment = said.values.get("environment", "")
    known = {
        "service": service or running,
        "environment": f"{environment} " if environment else "",
        "checklist": service or checklist,
    }
    without = "" if environment else option.not_from
    return option.offers.format_map(known), without.format_map(known)


def _words(option: Option, value: str) -> list[str]:
    match option.kind:
        case Kind.AT:
            return ["at", _quoted(value)]
        case Kind.TO:
            return ["to", _quoted(value)]
        case Kind.LANE:
            name = _FLAG.sub("", value.casefold()).strip("-")
            if not name:
                raise Unusable("There is no way around the gate of that name: the policy's `overrides` name them.")
            return [f"--{name}"]
        case Kind.TEXT | Kind.REASON:
            return [_quoted(value, words=True)]
        case Kind.UNTIL:
            return ["until", _quoted(value)]
        case Kind.TAKE:
            return ["--take"] if value.casefold() in ("yes", "true") else []
        case Kind.ITEM:
            return []
        case _:
            return [_quoted(value)]


def _quoted(value: str, *, words: bool = False) -> str:
    """In quotation marks. A blank beside it keeps a lone word from being a service, a version or a flag."""
    flat = " ".join(value.translate(_QUOTES).split())
    blank = " " if (words and " " not in flat) or flat.startswith(tuple(_DASHES)) else ""
    return f'"{blank}{flat}{blank}"'


def _option(option: Option) -> dict[str, Any]:
    completed = bool(option.offers) or option.kind is Kind.ITEM
    return {
        "type": _STRING,
        "name": option.name,
        "description": option.does,
        **({"required": True} if option.required else {}),
        **({"autocomplete": True} if completed else {}),
        **({"max_length": 1_000} if option.kind in (Kind.TEXT, Kind.REASON) else {}),
    }


_COUNTS = ("type", "name", "description", "required", "autocomplete", "max_length", "contexts")


def _plain(command: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: command[name] for name in _COUNTS if command.get(name)}
    kept["options"] = [_plain(option) for option in command.get("options") or ()]
    return {"type": 1} | kept
