"""The other way in: Slack's signed requests, in the same server as everything else.

The signature is checked, and that the request is not older or younger than 5 minutes (slack_sdk,
signature/__init__.py), before Bolt, which would parse the body first.
"""

from __future__ import annotations

from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.app.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.slack.manifest import PATH

_PROBE = b"ssl_check=1"
"""What Slack asks now and then to look at the certificate: any 200 will do."""
_LARGEST = 1_000_000
"""Bytes. Slack's payloads are far smaller; nobody unknown makes the process read more."""


def routes(app: AsyncApp, signing_secret: str) -> list[Route]:
    """`POST /slack/events`, for commands, clicks, forms and events. Raises ValueError without a signing secret: with an
    empty one, anybody could sign."""
    if not signing_secret.strip():
        raise ValueError("GONOGO_SLACK_SIGNING_SECRET is needed to tell Slack's requests from anybody else's")
    verifier = SignatureVerifier(signing_secret)

    async def events(request: Request) -> Response:
        body = bytearray()
        try:
            async for chunk in request.stream():
                body += chunk
                if len(body) > _LARGEST:
                    return PlainTextResponse("too large", 413)
        except ClientDisconnect:
            return PlainTextResponse("gone", 400)
        if body.startswith(_PROBE):
            return PlainTextResponse("")
        if not _signed(verifier, request, bytes(body)):
            return PlainTextResponse("not signed by Slack", 401)
        try:
            asked = to_async_bolt_request(request, bytes(body))
        except (ValueError, AttributeError, TypeError):  # signed, and no payload that Bolt can read
            return PlainTextResponse("no payload", 400)
        return to_starlette_response(await app.async_dispatch(asked))

    return [Route(PATH, events, methods=["POST"])]


def _signed(verifier: SignatureVerifier, request: Request, body: bytes) -> bool:
    """Whether Slack sent it lately. Asked before anything is parsed; what cannot be compared is not signed."""
    stamp, signature = (request.headers.get(f"x-slack-{name}", "") for name in ("request-timestamp", "signature"))
    try:
        return verifier.is_valid(body.decode(), stamp, signature)
    except (ValueError, TypeError):
        return False
