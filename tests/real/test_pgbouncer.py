"""The store behind a real PgBouncer in transaction mode, which leaves nothing on a connection."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn

import psycopg
import pytest
import pytest_asyncio
from sqlalchemy import text

from adapters.store.engine import Database, address
from adapters.store.migrate import migrate
from adapters.store.store import SqlStore
from adapters.store.tables import metadata
from bot.ports import StoreError
from tests.adapters import test_store_mirrors, test_store_queues, test_store_races
from tests.adapters.store_kit import a_row, start, tick
from tests.core_kit import a_folder, open_core
from tests.postgres import PostgresServer
from tests.real.pooler import PROGRAM, pooler

pytestmark = [pytest.mark.real, pytest.mark.postgres]

CONNECTIONS = 3
"""To the server: far fewer than the clients have, so that transactions change them all the time."""


def flows(*modules: Any) -> Iterator[Callable[..., Awaitable[None]]]:
    """The tests of the store that need nothing but a store, or two on one database."""
    for module in modules:
        for name, found in vars(module).items():
            if inspect.iscoroutinefunction(found) and name.startswith("test_"):
                wanted = set(inspect.signature(found).parameters)
                if wanted and wanted <= {"store", "other"}:
                    yield found


FLOWS = list(flows(test_store_queues, test_store_mirrors, test_store_races))


@pytest.fixture(scope="module")
def pooled(
    postgres_server: PostgresServer,
    tmp_path_factory: pytest.TempPathFactory,
    unavailable: Callable[[str, str], NoReturn],
) -> Iterator[tuple[str, str]]:
    """The address of one migrated database: through the pooler, and past it."""
    if PROGRAM is None:
        unavailable("pgbouncer", "pgbouncer is not installed: apt-get install pgbouncer")
    folder = tmp_path_factory.mktemp("pgbouncer")
    for each in (folder, *folder.parents):
        if each.stat().st_uid == folder.stat().st_uid and each != Path("/"):
            each.chmod(each.stat().st_mode | 0o011)  # another account reads the configuration
    name = postgres_server.create()
    with pooler(folder, postgres_server.folder, connections=CONNECTIONS) as port:
        through = f"postgresql://postgres@127.0.0.1:{port}/{name}?pgbouncer=true"
        asyncio.run(migrate(through))
        yield through, postgres_server.url(name).replace("+psycopg", "")
    postgres_server.drop(name)


@pytest.fixture
def url(pooled: tuple[str, str]) -> str:
    """Through the pooler; the tables are empty."""
    with psycopg.connect(pooled[1]) as connection:
        connection.execute(f"TRUNCATE {', '.join(table.name for table in metadata.sorted_tables)}".encode())
    return pooled[0]


@pytest_asyncio.fixture
async def store(url: str) -> AsyncIterator[SqlStore]:
    store = await SqlStore.open(url)
    yield store
    await store.close()


@pytest_asyncio.fixture
async def other(url: str) -> AsyncIterator[SqlStore]:
    store = await SqlStore.open(url)
    yield store
    await store.close()


@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.__name__)
async def test_what_holds_without_a_pooler_holds_behind_one(
    flow: Callable[..., Awaitable[None]], store: SqlStore, other: SqlStore, request: pytest.FixtureRequest
) -> None:
    known: dict[str, Any] = {"store": store, "other": other}
    await flow(**{name: known[name] for name in inspect.signature(flow).parameters})


async def test_one_statement_a_hundred_times_over_few_connections_is_never_prepared(store: SqlStore) -> None:
    """psycopg would prepare it at the fifth, on whichever connection that came to."""
    await start(store)

    async def look() -> None:
        for _ in range(20):
            async with store.read() as unit:
                assert await unit.row("one") == a_row()

    await asyncio.gather(*(look() for _ in range(2 * CONNECTIONS)))


async def test_the_limits_hold_for_every_transaction_and_stay_with_none(url: str, pooled: tuple[str, str]) -> None:
    database = Database(address(url))
    try:
        for _ in range(2 * CONNECTIONS):
            async with database.write() as connection:
                assert (await connection.execute(text("SHOW lock_timeout"))).scalar_one() == "5s"
    finally:
        await database.close()
    through = address(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(through, autocommit=True, prepare_threshold=None) as connection:
        for _ in range(CONNECTIONS):
            assert connection.execute("SHOW lock_timeout").fetchall() == [("0",)]


async def test_two_who_decide_about_the_same_service_come_one_after_the_other(store: SqlStore, other: SqlStore) -> None:
    inside, order = asyncio.Event(), []

    async def first() -> None:
        async with store.write() as unit:
            await unit.alone("shop", "production")
            inside.set()
            await unit.append(a_row(), 0, [tick()])
            order.append("first")

    async def second() -> None:
        await inside.wait()
        async with other.write() as unit:
            await unit.alone("shop", "production")
            order.append("second")
            assert await unit.row("one") == a_row()

    await asyncio.gather(first(), second())
    assert order == ["first", "second"]
    async with store.write() as unit:  # nobody has kept the lock
        await unit.alone("shop", "production")


async def test_nobody_waits_for_what_a_pooler_does_not_pass_on(store: SqlStore) -> None:
    heard: list[None] = []
    async with asyncio.timeout(10):
        await store.listen(lambda: heard.append(None))
    assert heard == []


async def test_a_deployment_from_the_start_to_its_success(url: str, tmp_path: Path) -> None:
    async with open_core(url, a_folder(tmp_path / "checklists")) as core, core.second() as other:
        deployment = await core.start("v1.2.0")
        await core.succeed(deployment)
        await asyncio.gather(core.relay.settle(), other.relay.settle())
        assert any("v1.2.0" in words for words in await core.texts())


async def test_a_lost_pooler_is_a_sentence(pooled: tuple[str, str]) -> None:
    url = pooled[0].replace("postgres@", "postgres:secret@").replace("/test_", "/no_such_")
    with pytest.raises(StoreError) as raised:
        await SqlStore.open(url)
    assert "no_such_" in str(raised.value)
    assert "secret" not in str(raised.value)
