"""Real servers, started for the tests that ask them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import NoReturn

import httpx
import pytest
import pytest_asyncio

from tests.real.servers import MISSING, Watch, watch


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory, unavailable: Callable[[str, str], NoReturn]) -> Iterator[Watch]:
    """The servers, and the service in good health; each file has its own, as what broke in one is remembered."""
    if MISSING:
        unavailable(
            "prometheus", f"{' and '.join(MISSING)} not installed: apt-get install prometheus prometheus-alertmanager"
        )
    with watch(tmp_path_factory.mktemp("watch")) as running:
        yield running


@pytest_asyncio.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(trust_env=False) as client:
        yield client


def now() -> datetime:
    return datetime.now(UTC)
