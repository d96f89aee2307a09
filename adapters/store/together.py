"""A transaction of SQLite in which several units are committed together, and each can be undone alone."""

from __future__ import annotations

import asyncio
import sqlite3

from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from adapters.store.threads import Threads, ended, here


class Group:
    """A transaction of several units. When `done` is, all that is in it is on the disk, or nothing."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.units = 0
        self._changes = driver_of(connection).total_changes

    def save(self) -> None:
        """A unit begins: what comes from here on can be undone alone."""
        self._run("SAVEPOINT unit")

    def keep(self) -> None:
        """It has ended well."""
        self._run("RELEASE unit")
        self.units += 1

    def undo(self) -> bool:
        """It has not: undo it alone. False if that is not possible."""
        if not self.units or not driver_of(self.connection).in_transaction:
            return False
        try:
            self._run("ROLLBACK TO unit")
            self._run("RELEASE unit")
        except OperationalError:
            return False
        return True

    async def commit(self, threads: Threads) -> None:
        """Onto the disk, if there is anything for it. Raises what went wrong, and so does `done`; then nothing of it is
        kept."""
        wrote = driver_of(self.connection).total_changes != self._changes
        try:
            work = threads.start(self.connection.commit) if wrote else here(self.connection.commit)
        except BaseException as error:  # no thread is to be had any more
            await self.fail(threads, error)
            raise
        try:
            await ended(work)
        finally:
            if problem := work.exception():
                await self.fail(threads, problem)
            else:
                self.connection.close()
                self.done.set_result(None)

    async def fail(self, threads: Threads, error: BaseException) -> None:
        """Undo everything; those who wait for it get this error."""
        try:
            await threads.visit(self._roll_back)
        finally:
            self._fail(error if isinstance(error, SQLAlchemyError) else undone())

    def drop(self) -> None:
        """Undo everything, here and now."""
        try:
            self._roll_back()
        finally:
            self._fail(undone())

    def _fail(self, error: SQLAlchemyError) -> None:
        self.connection.close()
        self.done.set_exception(error)
        self.done.exception()  # there may be nobody who waits

    def _run(self, statement: str) -> None:
        """Of savepoints, which only those need that others go before."""
        if self.units:
            try:
                driver_of(self.connection).execute(statement).close()
            except sqlite3.Error as error:
                raise OperationalError(None, None, error) from error

    def _roll_back(self) -> None:
        self.connection.rollback()
        driver_of(self.connection).rollback()  # where SQLAlchemy thinks that nothing is left to undo


def undone() -> OperationalError:
    """What is said where SQLite ended a transaction by itself."""
    text = "SQLite has undone this transaction: the disk is full, or fails"
    return OperationalError(None, None, sqlite3.OperationalError(text))


def driver_of(connection: Connection) -> sqlite3.Connection:
    """Python's own connection under SQLAlchemy's."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, sqlite3.Connection)
    return driver
