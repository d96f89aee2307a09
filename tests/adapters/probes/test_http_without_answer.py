"""No answer: which of it the users see too, and which says nothing about the service."""

from __future__ import annotations

import asyncio
import errno
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from adapters.probes.http import HttpProbe, _transport, _Unhealthy
from bot.domain.events import Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, Ask, healthy, raw_server, unhealthy

# A throw-away pair for localhost, valid in January 2020 only.
CERTIFICATE = """\
-----BEGIN CERTIFICATE-----
MIIBYTCCAQigAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwHhcNMjAwMTAxMDAwMDAwWhcNMjAwMjAxMDAwMDAwWjAUMRIwEAYDVQQDDAls
b2NhbGhvc3QwWTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAAQh5amr1lCCvYvP5ZIv
6Aj8UVPTvv0tt+m/9j/a3LrXsW1SpdtDnLkAj4NzlkluXU/AEvZEaDmeUT6bWDbz
luIso0swSTAaBgNVHREEEzARgglsb2NhbGhvc3SHBH8AAAEwDAYDVR0TBAUwAwEB
/zAdBgNVHQ4EFgQUW0UCn+Iv+F7rayfWMIZ9uSeUGggwCgYIKoZIzj0EAwIDRwAw
RAIgEh+m1rZI5vlJlQH/Pwjw/hxj5QJfq7Hbdqkd5zqtrIwCIFxYVFtCS+gd6k+k
RKBQ/11E9NumvAhX4yP9nRi7ppPA
-----END CERTIFICATE-----
"""
KEY = """\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgmXzTFmts6ucny5q7
P1hNIyd3JcQlzixRSRqbbu+/O3uhRANCAAQh5amr1lCCvYvP5ZIv6Aj8UVPTvv0t
t+m/9j/a3LrXsW1SpdtDnLkAj4NzlkluXU/AEvZEaDmeUT6bWDbzluIs
-----END PRIVATE KEY-----
"""


async def test_a_refused_connection_is_measured_unhealthy(ask: Ask) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found = await ask(f"http://127.0.0.1:{free.getsockname()[1]}/health")
    assert unhealthy(found)
    assert found.detail == "connection refused"


@pytest.mark.parametrize(("path", "policy"), [("/slow", {}), ("/drip", {"json": "status"})])
async def test_no_answer_in_time_is_measured_unhealthy(ask: Ask, base: str, path: str, policy: dict[str, str]) -> None:
    found = await ask(base + path, timeout="0.3s", **policy)
    assert unhealthy(found)
    assert found.detail == "no answer within 0.3 s"


async def test_a_connection_that_breaks_once_is_tried_again(ask: Ask) -> None:
    async def breaks_once(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if number:
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()

    async with raw_server(breaks_once) as (address, connections):
        assert healthy(await ask(f"http://{address}/health"))
    assert len(connections) == 2


async def test_a_connection_that_keeps_breaking_is_tried_twice_and_measured_unhealthy(ask: Ask) -> None:
    async def breaks(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")

    async with raw_server(breaks) as (address, connections):
        found = await ask(f"http://{address}/health")
    assert unhealthy(found)
    assert found.detail == "the connection broke off"
    assert len(connections) == 2


async def test_an_answer_is_not_asked_for_twice(ask: Ask) -> None:
    async def down(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 503 Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()

    async with raw_server(down) as (address, connections):
        assert unhealthy(await ask(f"http://{address}/health"))
    assert len(connections) == 1


async def test_what_speaks_no_http_is_measured_unhealthy(ask: Ask) -> None:
    async def babble(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 smtp ready\r\n")
        await writer.drain()

    async with raw_server(babble) as (address, _):
        assert unhealthy(await ask(f"http://{address}/health"))


async def test_a_name_that_does_not_resolve_is_an_error(ask: Ask) -> None:
    found = await ask("http://nothing.invalid/health")
    assert (found.outcome, found.value) == (Outcome.ERROR, None)
    assert found.detail == "its name does not resolve here"


@pytest.mark.parametrize("address", ["ftp://example.org/x", "file:///etc/passwd", "javascript:alert(1)", "example.org"])
async def test_other_schemes_are_refused(ask: Ask, address: str) -> None:
    found = await ask(address)
    assert found.outcome is Outcome.REFUSED
    assert found.link is None


async def test_an_address_with_a_password_is_refused_and_not_repeated(ask: Ask) -> None:
    found = await ask("https://ann:hunter2@example.org/health")
    assert found.outcome is Outcome.REFUSED
    assert "hunter2" not in found.model_dump_json()


@pytest.mark.parametrize("address", ["http://[::1", "http://x:99999/", "http:///x", "http://xn--/", "http://a:b:c/"])
async def test_an_address_that_is_none_is_an_error(ask: Ask, address: str) -> None:
    assert (await ask(address)).outcome is Outcome.ERROR


async def test_a_measure_without_an_address_is_refused(client: httpx.AsyncClient) -> None:
    for policy in (None, ProbePolicy(datadog="avg:x")):
        assert (await HttpProbe(client).measure("health", policy, ASKED)).outcome is Outcome.REFUSED


@asynccontextmanager
async def expired(tmp_path: Path) -> AsyncIterator[str]:
    (tmp_path / "cert.pem").write_text(CERTIFICATE)
    (tmp_path / "key.pem").write_text(KEY)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "cert.pem", tmp_path / "key.pem")

    async def never(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)

    async with raw_server(never, context) as (address, _):
        yield f"https://{address}/health"


async def test_an_expired_certificate_keeps_users_out_too(tmp_path: Path) -> None:
    trusting = ssl.create_default_context(cadata=CERTIFICATE)
    async with expired(tmp_path) as address, httpx.AsyncClient(trust_env=False, verify=trusting) as client:
        found = await HttpProbe(client).measure("health", ProbePolicy(http=address), ASKED)
    assert unhealthy(found)
    assert found.detail == "its certificate has expired"


async def test_a_certificate_we_cannot_check_is_an_error(ask: Ask, tmp_path: Path) -> None:
    async with expired(tmp_path) as address:
        found = await ask(address)
    assert found.outcome is Outcome.ERROR
    assert found.detail.startswith("its certificate cannot be checked")


async def test_tls_with_what_speaks_none_is_an_error(ask: Ask, base: str) -> None:
    assert (await ask(base.replace("http:", "https:") + "/health")).outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("number", "is_theirs"),
    [(errno.ENETUNREACH, False), (errno.EMFILE, False), (errno.EHOSTUNREACH, True), (errno.ECONNRESET, True)],
)
def test_no_network_here_is_not_their_fault(number: int, is_theirs: bool) -> None:
    error = httpx.ConnectError("All connection attempts failed")
    error.__cause__ = ExceptionGroup("attempts", [OSError(number, "no")])
    assert isinstance(_transport(error), _Unhealthy) is is_theirs


async def test_cancelling_passes_through(ask: Ask, base: str) -> None:
    task = asyncio.ensure_future(ask(base + "/slow"))
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
