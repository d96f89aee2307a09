"""A Deployment's rollout, as `kubectl rollout status` tells it."""

from __future__ import annotations

from urllib.parse import quote

import httpx
from pydantic import BaseModel, Field

from adapters.probes.asking import Api, BadStatus, Cannot, Found, NoData, no, short, yes

_TOO_LATE = "ProgressDeadlineExceeded"


class _Meta(BaseModel):
    generation: int = 0


class _Spec(BaseModel):
    replicas: int = 1
    paused: bool = False


class _Condition(BaseModel):
    type: str
    reason: str | None = None


class _Status(BaseModel):
    observed: int = Field(default=0, alias="observedGeneration")
    replicas: int = 0
    updated: int = Field(default=0, alias="updatedReplicas")
    available: int = Field(default=0, alias="availableReplicas")
    conditions: list[_Condition] | None = None


class _Deployment(BaseModel):
    metadata: _Meta
    spec: _Spec
    status: _Status


async def ask_rollout(api: Api, namespace: str, name: str) -> Found:
    """Yes once every replica is of the newest template and available, and no old one is left; no when the Deployment's
    own deadline for progress is over. No data while it goes on, is paused, or has no replica to speak of. Raises
    Cannot, and BadStatus."""
    path = f"/apis/apps/v1/namespaces/{namespace}/deployments/{quote(name, safe='')}"
    try:
        found = (await api.get(path)).read(_Deployment)
    except BadStatus as bad:
        if bad.status != httpx.codes.NOT_FOUND:
            raise
        raise Cannot(f"there is no deployment {short(name, 60)} in {namespace}") from None
    spec, status = found.spec, found.status
    so_far = f"{status.updated} of {spec.replicas} updated, {status.available} available"
    if status.observed < found.metadata.generation:
        raise NoData("its newest template has not been looked at yet")
    if any(each.type == "Progressing" and each.reason == _TOO_LATE for each in status.conditions or ()):
        return no(f"it made no progress within its deadline: {so_far}")
    if spec.paused or spec.replicas < 1:
        raise NoData("it is paused" if spec.paused else "it is scaled to no replicas")
    if status.updated < spec.replicas or status.available < status.updated:
        raise NoData(f"it still rolls out: {so_far}")
    if status.replicas > status.updated:
        raise NoData(f"it still rolls out: {status.replicas - status.updated} old to be ended")
    return yes(f"rolled out: {so_far}")
