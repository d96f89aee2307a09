"""The least of Slack's Web API that takes every call at once, and counts them (`GET /calls`)."""

from __future__ import annotations

import asyncio
import itertools
import ssl
import sys
from collections import Counter

from aiohttp import web

ME = {"team_id": "T0FAKE", "team": "Bench", "user_id": "U0BOT", "bot_id": "B0BOT", "user": "gonogo"}
CHANNEL = {"id": "C1", "name": "deployments", "is_member": True, "is_archived": False, "is_channel": True}
USER = {"id": "U1", "name": "ana", "profile": {"display_name": "ana", "bot_id": "B0BOT"}}
ANSWERS = {
    "auth.test": ME,
    "conversations.list": {"channels": [CHANNEL]},
    "users.conversations": {"channels": [CHANNEL]},
    "conversations.info": {"channel": CHANNEL},
    "conversations.history": {"messages": []},
    "conversations.replies": {"messages": []},
    "users.info": {"user": USER},
    "usergroups.list": {"usergroups": []},
    "usergroups.users.list": {"users": []},
}
calls: Counter[str] = Counter()
stamps = (f"{1_764_000_000 + number // 1_000_000}.{number % 1_000_000:06}" for number in itertools.count(1))


async def call(request: web.Request) -> web.Response:
    """Every method: done."""
    method = request.match_info["method"]
    body = await request.post() if request.content_type != "application/json" else await request.json()
    calls[method] += 1
    answer = dict(ANSWERS.get(method, {}))
    if method in ("chat.postMessage", "chat.update"):
        thread = {"thread_ts": str(body["thread_ts"])} if body.get("thread_ts") else {}
        answer = {"channel": "C1", "ts": str(body.get("ts") or next(stamps)), "message": thread}
    return web.json_response({"ok": True, **answer})


async def counted(request: web.Request) -> web.Response:
    """How often each method was called."""
    return web.json_response(calls)


async def main() -> None:
    """Serves until it is killed; with a certificate and its key, over TLS."""
    app = web.Application()
    app.router.add_route("*", "/api/{method}", call)
    app.router.add_get("/calls", counted)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    context = None
    if len(sys.argv) > 2:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(sys.argv[1], sys.argv[2])
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
    print(f"http{'s' if context else ''}://127.0.0.1:{runner.addresses[0][1]}", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
