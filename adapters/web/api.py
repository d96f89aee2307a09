"""What the page asks and does. A click that is sent twice with the same key is done once: the core sees to that."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from adapters.web import asks
from adapters.web.clock import SandboxTime
from adapters.web.draw import draw_card, draw_form
from adapters.web.personas import find_persona
from adapters.web.pictures import Figures
from adapters.web.service import SimulatedService
from adapters.web.state import Bell
from adapters.web.view import View
from bot.cards.card import Answer, Card, Text
from bot.domain.people import Who
from bot.ports import Dialogue, StoreError

COMMAND = "/deploy"
LONGEST_BODY = 128 * 1024
"""Bytes of a request that are read."""
_MOVES_REMEMBERED = 200
_DEAF = Card(
    title="Nobody reads along here",
    text="The sandbox only understands commands.",
    blocks=(Text("The sandbox only understands commands. They start with `/deploy`; `/deploy help` lists them."),),
)
_UNREADABLE = "The database cannot be used just now. Try again in a moment."

A = TypeVar("A", bound=asks.Ask)


class Refusal(Exception):
    """A request that is turned away with a sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


class Api:
    """The routes under `/api`."""

    def __init__(
        self,
        bell: Bell,
        view: View,
        dialogue: Dialogue,
        time: SandboxTime,
        service: SimulatedService,
        figures: Figures,
    ) -> None:
        self._bell = bell
        self._view = view
        self._dialogue = dialogue
        self._time = time
        self._service = service
        self._figures = figures
        self._moves: OrderedDict[str, asyncio.Task[None]] = OrderedDict()

    def routes(self) -> list[BaseRoute]:
        """Every one answers JSON, also when it says no: `{"error": sentence}`."""
        posts = {
            "command": self._command,
            "click": self._click,
            "submit": self._submit,
            "complete": self._complete,
            "clock": self._clock,
            "health": self._health,
        }
        return [
            Route("/api/messages", _answering(self._messages), methods=["GET"]),
            *(Route(f"/api/{name}", _answering(handler), methods=["POST"]) for name, handler in posts.items()),
        ]

    async def _messages(self, request: Request) -> object:
        query = request.query_params
        if "thread" in query:
            thread = await self._view.thread(_number(query["thread"]))
            if thread is None:
                raise Refusal(404, "There is no such thread.")
            return thread
        before = _number(query["before"]) if "before" in query else None
        channel = query.get("channel", "#deployments")
        return {**await self._view.channel(channel, before), "sandbox": await self._view.sandbox()}

    async def _command(self, request: Request) -> object:
        ask = await _read(request, asks.Command)
        who = _who(ask.persona)
        word, _, rest = ask.text.strip().partition(" ")
        if word.casefold() != COMMAND:
            return self._told(Answer(card=_DEAF))
        return self._told(await self._dialogue.command(rest.strip(), who=who, key=ask.key, channel=ask.channel))

    async def _click(self, request: Request) -> object:
        ask = await _read(request, asks.Click)
        who = _who(ask.persona)
        return self._told(await self._dialogue.click(ask.action, who=who, key=ask.key, channel=ask.channel))

    async def _submit(self, request: Request) -> object:
        ask = await _read(request, asks.Submit)
        who = _who(ask.persona)
        answer = await self._dialogue.submit(ask.action, ask.values, who=who, key=ask.key, channel=ask.channel)
        return self._told(answer)

    async def _complete(self, request: Request) -> object:
        ask = await _read(request, asks.Complete)
        options = await self._dialogue.complete(ask.text, who=_who(ask.persona))
        return {"options": [{"value": option.value, "label": option.label} for option in options[:25]]}

    async def _clock(self, request: Request) -> object:
        ask = await _read(request, asks.Move)
        if ask.key not in self._moves:
            # A task of its own: a page that goes away in the middle leaves no half-moved clock.
            self._moves[ask.key] = asyncio.create_task(self._move(ask.by))
            while len(self._moves) > _MOVES_REMEMBERED:
                self._moves.popitem(last=False)
        await asyncio.shield(self._moves[ask.key])
        return await self._view.sandbox()

    async def _move(self, by: str) -> None:
        try:
            if by == "next":
                await self._time.to_next_event()
            else:
                await self._time.move(asks.MOVES[by])
        finally:
            self._bell.ring()

    async def _health(self, request: Request) -> object:
        ask = await _read(request, asks.Set)
        await self._service.set_health(ask.health)
        return await self._view.sandbox()

    def _told(self, answer: Answer) -> dict[str, Any]:
        return {
            "card": draw_card(answer.card, self._figures.of_answer(answer.card)) if answer.card else None,
            "form": draw_form(answer.form) if answer.form else None,
            "text": answer.card.text or answer.card.title if answer.card else None,
        }


def _answering(handler: Callable[[Request], Awaitable[object]]) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await handler(request))
        except Refusal as refusal:
            return JSONResponse({"error": refusal.sentence}, refusal.status)
        except StoreError as error:
            return JSONResponse({"error": str(error)}, 503)
        except SQLAlchemyError:
            return JSONResponse({"error": _UNREADABLE}, 503)

    return answer


async def _read(request: Request, kind: type[A]) -> A:
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LONGEST_BODY:
            raise Refusal(413, "That is too long.")
    try:
        return kind.model_validate_json(body)
    except ValidationError as error:
        raise Refusal(422, asks.say_invalid(error)) from None


def _who(persona: str) -> Who:
    found = find_persona(persona)
    if found is None:
        raise Refusal(422, "Nobody of this name is in the sandbox. Choose who you are at the top of the page.")
    return found.who


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Refusal(422, "A message's id is a number.")
    return int(text)
