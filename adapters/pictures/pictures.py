"""`bot.ports.Pictures`: charts drawn in a thread, one at a time, the latest of them kept."""

from __future__ import annotations

import asyncio
import threading
from collections import OrderedDict

from bot.cards.chart import Chart

KEPT = 64
"""Pictures that are kept, of some 60 kB each: several chats and pages ask for the same one."""


class MatplotlibPictures:
    """Loads matplotlib (a second, 60 MB) when the first picture is asked for, and not before.

    The same chart is always the same bytes. It keeps no thread and no file.
    """

    def __init__(self, *, kept: int = KEPT) -> None:
        self._kept = kept
        self._drawn: OrderedDict[Chart, bytes] = OrderedDict()
        self._drawing: dict[Chart, asyncio.Future[bytes]] = {}
        self._turn = threading.Lock()

    async def png(self, chart: Chart) -> bytes:
        """See the port. Who asks for a chart that is just being drawn gets that one."""
        if chart in self._drawn:
            self._drawn.move_to_end(chart)
            return self._drawn[chart]
        if not any(curve.points for curve in chart.curves):
            raise ValueError("a chart without any point cannot be drawn")
        drawing = self._drawing.get(chart)
        if drawing is None:
            drawing = self._drawing[chart] = asyncio.ensure_future(asyncio.to_thread(self._draw, chart))
            drawing.add_done_callback(lambda done: self._done(chart, done))
        # One who gives up does not take it from the others.
        return await asyncio.shield(drawing)

    def _draw(self, chart: Chart) -> bytes:
        with self._turn:  # matplotlib's settings and font caches belong to the process
            from adapters.pictures.drawing import draw

            return draw(chart)

    def _done(self, chart: Chart, drawing: asyncio.Future[bytes]) -> None:
        del self._drawing[chart]
        if drawing.cancelled() or drawing.exception() is not None:
            return
        self._drawn[chart] = drawing.result()
        while len(self._drawn) > self._kept:
            self._drawn.popitem(last=False)
