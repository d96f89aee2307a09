"""Where everything stands in a picture, in pixels of a phone. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from bot.cards.chart import Curve, Limit

WIDTH = 360
LEFT, RIGHT, EDGE = 56, 12, 10
"""Beside a panel on the left, for its numbers, and on the right; beside a line of words."""
MOST_PANELS, MOST_ROWS = 3, 3
_TITLE, _HEADER, _ROW, _TIMES, _FOOT = 28, 20, 15, 20, 18
_PANEL, _SMALL_PANEL, _BETWEEN = 112, 84, 6
_GAP = 1.75
"""A spacing so many times those beside it is a gap: one missing measurement of a series makes it two."""
_FAR = 2.0
"""A bad limit so many times the range of the curve away is named, and not drawn: it would flatten the curve."""

_LINE = 13
"""From one line of small letters to the next."""
_NAMED = 2
"""As many limits beyond an edge are named at it."""

Point = tuple[datetime, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """The box of one curve: upper edge and height. Its header stands above."""

    top: int
    height: int


@dataclass(frozen=True, slots=True)
class Page:
    """The picture. `rows` of labels of marks stand above the first panel, below its header."""

    height: int
    panels: tuple[Panel, ...]


def page(curves: int, *, rows: int, small: bool) -> Page:
    """A page for so many curves and rows of labels."""
    tall = _SMALL_PANEL if small else _PANEL
    top = 4 if small else _TITLE
    panels = []
    for number in range(curves):
        top += _HEADER + (rows * _ROW if number == 0 else 0)
        panels.append(Panel(top, tall))
        top += tall + (_BETWEEN if number < curves - 1 else 0)
    return Page(top + _TIMES + _FOOT, tuple(panels))


def place_labels(marks: Sequence[tuple[float, float]]) -> list[tuple[float, int] | None]:
    """Marks as (x, width of the label), from left to right -> left edge and row of each label, so that none covers
    another; None where there is no room for one. A label stands right of its line, or, where it would leave the
    picture, left of it. The later mark gets the lower row: no line then crosses the label of one before it."""
    taken: list[list[tuple[float, float]]] = [[] for _ in range(MOST_ROWS)]
    placed: list[tuple[float, int] | None] = []
    for x, width in reversed(marks):
        left = x + 4 if x + 4 + width <= WIDTH - 4 else max(4.0, x - 4 - width)
        right = left + width
        row = next((n for n, spans in enumerate(taken) if all(right + 6 < a or left - 6 > b for a, b in spans)), None)
        if row is not None:
            taken[row].append((left, right))
        placed.append(None if row is None else (left, row))
    return placed[::-1]


def stretches(points: Sequence[Point]) -> list[list[Point]]:
    """The points cut at the gaps: where measurements are missing there is no line.

    A gap is a spacing well above those beside it; so is the night before the last of three checks. Of two points it
    cannot be told.
    """
    spacings = [(after - before).total_seconds() for (before, _), (after, _) in pairwise(points)]
    found: list[list[Point]] = [list(points[:1])]
    for number, point in enumerate(points[1:]):
        beside = [*spacings[max(0, number - 1) : number], *spacings[number + 1 : number + 2]]
        if beside and spacings[number] > _GAP * max(beside):
            found.append([])
        found[-1].append(point)
    return [stretch for stretch in found if stretch]


@dataclass(frozen=True, slots=True)
class Extent:
    """From where to where a panel goes; above `top` there are only words. Limits are drawn `inside` it, or named at
    the edge they lie `above` or `below`."""

    low: float
    high: float
    top: float
    inside: tuple[Limit, ...]
    above: tuple[Limit, ...]
    below: tuple[Limit, ...]


def extent(curve: Curve, height: int) -> Extent:
    """Of a panel so many pixels high. It begins at 0 unless the curve stays far from it."""
    values = [value for _, value in curve.points]
    near = [*values, *(limit.value for limit in curve.limits if not limit.bad)]
    low, high = min(near), max(near)
    if 0 <= low < 0.6 * high or low == high:
        low, high = min(0.0, low), max(0.0, high)
    span = high - low or 1.0
    above = tuple(limit for limit in curve.limits if limit.bad and limit.value > high + _FAR * span)
    below = tuple(limit for limit in curve.limits if limit.bad and limit.value < low - _FAR * span)
    inside = tuple(limit for limit in curve.limits if limit not in above and limit not in below)
    low, high = min([low, *(limit.value for limit in inside)]), max([high, *(limit.value for limit in inside)])
    upper = 8 + 8 * bool(inside) + _LINE * min(len(above), _NAMED)
    lower = 0 if low == 0 and not below else 8 + 8 * bool(inside) + _LINE * min(len(below), _NAMED)
    each = (high - low or 1.0) / (height - upper - lower)
    return Extent(low - lower * each, high + upper * each, high, inside, above, below)


@dataclass(frozen=True, slots=True)
class Words:
    """What is written about a limit, the middle of its line from the upper edge, and its right end."""

    text: str
    y: float
    right: float
    bad: bool


def place_words(
    panel: Panel, extent: Extent, widths: Callable[[str], float], curve: Sequence[tuple[float, float]]
) -> list[Words]:
    """The words of the limits: each close to its line, at the right and above it unless elsewhere it hides less of the
    curve, none over another. `curve` are pixels; `widths` measures words."""
    bottom = panel.top + panel.height
    wanted: list[tuple[Limit, str, list[float]]] = []
    for limit in sorted(extent.inside, key=lambda limit: -limit.value):
        y = panel.top + panel.height * (extent.high - limit.value) / (extent.high - extent.low)
        wanted.append((limit, limit.label, [at for at in (y - 8, y + 9) if panel.top <= at <= bottom - 5] or [y]))
    wanted += [
        (limit, f"↑ {limit.label}", [panel.top + 6 + _LINE * n]) for n, limit in enumerate(extent.above[:_NAMED])
    ]
    wanted += [(limit, f"↓ {limit.label}", [bottom - 8 - _LINE * n]) for n, limit in enumerate(extent.below[:_NAMED])]
    placed: list[tuple[Words, float]] = []
    for limit, text, places in wanted:
        width = widths(text)

        def hidden(place: tuple[float, float], width: float = width) -> int:
            right, y = place
            left = right - width - 3
            over = sum(abs(y - other.y) < _LINE and left < other.right and start < right + 3 for other, start in placed)
            return 1_000 * over + sum(left <= x <= right + 5 and abs(y - at) < _LINE / 2 + 1 for x, at in curve)

        rights = [float(WIDTH - RIGHT), *([WIDTH - RIGHT - (WIDTH - LEFT - RIGHT) * 0.4] if width < 130 else [])]
        right, y = min(((right, y) for right in rights for y in places), key=hidden)
        placed.append((Words(text, y, right, limit.bad), right - width))
    return [words for words, _ in placed]


def pixels(stretch: Sequence[tuple[float, float]]) -> Iterator[tuple[float, float]]:
    """A line through points, in steps of a few pixels."""
    yield from stretch
    for (x, y), (then, there) in pairwise(stretch):
        steps = int(max(abs(then - x), abs(there - y)) // 4)
        for step in range(1, steps):
            yield x + (then - x) * step / steps, y + (there - y) * step / steps


def say(value: float, unit: str) -> str:
    """A value with its unit, as the card says it: `0.05%`, `245ms`, `2.1 x`."""
    number = f"{value:.0f}" if unit == "ms" and abs(value) >= 10 else f"{value:.4g}" if value >= 10 else f"{value:.3g}"
    return f"{number}{unit}" if unit in ("%", "ms", "s") else f"{number} {unit}".rstrip()
