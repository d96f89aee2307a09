"""The Web API over HTTP: tokens, scopes, rate limits, faults, and the answer.

Pages: docs.slack.dev/apis/web-api, /apis/web-api/rate-limits, /authentication/tokens.
"""

from __future__ import annotations

import asyncio
import contextlib
import json

from aiohttp import web

from tests.fakes import slack_chat, slack_files, slack_replies, slack_rooms, slack_surfaces
from tests.fakes.slack_faults import Fault, Faults, Limits
from tests.fakes.slack_methods import METHODS, Args, Method, need_scope
from tests.fakes.slack_shapes import JSON
from tests.fakes.slack_things import Call, Refused
from tests.fakes.slack_world import World

LOADED = (slack_chat, slack_files, slack_rooms, slack_surfaces)
"""They fill METHODS."""


async def arguments(request: web.Request) -> JSON:
    """From the query, a form or a JSON body, as slack_sdk sends all three."""
    given: JSON = dict(request.query)
    if request.content_type == "application/json":
        try:
            body = await request.json()
        except ValueError:
            raise Refused("invalid_json") from None
        if not isinstance(body, dict):
            raise Refused("json_not_object")
        return given | body
    return given | {name: value for name, value in (await request.post()).items() if isinstance(value, str)}


class WebApi:
    """Answers `/api/<method>`."""

    def __init__(self, world: World, faults: Faults, limits: Limits) -> None:
        self.world, self.faults, self.limits = world, faults, limits
        self.closing = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        call = Call(name, {}, self.world.clock.now())
        self.world.calls.append(call)
        try:
            given = await arguments(request)
        except Refused as refused:
            return self._answer(call, self._refusal(refused))
        token = request.headers.get("Authorization", "").removeprefix("Bearer ") or given.get("token", "")
        call.body = {key: value for key, value in given.items() if key != "token"}
        fault = self.faults.next(name, call.body)
        call.fault = str(fault) if fault else None
        if fault is not None and fault.kind == "ratelimited":
            return self._busy(call, int(fault.seconds))
        if fault is not None and not fault.stored:
            if fault.kind != "slow":
                return await self._fail(request, call, fault)
            await asyncio.sleep(fault.seconds)
        try:
            method = self._allowed(name, token)
            wait = self.limits.wait(name, method.tier, self._channel(call.body))
            if wait is not None:
                return self._busy(call, wait)
            for scope in method.scopes:
                if not method.app:
                    need_scope(self.world, scope)
            answer = {"ok": True, **method.run(self.world, Args(call.body))}
        except Refused as refused:
            answer = self._refusal(refused)
        if fault is not None and fault.stored:
            call.answer = answer
            if fault.kind != "slow":
                return await self._fail(request, call, fault)
            await asyncio.sleep(fault.seconds)
        return self._answer(call, answer, request)

    async def respond(self, request: web.Request) -> web.StreamResponse:
        """A response_url: recorded, and failing, under the name `response_url`."""
        call = Call("response_url", {}, self.world.clock.now())
        self.world.calls.append(call)
        with contextlib.suppress(ValueError, TypeError):
            call.body = dict(await request.json())
        fault = self.faults.next(call.method, call.body)
        call.fault = str(fault) if fault else None
        if fault is not None and not fault.stored and fault.kind != "slow":
            return (
                self._busy(call, int(fault.seconds))
                if fault.kind == "ratelimited"
                else await self._fail(request, call, fault)
            )
        response = await slack_replies.respond(self.world, request)
        call.status, call.error = response.status, None if response.status == 200 else response.text
        self.world.changed()
        if fault is not None and fault.kind == "slow":
            await asyncio.sleep(fault.seconds)
        elif fault is not None:
            return await self._fail(request, call, fault)
        return response

    def _channel(self, body: JSON) -> str:
        wanted = str(body.get("channel", ""))
        found = (each.id for each in self.world.channels.values() if wanted in (each.name, f"#{each.name}"))
        return next(found, wanted)

    def _allowed(self, name: str, token: str) -> Method:
        """not_authed, invalid_auth, token_revoked…, not_allowed_token_type, unknown_method, in that order."""
        world = self.world
        if not token:
            raise Refused("not_authed")
        if token in world.bad_tokens:
            raise Refused(world.bad_tokens[token])
        if token not in (world.bot_token, world.app_token):
            raise Refused("invalid_auth")
        method = METHODS.get(name)
        if method is None:
            raise Refused("unknown_method", req_method=name)
        if method.app != (token == world.app_token):
            raise Refused("not_allowed_token_type")
        if method.app and "connections:write" not in world.app_scopes:
            raise Refused("missing_scope", needed="connections:write", provided=",".join(sorted(world.app_scopes)))
        return method

    @staticmethod
    def _refusal(refused: Refused) -> JSON:
        return {"ok": False, "error": refused.error, **refused.more}

    def _answer(self, call: Call, answer: JSON, request: web.Request | None = None) -> web.Response:
        call.status, call.error, call.answer = 200, answer.get("error"), answer
        self.world.changed()
        method = METHODS.get(call.method)
        headers = {"x-slack-req-id": self.world.id("req")}
        if method is not None and not method.app:
            headers["x-oauth-scopes"] = ",".join(sorted(self.world.scopes))
            headers["x-accepted-oauth-scopes"] = ",".join(method.scopes)
        elif method is not None:
            headers["x-oauth-scopes"] = ",".join(sorted(self.world.app_scopes))
        body = json.dumps(answer, ensure_ascii=False)
        return web.Response(text=body, content_type="application/json", headers=headers)

    def _busy(self, call: Call, wait: int) -> web.Response:
        """429 with Retry-After in seconds."""
        call.status, call.error = 429, "ratelimited"
        self.world.changed()
        return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers={"Retry-After": str(wait)})

    async def _fail(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse:
        """The answer that a fault puts in the place of the right one."""
        call.status, call.error = fault.code, fault.name or fault.kind
        self.world.changed()
        if fault.kind == "error":
            return web.json_response({"ok": False, "error": fault.name})
        if fault.kind == "status":
            return web.Response(status=fault.code, text="<html>Server Error</html>", content_type="text/html")
        if fault.kind == "half_open":
            await self.closing.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=fault.code)
