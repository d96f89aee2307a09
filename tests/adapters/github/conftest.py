"""A GitHub on loopback, and who asks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import pytest_asyncio
import stamina

from adapters.github.api import GitHub
from adapters.github.auth import TokenAuth
from adapters.github.wire import Wire
from tests.adapters.probes.conftest import TRUSTING_NOBODY
from tests.fakes import github as fake
from tests.fakes.vendors import Vendor, vendor_server


@pytest.fixture(scope="package")
def one_server() -> Iterator[Vendor]:
    with vendor_server() as vendor:
        yield vendor


@pytest.fixture
def server(one_server: Vendor) -> Iterator[Vendor]:
    """The server: its faults, and what was asked. Nothing waits between two tries."""
    one_server.reset()
    with stamina.set_testing(True, attempts=3):
        yield one_server


@pytest.fixture
def there(server: Vendor) -> fake.GitHub:
    """The repository behind it."""
    server.serve = made = fake.GitHub(server.base)
    return made


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(verify=TRUSTING_NOBODY) as client:
        yield client


@pytest.fixture
def wire(client: httpx.AsyncClient, server: Vendor) -> Wire:
    return Wire(client, server.base)


@pytest.fixture
def github(wire: Wire, there: fake.GitHub) -> GitHub:
    """As a token."""
    return GitHub(wire, TokenAuth(fake.TOKEN))
