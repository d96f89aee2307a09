"""An empty Bolt: one listener that acknowledges, everything else as it is by default."""

from __future__ import annotations

import re
import sys
from typing import Any

from slack_bolt.adapter.starlette.async_handler import AsyncSlackRequestHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bench.clicks import SECRET
from bench.serving import serve

api_url = sys.argv[1]
bolt = AsyncApp(client=AsyncWebClient("xoxb-bench", base_url=api_url), signing_secret=SECRET)
handler = AsyncSlackRequestHandler(bolt)


@bolt.action(re.compile(".*"))
async def pressed(ack: Any) -> None:
    """Nothing is done."""
    await ack()


async def events(request: Request) -> Response:
    """As Bolt's own example for Starlette."""
    return await handler.handle(request)


if __name__ == "__main__":
    serve(Starlette(routes=[Route("/slack/events", events, methods=["POST"])]))
