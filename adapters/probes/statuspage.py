"""Atlassian Statuspage: whether a provider lists an unresolved incident."""

from __future__ import annotations

import httpx
from pydantic import BaseModel

from adapters.probes.asking import Api, Found, Refused, measured, no, short, yes
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy

SHOWN = 3
"""How many incidents are named."""


class _Page(BaseModel):
    name: str


class _Incident(BaseModel):
    name: str
    status: str
    impact: str | None = None


class _Unresolved(BaseModel):
    page: _Page
    incidents: list[_Incident]


class StatuspageProbe:
    """`bot.ports.Probe` for `statuspage: URL`: yes while `GET /api/v2/incidents/unresolved.json` lists nothing.

    Unresolved is what the page calls investigating, identified or monitoring; announced maintenance is no incident. The
    page is public, so it is asked without credentials. It measures now, whatever `asked.as_of` says.
    """

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once."""
        if probe is None or probe.statuspage is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy has no status page for {name}")
        return await measured(name, probe, self._ask(probe, probe.statuspage), link=_link(probe.statuspage))

    async def _ask(self, probe: ProbePolicy, address: str) -> Found:
        if _link(address) is None:
            raise Refused("the address carries a password, or is none that can be asked")
        mend = "a status page is public; check the address in the policy"
        api = Api.begin(self._client, "the status page", address, mend, probe)
        said = (await api.get("/api/v2/incidents/unresolved.json")).read(_Unresolved)
        page = short(said.page.name)
        # Some pages leave a resolved incident in the list for a moment.
        standing = [incident for incident in said.incidents if incident.status not in ("resolved", "postmortem")]
        if not standing:
            return yes(f"{page}: no unresolved incident")
        named = "; ".join(f"{short(each.name)} ({short(each.status, 20)})" for each in standing[:SHOWN])
        more = f"; and {len(standing) - SHOWN} more" if len(standing) > SHOWN else ""
        return no(f"{page}: {named}{more}")


def _link(address: str) -> str | None:
    """The address, if people may read it."""
    try:
        url = httpx.URL(address)
    except (httpx.InvalidURL, ValueError):
        return None
    return address if url.scheme in ("http", "https") and url.host and not url.userinfo else None
