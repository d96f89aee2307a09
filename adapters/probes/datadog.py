"""Datadog: the last point of a metrics query (`GET /api/v1/query`), or the state of monitors."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import httpx
from pydantic import BaseModel, ConfigDict

from adapters.probes.asking import Api, BadStatus, Cannot, Found, NoData, Refused, explained, hidden, measured
from adapters.probes.datadog_monitors import ask_monitors, page_of
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.monitors import Monitors, parse_monitors
from checklists.policy import ProbePolicy
from checklists.quantities import to_base

LOOKS_BACK = timedelta(minutes=15)
"""How old the last point may be: metrics that Datadog collects from a cloud are some minutes behind."""

_SITE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_MEND = (
    "GONOGO_DATADOG_API_KEY and GONOGO_DATADOG_APP_KEY must be of GONOGO_DATADOG_SITE, with timeseries_query and, for "
    "monitors, monitors_read"
)
_RESETS = "X-RateLimit-Reset"
"""In how many seconds its count begins anew; Datadog sends no `Retry-After`."""


@dataclass(frozen=True, slots=True)
class DatadogCredentials:
    """The two keys and the site (`datadoghq.eu`, `us3.datadoghq.com`). `api` replaces the site's own address."""

    api_key: str = field(repr=False)
    app_key: str = field(repr=False)
    site: str = "datadoghq.com"
    api: str = ""


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True)


class _Series(_Shape):
    pointlist: list[tuple[float, float | None]] = []
    """Milliseconds since 1970, and the value; null where there is none."""


class _Said(_Shape):
    status: str
    series: list[_Series] = []
    error: str | None = None


class DatadogProbe:
    """`bot.ports.Probe` and `History` for `datadog: QUERY`, in the probe's `unit`.

    The last point of the 15 minutes before `asked.as_of` counts. A last point that is empty is *no data*, whatever the
    points before it say: it may be what a broken service looks like. A query that gives several series is an error.

    `datadog: monitor NUMBER` and `monitors TAG,TAG` are yes or no; they have no past, and are measured now.
    """

    def __init__(self, client: httpx.AsyncClient, credentials: DatadogCredentials) -> None:
        self._client = client
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once, as of `asked.as_of`. No data when there is no point in that time."""
        if probe is None or probe.datadog is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy has no query for {name}")
        try:
            monitors = parse_monitors(probe.datadog)
        except ValueError as error:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=str(error))
        site = self._site()
        if monitors is not None:
            link = page_of(site, monitors) if site else None
            return await measured(name, probe, self._ask_monitors(probe, monitors), link=link)
        link = f"{site}/metric/explorer" if site else None
        return await measured(name, probe, self._ask(probe, probe.datadog, asked), link=link)

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        """Datadog's own points (it chooses how many), at most one for each `step`: the last in it. Empty when it
        cannot be told."""
        found: dict[int, tuple[datetime, float]] = {}

        async def collect() -> Found:
            if probe.datadog is None or probe.unit is None or not probe.knows_past:
                raise Refused("the policy has no query, or no unit")
            for at, value in await self._points(probe, probe.datadog, start, end):
                if value is not None and math.isfinite(value):
                    found[(at - start) // max(step, timedelta(seconds=1))] = (at, to_base(value, probe.unit)[1])
            return Found(len(found), "count")

        told = await measured(name, probe, collect())
        return sorted(found.values()) if told.outcome is Outcome.MEASURED else []

    async def _ask(self, probe: ProbePolicy, query: str, asked: Asked) -> Found:
        if probe.unit is None:
            raise Refused("Datadog answers with a bare number: add `unit` to the probe")
        points = await self._points(probe, query, asked.as_of - LOOKS_BACK, asked.as_of)
        if not points:
            raise NoData(
                f"no point in the 15 minutes before {asked.as_of.astimezone(UTC):%H:%M} UTC; "
                "default_zero(…) around what is only sent when it happens"
            )
        at, value = points[-1]
        if value is None or not math.isfinite(value):
            raise NoData(f"the last point ({at:%H:%M} UTC) is empty")
        return Found(value, probe.unit)

    async def _ask_monitors(self, probe: ProbePolicy, monitors: Monitors) -> Found:
        try:
            return await ask_monitors(self._api(probe), monitors)
        except BadStatus as bad:
            raise self._explained(bad) from None

    async def _points(
        self, probe: ProbePolicy, query: str, start: datetime, end: datetime
    ) -> list[tuple[datetime, float | None]]:
        """Oldest first; those outside of what was asked for are left out."""
        keys, api = self._credentials, self._api(probe)
        asked_for = {"from": int(start.timestamp()), "to": int(end.timestamp()), "query": query}
        try:
            said = (await api.get("/api/v1/query", asked_for)).read(_Said)
        except BadStatus as bad:
            raise self._explained(bad) from None
        if said.status != "ok" or said.error:
            why = hidden(said.error or said.status, keys.api_key, keys.app_key)
            raise Cannot(f"Datadog could not answer the query: {why}")
        if len(said.series) > 1:
            raise Cannot(f"the query gives {len(said.series)} series; one is needed: leave out `by {{…}}`")
        points = said.series[0].pointlist if said.series else []
        return sorted(
            ((_at(milliseconds), value) for milliseconds, value in points if start <= _at(milliseconds) <= end),
            key=lambda point: point[0],
        )

    def _api(self, probe: ProbePolicy) -> Api:
        keys = self._credentials
        if not _SITE.fullmatch(keys.site):
            raise Refused("GONOGO_DATADOG_SITE is no site; write it like datadoghq.eu")
        headers = {"DD-API-KEY": keys.api_key, "DD-APPLICATION-KEY": keys.app_key}
        base = keys.api or f"https://api.{keys.site}"
        return Api.begin(self._client, "Datadog", base, _MEND, probe, headers, resets=_RESETS)

    def _explained(self, bad: BadStatus) -> Cannot:
        return explained(bad, "Datadog", self._credentials.api_key, self._credentials.app_key)

    def _site(self) -> str | None:
        """Where people look."""
        site = self._credentials.site
        return f"https://{'app.' if site.count('.') == 1 else ''}{site}" if _SITE.fullmatch(site) else None


def _at(milliseconds: float) -> datetime:
    try:
        return datetime.fromtimestamp(milliseconds / 1000, UTC)
    except (ValueError, OverflowError, OSError):
        raise Cannot("Datadog answered something else than its API documents (a point without a time)") from None
