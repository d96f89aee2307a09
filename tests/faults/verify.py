"""What must be true of the database after any number of power cuts, in SQL of our own."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tests.process import Records

ANNOUNCED = (
    "starting", "started", "succeeded", "stable", "issue", "rollback_started", "rolled_back", "cancelled",
)  # fmt: skip
"""What is announced; other messages say what is about to be, or is waited for."""


KNOWN = 29 * 86_400 * 1_000_000
"""Microseconds for which a click must still be known: after 30 days it may be forgotten (docs/operations.md)."""


@dataclass
class Acked:
    """What people were told is done (HTTP 200 and no refusal)."""

    keys: dict[str, int] = field(default_factory=dict)
    """And when, by the sandbox's clock, in microseconds since 1970."""
    ticks: set[tuple[str, str]] = field(default_factory=set)
    """Deployment and item."""


def violations(records: Records, acked: Acked) -> list[str]:
    """Every promise that was broken, as sentences; empty if none was."""
    return [
        *_clicks(records, acked),
        *_sequences(records),
        *_announcements(records),
        *_messages(records),
        *_verdicts(records),
        *_left_over(records),
    ]


def behind(records: Records) -> list[str]:
    """What is still to be shown, said or run by now; empty once all has settled."""
    waiting = {
        "cards are behind": "SELECT id FROM deployments JOIN mirrors ON deployment = id WHERE shown < revision",
        "cards were never looked at": "SELECT id FROM deployments WHERE id NOT IN (SELECT deployment FROM mirrors)",
        "not yet said": "SELECT key FROM outbox WHERE said_at IS NULL",
        "due and not done": "SELECT deployment || ' ' || key FROM deadlines WHERE done_at IS NULL AND due <= ?",
    }
    now = records.now()
    return [
        f"{what}: {found}"
        for what, query in waiting.items()
        for (found,) in records.rows(query, *([now] if "?" in query else []))
    ]


def _clicks(records: Records, acked: Acked) -> Iterator[str]:
    kept = {key for (key,) in records.rows("SELECT key FROM deliveries")}
    owed = {key for key, at in acked.keys.items() if at > records.now() - KNOWN}
    yield from (f"the acked delivery {key} is not in the database" for key in owed - kept)
    ticks = Counter[tuple[str, str]]()
    for deployment, body in records.rows("SELECT deployment, body FROM events WHERE kind = 'ticked'"):
        ticks[deployment, json.loads(body)["item"]] += 1
    yield from (f"the acked tick of {item} in {id} is not in the database" for id, item in acked.ticks - set(ticks))
    yield from (f"{item} in {id} was ticked {count} times" for (id, item), count in ticks.items() if count > 1)


def _sequences(records: Records) -> Iterator[str]:
    query = (
        "SELECT id, revision, count(seq), min(seq), max(seq) FROM deployments LEFT JOIN events ON deployment = id"
        " GROUP BY id"
    )
    for deployment, revision, count, first, last in records.rows(query):
        if not (count == revision == last and first == 1):
            yield f"{deployment} at revision {revision} has {count} facts, numbered {first} to {last}"
    for service, environment, count in records.rows(
        "SELECT service, environment, count(*) FROM deployments WHERE locked GROUP BY 1, 2 HAVING count(*) > 1"
    ):
        yield f"{count} deployments hold the lock of {service} {environment}"


def _announcements(records: Records) -> Iterator[str]:
    announced = Counter[tuple[str, str]]()
    for deployment, body in records.rows("SELECT deployment, body FROM events WHERE kind = 'announced'"):
        announced[deployment, json.loads(body)["announcement"]] += 1
    standing = Counter(key for (key,) in records.rows("SELECT key FROM sandbox_messages"))
    queued = {key for (key,) in records.rows("SELECT key FROM outbox WHERE deployment IS NOT NULL")}
    for (deployment, kind), count in announced.items():
        keys = [key for key in queued if key.startswith(f"{deployment}:{kind}:")]
        if count != 1 or not keys:
            yield f"{kind} of {deployment} was decided {count} times and put out {len(keys)} times"
        yield from (f"{key} stands {standing[key]} times" for key in keys if standing[key] != 1)
    for key in queued:
        deployment, kind, _ = key.split(":", 2)
        if kind in ANNOUNCED and (deployment, kind) not in announced:
            yield f"{key} was put out without a fact"


def _messages(records: Records) -> Iterator[str]:
    query = "SELECT key, count(*) FROM sandbox_messages GROUP BY key HAVING count(*) > 1"
    yield from (f"the message {key} stands {count} times" for key, count in records.rows(query))
    lost = (
        "SELECT deployment || ':' || slot FROM posted_cards"
        " WHERE message IS NULL OR CAST(message AS INTEGER) NOT IN (SELECT id FROM sandbox_messages)"
    )
    yield from (f"the card {key} is noted as posted and does not stand" for (key,) in records.rows(lost))


def _verdicts(records: Records) -> Iterator[str]:
    ran = Counter[tuple[str, str, int]]()
    for deployment, body in records.rows("SELECT deployment, body FROM events WHERE kind = 'check_ran'"):
        fact = json.loads(body)
        if not fact.get("again"):
            ran[deployment, fact["check"], records.instant(fact["due"])] += 1
    yield from (
        f"{check} of {id} at {due} has {count} verdicts" for (id, check, due), count in ran.items() if count > 1
    )
    done = "SELECT deployment, key, due FROM deadlines WHERE done_at IS NOT NULL AND key LIKE 'check:%'"
    finished = {(id, key.split(":")[1], due) for id, key, due in records.rows(done)}
    yield from (f"{check} of {id} at {due} is done without a verdict" for id, check, due in finished - set(ran))
    yield from (f"{check} of {id} at {due} has a verdict and is not done" for id, check, due in set(ran) - finished)


def _left_over(records: Records) -> Iterator[str]:
    for table, what in (("deadlines", "deployment || ' ' || key"), ("mirrors", "deployment"), ("outbox", "key")):
        held: Iterable[tuple[str]] = records.rows(f"SELECT {what} FROM {table} WHERE held_by IS NOT NULL")
        yield from (f"{table}: {found} is still held" for (found,) in held)
