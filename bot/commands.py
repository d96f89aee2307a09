"""`/deploy …` as typed -> what is meant. Pure; a mistake is an answer with a way on, never an exception from below."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from bot.cards.words import code
from checklists.day_words import weekday

LONGEST = 2_000
"""Characters of a command; Slack sends no more, and nobody types more."""


@dataclass(frozen=True, slots=True)
class Usage:
    """One sub-command, as `help` and the completion show it."""

    name: str
    arguments: str
    does: str


USAGES = (
    Usage(
        "start",
        'VERSION [service] [environment] [at "tue 10:00"] [--LANE REASON]',
        "start a deployment and post its checklist, or a lane's abbreviated one",
    ),
    Usage("schedule", 'VERSION [service] [environment] "tue 10:00"', "plan one; without a time: when the window opens"),
    Usage("approve", "[service]", "approve a deployment that waits for it"),
    Usage("go", "[service]", "give a deployment that waits its go"),
    Usage("status", "[service]", "where a deployment stands"),
    Usage("items", "[service]", "the items of the phases that are open"),
    Usage("advance", "[service]", "complete this phase and open the next"),
    Usage("deployed", "[service]", "it is in production: start the clock of the checks"),
    Usage("rollback", "[service] [VERSION] [reason]", "roll back, at any moment"),
    Usage("cancel", "[service] [reason]", "give up before it is deployed"),
    Usage("list", "", "deployments, running ones first"),
    Usage("window", '[service] [environment] [at "fri 16:55"]', "may it start, and when does it open or close"),
    Usage("freeze", 'add "1 dec - 3 jan" REASON | list | remove ID', "when nothing is deployed"),
    Usage(
        "lock",
        '[service] [environment] REASON [for 2h | until "fri 18:00"] [--take]',
        "nobody else starts it meanwhile",
    ),
    Usage("unlock", "[service] [environment] [reason]", "lift the lock, also the one a rollback leaves behind"),
    Usage("queue", "[service] [environment]", "be told when it is free; again: no longer"),
    Usage("incident", "open REASON | list | close ID", "an active incident holds deployments where the policy says so"),
    Usage("why", "[service] | ID", "why it was let through, held or turned away, as things stood then"),
    Usage("checklist", "[name]", "read a checklist, also the parts nobody ticks"),
    Usage("help", "", "this list"),
)
_NAMES = tuple(usage.name for usage in USAGES)
PLACED = ("start", "schedule", "window", "lock", "unlock", "queue")
"""Commands about a place, whether or not anything was ever deployed there: the checklists say which there are."""
_QUOTES = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"'})
_DASHES = str.maketrans({"–": "-", "—": "-"})
_VERSION = re.compile(
    r"v?\d+(?:[._-]\d\w*)+(?:[-+][\w.+-]+)?|v\d\w*(?:[-+.][\w.+-]+)?|(?=[a-f]*\d)[0-9a-f]{7,40}"
    r"|[a-z][\w.+/-]*[-_./]v?\d[\w.+-]*",
    re.IGNORECASE,
)
"""What reads as a version where a reason may stand as well: `v1.1.0`, a commit, `release-12`; but not `5xx`, `p95`."""
_QUOTED = re.compile(r"\b(add|at) ['‘]([^'‘’\"]+)['’](?!\S)", re.IGNORECASE)
"""A time in single quotes, where an apostrophe cannot be meant."""
_TIMELY = re.compile(r"\d|\b(?:minutes?|hours?|days?|weeks?|today|tonight|tomorrow|noon|midnight)\b", re.IGNORECASE)


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
    lane: str = ""
    """`emergency` of `--emergency`."""
    reason: str = ""
    """What stands behind the lane."""
    confirmed: bool = False
    """`--yes`: what will fall badly is known."""
    words: tuple[str, ...] = field(default=())


def parse_command(text: str, *, services: Collection[str], environments: Collection[str]) -> Command:
    """What a person means. Raises Mistake.

    The order of version, service and environment does not matter; what is none of them is the reason, where one may be
    given, else a mistake.
    """
    if len(text) > LONGEST:
        raise Mistake(f"That command has {len(text):,} characters, and no command needs more than {LONGEST:,}.")
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

    def flag(self, name: str) -> bool:
        """Whether a word like `--yes` was given; it is taken out."""
        found = [index for index, word in enumerate(self.words) if _long(word) == name]
        for index in reversed(found):
            self.words.pop(index)
        return bool(found)

    def lane(self) -> tuple[str, str]:
        """`--emergency` and the reason behind it: everything to the end."""
        for index, word in enumerate(self.words):
            if _long(word).startswith("--"):
                name, reason = _long(word)[2:].casefold(), " ".join(self.words[index + 1 :])
                self.words = self.words[:index]
                return name, reason
        return "", ""

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
        return " ".join(said).translate(_DASHES)

    def mind_the_service(self, name: str, service: str) -> None:
        """A reason that begins with a service spelled wrongly would be about some other deployment. Raises Mistake."""
        if service or not self.words or len(self.words[0]) > 60:
            return
        close = get_close_matches(self.words[0].casefold(), self._services, n=1, cutoff=0.75)
        if close:
            meant = self._services[close[0]]
            raise Mistake(
                f"There is no service {code(self.words[0], limit=40)}. Did you mean `/deploy {name} {meant}`? "
                "If it is the first word of your reason, please begin with another."
            )

    def rest(self) -> str:
        """All that is left, as one text."""
        return " ".join(self.words)


def _start(taken: _Taker) -> Command:
    confirmed, (lane, reason) = taken.flag("--yes"), taken.lane()
    when = taken.when()
    service, environment = taken.selector()
    if not taken.words:
        raise Mistake("Which version? Type `/deploy start v1.2.0`.")
    version = taken.words.pop(0)
    late_service, late_environment = taken.selector()
    service, environment = service or late_service, environment or late_environment
    if taken.words and not service:
        service = taken.words.pop(0)
        environment = environment or taken.selector()[1]
    return Command(
        "start", version=version, service=service, environment=environment, when=when, text=taken.rest(),
        lane=lane, reason=reason, confirmed=confirmed,
    )  # fmt: skip


def _schedule(taken: _Taker) -> Command:
    when = taken.when()
    service, environment = taken.selector()
    if not taken.words:
        raise Mistake('Which version? Type `/deploy schedule v1.2.0 "tue 10:00"`.')
    version = taken.words.pop(0)
    late_service, late_environment = taken.selector()
    return Command(
        "schedule", version=version, service=service or late_service, environment=environment or late_environment,
        when=when or taken.rest().translate(_DASHES),
    )  # fmt: skip


def _about(name: str) -> Callable[[_Taker], Command]:
    """Commands about one deployment that take no reason: one word more is taken for a service, known here or not."""

    def parse(taken: _Taker) -> Command:
        service, environment = taken.selector()
        if taken.words and not service:
            service = taken.words.pop(0)
            environment = environment or taken.selector()[1]
        if taken.words:
            odd = code(taken.rest(), limit=60)
            raise Mistake(f"`/deploy {name}` takes a service and an environment; {odd} is neither.")
        return Command(name, service=service, environment=environment)

    return parse


def _alone(name: str) -> Callable[[_Taker], Command]:
    def parse(taken: _Taker) -> Command:
        service, environment = taken.selector()
        return Command(name, service=service, environment=environment, text=taken.rest(), words=tuple(taken.words))

    return parse


def _with_reason(name: str) -> Callable[[_Taker], Command]:
    """Commands about one deployment or service, with a reason."""

    def parse(taken: _Taker) -> Command:
        service, environment = taken.selector()
        taken.mind_the_service(name, service)
        return Command(name, service=service, environment=environment, text=taken.rest(), words=tuple(taken.words))

    return parse


def _rollback(taken: _Taker) -> Command:
    service, environment = taken.selector()
    taken.mind_the_service("rollback", service)
    version = ""
    if len(taken.words) > 1 and taken.words[0].casefold() == "to":
        taken.words.pop(0)
        version = taken.words.pop(0)
    elif taken.words and _VERSION.fullmatch(taken.words[0]):
        version = taken.words.pop(0)
    return Command("rollback", service=service, environment=environment, version=version, text=taken.rest())


def _window(taken: _Taker) -> Command:
    when = taken.when()
    service, environment = taken.selector(anywhere=True)
    return Command("window", service=service or taken.rest(), environment=environment, when=when)


def _freeze(taken: _Taker) -> Command:
    sub = taken.words.pop(0).casefold() if taken.words else "list"
    if sub not in ("add", "list", "remove"):
        raise Mistake(f"`/deploy freeze` knows `add`, `list` and `remove`, not {code(sub, limit=30)}.")
    if sub == "list":
        return Command("freeze", sub=sub)
    if sub == "remove":
        if not taken.words:
            raise Mistake("Which freeze? `/deploy freeze list` shows their ids.")
        return Command("freeze", sub=sub, text=taken.words[0])
    if not taken.words:
        return Command("freeze", sub="ask")
    when = taken.words.pop(0).translate(_DASHES)
    service, _ = taken.selector()
    if not taken.words:
        raise Mistake('Why? Type `/deploy freeze add "1 dec - 3 jan" year-end sales`.')
    return Command("freeze", sub=sub, when=when, service=service, text=taken.rest())


def _lock(taken: _Taker) -> Command:
    take = taken.flag("--take")
    service, environment = taken.selector()
    taken.mind_the_service("lock", service)
    until = ""
    lowered = [word.casefold() for word in taken.words]
    for sign in ("until", "for"):
        # The last one: a reason may hold the word as well.
        if sign in lowered and (at := len(lowered) - 1 - lowered[::-1].index(sign)) >= len(lowered) - 3:
            said = " ".join(taken.words[at + 1 :]).translate(_DASHES)
            if at or _timely(said):
                until, taken.words = said, taken.words[:at]
                break
    return Command(
        "lock", service=service, environment=environment, when=until, text=taken.rest(), confirmed=take,
    )  # fmt: skip


def _timely(said: str) -> bool:
    """Whether a time is meant, well written or not: `lock for 2h` has no reason, `lock for maintenance` has one."""
    return bool(_TIMELY.search(said)) or any(weekday(word.casefold()) is not None for word in said.split())


def _incident(taken: _Taker) -> Command:
    sub = taken.words.pop(0).casefold() if taken.words else "list"
    if sub not in ("open", "close", "list"):
        raise Mistake(f"`/deploy incident` knows `open`, `list` and `close`, not {code(sub, limit=30)}.")
    service, _ = taken.selector()
    if sub == "open" and not taken.words:
        raise Mistake("What is the incident? Type `/deploy incident open checkout is down`.")
    if sub == "close" and not taken.words:
        raise Mistake("Which incident? `/deploy incident list` shows their ids.")
    return Command("incident", sub=sub, service=service, text=taken.rest())


_PARSERS: dict[str, Callable[[_Taker], Command]] = {
    "start": _start,
    "schedule": _schedule,
    "rollback": _rollback,
    "window": _window,
    "freeze": _freeze,
    "lock": _lock,
    "unlock": _with_reason("unlock"),
    "queue": _about("queue"),
    "incident": _incident,
    "cancel": _with_reason("cancel"),
    **{name: _about(name) for name in ("status", "items", "advance", "deployed", "approve", "go")},
    **{name: _alone(name) for name in ("list", "checklist", "help", "why")},
}


def _long(word: str) -> str:
    """A long option as typed; keyboards make one dash of two."""
    return re.sub(r"^(?:–|—)(?=\w)", "--", word)


def _words(text: str) -> list[str]:
    """The words as a shell would see them; a quote that is not closed is taken as a letter."""
    flat = _QUOTED.sub(r'\1 "\2"', " ".join(text.translate(_QUOTES).split()))
    lexer = shlex.shlex(flat, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    lexer.quotes = '"'
    lexer.escape = ""
    try:
        return [word for word in lexer if word.strip()]
    except ValueError:
        return flat.split()


def _unknown(word: str) -> str:
    close = get_close_matches(word.casefold(), _NAMES, n=1, cutoff=0.5)
    hint = f" Did you mean `/deploy {close[0]}`?" if close else ""
    return f"There is no {code('/deploy ' + word, limit=40)}.{hint} `/deploy help` lists everything."
