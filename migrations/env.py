"""What Alembic runs around every migration.

`gonogo migrate` hands in a connection. A new migration is drafted against a migrated scratch database:
`alembic -x url=sqlite:///scratch.db revision --autogenerate -m "What changes"`.
"""

from __future__ import annotations

from typing import Literal

from alembic import context
from sqlalchemy import Connection, create_engine

from adapters.store import tables as store
from adapters.web import tables as web

TABLES = [
    store.metadata,
    web.metadata,
]
"""Every adapter that keeps tables has its line here."""


def as_kept(kind: str, item: object, _context: object) -> str | Literal[False]:
    """A migration names what stands in the database, not our own type, which may change."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, store.Instant) else False


def run(connection: Connection) -> None:
    """Run the migrations inside the connection's own transaction."""
    context.configure(
        connection=connection,
        target_metadata=TABLES,
        render_as_batch=connection.dialect.name == "sqlite",
        render_item=as_kept,
        # Alembic believes that SQLite cannot roll table changes back; begun by hand, as gonogo does, it can.
        transactional_ddl=True,
    )
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    raise SystemExit("gonogo migrates a database it can reach; scripts for elsewhere are not made.")

given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    run(given)
else:
    url = context.get_x_argument(as_dictionary=True).get("url")
    if not isinstance(url, str):
        raise SystemExit("Name a migrated scratch database: alembic -x url=sqlite:///scratch.db …")
    with create_engine(url).begin() as connection:
        run(connection)
