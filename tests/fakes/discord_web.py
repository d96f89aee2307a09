"""The REST side: tokens, rate limits, faults, bodies, and the answer (reference; topics/rate-limits)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
from typing import Any

from aiohttp import BodyPartReader, web

from tests.fakes import discord_answers, discord_commands, discord_gateway, discord_messages, discord_rooms
from tests.fakes.discord_drafts import Upload
from tests.fakes.discord_faults import Fault, Faults, Limits
from tests.fakes.discord_routes import ROUTES, Request, Route
from tests.fakes.discord_things import Call, Refused
from tests.fakes.discord_world import World

LOADED = (discord_answers, discord_commands, discord_gateway, discord_messages, discord_rooms)
"""They fill ROUTES."""
PREFIX = "/api/v10"
_SLOT = re.compile(r"files\[(\d+)\]")
_ATTACHMENT = re.compile(r"/attachments/\d+/(\d+)/")


class Rest:
    """Answers everything under /api/v10."""

    def __init__(self, world: World, faults: Faults, limits: Limits) -> None:
        self.world, self.faults, self.limits = world, faults, limits
        self.closing = asyncio.Event()
        self.down = False
        self.open: dict[int, web.Request] = {}
        self.invalid = 0
        """401, 403 and 429 that were not shared: 10,000 in ten minutes are a ban."""

    def routes(self, app: web.Application) -> None:
        for each in ROUTES:
            app.router.add_route(each.method, PREFIX + each.path, _bound(self, each))
        app.router.add_get("/attachments/{channel}/{id}/{name}", self.file)
        app.router.add_route("*", "/{rest:.*}", _bound(self, None))

    async def file(self, request: web.Request) -> web.StreamResponse:
        """An attachment's bytes."""
        rows = [each for rows in self.world.posted.values() for each in rows.values() if not each.deleted]
        for each in (file for message in [*rows, *self.world.ephemerals] for file in message.attachments):
            if str(each.id) == request.match_info["id"]:
                return web.Response(body=each.content, content_type=each.content_type)
        return web.Response(status=404)

    async def handle(self, request: web.Request, route: Route | None) -> web.StreamResponse:
        call = Call(
            request.method, request.path.removeprefix(PREFIX), route.path if route else "", at=self.world.clock.now()
        )
        call.query, call.headers = dict(request.query), dict(request.headers)
        call.token = call.headers.pop("Authorization", "") == f"Bot {self.world.token}"
        if self.down:
            return _cut(request)
        self.world.calls.append(call)
        self.open[id(request)] = request
        try:
            return await self._serve(request, route, call)
        finally:
            del self.open[id(request)]

    def cut(self) -> None:
        """Resets whatever waits for an answer."""
        for each in self.open.values():
            _cut(each)

    async def _serve(self, request: web.Request, route: Route | None, call: Call) -> web.StreamResponse:
        try:
            uploads = await self._read(request, call)
        except (ValueError, ConnectionError):
            body = {"message": "The request body contains invalid JSON.", "code": 50109}
            return self._answer(call, 400, body, {})
        fault = self.faults.next(call)
        call.fault = str(fault) if fault else None
        if fault is not None and fault.kind == "ratelimited":
            return self._busy(call, fault.seconds, fault.scope, {}, via=fault.via)
        if fault is not None and not fault.stored:
            if fault.kind != "slow":
                return await self._fail(request, call, fault)
            await asyncio.sleep(fault.seconds)
        major = next((request.match_info[key] for key in ("channel", "guild", "key") if key in request.match_info), "")
        headers, wait, scope = self.limits.check(call, major)
        if wait:
            return self._busy(call, wait, scope, headers)
        status, answer = self._run(Request(dict(request.match_info), call.body, call.query, uploads), route, call)
        if fault is not None and fault.stored:
            call.answer = answer
            if fault.kind != "slow":
                return await self._fail(request, call, fault)
            await asyncio.sleep(fault.seconds)
        return self._answer(call, status, answer, headers)

    def _run(self, request: Request, route: Route | None, call: Call) -> tuple[int, Any]:
        try:
            if route is None:
                raise Refused(404, 0, "404: Not Found")
            if route.token and not call.token:
                raise Refused(401, 0, "401: Unauthorized")
            answer = route.run(self.world, request)
        except Refused as refused:
            call.code = refused.code
            return refused.status, refused.body
        return (204, None) if answer is None else (200, answer)

    async def _read(self, request: web.Request, call: Call) -> dict[int, Upload]:
        """JSON, or multipart with `payload_json` and `files[n]`."""
        uploads: dict[int, Upload] = {}
        if request.content_type == "multipart/form-data":
            async for part in await request.multipart():
                assert isinstance(part, BodyPartReader)
                slot = _SLOT.fullmatch(part.name or "")
                if part.name == "payload_json":
                    call.body = _object(await part.text())
                elif slot:
                    kind = part.headers.get("Content-Type", "application/octet-stream")
                    uploads[int(slot[1])] = Upload(part.filename or "file", bytes(await part.read()), kind)
                    call.files[uploads[int(slot[1])].filename] = uploads[int(slot[1])].content
        elif request.can_read_body:
            text = await request.text()
            value = json.loads(text) if text else {}
            call.body = value if isinstance(value, dict) else {"_": value}
        return uploads

    # --- answering ---

    def _answer(self, call: Call, status: int, body: Any, headers: dict[str, str]) -> web.Response:
        """`Content-Type` without a charset, as Discord's."""
        call.status, call.answer = status, body
        self.invalid += status in (401, 403)
        self.world.changed()
        if status == 204:
            return web.Response(status=204, headers=headers)
        data = json.dumps(body, ensure_ascii=False).encode()
        return web.Response(status=status, body=data, headers=headers | {"Content-Type": "application/json"})

    def _busy(self, call: Call, wait: float, scope: str, headers: dict[str, str], *, via: bool = True) -> web.Response:
        """429. Shared ones are not held against the bot."""
        call.status = 429
        self.invalid += scope != "shared"
        self.world.changed()
        if not via:
            return web.Response(status=429, text="<html>error code: 1015</html>", content_type="text/html")
        body = {"message": "You are being rate limited.", "retry_after": round(wait, 3), "global": scope == "global"}
        headers = headers | {"Via": "1.1 google", "Retry-After": str(int(wait) + 1), "X-RateLimit-Scope": scope}
        headers |= {"X-RateLimit-Global": "true"} if scope == "global" else {}
        data = json.dumps(body).encode()
        return web.Response(status=429, body=data, headers=headers | {"Content-Type": "application/json"})

    async def _fail(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse:
        """The answer that a fault puts in the place of the right one."""
        call.status = fault.code if fault.kind == "status" else 0
        self.world.changed()
        if fault.kind == "status":
            return web.Response(status=fault.code, text="<html>Server Error</html>", content_type="text/html")
        if fault.kind == "half_open":
            await self.closing.wait()
        return _cut(request)


def _bound(rest: Rest, route: Route | None) -> Any:
    async def handle(request: web.Request) -> web.StreamResponse:
        return await rest.handle(request, route)

    return handle


def _object(text: str) -> dict[str, Any]:
    value = json.loads(text)
    if not isinstance(value, dict):
        raise ValueError("no object")
    return value


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        with contextlib.suppress(OSError):
            request.transport.abort()
    return web.Response(status=502)
