"""Fly.io: whether the machines of an app run (Machines API, `GET /v1/apps/APP/machines`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import httpx
from pydantic import BaseModel, RootModel

from adapters.probes.asking import Api, BadStatus, Cannot, Found, NoData, Refused, measured, no, short, yes
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy

API = "https://api.machines.dev"
_APP = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_GONE = {"destroyed", "destroying", "replaced", "replacing", "migrated"}
_ASLEEP = {"created", "stopped", "stopping", "suspended", "suspending"}
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class FlyCredentials:
    """A token that may read the app (`fly tokens create readonly`)."""

    token: str = field(repr=False)
    api: str = API


class _Check(BaseModel):
    name: str = ""
    status: str = ""


class _Service(BaseModel):
    autostop: bool | str | None = None


class _Config(BaseModel):
    services: list[_Service] | None = None
    schedule: str | None = None
    standbys: list[str] | None = None


class _Machine(BaseModel):
    id: str
    name: str = ""
    state: str
    config: _Config | None = None
    checks: list[_Check] | None = None


class _Machines(RootModel[list[_Machine]]):
    pass


class FlyProbe:
    """`bot.ports.Probe` for `fly: APP`: yes while every machine that should run does, with all its checks passing.

    Not meant to run are those that are being destroyed or replaced, started by a schedule, kept as a standby, or
    stopped by the proxy as there is no traffic (`auto_stop_machines`). It measures now, whatever `asked.as_of` says.
    """

    def __init__(self, client: httpx.AsyncClient, credentials: FlyCredentials) -> None:
        self._client = client
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once. No data when the app has no machine, or none that runs now."""
        if probe is None or probe.fly is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy has no app for {name}")
        app = probe.fly.strip()
        link = f"https://fly.io/apps/{app}" if _APP.fullmatch(app) else None
        return await measured(name, probe, self._ask(probe, app), link=link)

    async def _ask(self, probe: ProbePolicy, app: str) -> Found:
        if not _APP.fullmatch(app):
            raise Refused(f"{short(app)} is no name of a Fly.io app")
        headers = {"Authorization": f"Bearer {self._credentials.token}"}
        mend = "GONOGO_FLY_TOKEN must be a token that may read this app"
        api = Api.begin(self._client, "Fly.io", self._credentials.api, mend, probe, headers)
        try:
            machines = (await api.get(f"/v1/apps/{app}/machines")).read(_Machines).root
        except BadStatus as bad:
            if bad.status != httpx.codes.NOT_FOUND:
                raise
            raise Cannot(f"Fly.io knows no app {app}, or the token may not see it") from None
        there = [machine for machine in machines if machine.state not in _GONE]
        if not there:
            raise NoData(f"{app} has no machine")
        awake = [machine for machine in there if not _may_sleep(machine)]
        if not awake:
            raise NoData(f"none of the {len(there)} machines of {app} runs now, and none has to")
        troubles = [trouble for machine in awake for trouble in _troubles(machine)]
        if troubles:
            more = f"; and {len(troubles) - _SHOWN} more" if len(troubles) > _SHOWN else ""
            return no("; ".join(troubles[:_SHOWN]) + more)
        asleep = f", {len(there) - len(awake)} not needed now" if len(there) > len(awake) else ""
        checks = sum(len(machine.checks or ()) for machine in awake)
        return yes(f"{len(awake)} running, {checks} checks passing{asleep}")


def _may_sleep(machine: _Machine) -> bool:
    config = machine.config
    if machine.state not in _ASLEEP or config is None:
        return False
    by_proxy = any(service.autostop not in (None, False, "off") for service in config.services or ())
    return by_proxy or bool(config.schedule) or bool(config.standbys)


def _troubles(machine: _Machine) -> list[str]:
    who = short(machine.name or machine.id, 40)
    if machine.state != "started":
        return [f"{who} is {short(machine.state, 20)}"]
    return [
        f"{who}: {short(check.name, 40) or 'a check'} is {short(check.status, 20) or 'unknown'}"
        for check in machine.checks or ()
        if check.status != "passing"
    ]
