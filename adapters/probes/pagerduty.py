"""PagerDuty (REST API v2): open incidents of a service, and who is on call."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import httpx
from pydantic import BaseModel

from adapters.probes.asking import PAGES, Api, BadStatus, Cannot, Found, Refused, measured, no, short, until, yes
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy

API = "https://api.pagerduty.com"
"""Accounts in the EU have https://api.eu.pagerduty.com."""
_ID = re.compile(r"[A-Z0-9]{5,20}")
_PER_PAGE = 100
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class PagerDutyCredentials:
    """A read-only REST API key."""

    token: str = field(repr=False)
    api: str = API


class _Service(BaseModel):
    name: str = ""
    html_url: str | None = None


class _OneService(BaseModel):
    service: _Service


class _Incident(BaseModel):
    title: str = ""
    status: str


class _Incidents(BaseModel):
    incidents: list[_Incident]
    more: bool = False


class _User(BaseModel):
    summary: str | None = None


class _OnCall(BaseModel):
    user: _User | None = None
    escalation_level: int = 1


class _OnCalls(BaseModel):
    oncalls: list[_OnCall]
    more: bool = False


class PagerDutyProbe:
    """`bot.ports.Probe` for `pagerduty: incidents SERVICE_ID`: yes while none is triggered or acknowledged.

    A service that does not exist has no incidents either, so the service itself is asked for first. It measures now,
    whatever `asked.as_of` says.
    """

    def __init__(self, client: httpx.AsyncClient, credentials: PagerDutyCredentials) -> None:
        self._client = client
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once."""
        if probe is None or probe.pagerduty is None:
            detail = f"the policy names no PagerDuty service for {name}"
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=detail)
        return await measured(name, probe, self._ask(probe, probe.pagerduty))

    async def _ask(self, probe: ProbePolicy, words: str) -> Found:
        what, _, service = words.strip().partition(" ")
        service = service.strip()
        if what != "incidents" or not _ID.fullmatch(service):
            raise Refused(f"{short(words)!r} is nothing PagerDuty is asked; write `incidents SERVICE_ID`")
        api = _api(self._client, self._credentials, until(probe))
        try:
            known = (await api.get(f"/services/{service}")).read(_OneService).service
        except BadStatus as bad:
            if bad.status != httpx.codes.NOT_FOUND:
                raise
            raise Cannot(f"PagerDuty knows no service {service}; copy the id from the service's address") from None
        asked = {
            "service_ids[]": service,
            "statuses[]": ["triggered", "acknowledged"],
            # Or those open for longer than a month are left out.
            "date_range": "all",
            "limit": _PER_PAGE,
        }
        said = (await api.get("/incidents", asked)).read(_Incidents)
        standing = [incident for incident in said.incidents if incident.status != "resolved"]
        label, link = short(known.name) or service, known.html_url
        if not standing:
            if said.more:
                raise Cannot("PagerDuty's list of incidents is not whole")
            return yes(f"{label}: no open incident", link)
        named = "; ".join(f"{short(each.title) or 'without a title'} ({each.status})" for each in standing[:_SHOWN])
        more = f"; and {len(standing) - _SHOWN}{' or' if said.more else ''} more" if len(standing) > _SHOWN else ""
        return no(f"{label}: {named}{more}", link)


async def on_call(
    client: httpx.AsyncClient, credentials: PagerDutyCredentials, schedule_or_escalation_policy: str, *, until: float
) -> list[str]:
    """Names of who is on call now, by the id of a schedule or of an escalation policy (then its first level that
    somebody holds); empty when it is nobody. `until` is the end of the time it may take, on the loop's clock.

    Raises `adapters.probes.asking.Cannot`.
    """
    asked = schedule_or_escalation_policy.strip()
    if not _ID.fullmatch(asked):
        raise Refused(f"{short(asked)!r} is no id of a schedule or escalation policy; copy it from its address")
    api = _api(client, credentials, until)
    # An id does not tell what it names; PagerDuty answers 404 or an empty list for the other kind.
    for kind in ("escalation_policy_ids[]", "schedule_ids[]"):
        held = await _held(api, kind, asked)
        if held:
            first = min(each.escalation_level for each in held)
            names = [each.user.summary for each in held if each.user and each.escalation_level == first]
            return list(dict.fromkeys(short(name) for name in names if name))
    return []


async def _held(api: Api, kind: str, asked: str) -> Sequence[_OnCall]:
    found: list[_OnCall] = []
    for _ in range(PAGES):
        params = {kind: asked, "earliest": "true", "limit": _PER_PAGE, "offset": len(found)}
        try:
            page = (await api.get("/oncalls", params)).read(_OnCalls)
        except BadStatus as bad:
            if bad.status in (httpx.codes.BAD_REQUEST, httpx.codes.NOT_FOUND):
                return found
            raise
        found += page.oncalls
        if not page.more or not page.oncalls:
            return found
    raise Cannot("PagerDuty's list of who is on call does not end")


def _api(client: httpx.AsyncClient, credentials: PagerDutyCredentials, until: float) -> Api:
    headers = {
        "Authorization": f"Token token={credentials.token}",
        "Accept": "application/vnd.pagerduty+json;version=2",
    }
    mend = "GONOGO_PAGERDUTY_TOKEN must be a REST API key that may read incidents and schedules"
    return Api(client, "PagerDuty", credentials.api, mend, until, headers)
