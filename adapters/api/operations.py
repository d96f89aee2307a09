"""What can be asked, one entry each: the routes and the OpenAPI document are both made of these."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from pydantic import BaseModel

from adapters.api import answers, asks
from bot.access import ApiToken
from bot.desk import Denied, Desk, GateAnswer, Order, Target
from bot.domain.pipeline import Reply, Report

BAD_JSON = "The body is no JSON."
NO_TOKEN = "No token, or one that does not work (any more)."  # noqa: S105
OTHER_SERVICE = "The token is for another service, or the policy does not let pipelines do this."
UNKNOWN = "There is no such deployment or service."
SLOW = "The body did not arrive in time."
TOO_LONG = "The body is longer than 64 kB."
NOT_JSON = "The content type is not application/json."
INVALID = "A field cannot be understood; `field` names it."
UNAVAILABLE = "The database cannot be used just now. Try again, with the same Idempotency-Key."
_OF_READING = {401: NO_TOKEN, 403: OTHER_SERVICE, 404: UNKNOWN, 422: INVALID, 503: UNAVAILABLE}
_OF_WRITING = {**_OF_READING, 400: BAD_JSON, 408: SLOW, 413: TOO_LONG, 415: NOT_JSON}

STATUS = {
    "invalid": 422,
    "key_reused": 422,
    "unknown_step": 422,
    "other_service": 403,
    "not_entitled": 403,
    "unknown_service": 404,
    "unknown_deployment": 404,
}
"""The status of a no, by its code; any other is 409: it cannot be done as things stand."""


@dataclass(frozen=True, slots=True)
class Call:
    """A request that has passed every check that needs no rule."""

    caller: ApiToken
    ask: Any
    """Of the operation's own model; None where it has none."""
    key: str
    path: Mapping[str, str]


Handler = Callable[[Desk, Call], Awaitable[tuple[int, BaseModel]]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing that can be asked. `query` and `body` are models; an operation has at most one of them."""

    id: str
    method: str
    path: str
    summary: str
    text: str
    answer: type[BaseModel]
    handle: Handler
    query: type[asks.Ask] | None = None
    body: type[asks.Ask] | None = None
    good: dict[int, str] = field(default_factory=dict)
    bad: dict[int, str] = field(default_factory=dict)


async def _gate(desk: Desk, call: Call) -> tuple[int, BaseModel]:
    ask: asks.GateQuery = call.ask
    found: GateAnswer = await desk.gate(call.caller, ask.service, ask.environment, ask.at)
    about = {"service": found.service, "environment": found.environment, "at": found.at}
    return 200, answers.GateAnswerOut.model_validate({**found.gate, **about})


async def _start(desk: Desk, call: Call) -> tuple[int, BaseModel]:
    ask: asks.StartBody = call.ask
    order = Order(ask.service, ask.version, ask.environment, ask.when, ask.note)
    reply = await desk.start(call.caller, order, key=call.key)
    return 201 if reply.created else 200, answers.StartedOut.model_validate(
        {**asdict(reply.deployment), "message": reply.message}
    )


async def _standing(desk: Desk, call: Call) -> tuple[int, BaseModel]:
    found = await desk.standing(call.caller, call.path["id"])
    return 200, answers.DeploymentOut.model_validate(found)


async def _event(desk: Desk, call: Call) -> tuple[int, BaseModel]:
    return await _report(desk, call, Target(deployment=call.path["id"]))


async def _live_event(desk: Desk, call: Call) -> tuple[int, BaseModel]:
    ask: asks.LiveEventBody = call.ask
    return await _report(desk, call, Target(service=ask.service, environment=ask.environment, version=ask.version))


async def _report(desk: Desk, call: Call, target: Target) -> tuple[int, BaseModel]:
    ask: asks.EventBody = call.ask
    if ask.event == "step":
        report = Report(ask.step, ask.detail, ask.link)
    else:
        report = Report(ask.event, ask.detail, ask.link, step=ask.step)
    reply: Reply = await desk.report(call.caller, target, report, key=call.key)
    if not reply.accepted:
        field = {"unknown_step": "step", "key_reused": "Idempotency-Key"}.get(reply.code, "")
        raise Denied(reply.code, reply.message, field=field)
    return 200, answers.EventOut(
        deployment=reply.deployment, code=reply.code, message=reply.message, ticked=list(reply.ticked)
    )


_REFUSED = "A rule says no: its phase is not open, an item is missing, it is over, or the window is closed."
_EVENT_TEXT = (
    "A step ticks the items that wait for it (`event` in the policy), else the item of the same words. One whose phase "
    "is not open yet is remembered. An item that belongs to a role is never ticked."
)

OPERATIONS = (
    Operation(
        "gate",
        "GET",
        "/api/gate",
        "May a deployment start?",
        "The answer a start would get at that moment: windows, freezes, incidents, locks. Nothing is changed.",
        answers.GateAnswerOut,
        _gate,
        query=asks.GateQuery,
        good={200: "Open or closed: `open` says which."},
        bad={**_OF_READING, 409: "The checklist cannot be used."},
    ),
    Operation(
        "start",
        "POST",
        "/api/deployments",
        "Start a deployment",
        "It starts, or waits for its time and its approvals. No window, freeze, lock or approval is passed by. A "
        "version that is live already is not started again: that one is answered.",
        answers.StartedOut,
        _start,
        body=asks.StartBody,
        good={201: "It has started, or waits.", 200: "It was live already, or this order came before."},
        bad={**_OF_WRITING, 409: "The gate is closed, the service is locked, or the checklist cannot be used."},
    ),
    Operation(
        "liveEvent",
        "POST",
        "/api/deployments/events",
        "Report what happened, without an id",
        f"For a pipeline that did not start the deployment: the live one is meant. {_EVENT_TEXT}",
        answers.EventOut,
        _live_event,
        body=asks.LiveEventBody,
        good={200: "Taken in."},
        bad={**_OF_WRITING, 409: f"{_REFUSED} Or several are live."},
    ),
    Operation(
        "deployment",
        "GET",
        "/api/deployments/{id}",
        "Where a deployment stands",
        "Its phase, what is ticked, what is due next, what was announced.",
        answers.DeploymentOut,
        _standing,
        good={200: "As it stands now."},
        bad={status: why for status, why in _OF_READING.items() if status != 422},
    ),
    Operation(
        "event",
        "POST",
        "/api/deployments/{id}/events",
        "Report what happened",
        _EVENT_TEXT,
        answers.EventOut,
        _event,
        body=asks.EventBody,
        good={200: "Taken in."},
        bad={**_OF_WRITING, 409: _REFUSED},
    ),
)
