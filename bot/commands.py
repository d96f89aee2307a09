"""`/deploy …` as typed -> what is meant. Pure; a mistake is an answer with a way on, never an exception from below."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from bot.cards.card import escape

LONGEST = 2_000
"""Characters of a command; Slack sends no more, and nobody types more."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One sub-command, as `help` and the completion show it."""

    name: str
    arguments: str
    does: str


USAGES = (
    Usage("start", "VERSION [service] [environment] [at \"tue 10:00\"]", "start a deployment and post its checklist"),
    Usage("status", "[service]", "where a deployment stands"),
    Usage("items", "[service]", "the items of the phases that are open"),
    Usage("advance", "[service]", "complete this phase and open the next"),
    Usage("deployed", "[service]", "it is in production: start the clock of the checks"),
    Usage("rollback", "[service] [VERSION] [reason]", "roll back, at any moment"),
    Usage("cancel", "[service] [reason]", "give up before it is deployed"),
    Usage("list", "", "deployments, running ones first"),
    Usage("window", "[service] [environment] [at \"fri 16:55\"]", "may it start, and when does it open or close"),
    Usage("freeze", "add \"1 dec - 3 jan\" REASON | list | remove ID", "when nothing is deployed"),
    Usage("incident", "open REASON | list | close ID", "an active incident holds deployments where the policy says so"),
    Usage("checklist", "[name]", "read a checklist, also the parts nobody ticks"),
    Usage("help", "", "this list"),
)
_NAMES = tuple(usage.name for usage in USAGES)
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "‘": "'", "’": "'", "—": "-"})


class Mistake(ValueError):
    """A command that cannot be understood. The text is inline Markdown: what was wrong, and what to type."""


@dataclass(frozen=True, slots=True)
class Command:
    """A command understood. Words that name a known service or environment stand in their own fields."""

    name: str
    sub: str = ""
    version: str = ""
    service: str = ""
    environment: str = ""
    when: str = ""
    text: str = ""
    """What is left: a reason, a note, the words of a freeze."""
    words: tuple[str, ...] = field(default=())


def parse_command(text: str, *, services: Collection[str], environments: Collection[str]) -> Command:
    """What a person means. Raises Mistake.

    The word before a version, service or environment does not matter, their order neither; what is none of them is the reason.
    """
    if len(text) > LONGEST:
        raise Mistake(f"That command has {len(text)} characters; {LONGEST} are enough for any.")
    words = _words(text)
    if not words:
        return Command("help")
    name, rest = words[0].casefold(), words[1:]
    if name not in _NAMES:
        raise Mistake(_unknown(words[0]))
    taken = _Taker(rest, services, environments)
    return _PARSERS[name](taken)


class _Taker:
    """Takes the words of a command one kind at a time."""

    def __init__(self, words: Sequence[str], services: Collection[str], environments: Collection[str]) -> None:
        self.words = list(words)
        self._services = {service.casefold(): service for service in services}
        self._environments = {name.casefold(): name for name in environments}

    def selector(self, *, anywhere: bool = False) -> tuple[str, str]:
        """Service and environment, if named: among the first words, or `anywhere`."""
        service = environment = ""
        index = 0
        while index < len(self.words):
            word = self.words[index].casefold()
            if not service and word in self._services:
                service = self._services[word]
            elif not environment and word in self._environments:
                environment = self._environments[word]
            elif anywhere:
                index += 1
                continue
            else:
                break
            self.words.pop(index)
        return service, environment

    def when(self) -> str:
        """What stands behind `at`."""
        lowered = [word.casefold() for word in self.words]
        if "at" not in lowered:
            return ""
        index = lowered.index("at")
        said = self.words[index + 1 :]
        if not said:
            raise Mistake('Say when after `at`: `at "tue 10:00"` or `at "2026-11-24 10:00"`.')
        self.words = self.words[:index]
        return " ".join(said)

    def rest(self) -> str:
        """All that is left, as one text."""
        return " ".join(self.words)


def _start(taken: _Taker) -> Command:
    if not taken.words:
        raise Mistake("Which version? Type `/deploy start v1.2.0`.")
    version = taken.words.pop(0)
    when = taken.when()
    service, environment = taken.selector(anywhere=True)
    if taken.words and not service:
        service = taken.words.pop(0)
    return Command("start", version=version, service=service, environment=environment, when=when, text=taken.rest())


def _plain(name: str) -> Callable[[_Taker], Command]:
    def parse(taken: _Taker) -> Command:
        service, environment = taken.selector()
        return Command(name, service=service, environment=environment, text=taken.rest(), words=tuple(taken.words))

    return parse


def _rollback(taken: _Taker) -> Command:
    service, environment = taken.selector()
    version = ""
    if taken.words and any(sign.isdigit() for sign in taken.words[0]):
        version = taken.words.pop(0)
    return Command("rollback", service=service, environment=environment, version=version, text=taken.rest())


def _window(taken: _Taker) -> Command:
    when = taken.when()
    service, environment = taken.selector(anywhere=True)
    return Command("window", service=service or taken.rest(), environment=environment, when=when)


def _freeze(taken: _Taker) -> Command:
    sub = taken.words.pop(0).casefold() if taken.words else "list"
    if sub not in ("add", "list", "remove"):
        raise Mistake(f"`/deploy freeze` knows `add`, `list` and `remove`, not `{escape(sub, limit=30)}`.")
    if sub == "list":
        return Command("freeze", sub=sub)
    if sub == "remove":
        if not taken.words:
            raise Mistake("Which freeze? `/deploy freeze list` shows their ids.")
        return Command("freeze", sub=sub, text=taken.words[0])
    if not taken.words:
        return Command("freeze", sub="ask")
    when = taken.words.pop(0)
    service, _ = taken.selector()
    if not taken.words:
        raise Mistake('Why? Type `/deploy freeze add "1 dec - 3 jan" year-end sales`.')
    return Command("freeze", sub=sub, when=when, service=service, text=taken.rest())


def _incident(taken: _Taker) -> Command:
    sub = taken.words.pop(0).casefold() if taken.words else "list"
    if sub not in ("open", "close", "list"):
        raise Mistake(f"`/deploy incident` knows `open`, `list` and `close`, not `{escape(sub, limit=30)}`.")
    service, _ = taken.selector()
    if sub == "open" and not taken.words:
        raise Mistake("What is the incident? Type `/deploy incident open checkout is down`.")
    if sub == "close" and not taken.words:
        raise Mistake("Which incident? `/deploy incident list` shows their ids.")
    return Command("incident", sub=sub, service=service, text=taken.rest())


_PARSERS: dict[str, Callable[[_Taker], Command]] = {
    "start": _start,
    "rollback": _rollback,
    "window": _window,
    "freeze": _freeze,
    "incident": _incident,
    **{name: _plain(name) for name in ("status", "items", "advance", "deployed", "cancel", "list", "checklist", "help")},
}


def _words(text: str) -> list[str]:
    """The words as a shell would see them; a quote that is not closed is taken as a letter."""
    flat = " ".join(text.translate(_QUOTES).split())
    lexer = shlex.shlex(flat, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.quotes = '"'
    lexer.escape = ""
    try:
        return list(lexer)
    except ValueError:
        return flat.split()


def _unknown(word: str) -> str:
    close = get_close_matches(word.casefold(), _NAMES, n=1, cutoff=0.5)
    hint = f" Did you mean `/deploy {close[0]}`?" if close else ""
    return f"There is no `/deploy {escape(word, limit=30)}`.{hint} `/deploy help` lists everything."
