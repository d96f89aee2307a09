"""Sentry: errors, the users who met them, new issues, and the share of sessions that did not go well."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict, RootModel

from adapters.probes.asking import (
    PAGES,
    Api,
    BadStatus,
    Cannot,
    Found,
    NoData,
    Refused,
    bearer,
    explained,
    measured,
    short,
)
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy
from checklists.quantities import say_value, to_base
from checklists.spellings import spellings

URL = "https://sentry.io"
WINDOW = timedelta(minutes=30)
"""What is measured over."""
WEEK = timedelta(days=7)

_UNITS = {"error_rate": "ratio", "errors": "count", "users": "count", "new_issues": "count", "errors_vs_normal": "x"}
_SLUG = re.compile(r"[A-Za-z0-9_-]{1,100}")
_RELEASE = re.compile(r"[^\s/\\\"*\x00-\x1f]{1,200}")
"""A release's name (Sentry allows no slashes and line breaks), without what its search reads as more than a name."""
_MEND = "GONOGO_SENTRY_TOKEN needs the scopes org:read, project:read and event:read"
_OTHERWISE = "Sentry answered something else than its API documents"
_Read = TypeVar("_Read", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class SentryCredentials:
    """A token with the scopes `org:read`, `project:read` and `event:read`, and the organization's slug. `url` is for a
    region (`https://de.sentry.io`) or a Sentry of one's own."""

    token: str = field(repr=False)
    org: str
    url: str = URL


class _Shape(BaseModel):
    model_config = ConfigDict(strict=True)


class _Project(_Shape):
    id: str


class _Slug(_Shape):
    slug: str


class _Release(_Shape):
    projects: list[_Slug]


class _Events(_Shape):
    data: list[dict[str, Any]]


class _Issues(RootModel[list[dict[str, Any]]]):
    pass


class _Group(_Shape):
    by: dict[str, str]
    series: dict[str, list[int | float | None]]


class _Sessions(_Shape):
    intervals: list[str]
    groups: list[_Group]


@dataclass(frozen=True, slots=True)
class _Window:
    start: datetime
    end: datetime

    def params(self) -> dict[str, str]:
        return {"start": _stamp(self.start), "end": _stamp(self.end)}

    def a_week_before(self) -> _Window:
        return _Window(self.start - WEEK, self.end - WEEK)


class SentryProbe:
    """`bot.ports.Probe` for `sentry: PROJECT METRIC`, over the 30 minutes before `asked.as_of`, in the deployment's
    environment.

    Where the policy says what Sentry calls the deployed `release`, that one alone counts. One that Sentry does not know
    in this project is *no data*, as a name that does not fit would look like no errors. Else all releases count.

    `error_rate` is the share of sessions that were not healthy. No error is a measured zero; no sessions, or nothing a
    week before to compare with, is *no data*.
    """

    def __init__(self, client: httpx.AsyncClient, credentials: SentryCredentials) -> None:
        self._client = client
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once, as of `asked.as_of`. The unit is the metric's; a policy's of another dimension is refused."""
        if probe is None or probe.sentry is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy has no metric for {name}")
        return await measured(name, probe, self._ask(probe, probe.sentry, asked))

    async def _ask(self, probe: ProbePolicy, words: str, asked: Asked) -> Found:
        slug, metric = _words(words, probe.unit)
        if not _SLUG.fullmatch(self._credentials.org):
            raise Refused("GONOGO_SENTRY_ORG is no organization's slug; write it like acme-inc")
        headers = bearer(self._credentials.token)
        api = Api.begin(self._client, "Sentry", self._credentials.url, _MEND, probe, headers)
        project = await self._project(api, slug)
        scope = {"project": project, "environment": asked.environment}
        release = await self._release(api, slug, probe.release, asked.version) if probe.release is not None else None
        # What was before T0 speaks of the old version, and would dilute what the new one does.
        since = asked.as_of - WINDOW
        if asked.deployed_at is not None and asked.deployed_at < asked.as_of:
            since = max(since, asked.deployed_at)
        window = _Window(since, asked.as_of)
        match metric:
            case "error_rate":
                value, detail = await self._share(api, scope, window, release)
            case "errors_vs_normal":
                value, detail = await self._against_normal(api, scope, window)
            case "new_issues":
                value, detail = await self._new_issues(api, scope, window, release), ""
            case "users":
                value, detail = await self._count(api, scope, window, "count_unique(user)", release), ""
            case _:
                value, detail = await self._count(api, scope, window, "count()", release), ""
        if release is not None:
            detail = f"{detail or say_value(value, _UNITS[metric])} in {release}"
        return Found(value, _UNITS[metric], detail, self._link(scope, window, release))

    async def _project(self, api: Api, slug: str) -> str:
        try:
            found = await self._get(api, f"/api/0/projects/{self._credentials.org}/{slug}/", {}, _Project)
        except BadStatus as bad:
            if bad.status == 404:
                raise Cannot(f"Sentry knows no project {slug} of {self._credentials.org}") from None
            raise self._explained(bad) from None
        if not found.id.isdecimal():
            raise Cannot(f"{_OTHERWISE} (a project without a number)")
        return found.id

    async def _release(self, api: Api, slug: str, template: str, version: str) -> str:
        """The deployed release as Sentry spells it. Raises Cannot; NoData where it is not one of this project."""
        if not version:
            raise Refused("of which release? no version is known")
        names = spellings(template, version)
        for name in names:
            if not _RELEASE.fullmatch(name) or name in (".", ".."):
                raise Refused(f"{short(name)!r} cannot be the name of a release")
            path = f"/api/0/organizations/{self._credentials.org}/releases/{quote(name, safe='')}/"
            try:
                found = await self._get(api, path, {}, _Release)
            except BadStatus as bad:
                if bad.status != 404:
                    raise self._explained(bad) from None
                continue
            if any(project.slug == slug for project in found.projects):
                return name
        said = " or ".join(short(name) for name in names)
        raise NoData(f"Sentry has seen no release {said} of {slug}: create it when you deploy, or mend `release`")

    async def _count(
        self, api: Api, scope: Mapping[str, str], window: _Window, what: str, release: str | None = None
    ) -> int:
        params = {**scope, **window.params(), "field": what, "dataset": "errors", "per_page": "1", **_only(release)}
        rows = (await self._asked(api, "events", params, _Events)).data
        if not rows:
            raise NoData("Sentry counts nothing for that time")
        value = rows[0].get(what)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
            raise Cannot(f"{_OTHERWISE} (a count that is none)")
        return int(value)

    async def _against_normal(self, api: Api, scope: Mapping[str, str], window: _Window) -> tuple[float, str]:
        now = await self._count(api, scope, window, "count()")
        normal = await self._count(api, scope, window.a_week_before(), "count()")
        if normal == 0:
            raise NoData(f"no errors in the same 30 minutes a week before, to hold {now} against")
        times = now / normal
        return times, f"{say_value(times, 'times normal')} ({now} errors, {normal} a week before)"

    async def _new_issues(self, api: Api, scope: Mapping[str, str], window: _Window, release: str | None) -> int:
        seen = f"firstSeen:>={_stamp(window.start)} firstSeen:<={_stamp(window.end)}"
        if release is not None:
            seen += f' firstRelease:"{release}"'
        params: Mapping[str, str] | None = {**scope, **window.params(), "query": seen, "limit": "100"}
        address, count = f"/api/0/organizations/{self._credentials.org}/issues/", 0
        for _ in range(PAGES):
            try:
                answer = await api.get(address, params)
            except BadStatus as bad:
                raise self._explained(bad) from None
            count += len(answer.read(_Issues).root)
            following = answer.links.get("next", {})
            if following.get("results") != "true":
                return count
            address, params = str(following["url"]), None
        raise Cannot("Sentry has more pages of new issues than are read")

    async def _share(
        self, api: Api, scope: Mapping[str, str], window: _Window, release: str | None
    ) -> tuple[float, str]:
        """Minute by minute, as Sentry may widen what was asked for to whole hours."""
        params = {
            **scope, **window.params(), "field": "sum(session)", "groupBy": "session.status", "interval": "1m",
            **_only(release),
        }  # fmt: skip
        said = await self._asked(api, "sessions", params, _Sessions)
        inside = [window.start <= _at(text) < window.end for text in said.intervals]
        counts: dict[str, float] = {}
        for group in said.groups:
            values = group.series.get("sum(session)")
            status = group.by.get("session.status")
            if values is None or status is None or len(values) != len(inside):
                raise Cannot(f"{_OTHERWISE} (sessions that do not fit their minutes)")
            if any(value is not None and value < 0 for value in values):
                raise Cannot(f"{_OTHERWISE} (sessions fewer than none)")
            counted = sum(value or 0 for value, counts_in in zip(values, inside, strict=True) if counts_in)
            counts[status] = counts.get(status, 0) + counted
        total = sum(counts.values())
        if total <= 0:
            raise NoData("no sessions in that time")
        if "healthy" not in counts:
            raise Cannot(f"{_OTHERWISE} (no count of the healthy sessions)")
        share = (total - counts["healthy"]) / total
        return share, f"{say_value(share, 'ratio')} of {total:.0f} sessions"

    async def _asked(self, api: Api, what: str, params: Mapping[str, Any], shape: type[_Read]) -> _Read:
        try:
            return await self._get(api, f"/api/0/organizations/{self._credentials.org}/{what}/", params, shape)
        except BadStatus as bad:
            raise self._explained(bad) from None

    async def _get(self, api: Api, path: str, params: Mapping[str, Any], shape: type[_Read]) -> _Read:
        return (await api.get(path, params)).read(shape)

    def _explained(self, bad: BadStatus) -> Cannot:
        return explained(bad, "Sentry", self._credentials.token)

    def _link(self, scope: Mapping[str, str], window: _Window, release: str | None) -> str | None:
        try:
            base = self._credentials.url.rstrip("/")
            page = f"{base}/organizations/{self._credentials.org}/issues/"
            return str(httpx.URL(page, params={**scope, **window.params(), "utc": "true", **_only(release)}))
        except (httpx.InvalidURL, ValueError):
            return None


def _only(release: str | None) -> dict[str, str]:
    """What asks for one release; for all of them nothing."""
    return {"query": f'release:"{release}"'} if release is not None else {}


def _words(words: str, unit: str | None) -> tuple[str, str]:
    """The project and the metric. Raises Refused."""
    slug, _, metric = words.strip().partition(" ")
    metric = metric.strip()
    if not _SLUG.fullmatch(slug) or metric not in _UNITS:
        raise Refused(f"{short(words)!r} is no metric; write `PROJECT METRIC`, one of {', '.join(_UNITS)}")
    try:
        fits = unit is None or to_base(0, unit)[0] == to_base(0, _UNITS[metric])[0]
    except ValueError as error:
        raise Refused(str(error)) from None
    if not fits:
        raise Refused(f"the unit {short(unit, 20)} does not fit: {metric} is measured in {_UNITS[metric]}")
    return slug, metric


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _at(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise Cannot(f"{_OTHERWISE} (an instant that is none)") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
