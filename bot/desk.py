"""What programs may ask of gonogo and tell it, behind the HTTP API. The docstrings are the contract."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from bot.access import ApiToken
from bot.domain.pipeline import Reply, Report


class Denied(Exception):
    """Not done, and nothing was changed. `message` is plain text: what was wrong, and what to do instead.

    `code` is one of a closed list: `invalid` (with the `field`), `key_reused`, `other_service`, `not_entitled`,
    `unknown_service`, `unknown_deployment`, `several`, `closed` and `locked` (with the `gate`), `refused`,
    `checklist_unusable`.
    """

    def __init__(self, code: str, message: str, *, field: str = "", gate: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code, self.message, self.field, self.gate = code, message, field, gate


@dataclass(frozen=True, slots=True)
class Order:
    """What a program wants to start. `when` in the words of `/deploy start … at`, `open`, or empty for now."""

    service: str
    version: str
    environment: str
    when: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Target:
    """Which deployment a report is about: the one of this id, or the live one of a service and environment."""

    deployment: str = ""
    service: str = ""
    environment: str = ""
    version: str = ""


@dataclass(frozen=True, slots=True)
class GateAnswer:
    """What a start would be told at a moment. `gate` is what `gonogo gate --json` prints."""

    service: str
    environment: str
    at: datetime
    gate: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Place:
    """The current phase: the `number`-th of `of`."""

    title: str
    number: int
    of: int


@dataclass(frozen=True, slots=True)
class Coming:
    """What is due next, by itself."""

    at: datetime
    what: str


@dataclass(frozen=True, slots=True)
class Said:
    """An announcement as it was made, letter for letter."""

    name: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """What the pipeline has reported as failed, and not as done since."""

    step: str
    detail: str
    link: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a deployment stands. Instants are in the checklist's zone."""

    id: str
    service: str
    environment: str
    version: str
    checklist: str
    status: str
    started_at: datetime
    started_by: str
    planned_at: datetime | None
    deployed_at: datetime | None
    ended_at: datetime | None
    phase: Place | None
    ticked: int
    not_applicable: int
    total: int
    next_due: Coming | None
    announcements: Sequence[Said]
    failures: Sequence[Failure]
    steps: Sequence[str]
    """What the checklist's items wait for, by the names a pipeline reports them with."""
    links: dict[str, str]


@dataclass(frozen=True, slots=True)
class StartReply:
    """`created` False: it was live already, or this very order came before."""

    deployment: Standing
    created: bool
    message: str


class Desk(Protocol):
    """Where programs come in. Everything but `caller` needs a caller and speaks of the caller's own service only:
    another one is Denied. The same `key` again changes nothing and gets the same reply."""

    async def caller(self, token: str) -> ApiToken | None:
        """Who comes with this token; None: nobody, or it was revoked, or is for no service."""
        ...

    async def gate(self, caller: ApiToken, service: str, environment: str, at: str) -> GateAnswer:
        """Whether a deployment may start, with reasons. Changes nothing. Raises Denied."""
        ...

    async def start(self, caller: ApiToken, order: Order, *, key: str) -> StartReply:
        """Start a deployment, or let it wait. No window, freeze, lock or approval is passed by. Raises Denied."""
        ...

    async def report(self, caller: ApiToken, target: Target, report: Report, *, key: str) -> Reply:
        """Take in what a pipeline reports. A rule's no is a reply; Denied is raised for a deployment not found."""
        ...

    async def standing(self, caller: ApiToken, deployment: str) -> Standing:
        """Where a deployment stands. Changes nothing. Raises Denied."""
        ...
