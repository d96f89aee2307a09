"""What the facts of a deployment add up to, told once more by other code than gonogo's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ENDS = {"ended": "stable", "rolled_back": "rolled back", "cancelled": "cancelled", "superseded": "superseded"}
LOCKING = ("running", "deployed", "rolling back")
Fact = Mapping[str, Any]
_HASH = re.compile(r"-[0-9a-f]{8}$")


def named(item: str) -> str:
    """An item's id without the hash that tells it from others of its name; no two here have the same."""
    return _HASH.sub("", item)


def micros(text: str) -> int:
    """An instant as the database keeps it: microseconds since 1970."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


@dataclass
class Story:
    """A deployment as its facts tell it."""

    id: str
    facts: list[Fact]
    service: str = ""
    version: str = ""
    status: str = "running"
    opened: list[str] = field(default_factory=list)
    done: list[str] = field(default_factory=list)
    marked: dict[str, str] = field(default_factory=dict)
    """Name of an item -> ticked or excused."""
    t0: int | None = None
    ended: int | None = None
    runs: dict[str, dict[int, list[Fact]]] = field(default_factory=dict)
    """Check -> due -> its results, those that people asked for once more left out."""
    verdicts: dict[str, str] = field(default_factory=dict)
    """Check -> its latest verdict."""
    announced: dict[str, list[Fact]] = field(default_factory=dict)
    watched_until: int | None = None
    """When it was rolled back, superseded or closed: from then on no check is due."""

    def had(self, item: str, since: float, until: float) -> bool:
        """Whether an item was ticked or excused at any moment between two instants (seconds since 1970)."""
        marked = False
        for fact in self.facts:
            at = micros(fact["at"]) / 1_000_000
            if at > until:
                break
            if fact["kind"] in ("ticked", "excused", "unticked") and fact["item"] == item:
                if marked and at >= since:
                    return True
                marked = fact["kind"] != "unticked"
                if marked and at >= since:
                    return True
        return marked

    @property
    def live(self) -> bool:
        return self.status not in ENDS.values()

    def holds_lock(self) -> bool:
        """Whether it keeps others from starting."""
        return self.status in LOCKING


def story(id: str, bodies: Iterable[str]) -> Story:
    """From the facts in their order, as JSON."""
    facts: list[Fact] = [json.loads(body) for body in bodies]
    told = Story(id, facts)
    for fact in facts:
        _add(told, fact)
    return told


def _add(told: Story, fact: Fact) -> None:
    kind, at = fact["kind"], micros(fact["at"])
    match kind:
        case "started":
            told.service, told.version = fact["service"], fact["version"]
            told.status = "waiting" if fact.get("waits") else "running"
        case "admitted":
            told.status = "running"
        case "phase_opened":
            if fact["phase"] not in told.opened:
                told.opened.append(fact["phase"])
        case "phase_done":
            told.done.append(fact["phase"])
        case "ticked" | "excused":
            told.marked[named(fact["item"])] = kind
        case "unticked":
            told.marked.pop(named(fact["item"]), None)
        case "deployed":
            told.t0, told.status = at, "deployed"
        case "check_ran":
            told.verdicts[fact["check"]] = fact["verdict"]
            if not fact.get("again"):
                told.runs.setdefault(fact["check"], {}).setdefault(micros(fact["due"]), []).append(fact)
        case "announced":
            told.announced.setdefault(fact["announcement"], []).append(fact)
            if fact["announcement"] == "succeeded" and told.status == "deployed":
                told.status = "succeeded"
        case "rollback_started":
            told.status, told.ended = "rolling back", None
            told.watched_until = min(told.watched_until or at, at)
        case "ended" | "rolled_back" | "cancelled" | "superseded":
            told.status, told.ended = ENDS[kind], at
            told.watched_until = min(told.watched_until or at, at)
