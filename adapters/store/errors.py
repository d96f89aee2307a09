"""What a database complains about, as a sentence that says what to do now."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator

import psycopg
from sqlalchemy import exc

from adapters.store.tables import ONE_LOCK
from bot.ports import Conflict, LockHeld, StoreError

MIGRATE = "Run `gonogo migrate`."

_SQLITE = {
    "SQLITE_BUSY": (
        "{where} is locked by another process. Look for what holds it (a backup, a database shell, another gonogo), "
        "then try again."
    ),
    "SQLITE_READONLY": "{where} cannot be written. Let the user gonogo runs as write the file and its folder.",
    "SQLITE_FULL": "The disk under {where} is full; nothing was changed. Free some space, then try again.",
    "SQLITE_CANTOPEN": (
        "{where} cannot be opened. Check that its folder exists, and that the user gonogo runs as may write to both."
    ),
    "SQLITE_NOTADB": "{where} is not a SQLite database. Check GONOGO_DATABASE_URL, or move the file away.",
    "SQLITE_CORRUPT": "{where} is damaged. Stop gonogo and restore a backup.",
    "SQLITE_IOERR": "{where} cannot be read or written; its disk may be full or broken. Check the disk.",
    "SQLITE_PERM": "{where} may not be used. Let the user gonogo runs as read and write it.",
}
_POSTGRES = {
    "28": "{where} refused the user or the password. Check GONOGO_DATABASE_URL.",
    "3D": "{where} does not exist on its server. Create the database, or check GONOGO_DATABASE_URL.",
    "42501": "{where} does not allow this user to do that. Grant it the right to use gonogo's tables.",
    "42P01": "{where} lacks a table of gonogo's. " + MIGRATE,
    "42703": "{where} lacks a column of gonogo's. " + MIGRATE,
    "25006": "{where} is read-only (a standby?). Point GONOGO_DATABASE_URL at the primary server.",
    "53100": "The disk of {where} is full; nothing was changed. Free some space, then try again.",
    "53300": "{where} has no connection left. Allow more connections, or run fewer gonogo processes.",
    "55P03": "{where} is locked by another transaction. Try again; if it stays so, look for what holds it.",
    "57P": "{where} is shutting down or starting up. Try again when it is back.",
}
# Somebody else was faster: serialization failure, deadlock.
_MEANWHILE = ("40001", "40P01")


@contextlib.contextmanager
def told(where: str) -> Iterator[None]:
    """Everything the database raises in this block leaves it as a StoreError."""
    try:
        yield
    except (exc.SQLAlchemyError, sqlite3.Error, psycopg.Error) as error:
        raise translated(error, where) from error


def translated(error: Exception, where: str) -> StoreError:
    """The same complaint in words. `where` names the database, without a password."""
    cause = error.orig if isinstance(error, exc.DBAPIError) else error
    if isinstance(cause, sqlite3.Error):
        return _of_sqlite(cause, where)
    if isinstance(cause, psycopg.Error):
        return _of_postgres(cause, where)
    if isinstance(error, exc.TimeoutError):
        return StoreError(
            f"Every connection to {where} has been busy for too long. Try again; if it stays so, restart gonogo."
        )
    return StoreError(f"{where} could not do it: {_first_line(error)}")


def _of_sqlite(error: sqlite3.Error, where: str) -> StoreError:
    name = getattr(error, "sqlite_errorname", "")
    text = str(error)
    if "UNIQUE constraint failed" in text:
        if "deployments.service, deployments.environment" in text:
            return LockHeld(_LOCKED)
        return Conflict(_CONFLICT)
    if text.startswith(("no such table", "no such column")):
        return StoreError(f"{where} lacks a table or column of gonogo's ({text}). {MIGRATE}")
    for prefix, sentence in _SQLITE.items():
        if name.startswith(prefix):
            return StoreError(sentence.format(where=where))
    return StoreError(f"{where} could not do it: {text}")


def _of_postgres(error: psycopg.Error, where: str) -> StoreError:
    state = error.sqlstate or ""
    if isinstance(error, psycopg.errors.UniqueViolation):
        return LockHeld(_LOCKED) if error.diag.constraint_name == ONE_LOCK else Conflict(_CONFLICT)
    if state in _MEANWHILE:
        return Conflict(_CONFLICT)
    for prefix, sentence in _POSTGRES.items():
        if state.startswith(prefix):
            return StoreError(sentence.format(where=where))
    if isinstance(error, psycopg.OperationalError):
        return StoreError(
            f"{where} cannot be reached: {_first_line(error)}. "
            "Check that the server runs and that GONOGO_DATABASE_URL is right."
        )
    return StoreError(f"{where} could not do it: {_first_line(error)}")


_CONFLICT = "Somebody else has written meanwhile. Load again and decide again."
_LOCKED = "Another deployment of this service and environment is running."


def _first_line(error: Exception) -> str:
    text = str(error.orig if isinstance(error, exc.StatementError) and error.orig is not None else error).strip()
    return (text.splitlines() or [type(error).__name__])[0].rstrip(".")
