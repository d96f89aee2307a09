"""Alertmanager: whether an alert fires (`GET /api/v2/alerts`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

import httpx
from pydantic import BaseModel, RootModel

from adapters.probes.asking import Api, BadStatus, Found, Refused, bearer, explained, measured, no, short, yes
from adapters.probes.prometheus import must_not_hold_a_password, page
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.matchers import parse_matchers
from checklists.policy import ProbePolicy

_MEND = "look at GONOGO_ALERTMANAGER_TOKEN, and at GONOGO_ALERTMANAGER_TENANT where there are tenants"
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class AlertmanagerCredentials:
    """The address the API stands below (`…/api/v2/alerts`), and who asks; as for Prometheus."""

    url: str
    token: str = field(default="", repr=False)
    tenant: str = ""

    def headers(self) -> Mapping[str, str]:
        """What each request carries."""
        return {**bearer(self.token), **({"X-Scope-OrgID": self.tenant} if self.tenant else {})}


class _Status(BaseModel):
    state: Literal["active", "suppressed", "unprocessed"]


class _Alert(BaseModel):
    labels: dict[str, str]
    status: _Status
    startsAt: datetime


class _Alerts(RootModel[list[_Alert]]):
    pass


class AlertmanagerProbe:
    """`bot.ports.Probe` for `alertmanager: MATCHERS` (`severity="critical",service=~"api|web"`): yes while no alert
    that matches fires.

    One that is silenced, or inhibited by another, does not count: somebody has said that nobody is to be called for it.
    It measures now, whatever `asked.as_of` says: an Alertmanager has no past. It only knows what it was sent; that
    Prometheus itself runs is another probe's question.
    """

    def __init__(self, client: httpx.AsyncClient, credentials: AlertmanagerCredentials) -> None:
        self._client = client
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once. No alert at all is healthy."""
        if probe is None or probe.alertmanager is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy has no matchers for {name}")
        shown = {"silenced": "false", "inhibited": "false", "filter": f"{{{probe.alertmanager}}}"}
        link = page(self._credentials.url, "/", {}) if not self._credentials.tenant else None
        # The page reads its filter after the #.
        link = f"{link}#/alerts?{httpx.QueryParams(shown)}" if link else None
        return await measured(name, probe, self._ask(probe, probe.alertmanager), link=link)

    async def _ask(self, probe: ProbePolicy, words: str) -> Found:
        keys = self._credentials
        wanted = matchers(words)
        must_not_hold_a_password(keys.url, "GONOGO_ALERTMANAGER_URL", "GONOGO_ALERTMANAGER_TOKEN")
        api = Api.begin(self._client, "Alertmanager", keys.url, _MEND, probe, keys.headers())
        params = {"active": "true", "unprocessed": "true", "inhibited": "false", "silenced": "false", "filter": wanted}
        try:
            firing = (await api.get("/api/v2/alerts", params)).read(_Alerts).root
        except BadStatus as bad:
            raise explained(bad, "Alertmanager", keys.token) from None
        if not firing:
            return yes("no alert fires")
        names = [_say(alert) for alert in sorted(firing, key=lambda alert: alert.startsAt.timestamp())]
        more = f", and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
        return no(", ".join(names[:_SHOWN]) + more)


def matchers(words: str) -> list[str]:
    """The matchers one by one, as the API takes them. Raises Refused."""
    try:
        return [str(matcher) for matcher in parse_matchers(words)]
    except ValueError as error:
        raise Refused(str(error)) from None


def _say(alert: _Alert) -> str:
    since = alert.startsAt.astimezone(UTC) if alert.startsAt.tzinfo else alert.startsAt
    return f"{short(alert.labels.get('alertname', 'an alert without a name'), 60)} fires since {since:%H:%M} UTC"
