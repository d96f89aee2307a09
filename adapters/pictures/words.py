"""Words in a picture: measured, cut to fit, and with a box for what the font does not have."""

from __future__ import annotations

from pathlib import Path

import matplotlib
from matplotlib.font_manager import FontProperties, get_font

_FONTS = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
"""DejaVu comes with matplotlib: the same letters on every machine."""
_FILES = {False: _FONTS / "DejaVuSans.ttf", True: _FONTS / "DejaVuSans-Bold.ttf"}
_POINTS = 0.72
"""Of a pixel, at 100 pixels to the inch."""
_MISSING = "□"


def font(size: float, *, bold: bool = False) -> FontProperties:
    """The font at a size in pixels."""
    return FontProperties(fname=str(_FILES[bold]), size=size * _POINTS)


def points(pixels: float) -> float:
    """A length as matplotlib counts it."""
    return pixels * _POINTS


def drawable(text: str) -> str:
    """One line of what the font has letters for; anything else is a box."""
    known = get_font(str(_FILES[False])).get_charmap()
    flat = " ".join(text.split())
    return "".join(letter if ord(letter) in known else _MISSING for letter in flat if letter not in "\u200d\ufe0f")


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Of a text, in pixels."""
    face = get_font(str(_FILES[bold]))
    face.set_size(size * _POINTS, 100)
    face.set_text(text, 0.0)
    return float(face.get_width_height()[0]) / 64


def fitted(text: str, room: float, size: float, *, bold: bool = False) -> str:
    """The text, cut with … where it is wider than `room` pixels."""
    shown = drawable(text)
    if width(shown, size, bold=bold) <= room:
        return shown
    low, high = 0, len(shown)
    while low < high:
        middle = (low + high + 1) // 2
        fits = width(shown[:middle] + "…", size, bold=bold) <= room
        low, high = (middle, high) if fits else (low, middle - 1)
    return shown[:low].rstrip() + "…"
