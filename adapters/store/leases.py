"""Named leases: one process at a time does what a name stands for, such as listening to a shard's gateway."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete, or_

from adapters.store.engine import Database
from adapters.store.statements import insert_into, real_now
from adapters.store.tables import leases


async def hold(database: Database, name: str, owner: str, lease: timedelta) -> bool:
    """Take the lease, or keep it; False while somebody else holds it."""
    async with database.write() as connection:
        real = real_now()
        mine = insert_into(connection, leases).values(name=name, held_by=owner, held_until=real + lease)
        taken = mine.on_conflict_do_update(
            index_elements=["name"],
            set_={"held_by": owner, "held_until": real + lease},
            where=or_(leases.c.held_by == owner, leases.c.held_until <= real),
        )
        # Not rowcount: after an INSERT on PostgreSQL it is -1.
        return (await connection.execute(taken.returning(leases.c.name))).first() is not None


async def drop(database: Database, name: str, owner: str) -> None:
    """Give it back; nothing if it is somebody else's by now."""
    async with database.write() as connection:
        await connection.execute(delete(leases).where(leases.c.name == name, leases.c.held_by == owner))
