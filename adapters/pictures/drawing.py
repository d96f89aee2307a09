"""A chart as a PNG. Imports matplotlib: `pictures` imports this late, and calls it from one thread at a time.

Laid out in pixels of a phone and drawn at twice as many; nothing depends on fonts or settings of the machine. The
colours are Okabe and Ito's (jfly.uni-koeln.de/color), which colour-blind people can tell apart, on a paper of their
own, so that a dark chat does not matter. No colour carries a meaning alone: lines differ in their dashes, and every
limit and every mark has its words.
"""

from __future__ import annotations

import io
import math
from dataclasses import replace
from datetime import datetime
from typing import Any

import matplotlib
import matplotlib.dates
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator

from adapters.pictures import layout
from adapters.pictures.layout import EDGE, LEFT, RIGHT, WIDTH, Extent, Panel
from adapters.pictures.words import drawable, fitted, font, points, width
from bot.cards.chart import Chart, Curve
from checklists.zones import find_zone

_dates: Any = matplotlib.dates
"""It ships no types."""
_SCALE, _INCH = 2, 100
_PAPER, _FRAME, _INK, _SOFT, _GRID = "#fcfcfc", "#bdbdbd", "#1a1a1a", "#4d4d4d", "#e6e6e6"
_BLUE = "#0072b2"
_TARGET = ("#009e73", "#00694d", (4, 2))
_BAD = ("#d55e00", "#a34700", (6, 2, 1.5, 2))
"""Colour of a limit's line, the same dark enough for small letters (4.5 to 1), and its dashes."""
_FEW = 40
"""Up to so many points each has a dot."""
_TITLE_SIZE, _NAME, _VALUE, _LABEL, _NUMBER, _FOOT = 13, 12, 13, 11, 11, 10


def draw(chart: Chart) -> bytes:
    """The PNG; the same chart is always the same bytes. Raises ValueError for a chart without a point."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        return _Drawing(chart).png()


class _Drawing:
    """One figure. Lengths are pixels, from the upper left."""

    def __init__(self, chart: Chart) -> None:
        self._chart, self._zone = chart, find_zone(chart.zone)
        known = map(_shown, chart.curves)
        self._curves = [curve for curve in known if curve.points][: layout.MOST_PANELS]
        if not self._curves:
            raise ValueError("a chart without any point cannot be drawn")
        start, end = _day(chart.start), _day(chart.end)
        pad = max((end - start) * 0.02, 15 / 86_400)
        self._from, self._to = start - pad, end + pad
        self._labels = self._place_marks()
        rows = 1 + max((place[1] for _, place in self._labels if place), default=-1)
        self._page = layout.page(len(self._curves), rows=rows, small=chart.small)
        size = (WIDTH / _INCH, self._page.height / _INCH)
        self._figure = Figure(figsize=size, dpi=_INCH * _SCALE, facecolor=_PAPER)
        FigureCanvasAgg(self._figure)

    def png(self) -> bytes:
        """Draw everything."""
        if not self._chart.small:
            title = fitted(self._chart.title, WIDTH - 2 * EDGE, _TITLE_SIZE, bold=True)
            self._say(EDGE, 15, title, _TITLE_SIZE, bold=True)
        panels = list(zip(self._curves, self._page.panels, strict=True))
        for number, (curve, panel) in enumerate(panels):
            axes = self._panel(curve, panel)
            self._times(axes, shown=number == len(panels) - 1)
            self._header(curve, panel, rows=self._rows_above(number))
        self._marks()
        foot = fitted(f"{self._days()} · {self._chart.zone}", WIDTH - 2 * EDGE, _FOOT)
        self._say(WIDTH - RIGHT, self._page.height - 10, foot, _FOOT, colour=_SOFT, align="right")
        self._figure.patch.set(edgecolor=_FRAME, linewidth=points(1))
        written = io.BytesIO()
        self._figure.savefig(
            written, format="png", dpi=_INCH * _SCALE, facecolor=_PAPER, edgecolor=_FRAME, metadata={"Software": None}
        )
        return written.getvalue()

    # --- panels ---

    def _panel(self, curve: Curve, panel: Panel) -> Axes:
        extent = layout.extent(curve, panel.height)
        tall = self._page.height
        box = (LEFT / WIDTH, 1 - (panel.top + panel.height) / tall, (WIDTH - LEFT - RIGHT) / WIDTH, panel.height / tall)
        axes: Axes = self._figure.add_axes(box)
        axes.set(xlim=(self._from, self._to), ylim=(extent.low, extent.high), facecolor=_PAPER)
        axes.spines[["top", "right", "left"]].set_visible(False)
        axes.spines["bottom"].set(color=_SOFT, linewidth=points(1))
        axes.tick_params(length=0, pad=points(5), colors=_SOFT)
        axes.grid(axis="y", color=_GRID, linewidth=points(1))
        axes.set_axisbelow(True)
        ticks = MaxNLocator(nbins=3, steps=[1, 2, 2.5, 5, 10]).tick_values(extent.low, extent.top)
        axes.set_yticks([tick for tick in ticks if extent.low <= tick <= extent.top])
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: layout.say(value, curve.unit)))
        for label in axes.get_yticklabels():
            label.set(fontproperties=font(_NUMBER), color=_SOFT)
        self._line(axes, curve)
        self._limits(axes, curve, panel, extent)
        return axes

    def _line(self, axes: Axes, curve: Curve) -> None:
        few = len(curve.points) <= _FEW
        for stretch in layout.stretches(curve.points):
            dots: dict[str, Any] = {"marker": "o", "markersize": points(5)} if few or len(stretch) == 1 else {}
            xs, ys = [_day(at) for at, _ in stretch], [value for _, value in stretch]
            axes.plot(
                xs, ys, color=_BLUE, linewidth=points(2), solid_joinstyle="round", clip_on=False, zorder=4, **dots
            )
        at, value = curve.points[-1]
        axes.plot(
            [_day(at)], [value], "o", color=_BLUE, markersize=points(8), markeredgecolor=_PAPER,
            markeredgewidth=points(1.5), clip_on=False, zorder=5,
        )  # fmt: skip

    def _header(self, curve: Curve, panel: Panel, *, rows: int) -> None:
        """The name of the curve, and its latest value."""
        y = panel.top - 9 - rows * 15
        latest = drawable(layout.say(curve.points[-1][1], curve.unit))
        room = WIDTH - EDGE - RIGHT - width(latest, _VALUE, bold=True) - 12
        self._say(EDGE, y, fitted(curve.name, room, _NAME, bold=True), _NAME, bold=True)
        self._say(WIDTH - RIGHT, y, latest, _VALUE, bold=True, colour=_BLUE, align="right")

    # --- limits ---

    def _limits(self, axes: Axes, curve: Curve, panel: Panel, extent: Extent) -> None:
        """A dashed line for each, with its words at the right. One too far away is only named."""
        for limit in extent.inside:
            colour, _, dashes = _BAD if limit.bad else _TARGET
            axes.axhline(limit.value, color=colour, linewidth=points(1.5), dashes=dashes, zorder=3)
        seen = [
            pixel
            for stretch in layout.stretches(curve.points)
            for pixel in layout.pixels([self._pixel(at, value, panel, extent) for at, value in stretch])
        ]
        for words in layout.place_words(panel, extent, lambda text: width(text, _LABEL), seen):
            ink = (_BAD if words.bad else _TARGET)[1]
            self._say(words.right, words.y, words.text, _LABEL, colour=ink, align="right", halo=True)

    def _pixel(self, at: datetime, value: float, panel: Panel, extent: Extent) -> tuple[float, float]:
        y = panel.top + panel.height * (extent.high - value) / (extent.high - extent.low)
        return self._x(_day(at)), y

    # --- times ---

    def _times(self, axes: Axes, *, shown: bool) -> None:
        """Few times on the wall clock of the zone, below the last panel."""
        locator = _dates.AutoDateLocator(tz=self._zone, minticks=2, maxticks=5)
        axes.xaxis.set_major_locator(locator)
        days = ["%Y", "%b", "%-d %b", "%H:%M", "%H:%M", "%S"]
        first = ["", "%Y", "%b", "%-d %b", "%H:%M", "%H:%M"]
        axes.xaxis.set_major_formatter(
            _dates.ConciseDateFormatter(locator, tz=self._zone, formats=days, zero_formats=first, show_offset=False)
        )
        axes.grid(axis="x", color=_GRID, linewidth=points(1))
        axes.tick_params(axis="x", labelbottom=shown)
        for label in axes.get_xticklabels():
            label.set(fontproperties=font(_NUMBER), color=_SOFT)

    def _days(self) -> str:
        first, last = (at.astimezone(self._zone) for at in (self._chart.start, self._chart.end))
        whole = f"{last.day} {last:%b %Y}"
        if first.date() == last.date():
            return f"{last:%a} {whole}"
        if first.year != last.year:
            return f"{first.day} {first:%b %Y} – {whole}"
        return f"{first.day} {first:%b} – {whole}" if first.month != last.month else f"{first.day} – {whole}"

    # --- marks ---

    def _x(self, at: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (at - self._from) / (self._to - self._from)

    def _place_marks(self) -> list[tuple[tuple[float, str], tuple[float, int] | None]]:
        """The marks within the picture by x, with their words and where these stand."""
        marks = [(self._x(_day(mark.at)), fitted(mark.label, 200, _LABEL)) for mark in self._chart.marks]
        marks = sorted(mark for mark in marks if LEFT <= mark[0] <= WIDTH - RIGHT)
        return list(zip(marks, layout.place_labels([(x, width(words, _LABEL)) for x, words in marks]), strict=True))

    def _rows_above(self, panel: int) -> int:
        return 1 + max((place[1] for _, place in self._labels if place), default=-1) if panel == 0 else 0

    def _marks(self) -> None:
        """A line through every panel, and its words above the first."""
        first = self._page.panels[0]
        for (x, words), place in self._labels:
            top = first.top
            if place is not None:
                left, row = place
                top = first.top - 8 - row * 15
                self._say(left, top, words, _LABEL, halo=True)
            for panel in self._page.panels:
                upper = top - 6 if panel is first and place is not None else panel.top
                ends = [self._at(x, upper), self._at(x, panel.top + panel.height)]
                line = Line2D([ends[0][0], ends[1][0]], [ends[0][1], ends[1][1]], color=_INK, linewidth=points(1.2))
                self._figure.add_artist(line)

    # --- words ---

    def _at(self, x: float, y: float) -> tuple[float, float]:
        return x / WIDTH, 1 - y / self._page.height

    def _say(
        self, x: float, y: float, words: str, size: float, *,
        bold: bool = False, colour: str = _INK, align: str = "left", halo: bool = False,
    ) -> None:  # fmt: skip
        """Words in the middle of a line at `y`. Nothing in them is taken for a formula."""
        effects = [withStroke(linewidth=points(4), foreground=_PAPER)] if halo else []
        self._figure.text(
            *self._at(x, y), words, fontproperties=font(size, bold=bold), color=colour, ha=align, va="center_baseline",
            parse_math=False, path_effects=effects, zorder=10,
        )  # fmt: skip


def _shown(curve: Curve) -> Curve:
    """With its finite values, and words of limits that fit a panel."""
    room = WIDTH - LEFT - RIGHT - 30
    return replace(
        curve,
        points=tuple(point for point in curve.points if math.isfinite(point[1])),
        limits=tuple(replace(limit, label=fitted(limit.label, room, _LABEL)) for limit in curve.limits),
    )


def _day(at: datetime) -> float:
    """An instant as matplotlib counts it: days since 1970."""
    return at.timestamp() / 86_400
