"""The service to be probed, and what asks it."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Iterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
import uvicorn
from starlette.applications import Starlette

from adapters.probes.http import HttpProbe
from bot.domain.events import Measurement
from bot.ports import Asked
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, ROUTES, Ask
from tests.fakes.vendors import Vendor, vendor_server

# Made once: loading the real authorities for each test takes longer than the tests.
TRUSTING_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


@pytest.fixture(scope="package")
def base() -> Iterator[str]:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(
        Starlette(routes=ROUTES), log_level="critical", lifespan="off", ws="none", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    serving = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    serving.start()
    while not server.started and serving.is_alive():
        time.sleep(0.005)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    serving.join(10)
    listening.close()


@pytest.fixture(scope="package")
def one_vendor() -> Iterator[Vendor]:
    with vendor_server() as vendor:
        yield vendor


@pytest.fixture
def vendor(one_vendor: Vendor) -> Vendor:
    """A vendor that knows nothing yet."""
    one_vendor.reset()
    return one_vendor


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False, verify=TRUSTING_NOBODY) as client:
        yield client


@pytest.fixture
def ask(client: httpx.AsyncClient) -> Ask:
    """Asks the HTTP probe about a policy written as keywords."""

    def asks(http: str, *, asked: Asked = ASKED, **policy: Any) -> Awaitable[Measurement]:
        return HttpProbe(client).measure("health", ProbePolicy(http=http, **policy), asked)

    return asks
