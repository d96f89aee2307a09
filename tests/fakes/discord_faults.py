"""Faults and rate limits of the loopback Discord: scripted for the next requests, or by chance from a seed."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from hashlib import sha256

from tests.fakes.discord_things import JSON, Call


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with one request. `stored`: after it has done its work.

    >>> Fault.status(502, stored=True), Fault.drop(), Fault.slow(0.2), Fault.half_open(), Fault.ratelimited(0.1)
    """

    kind: str
    stored: bool = False
    code: int = 200
    seconds: float = 0.0
    scope: str = "user"
    via: bool = True

    @classmethod
    def status(cls, code: int = 502, *, stored: bool = False) -> Fault:
        """An HTTP error with an HTML body, as a proxy gives it."""
        return cls("status", stored, code)

    @classmethod
    def drop(cls, *, stored: bool = False) -> Fault:
        """The connection is reset."""
        return cls("drop", stored)

    @classmethod
    def slow(cls, seconds: float, *, stored: bool = True) -> Fault:
        """The right answer, late. `stored`: the work is done at once, only the answer waits."""
        return cls("slow", stored, seconds=seconds)

    @classmethod
    def half_open(cls, *, stored: bool = False) -> Fault:
        """No answer ever; the connection stays until the client gives up."""
        return cls("half_open", stored)

    @classmethod
    def ratelimited(cls, retry_after: float = 0.1, *, scope: str = "user", via: bool = True) -> Fault:
        """429; `scope` user, shared or global. Without `via` it is the ban of the proxy in front."""
        return cls("ratelimited", seconds=retry_after, scope=scope, via=via)

    @classmethod
    def none(cls) -> Fault:
        """Nothing: lets one request through a script."""
        return cls("none")

    def __str__(self) -> str:
        detail = str(self.code) if self.kind == "status" else ""
        return ":".join(part for part in (self.kind, detail, "stored" if self.stored else "") if part)


@dataclass
class _Script:
    pattern: str
    faults: deque[Fault]
    when: Callable[[JSON], bool]


@dataclass
class Faults:
    """Which request fails, and how. A script comes before chance; scripts are used up in the order they were given."""

    scripts: list[_Script] = field(default_factory=list)
    chances: list[tuple[str, Mapping[Fault, float], random.Random]] = field(default_factory=list)

    def script(self, pattern: str, *faults: Fault, times: int = 1, when: Callable[[JSON], bool] | None = None) -> None:
        """The next requests (`POST /channels/*/messages`) fail so, in this order; `when` looks at their bodies."""
        self.scripts.append(_Script(pattern, deque(list(faults) * times), when or (lambda _: True)))

    def chance(self, pattern: str, odds: Mapping[Fault, float], seed: int = 0) -> None:
        """Each request fails with these probabilities, the same ones for the same seed."""
        self.chances.append((pattern, dict(odds), random.Random(seed)))

    def clear(self) -> None:
        self.scripts.clear()
        self.chances.clear()

    def next(self, call: Call) -> Fault | None:
        for script in self.scripts:
            if script.faults and matches(call, script.pattern) and script.when(call.body):
                fault = script.faults.popleft()
                return None if fault.kind == "none" else fault
        for pattern, odds, dice in self.chances:
            if matches(call, pattern):
                roll = dice.random()
                for fault, odd in odds.items():
                    if (roll := roll - odd) < 0:
                        return None if fault.kind == "none" else fault
        return None


def matches(call: Call, pattern: str) -> bool:
    """Whether a request is meant: by its path with numbers, or with names, where `*` is one step or more."""
    return fnmatchcase(call.name, pattern) or fnmatchcase(f"{call.method} {call.route}", pattern)


@dataclass
class _Window:
    left: int
    until: float


@dataclass
class Limits:
    """How often a route may be called, per window and major parameter (topics/rate-limits).

    Nothing is refused at first. The headers are always there, as Discord sends them; a refused request does not count.
    """

    now: Callable[[], float]
    rules: list[tuple[str, int, float]] = field(default_factory=list)
    everything: tuple[int, float] | None = None
    windows: dict[str, _Window] = field(default_factory=dict)

    def route(self, pattern: str, calls: int, per: float) -> None:
        """`calls` in `per` seconds; the newest rule that matches counts."""
        self.rules.insert(0, (pattern, calls, per))

    def overall(self, calls: int = 50, per: float = 1.0) -> None:
        """For the bot as a whole; interaction callbacks and follow-ups do not count."""
        self.everything = (calls, per)

    def check(self, call: Call, major: str) -> tuple[dict[str, str], float, str]:
        """The headers, the seconds to wait (0: go on), and whose limit it was: `user` or `global`."""
        if self.everything and call.token:
            wait, _ = self._take("everything", *self.everything)
            if wait:
                return {"X-RateLimit-Global": "true", "X-RateLimit-Scope": "global"}, wait, "global"
        pattern, calls, per = next(
            (rule for rule in self.rules if matches(call, rule[0])), (f"{call.method} {call.route}", 1000, 1.0)
        )
        free = not any(matches(call, rule[0]) for rule in self.rules)
        wait, window = self._take(f"{pattern} {major}", calls, per, free=free)
        headers = {
            "X-RateLimit-Bucket": sha256(pattern.encode()).hexdigest()[:32],
            "X-RateLimit-Limit": str(calls),
            "X-RateLimit-Remaining": str(window.left),
            "X-RateLimit-Reset": f"{window.until:.3f}",
            "X-RateLimit-Reset-After": f"{max(window.until - self.now(), 0):.3f}",
        }
        return headers | ({"X-RateLimit-Scope": "user"} if wait else {}), wait, "user"

    def _take(self, key: str, calls: int, per: float, *, free: bool = False) -> tuple[float, _Window]:
        now, window = self.now(), self.windows.get(key)
        if window is None or window.until <= now:
            window = self.windows[key] = _Window(calls, now + per)
        if window.left <= 0:
            if free:
                return 0.0, window
            return window.until - now, window
        window.left -= 1
        return 0.0, window
