"""What a measure says: one line for each goal."""

from __future__ import annotations

import asyncio
import functools
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Literal

Bound = Literal["≥", "≤", "<"]


@dataclass(frozen=True, slots=True)
class Line:
    """A figure beside its goal. `met` None: it could not be measured here, and `note` says why."""

    what: str
    value: float | None
    goal: str
    met: bool | None
    note: str = ""

    def __str__(self) -> str:
        value = "-" if self.value is None else f"{self.value:.3g}"
        none = "no goal" if self.value is not None else "not measured"
        met = {True: "met", False: "MISSED", None: none}[self.met]
        return f"{met:<12} {value:>8}  {self.goal:<7} {self.what}" + (f"  ({self.note})" if self.note else "")


def line(what: str, value: float, bound: Bound, goal: float, *, note: str = "", unit: str = "") -> Line:
    """A figure held against its goal."""
    met = {"≥": value >= goal, "≤": value <= goal, "<": value < goal}[bound]
    return Line(what, round(value, 4), f"{bound} {goal:g}{unit}", met, note)


def unmeasured(what: str, goal: str, why: str) -> Line:
    """What this machine lacks something for."""
    return Line(what, None, goal, None, why)


def percentile(values: Sequence[float], percent: int) -> float:
    """The value that so many of a hundred stay below."""
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def middle(values: Sequence[float]) -> float:
    """The median: what else the machine does hits some rounds, and not the middle one."""
    return median(values)


def over(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The ratio of two sides: the median of the ratios of each round. What else the machine does in a round hits both
    of its sides; medians of each side would be taken from different rounds."""
    return median(one / other for one, other in zip(ours, theirs, strict=True))


def in_turn(rounds: int, *sides: Callable[[], object]) -> list[list[float]]:
    """How many seconds each side takes in each of so many rounds; the sides take turns."""

    async def waiting(side: Callable[[], object]) -> None:
        side()

    return asyncio.run(in_turn_async(rounds, *(functools.partial(waiting, side) for side in sides)))


async def in_turn_async(
    rounds: int, *sides: Callable[[], Awaitable[object]], between: Callable[[], object] | None = None
) -> list[list[float]]:
    """Like `in_turn`, for what is awaited. `between` puts everything back where it was."""
    took: list[list[float]] = [[] for _ in sides]
    for number in range(rounds + 1):
        for side, times in zip(sides, took, strict=True):
            gc.collect()
            begun = time.perf_counter()
            await side()
            if number:  # the first round warms up
                times.append(time.perf_counter() - begun)
            if between is not None:
                between()
    return took


def say(lines: Sequence[Line]) -> None:
    """What `bench/run.py` reads from a measure's process."""
    json.dump([asdict(each) for each in lines], sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")


def run(measure: Callable[[], Awaitable[list[Line]]]) -> None:
    """The main of a measure's file."""

    async def lines() -> list[Line]:
        return await measure()

    say(asyncio.run(lines()))
