"""Prometheus, and what speaks its API (Grafana Mimir, VictoriaMetrics, Thanos, Fly.io): an instant query."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import httpx
from pydantic import BaseModel, ConfigDict, Field

from adapters.probes.asking import (
    Answer,
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
)
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy
from checklists.quantities import to_base

POINTS = 10_000
"""Most points of a history; Prometheus itself refuses more than 11 000."""

_MEND = "look at GONOGO_PROMETHEUS_TOKEN, and at GONOGO_PROMETHEUS_TENANT where there are tenants"
_HARMLESS = "PromQL info:"


@dataclass(frozen=True, slots=True)
class PrometheusCredentials:
    """The address the API stands below (`…/api/v1/query`), and who asks.

    A token is sent as a bearer's, unless it brings its scheme (`Basic …`, `FlyV1 …`). `tenant` is Mimir's
    `X-Scope-OrgID`.
    """

    url: str
    token: str = field(default="", repr=False)
    tenant: str = ""

    def headers(self) -> Mapping[str, str]:
        """What each request carries."""
        return {**bearer(self.token), **({"X-Scope-OrgID": self.tenant} if self.tenant else {})}


Sample = tuple[float, str]
"""Seconds since 1970, and the number as text: `0.4`, `NaN`, `+Inf`."""


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True)


class _Series(_Shape):
    metric: dict[str, str] = {}
    value: Sample | None = None
    values: list[Sample] = []


class _Vector(_Shape):
    kind: Literal["vector", "matrix"] = Field(alias="resultType")
    result: list[_Series]


class _Single(_Shape):
    kind: Literal["scalar", "string"] = Field(alias="resultType")
    result: Sample


class _Said(_Shape):
    status: Literal["success"]
    data: _Vector | _Single = Field(discriminator="kind")
    warnings: list[str] | None = None


class PrometheusProbe:
    """`bot.ports.Probe` and `History` for `prometheus: EXPRESSION`, in the probe's `unit`.

    An expression that finds nothing, and one whose value is NaN or infinite (a division by no traffic), is *no data*,
    never zero. One that finds several series, and an answer that comes with a warning (it may be incomplete), is an
    error.
    """

    def __init__(self, client: httpx.AsyncClient, credentials: PrometheusCredentials) -> None:
        self._client = client
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once, as of `asked.as_of`."""
        if probe is None or probe.prometheus is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy has no expression for {name}")
        return await measured(name, probe, self._ask(probe, probe.prometheus, asked), link=self._link(probe, asked))

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        """A point every `step` (longer where there would be more than 10 000); empty when it cannot be told."""
        found: list[tuple[datetime, float]] = []

        async def collect() -> Found:
            if probe.prometheus is None or probe.unit is None:
                raise Refused("the policy has no expression, or no unit")
            seconds = max(1.0, step.total_seconds(), (end - start).total_seconds() / POINTS)
            asked_for = {
                "query": probe.prometheus, "start": _stamp(start), "end": _stamp(end), "step": f"{seconds:.3f}",
            }  # fmt: skip
            data = (await self._said(probe, "/api/v1/query_range", asked_for)).data
            if not isinstance(data, _Vector) or len(data.result) != 1:
                raise Cannot("one series is needed")
            for at, text in data.result[0].values:
                if math.isfinite(value := _number(text)):
                    found.append((datetime.fromtimestamp(at, UTC), to_base(value, probe.unit)[1]))
            return Found(len(found), "count")

        told = await measured(name, probe, collect())
        return sorted(found) if told.outcome is Outcome.MEASURED else []

    async def _ask(self, probe: ProbePolicy, expression: str, asked: Asked) -> Found:
        if probe.unit is None:
            raise Refused("Prometheus answers with a bare number: add `unit` to the probe")
        data = (await self._said(probe, "/api/v1/query", {"query": expression, "time": _stamp(asked.as_of)})).data
        if isinstance(data, _Single):
            if data.kind != "scalar":
                raise Cannot("the expression gives a text; one number is needed")
            sample: Sample | None = data.result
        else:
            if data.kind != "vector":
                raise Cannot("the expression gives a range of values; take one of them, as with rate(…[5m])")
            if not data.result:
                raise NoData("the expression finds nothing: no such series, or no samples then")
            if len(data.result) > 1:
                raise Cannot(f"the expression gives {len(data.result)} series; one is needed, as with sum(…) or avg(…)")
            sample = data.result[0].value
        if sample is None:
            raise Cannot("the expression gives a histogram; take a number of it, as with histogram_quantile(…)")
        value = _number(sample[1])
        if not math.isfinite(value):
            raise NoData(f"the expression gives {sample[1][:8]}: it divides by nothing, or there was no traffic")
        return Found(value, probe.unit)

    async def _said(self, probe: ProbePolicy, path: str, params: Mapping[str, Any]) -> _Said:
        keys = self._credentials
        must_not_hold_a_password(keys.url, "GONOGO_PROMETHEUS_URL", "GONOGO_PROMETHEUS_TOKEN")
        api = Api.begin(self._client, "Prometheus", keys.url, _MEND, probe, keys.headers())
        limit = {"timeout": f"{probe.timeout.total_seconds():.3f}"}
        try:
            answer: Answer = await api.get(path, {**params, **limit})
        except BadStatus as bad:
            raise explained(bad, "Prometheus", keys.token) from None
        said = answer.read(_Said)
        if serious := [warning for warning in said.warnings or () if not warning.startswith(_HARMLESS)]:
            raise Cannot(f"Prometheus warns that the answer may be wrong: {hidden(serious[0], keys.token)}")
        return said

    def _link(self, probe: ProbePolicy, asked: Asked) -> str | None:
        """The page of the expression at that time; a store with tenants has none below its address."""
        if self._credentials.tenant or probe.prometheus is None:
            return None
        moment = asked.as_of.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        asked_for = {"g0.expr": probe.prometheus, "g0.tab": "1", "g0.moment_input": moment}
        return page(self._credentials.url, "/graph", asked_for)


def must_not_hold_a_password(url: str, setting: str, instead: str) -> None:
    """Raises Refused for an address with a user or a password in it: addresses are shown."""
    try:
        holds = bool(httpx.URL(url).userinfo)
    except (httpx.InvalidURL, ValueError):
        return
    if holds:
        raise Refused(f"{setting} holds a password; put it into {instead} (`Basic …`)")


def page(url: str, path: str, params: Mapping[str, str]) -> str | None:
    """A page for people below an address; None when it is none, or holds a password."""
    try:
        base = httpx.URL(url)
        if base.userinfo or not base.host:
            return None
        return str(httpx.URL(url.rstrip("/") + path, params=dict(params)))
    except (httpx.InvalidURL, ValueError):
        return None


def _stamp(at: datetime) -> str:
    return f"{at.timestamp():.3f}"


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise Cannot("Prometheus answered something else than its API documents (a value that is no number)") from None
