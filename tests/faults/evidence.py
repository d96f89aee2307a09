"""What is left after the play, as one file: what people did and were told, what stands in the chats, what the database
holds. Raw SQL and raw messages; nothing of gonogo's own code has touched it."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg

TABLES = ("deployments", "events", "deliveries", "deadlines", "outbox", "mirrors", "posted_cards", "leases")
Row = dict[str, Any]


@dataclass
class Act:
    """One thing a person did: a command, a click or a form that was sent."""

    chat: str
    who: str
    verb: str
    deployment: str = ""
    item: str = ""
    version: str = ""
    """Of a start: no other start has it."""
    token: str = ""
    """Words in a form that no other form has."""
    key: str = ""
    """The delivery's; of a Slack form its beginning."""
    sent: float = 0.0
    ended: float = 0.0
    """Seconds since 1970."""
    acked: bool = False
    failed: str = ""
    """What the person saw when it was not acknowledged."""
    told: str = ""
    """What they read as the answer to it; empty: nothing, the channel shows it."""
    thinking: bool = False
    """Discord was told that the answer comes later, and it did not come."""


@dataclass
class Said:
    """A message of the bot's that stands in a chat."""

    chat: str
    channel: str
    id: str
    thread: str = ""
    """The id of the message it hangs under."""
    key: str = ""
    """What Slack keeps with it."""
    marker: tuple[int, ...] = ()
    """The ids of its first components, in Discord."""
    text: str = ""
    actions: list[str] = field(default_factory=list)
    """What its buttons do."""


@dataclass
class Evidence:
    """All of it. `calm` is the instant from which on nothing was broken any more and nobody did anything."""

    scenario: Row
    acts: list[Act] = field(default_factory=list)
    said: list[Said] = field(default_factory=list)
    tables: dict[str, list[Row]] = field(default_factory=dict)
    calm: float = 0.0
    settled: float = 0.0
    """When all was shown, said and run."""
    paced: float = 0.0
    """Seconds that what was shown and said meanwhile takes at the least, by the chats' published limits."""
    waited: str = ""
    """What it was waited for last."""
    gathered: float = 0.0
    up: list[tuple[float, float]] = field(default_factory=list)
    """Stretches in which a process was there to work."""
    stopped: bool = False
    """Every process was asked to stop and did, before the database was read."""

    def as_text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def load(cls, file: Path) -> Evidence:
        """What `as_text` said."""
        found = json.loads(file.read_text())
        found["acts"] = [Act(**act) for act in found["acts"]]
        found["said"] = [Said(**{**said, "marker": tuple(said["marker"])}) for said in found["said"]]
        return cls(**found)


def rows(url: str, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What a query gives; `?` stands for a value on both databases."""
    if url.startswith("sqlite"):
        with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)) as connection:
            return connection.execute(query, values).fetchall()
    with psycopg.connect(conninfo(url), autocommit=True) as server:
        return server.execute(query.replace("?", "%s").encode(), values).fetchall()


def conninfo(url: str) -> str:
    """What libpq takes for the address."""
    parts = urlsplit(url)
    host = parse_qs(parts.query)["host"][0]
    return f"host={host} user={parts.username} dbname={parts.path.strip('/')}"


def tables(url: str, names: Iterable[str] = TABLES) -> dict[str, list[Row]]:
    """Every row of these tables, as it is kept."""
    found: dict[str, list[Row]] = {}
    for name in names:
        if url.startswith("sqlite"):
            with contextlib.closing(sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)) as connection:
                cursor: Any = connection.execute(f"SELECT * FROM {name}")
                found[name] = _named(cursor.description, cursor.fetchall())
        else:
            with psycopg.connect(conninfo(url), autocommit=True) as server:
                cursor = server.execute(f"SELECT * FROM {name}".encode())
                found[name] = _named([(column.name,) for column in cursor.description or ()], cursor.fetchall())
    return found


def _named(description: Iterable[Any], found: Iterable[tuple[Any, ...]]) -> list[Row]:
    names = [column[0] for column in description]
    return [dict(zip(names, row, strict=True)) for row in found]
