"""Datadog's monitors: whether one, or all with the same tags, are OK (`GET /api/v1/monitor`)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import httpx
from pydantic import BaseModel, RootModel

from adapters.probes.asking import PAGES, Api, BadStatus, Cannot, Found, NoData, no, short, yes
from checklists.monitors import Monitors

State = Literal["Alert", "Ignored", "No Data", "OK", "Skipped", "Unknown", "Warn"]
PAGE = 100
"""Monitors of one answer."""
_SHOWN = 3
_BAD = ("Alert", "Warn")
_MEANS = {
    "No Data": "has no data",
    "Ignored": "is ignored by Datadog",
    "Skipped": "was skipped by Datadog",
    "Unknown": "is in an unknown state",
}


class _Options(BaseModel):
    silenced: dict[str, int | None] | None = None
    """By scope, until when (seconds since 1970; None: until somebody ends it). `*` is the whole monitor."""


class _Downtime(BaseModel):
    scope: list[str] = []


class _Monitor(BaseModel):
    id: int
    name: str = ""
    overall_state: State
    options: _Options = _Options()
    matching_downtimes: list[_Downtime] = []

    @property
    def muted(self) -> bool:
        """Whether somebody has silenced all of it; of one that is silenced for some of its groups the rest speaks."""
        whole = any(scope == ["*"] for scope in (downtime.scope for downtime in self.matching_downtimes))
        return whole or "*" in (self.options.silenced or {})


class _List(RootModel[list[_Monitor]]):
    pass


async def ask_monitors(api: Api, wanted: Monitors) -> Found:
    """Yes while all of them are OK. Raises Cannot, and BadStatus for what Datadog says of a bad request.

    *Alert* and *Warn* are no: each is a limit of the team's own, and it is crossed. Any other state says nothing of the
    service, and what alerts while it is muted is not to be listened to: no data, where no other one alerts. That there
    is no such monitor is no data either, never health.
    """
    found = [await _one(api, wanted.number)] if wanted.number is not None else await _tagged(api, wanted.tags)
    if not found:
        raise NoData(f"Datadog has no monitor with the tags {short(','.join(wanted.tags))}, or the key may not see it")
    if bad := [each for each in found if each.overall_state in _BAD and not each.muted]:
        return no(_listed([f"{_name(each)}: {each.overall_state}" for each in bad]))
    if silent := [each for each in found if each.overall_state != "OK"]:
        raise NoData(_listed([_why_silent(each) for each in silent]))
    return yes(f"{_name(found[0])}: OK" if len(found) == 1 else f"all {len(found)} monitors are OK")


def page_of(site: str, wanted: Monitors) -> str:
    """Where people see them."""
    if wanted.number is not None:
        return f"{site}/monitors/{wanted.number}"
    query = " ".join(f'tag:"{tag}"' for tag in wanted.tags)
    return str(httpx.URL(f"{site}/monitors/manage", params={"q": query}))


async def _one(api: Api, number: int) -> _Monitor:
    try:
        return (await api.get(f"/api/v1/monitor/{number}", {"with_downtimes": "true"})).read(_Monitor)
    except BadStatus as bad:
        if bad.status != httpx.codes.NOT_FOUND:
            raise
        raise Cannot(
            f"Datadog knows no monitor {number}, or the key may not see it: compare with the end of its address"
        ) from None


async def _tagged(api: Api, tags: Sequence[str]) -> list[_Monitor]:
    found: list[_Monitor] = []
    asked = {"monitor_tags": ",".join(tags), "with_downtimes": "true", "page_size": str(PAGE)}
    for page in range(PAGES):
        some = (await api.get("/api/v1/monitor", {**asked, "page": str(page)})).read(_List).root
        found += some
        if len(some) < PAGE:
            return found
    raise Cannot(f"more than {PAGE * PAGES} monitors have these tags: name more of them")


def _why_silent(monitor: _Monitor) -> str:
    said = _MEANS.get(monitor.overall_state, f"is muted, and in {monitor.overall_state}")
    return f"{_name(monitor)} {said}"


def _listed(words: Sequence[str]) -> str:
    more = f"; and {len(words) - _SHOWN} more" if len(words) > _SHOWN else ""
    return "; ".join(words[:_SHOWN]) + more


def _name(monitor: _Monitor) -> str:
    return short(monitor.name, 60) or f"monitor {monitor.id}"
