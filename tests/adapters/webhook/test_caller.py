"""A signed call, over real HTTP."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import socket
import ssl
import time
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio

from adapters.webhook.caller import WebhookCaller
from bot.caller import CallFailed
from bot.egress import Guarded, guarded
from tests.fakes.vendors import Reply, Vendor, vendor_server

SECRET = "not-a-real-webhook-secret"
BODY = '{"event": "locked", "by": "änn"}'.encode()


@pytest.fixture(scope="module")
def one_receiver() -> Iterator[Vendor]:
    with vendor_server() as vendor:
        yield vendor


@pytest.fixture
def receiver(one_receiver: Vendor) -> Vendor:
    one_receiver.reset()
    one_receiver.serve = lambda request: Reply("", 204)
    return one_receiver


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def calling() -> AsyncIterator[WebhookCaller]:
    calling = WebhookCaller(guarded(private=True), SECRET)
    yield calling
    await calling.close()


@pytest.mark.asyncio(loop_scope="module")
async def test_the_body_is_sent_as_it_is_and_signed(calling: WebhookCaller, receiver: Vendor) -> None:
    await calling(f"{receiver.base}/gonogo?a=b", BODY, delivery="d1:lock:3:webhook")
    (asked,) = receiver.asked
    assert (asked.method, asked.path, asked.query, asked.body) == ("POST", "/gonogo", [("a", "b")], BODY)
    assert asked.headers["content-type"] == "application/json"
    assert asked.headers["x-gonogo-delivery"] == "d1:lock:3:webhook"
    assert abs(int(asked.headers["x-gonogo-timestamp"]) - time.time()) < 60
    signature = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
    assert asked.headers["x-gonogo-signature-256"] == f"sha256={signature}"
    assert SECRET not in repr(vars(calling)["_client"])


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (Reply("", 500), "127.0.0.1 answered HTTP 500"),
        (Reply("", 404), "127.0.0.1 answered HTTP 404"),
        (Reply("", 401), "refused it (HTTP 401): does it know the same GONOGO_WEBHOOK_SECRET?"),
        (Reply("", 302, {"location": "/elsewhere"}), "leads on to another address (HTTP 302), which is not followed"),
    ],
)
@pytest.mark.asyncio(loop_scope="module")
async def test_whatever_is_not_2xx_is_to_be_repeated(
    calling: WebhookCaller, receiver: Vendor, reply: Reply, says: str
) -> None:
    receiver.always = reply
    with pytest.raises(CallFailed) as failed:
        await calling(f"{receiver.base}/secret-path", BODY, delivery="d")
    assert says in str(failed.value)
    assert "secret-path" not in str(failed.value)
    assert (failed.value.final, len(receiver.asked)) == (False, 1)


@pytest.mark.asyncio(loop_scope="module")
async def test_a_long_answer_is_not_read(calling: WebhookCaller, receiver: Vendor) -> None:
    receiver.always = Reply("x" * 5_000_000, 200)
    await calling(receiver.base, BODY, delivery="d")


async def test_who_does_not_answer_in_time_is_called_again() -> None:
    heard: list[bytes] = []

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.read(100))
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    calling = WebhookCaller(guarded(private=True), SECRET, timeout=0.2)
    with pytest.raises(CallFailed, match=r"127\.0\.0\.1 gave no answer within 0\.2 s") as failed:
        await calling(f"http://127.0.0.1:{port}/", BODY, delivery="d")
    assert heard[0].startswith(b"POST / HTTP/1.1")
    assert not failed.value.final
    server.close()
    await server.wait_closed()
    with pytest.raises(CallFailed, match="cannot be reached") as failed:
        await calling(f"http://127.0.0.1:{port}/", BODY, delivery="d")
    assert not failed.value.final
    await calling.close()


async def test_an_address_that_may_not_be_called_is_not_tried_again() -> None:
    calling = WebhookCaller(guarded(), SECRET)
    for address in ("http://127.0.0.1:9/", "http://169.254.169.254/", "https://10.0.0.1/"):
        with pytest.raises(CallFailed, match="is not called: it is") as failed:
            await calling(address, BODY, delivery="d")
        assert failed.value.final
    await calling.close()


async def test_an_address_of_a_name_that_swallows_everything_leaves_time_for_the_next(receiver: Vendor) -> None:
    port = int(receiver.base.rpartition(":")[2])

    async def both(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    with contextlib.ExitStack() as stack:
        # A queue that is full answers no further connection, and refuses none either.
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.2", port))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.2", port))
        unused = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        client = httpx.AsyncClient(transport=Guarded(private=True, verify=unused, resolve=both), trust_env=False)
        calling = WebhookCaller(client, SECRET, timeout=2)
        await calling(f"http://flags.example.org:{port}/", BODY, delivery="d")
        await calling.close()
    assert [asked.body for asked in receiver.asked] == [BODY]


@pytest.mark.asyncio(loop_scope="module")
async def test_an_address_that_can_be_none_is_reported_like_any_other(calling: WebhookCaller) -> None:
    for address in ("http://a..example.org/", "http://xn--/"):
        with pytest.raises(CallFailed, match="cannot be reached"):
            await calling(address, BODY, delivery="d")
