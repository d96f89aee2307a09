"""Redis, asked with its own client over its own protocol: a real server where the machine has one."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import NoReturn

import pytest

from adapters.probes.redis import RedisCredentials, RedisProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, raw_server

PASSWORD = "not-a-real-redis-password"
SERVER = shutil.which("redis-server")
CLIENT = shutil.which("redis-cli")


class Server:
    """A redis-server of our own, without files, with a user who may do nothing but what is documented."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        lines = [
            "bind 127.0.0.1",
            f"port {self.port}",
            'save ""',
            f"user probe on >{PASSWORD} ~* -@all +exists +info",
            "requirepass for-the-tests",
        ]
        (folder / "redis.conf").write_text("\n".join(lines))
        with (folder / "redis.log").open("wb") as log:
            self.process = subprocess.Popen([str(SERVER), "redis.conf"], cwd=folder, stdout=log, stderr=log)
        until = time.monotonic() + 10
        while self.cli("ping") != "PONG":
            assert self.process.poll() is None, (folder / "redis.log").read_text()
            assert time.monotonic() < until
            time.sleep(0.02)

    def cli(self, *words: str) -> str:
        command = [str(CLIENT), "-p", str(self.port), "-a", "for-the-tests", "--no-auth-warning", *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout.strip()

    def url(self, user: str = f"probe:{PASSWORD}@") -> str:
        return f"redis://{user}127.0.0.1:{self.port}/0"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, unavailable: Callable[[str, str], NoReturn]) -> Iterator[Server]:
    if not (SERVER and CLIENT):
        unavailable("redis", "there is no redis-server on this machine: apt-get install redis-server")
    server = Server(tmp_path_factory.mktemp("redis"))
    yield server
    server.process.terminate()
    server.process.wait(10)


async def ask(url: str, words: str, **policy: object) -> Measurement:
    probe = RedisProbe(RedisCredentials(url))
    given = {"redis": words, "unit": "count", "timeout": timedelta(seconds=3), **policy}
    found = await probe.measure("it", ProbePolicy.model_validate(given), ASKED)
    assert PASSWORD not in f"{found!r} {probe!r} {vars(probe)!r}"
    return found


async def test_a_key_exists_or_does_not(server: Server) -> None:
    server.cli("set", "deployment:in_progress", "v1")
    found = await ask(server.url(), "exists deployment:in_progress")
    assert (found.value, found.dimension, found.detail) == (1, "count", "deployment:in_progress exists")
    server.cli("del", "deployment:in_progress")
    found = await ask(server.url(), "exists deployment:in_progress")
    assert (found.outcome, found.value, found.detail) == (
        Outcome.MEASURED,
        0,
        "deployment:in_progress does not exist",
    )


async def test_memory_is_a_share_of_the_limit_and_no_data_without_one(server: Server) -> None:
    server.cli("config", "set", "maxmemory", "0")
    found = await ask(server.url(), "memory")
    assert (found.outcome, found.value) == (Outcome.NO_DATA, None)
    server.cli("config", "set", "maxmemory", "100mb")
    found = await ask(server.url(), "memory")
    assert found.dimension == "ratio"
    used = int(server.cli("info", "memory").split("used_memory:")[1].split()[0])
    assert found.value == pytest.approx(used / (100 * 1024 * 1024), abs=0.01)


@pytest.mark.parametrize("user", ["", "probe:wrong@", "nobody:wrong@"])
async def test_a_wrong_password_is_refused(server: Server, user: str) -> None:
    found = await ask(server.url(user), "memory")
    assert (found.outcome, "GONOGO_REDIS_URL" in found.detail) == (Outcome.REFUSED, True)


async def test_a_user_who_may_not_ask_is_refused(server: Server) -> None:
    server.cli("acl", "setuser", "poor", "on", f">{PASSWORD}", "-@all", "+exists", "~*")
    found = await ask(server.url(f"poor:{PASSWORD}@"), "memory")
    assert (found.outcome, "INFO" in found.detail) == (Outcome.REFUSED, True)


@pytest.mark.parametrize("words", ["", "exists", "memory now", "flushall", "get key"])
async def test_what_redis_is_not_asked_is_refused(words: str) -> None:
    found = await ask("redis://127.0.0.1:1/0", words)
    assert (found.outcome, "write `exists KEY` or `memory`" in found.detail) == (Outcome.REFUSED, True)


@pytest.mark.parametrize("url", ["127.0.0.1:6379", "http://127.0.0.1", f"redis://x:{PASSWORD}@127.0.0.1:port/0"])
async def test_an_address_that_is_none_is_refused_and_not_said(url: str) -> None:
    assert (await ask(url, "memory")).detail == "GONOGO_REDIS_URL is no address; write it like redis://host:6379/0"


async def test_nobody_there_is_an_error() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        found = await ask(f"redis://x:{PASSWORD}@127.0.0.1:{taken.getsockname()[1]}/0", "memory")
    assert (found.outcome, found.detail) == (Outcome.ERROR, "no connection to Redis")


async def test_a_server_that_hangs_ends_with_the_timeout() -> None:
    async def hang(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with raw_server(hang) as (address, _):
        begun = time.monotonic()
        found = await ask(f"redis://{address}/0", "memory", timeout=timedelta(seconds=0.2))
    assert (found.outcome, time.monotonic() - begun < 1.5) == (Outcome.ERROR, True)


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"-LOADING not yet\r\n", b""])
async def test_what_is_no_redis_is_an_error(said: bytes) -> None:
    async def other(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(said)
        await writer.drain()

    async with raw_server(other) as (address, _):
        found = await ask(f"redis://x:{PASSWORD}@{address}/0", "memory")
    assert (found.outcome, found.value) == (Outcome.ERROR, None), found.detail
