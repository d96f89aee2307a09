"""Charts to be drawn, and pictures read back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
from PIL import Image

from bot.cards.chart import Chart, Curve, Limit, Mark

T0 = datetime(2026, 11, 24, 10, 4, tzinfo=UTC)


def at(minutes: float) -> datetime:
    return T0 + timedelta(minutes=minutes)


def curve(
    *points: tuple[float, float], name: str = "Error rate", unit: str = "%", limits: tuple[Limit, ...] = ()
) -> Curve:
    """Points as minutes from T0 and values."""
    return Curve(name, unit, tuple((at(minutes), value) for minutes, value in points), limits)


def chart(*curves: Curve, marks: Sequence[Mark] = (), title: str = "shop v1.2.0 → production", **more: object) -> Chart:
    times = [time for one in curves for time, _ in one.points] + [mark.at for mark in marks]
    return Chart(title, "Europe/Berlin", min(times, default=T0), max(times, default=T0), curves, tuple(marks), **more)  # type: ignore[arg-type]


STEADY = curve(*((float(minute), 0.05) for minute in range(30)), limits=(Limit("target < 0.1%", 0.1),))
SLOW = curve(
    *((float(minute), 200.0) for minute in range(30)),
    name="P95 latency",
    unit="ms",
    limits=(Limit("alert > 500ms", 500, True),),
)


def image(png: bytes) -> Image.Image:
    with Image.open(io.BytesIO(png)) as opened:
        return opened.convert("RGB")


def near(picture: Image.Image, colour: str) -> set[tuple[int, int]]:
    """Where this colour is, to within the blur of a line's edge."""
    wanted = [int(colour[n : n + 2], 16) for n in (1, 3, 5)]
    seen = np.asarray(picture.convert("RGB"), dtype=int)
    rows, columns = np.nonzero((abs(seen - wanted) < 12).all(axis=2))
    return set(zip(columns.tolist(), rows.tolist(), strict=True))
