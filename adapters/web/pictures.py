"""The pictures of messages and answers as PNG, at addresses that name what they show: a new one has a new address."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable

from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from adapters.web.messages import Messages
from bot.cards.card import Block, Card, Picture
from bot.cards.chart import Chart
from bot.cards.codec import chart_digest
from bot.ports import Pictures

_ANSWERS = 200
"""So many charts of answers are remembered: an answer stands on one page only, and in no database."""
_FOR_GOOD = {"Cache-Control": "private, max-age=31536000, immutable"}

Source = Callable[[Chart], str]


class Figures:
    """Addresses of pictures, and the routes that serve them. Without `pictures` there are no addresses."""

    def __init__(self, messages: Messages, pictures: Pictures | None) -> None:
        self._messages, self._pictures = messages, pictures
        self._answered: OrderedDict[str, Chart] = OrderedDict()

    def of_message(self, message: int) -> Source | None:
        """Where the charts of a message are; read from the database, they outlive the process."""
        if self._pictures is None:
            return None
        return lambda chart: f"/pictures/{message}/{chart_digest(chart)}.png"

    def of_answer(self, card: Card) -> Source | None:
        """Where the charts of an answer are, for as long as this process remembers them."""
        if self._pictures is None:
            return None
        for chart in _charts(card.blocks):
            self._answered[chart_digest(chart)] = chart
        while len(self._answered) > _ANSWERS:
            self._answered.popitem(last=False)
        return lambda chart: f"/pictures/answers/{chart_digest(chart)}.png"

    def routes(self) -> list[BaseRoute]:
        """`/pictures/MESSAGE/DIGEST.png` and `/pictures/answers/DIGEST.png`; 404 for what is shown nowhere any more."""
        return [
            Route("/pictures/answers/{digest}.png", self._of_answer, methods=["GET"]),
            Route("/pictures/{message:int}/{digest}.png", self._of_message, methods=["GET"]),
        ]

    async def _of_answer(self, request: Request) -> Response:
        return await self._drawn(self._answered.get(request.path_params["digest"]))

    async def _of_message(self, request: Request) -> Response:
        number, digest = request.path_params["message"], request.path_params["digest"]
        if number >= 2**31:
            raise HTTPException(404)
        try:
            message = await self._messages.get(number)
        except SQLAlchemyError:
            raise HTTPException(503, "The database cannot be used just now.") from None
        charts = _charts(message.card.blocks) if message is not None else ()
        return await self._drawn(next((chart for chart in charts if chart_digest(chart) == digest), None))

    async def _drawn(self, chart: Chart | None) -> Response:
        if chart is None or self._pictures is None:
            raise HTTPException(404)
        try:
            content = await self._pictures.png(chart)
        except ValueError:
            raise HTTPException(404) from None
        return Response(content, media_type="image/png", headers=_FOR_GOOD)


def _charts(blocks: Iterable[Block]) -> list[Chart]:
    return [block.chart for block in blocks if isinstance(block, Picture)]
