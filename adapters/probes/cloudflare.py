"""Cloudflare: requests, errors and wall time of Workers (GraphQL Analytics, `workersInvocationsAdaptive`)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel, ConfigDict

from adapters.probes.asking import (
    Api,
    BadStatus,
    Cannot,
    Found,
    NoData,
    Refused,
    bearer,
    explained,
    hidden,
    measured,
    short,
)
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy
from checklists.quantities import say_value, to_base

API = "https://api.cloudflare.com/client/v4"
WINDOW = timedelta(minutes=10)
"""What is measured over: Cloudflare counts with a few minutes' delay."""
ROWS = 10_000

_KEY_CODES = {6003, 6103, 6111, 9106, 9109, 10000}
"""Of the API's own errors: headers, keys and tokens that are none, or not allowed."""
_MICROSECOND = 1e-6
_DIMENSIONS = {"error_rate": "ratio", "p95_latency": "seconds", "p99_latency": "seconds", "requests": "count"}
_STEPS = (
    (timedelta(minutes=1), "datetimeMinute"), (timedelta(minutes=5), "datetimeFiveMinutes"),
    (timedelta(minutes=15), "datetimeFifteenMinutes"), (timedelta(hours=1), "datetimeHour"),
)  # fmt: skip
_ACCOUNT = re.compile(r"[0-9a-f]{32}")
_WORKER = re.compile(r"[A-Za-z0-9_-]{1,255}")
_MEND = "GONOGO_CLOUDFLARE_TOKEN needs `Account Analytics: Read` on GONOGO_CLOUDFLARE_ACCOUNT"


@dataclass(frozen=True, slots=True)
class CloudflareCredentials:
    """A token with `Account Analytics: Read`, and the account's id (32 hexadecimal digits)."""

    token: str = field(repr=False)
    account: str
    api: str = API


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True)


class _Sum(_Shape):
    requests: int
    errors: int


class _Quantiles(_Shape):
    wallTimeP95: float
    wallTimeP99: float


class _Row(_Shape):
    sum: _Sum
    quantiles: _Quantiles
    dimensions: dict[str, str] = {}


class _Account(_Shape):
    found: list[_Row]


class _Viewer(_Shape):
    accounts: list[_Account]


class _Data(_Shape):
    viewer: _Viewer


class _Problem(_Shape):
    message: str = ""
    extensions: dict[str, Any] | None = None


class _Code(_Shape):
    code: int


class _Rest(_Shape):
    errors: list[_Code]


class _Said(_Shape):
    data: _Data | None
    errors: list[_Problem] | None = None


class CloudflareProbe:
    """`bot.ports.Probe` and `History` for `cloudflare: METRIC [WORKER]`, over the 10 minutes before `asked.as_of`.

    `error_rate` is the share of invocations that threw or exceeded a limit: Cloudflare does not count an answer of 500
    that the Worker gave itself. The latencies are wall time, from the request until the Worker is done. No invocation
    at all is *no data*: a wrong name looks the same.
    """

    def __init__(self, client: httpx.AsyncClient, credentials: CloudflareCredentials) -> None:
        self._client = client
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once, as of `asked.as_of`. The unit is Cloudflare's; a policy's of another dimension is refused."""
        if probe is None or probe.cloudflare is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy has no metric for {name}")
        account = self._credentials.account
        link = f"https://dash.cloudflare.com/{account}/workers-and-pages" if _ACCOUNT.fullmatch(account) else None
        return await measured(name, probe, self._ask(probe, probe.cloudflare, asked), link=link)

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        """Points of 1, 5, 15 or 60 minutes, whichever holds `step`; empty when it cannot be told."""
        found: list[tuple[datetime, float]] = []
        dimension = next((name for length, name in _STEPS if step <= length), _STEPS[-1][1])

        async def collect() -> Found:
            metric, worker = _words(probe.cloudflare or "")
            for row in await self._rows(probe, worker, start, end, dimension):
                at = datetime.fromisoformat(row.dimensions["at"])
                if row.sum.requests:
                    found.append((at, _value(metric, row)))
            return Found(len(found), "count")

        told = await measured(name, probe, collect())
        return sorted(found) if told.outcome is Outcome.MEASURED else []

    async def _ask(self, probe: ProbePolicy, words: str, asked: Asked) -> Found:
        metric, worker = _words(words)
        dimension = _DIMENSIONS[metric]
        base_unit = {"ratio": "ratio", "seconds": "s", "count": "count"}[dimension]
        if probe.unit is not None and _dimension(probe.unit) != dimension:
            raise Refused(f"the unit {short(probe.unit, 20)} does not fit: {metric} is measured in {base_unit}")
        rows = await self._rows(probe, worker, asked.as_of - WINDOW, asked.as_of, None)
        if len(rows) > 1:
            raise Cannot("Cloudflare answered something else than its API documents (several totals)")
        if not rows or rows[0].sum.requests <= 0:
            whose = f"the Worker {worker}" if worker else "any Worker"
            raise NoData(f"no invocation of {whose} in the 10 minutes before {asked.as_of.astimezone(UTC):%H:%M} UTC")
        value = _value(metric, rows[0])
        of = "" if metric == "requests" else f" ({rows[0].sum.requests} requests)"
        return Found(value, base_unit, say_value(value, dimension) + of)

    async def _rows(
        self, probe: ProbePolicy, worker: str | None, start: datetime, end: datetime, dimension: str | None
    ) -> list[_Row]:
        keys = self._credentials
        if not _ACCOUNT.fullmatch(keys.account):
            raise Refused("GONOGO_CLOUDFLARE_ACCOUNT is no account id: 32 hexadecimal digits")
        headers = {**bearer(keys.token), "Content-Type": "application/json"}
        api = Api.begin(self._client, "Cloudflare", keys.api, _MEND, probe, headers)
        body = json.dumps(_query(keys.account, worker, start, end, dimension)).encode()
        try:
            said = (await api.send("POST", "/graphql", content=body)).read(_Said)
        except BadStatus as bad:
            why = explained(bad, "Cloudflare", keys.token)
            raise (Refused(f"{why}; {_MEND}") if _is_about_the_key(bad) else why) from None
        for problem in said.errors or ():
            why = Cannot(f"Cloudflare could not answer: {hidden(problem.message, keys.token)}")
            raise Refused(f"{why}; {_MEND}") if (problem.extensions or {}).get("code") == "authz" else why
        if said.data is None or not said.data.viewer.accounts:
            raise Refused(f"Cloudflare shows no such account: {_MEND}")
        return said.data.viewer.accounts[0].found


def _words(words: str) -> tuple[str, str | None]:
    """The metric and the Worker. Raises Refused."""
    metric, _, worker = words.strip().partition(" ")
    worker = worker.strip()
    if metric not in _DIMENSIONS or (worker and not _WORKER.fullmatch(worker)):
        raise Refused(f"{short(words)!r} is no metric; write one of {', '.join(_DIMENSIONS)}, and a Worker or none")
    return metric, worker or None


def _is_about_the_key(bad: BadStatus) -> bool:
    """A token that is none is a bad request here, not a 401."""
    try:
        said = _Rest.model_validate_json(bad.content)
    except ValueError:
        return False
    return any(error.code in _KEY_CODES for error in said.errors)


def _query(
    account: str, worker: str | None, start: datetime, end: datetime, dimension: str | None
) -> Mapping[str, object]:
    declared = "$account: string!, $start: Time!, $end: Time!" + (", $worker: string!" if worker else "")
    where = "datetime_geq: $start, datetime_lt: $end" + (", scriptName: $worker" if worker else "")
    by = f" dimensions {{ at: {dimension} }}" if dimension else ""
    rows = f"found: workersInvocationsAdaptive(limit: {ROWS}, filter: {{ {where} }})"
    columns = f"sum {{ requests errors }} quantiles {{ wallTimeP95 wallTimeP99 }}{by}"
    account_rows = f"accounts(filter: {{ accountTag: $account }}) {{ {rows} {{ {columns} }} }}"
    variables = {"account": account, "start": _stamp(start), "end": _stamp(end)}
    text = f"query Workers({declared}) {{ viewer {{ {account_rows} }} }}"
    return {"query": text, "variables": {**variables, **({"worker": worker} if worker else {})}}


def _value(metric: str, row: _Row) -> float:
    """In the dimension's base unit."""
    match metric:
        case "error_rate":
            if not 0 <= row.sum.errors <= row.sum.requests:
                raise Cannot("Cloudflare answered something else than its API documents (more errors than requests)")
            return row.sum.errors / row.sum.requests
        case "p95_latency":
            return row.quantiles.wallTimeP95 * _MICROSECOND
        case "p99_latency":
            return row.quantiles.wallTimeP99 * _MICROSECOND
    return float(row.sum.requests)


def _dimension(unit: str) -> str:
    try:
        return to_base(0, unit)[0]
    except ValueError as error:
        raise Refused(str(error)) from None


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
