"""Kubernetes: the share of pods or nodes that are ready, or a rollout, from the API server."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shlex
import ssl
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import httpx
from pydantic import BaseModel, Field

from adapters.probes.asking import PAGES, Api, BadStatus, Cannot, Found, NoData, Refused, measured, short
from adapters.probes.kubernetes_rollout import ask_rollout
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from bot.reaching import make_client
from checklists.policy import ProbePolicy

IN_CLUSTER = Path("/var/run/secrets/kubernetes.io/serviceaccount")
"""Where a pod finds the token and the authority of its service account."""
INSIDE = "https://kubernetes.default.svc"
"""The API server, as pods call it."""
_PER_PAGE = 100
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class KubernetesCredentials:
    """The API server and who we are to it. A token file is read anew each time, as the ones in a pod are replaced."""

    api: str
    token: str = field(default="", repr=False)
    token_file: Path | None = None
    ca_file: Path | None = None
    """The authority of the server's certificate; without it the machine's own ones are trusted."""


def in_cluster(folder: Path = IN_CLUSTER) -> KubernetesCredentials | None:
    """The service account of the pod we run in; None outside a cluster."""
    if not (folder / "token").is_file():
        return None
    return KubernetesCredentials(INSIDE, token_file=folder / "token", ca_file=folder / "ca.crt")


class _Meta(BaseModel):
    name: str = ""
    deletion: datetime | None = Field(default=None, alias="deletionTimestamp")


class _Condition(BaseModel):
    type: str
    status: str


class _Waiting(BaseModel):
    reason: str | None = None


class _State(BaseModel):
    waiting: _Waiting | None = None


class _Container(BaseModel):
    state: _State | None = None


class _Status(BaseModel):
    phase: str = ""
    conditions: list[_Condition] | None = None
    containers: list[_Container] | None = Field(default=None, alias="containerStatuses")


class _Thing(BaseModel):
    metadata: _Meta
    status: _Status = _Status()


class _ListMeta(BaseModel):
    more: str | None = Field(default=None, alias="continue")


class _List(BaseModel):
    metadata: _ListMeta = _ListMeta()
    items: list[_Thing]


class KubernetesProbe:
    """`bot.ports.Probe` for `kubernetes: pods LABEL=VALUE -n NAMESPACE` and `kubernetes: nodes`, a ratio 0..1, and for
    `kubernetes: rollout NAME -n NAMESPACE`, yes or no.

    A pod counts when it is running and its Ready condition is true; a node when its Ready condition is. Pods that have
    done their work or are being deleted are left out. It measures now, whatever `asked.as_of` says.
    """

    def __init__(self, client: httpx.AsyncClient, credentials: KubernetesCredentials) -> None:
        self._client = client
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once. No data when nothing matches: a typing error in a label must not look like health."""
        if probe is None or probe.kubernetes is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy has no pods or nodes for {name}")
        return await measured(name, probe, self._ask(probe, probe.kubernetes))

    async def _ask(self, probe: ProbePolicy, words: str) -> Found:
        path, selector, what = _meant(words)
        headers = {"Authorization": f"Bearer {await self._token()}"}
        async with self._trusting() as client:
            api = Api.begin(client, "Kubernetes", self._credentials.api, _MEND, probe, headers)
            if what == _ROLLOUT:
                return await ask_rollout(api, path, selector)
            things = await _all(api, path, selector)
        pods = path.endswith("/pods")
        counted = [thing for thing in things if not pods or not _finished(thing)]
        if not counted:
            raise NoData(f"there are no {what}")
        missing = [thing for thing in counted if not _ready(thing, pods=pods)]
        detail = f"{len(counted) - len(missing)} of {len(counted)} ready"
        if missing:
            named = ", ".join(f"{short(thing.metadata.name, 60)} ({_why(thing)})" for thing in missing[:_SHOWN])
            more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
            detail += f"; not: {named}{more}"
        return Found(1 - len(missing) / len(counted), "ratio", detail)

    async def _token(self) -> str:
        if self._credentials.token_file is None:
            return self._credentials.token
        try:
            return (await asyncio.to_thread(self._credentials.token_file.read_text, "utf-8")).strip()
        except (OSError, ValueError):
            raise Refused("the token file of the service account cannot be read") from None

    @contextlib.asynccontextmanager
    async def _trusting(self) -> AsyncIterator[httpx.AsyncClient]:
        """The shared client, or one that trusts the cluster's own authority and nobody else."""
        if self._credentials.ca_file is None:
            yield self._client
            return
        try:
            context = await asyncio.to_thread(ssl.create_default_context, cafile=self._credentials.ca_file)
        except (OSError, ssl.SSLError):
            raise Refused("GONOGO_KUBERNETES_CA_FILE is no file of certificates that can be read") from None
        async with make_client(verify=context, trust_env=False) as client:
            yield client


_ROLLOUT = "rollout"
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_MEND = "the account of GONOGO_KUBERNETES_TOKEN must be allowed to list it"


def _meant(words: str) -> tuple[str, str, str]:
    """Path, label selector, and how people call it; of a rollout its namespace and name. Raises Refused."""
    wrong = Refused(
        f"{short(words)!r} is nothing Kubernetes is asked; write `pods LABEL=VALUE -n NAMESPACE`, `nodes` or "
        "`rollout NAME -n NAMESPACE`"
    )
    try:
        what, *rest = shlex.split(words)
    except ValueError:
        raise wrong from None
    if what == "nodes" and not rest:
        return "/api/v1/nodes", "", "nodes"
    namespace = "default"
    if len(rest) >= 2 and rest[-2] in ("-n", "--namespace"):
        namespace = rest[-1]
        rest = rest[:-2]
    if len(rest) != 1 or not namespace.replace("-", "").isalnum():
        raise wrong
    if what == _ROLLOUT and _NAME.fullmatch(name := rest[0].removeprefix("deployment/")):
        return namespace, name, _ROLLOUT
    if what != "pods" or "=" not in rest[0]:
        raise wrong
    return f"/api/v1/namespaces/{namespace}/pods", rest[0], f"pods {rest[0]} in {namespace}"


async def _all(api: Api, path: str, selector: str) -> Sequence[_Thing]:
    found: list[_Thing] = []
    asked: dict[str, str | int] = {"limit": _PER_PAGE} | ({"labelSelector": selector} if selector else {})
    for _ in range(PAGES):
        try:
            page = (await api.get(path, asked)).read(_List)
        except BadStatus as bad:
            if bad.status == httpx.codes.GONE:
                raise Cannot("Kubernetes' list changed too much while it was read") from None
            raise
        found += page.items
        if not page.metadata.more:
            return found
        asked["continue"] = page.metadata.more
    raise Cannot(f"there are more than {PAGES * _PER_PAGE}; narrow the label")


def _finished(pod: _Thing) -> bool:
    return pod.status.phase == "Succeeded" or pod.metadata.deletion is not None


def _ready(thing: _Thing, *, pods: bool) -> bool:
    ready = any(each.type == "Ready" and each.status == "True" for each in thing.status.conditions or ())
    return ready and (not pods or thing.status.phase == "Running")


def _why(thing: _Thing) -> str:
    states = (container.state for container in thing.status.containers or ())
    waiting = (state.waiting.reason for state in states if state and state.waiting and state.waiting.reason)
    phase = thing.status.phase if thing.status.phase != "Running" else ""
    return short(next(waiting, None) or phase or "not ready", 40)
