"""Rate limits and faults of the loopback Slack: scripted for the next calls, or by chance from a seed."""

from __future__ import annotations

import math
import random
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

from tests.fakes.slack_shapes import JSON


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong with one call. `stored`: after the call has done its work.

    >>> Fault.status(503, stored=True), Fault.drop(), Fault.slow(0.2), Fault.half_open(), Fault.error("internal_error")
    """

    kind: str
    stored: bool = False
    code: int = 200
    name: str = ""
    seconds: float = 0.0

    @classmethod
    def status(cls, code: int = 503, *, stored: bool = False) -> Fault:
        """An HTTP error with an HTML body."""
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
    def error(cls, name: str = "internal_error", *, stored: bool = False) -> Fault:
        """`ok: false`; internal_error and fatal_error may mean that part of it happened (chat.postMessage, errors)."""
        return cls("error", stored, name=name)

    @classmethod
    def ratelimited(cls, retry_after: int = 1) -> Fault:
        """429 with Retry-After."""
        return cls("ratelimited", seconds=retry_after)

    @classmethod
    def none(cls) -> Fault:
        """Nothing: lets one call through a script."""
        return cls("none")

    def __str__(self) -> str:
        detail = self.name or (str(self.code) if self.kind == "status" else "")
        return ":".join(part for part in (self.kind, detail, "stored" if self.stored else "") if part)


@dataclass
class _Script:
    pattern: str
    faults: deque[Fault]
    when: Callable[[JSON], bool]


@dataclass
class Faults:
    """Which call fails, and how. A script comes before chance; scripts are used up in the order they were given."""

    scripts: list[_Script] = field(default_factory=list)
    chances: list[tuple[str, Mapping[Fault, float], random.Random]] = field(default_factory=list)

    def script(self, method: str, *faults: Fault, times: int = 1, when: Callable[[JSON], bool] | None = None) -> None:
        """The next calls of a method (`chat.*` is fine) fail so, in this order; `when` looks at their arguments."""
        self.scripts.append(_Script(method, deque(list(faults) * times), when or (lambda _: True)))

    def chance(self, method: str, odds: Mapping[Fault, float], seed: int = 0) -> None:
        """Each call of a method fails with these probabilities, the same ones for the same seed."""
        self.chances.append((method, dict(odds), random.Random(seed)))

    def clear(self) -> None:
        self.scripts.clear()
        self.chances.clear()

    def next(self, method: str, body: JSON) -> Fault | None:
        for script in self.scripts:
            if script.faults and fnmatchcase(method, script.pattern) and script.when(body):
                return _real(script.faults.popleft())
        for pattern, odds, dice in self.chances:
            if fnmatchcase(method, pattern):
                roll = dice.random()
                for fault, odd in odds.items():
                    if (roll := roll - odd) < 0:
                        return _real(fault)
        return None


def _real(fault: Fault) -> Fault | None:
    return None if fault.kind == "none" else replace(fault)


@dataclass
class Limits:
    """How often a method may be called, per sliding window (docs.slack.dev/apis/web-api/rate-limits). Off at first.

    A refused call does not count. Only the method that went over is blocked.
    """

    now: Callable[[], float]
    tiers: dict[int, tuple[int, float]] = field(default_factory=dict)
    methods: dict[str, tuple[int, float]] = field(default_factory=dict)
    posts: tuple[int, float] | None = None
    used: dict[str, deque[float]] = field(default_factory=dict)

    def as_published(self) -> None:
        """Tiers 1 to 4 per minute, and one post a second to a channel."""
        self.tiers = {1: (1, 60.0), 2: (20, 60.0), 3: (50, 60.0), 4: (100, 60.0)}
        self.posts = (1, 1.0)

    def tier(self, tier: int, calls: int, per: float = 60.0) -> None:
        self.tiers[tier] = (calls, per)

    def method(self, method: str, calls: int, per: float = 60.0) -> None:
        self.methods[method] = (calls, per)

    def posts_per_channel(self, calls: int = 1, per: float = 1.0) -> None:
        self.posts = (calls, per)

    def wait(self, method: str, tier: int, channel: str | None) -> int | None:
        """Seconds to wait (Retry-After), or None and the call is counted."""
        rules: list[tuple[str, tuple[int, float]]] = []
        if method in self.methods:
            rules.append((method, self.methods[method]))
        elif tier in self.tiers:
            rules.append((method, self.tiers[tier]))
        if method == "chat.postMessage" and channel and self.posts:
            rules.append((f"{method} {channel}", self.posts))
        now, longest = self.now(), 0.0
        for key, (calls, per) in rules:
            window = self.used.setdefault(key, deque())
            while window and window[0] <= now - per:
                window.popleft()
            if len(window) >= calls:
                longest = max(longest, window[0] + per - now if calls else per)
        if longest > 0:
            return max(1, math.ceil(longest))
        for key, _ in rules:
            self.used[key].append(now)
        return None
