"""CloudWatch, Kubernetes and Fly.io's Machines, each as far as a probe asks it."""

from __future__ import annotations

import gzip
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.resources import files
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.model import ServiceModel
from botocore.validate import ParamValidator

from tests.fakes.vendors import Reply, Request

AWS_ID, AWS_SECRET = "AKIDEXAMPLE", "not-a-real-aws-secret"
KUBERNETES_TOKEN, FLY_TOKEN = "not-a-real-bearer-token", "FlyV1 not-a-real-token"


def cloudwatch_model() -> ServiceModel:
    """The service's own description, as AWS publishes it with botocore."""
    packed = files("botocore").joinpath("data/cloudwatch/2010-08-01/service-2.json.gz").read_bytes()
    return ServiceModel(json.loads(gzip.decompress(packed)), "cloudwatch")


MODEL = cloudwatch_model()


@dataclass
class CloudWatch:
    """`points` (second of 1970, value) of every metric, newest first, `page` to an answer. Requests are held against
    the published description, and their signature is made again with AWS's own code."""

    base: str
    points: list[tuple[float, float]] = field(default_factory=list)
    page: int = 100
    status: str = "Complete"

    def __call__(self, request: Request) -> Reply:
        if not self._signed(request):
            return Reply({"__type": "com.amazon.coral.service#InvalidSignatureException", "message": "no"}, 403)
        target = f"{MODEL.metadata['targetPrefix']}.GetMetricData"
        if (request.method, request.path, request.headers.get("x-amz-target")) != ("POST", "/", target):
            return Reply({"__type": "UnknownOperationException"}, 400)
        asked = json.loads(request.body)
        start, end = asked["StartTime"], asked["EndTime"]
        shaped = {name: datetime.fromtimestamp(asked[name], UTC) for name in ("StartTime", "EndTime")}
        shape = MODEL.operation_model("GetMetricData").input_shape
        report = ParamValidator().validate({**asked, **shaped}, shape)
        if report.has_errors():
            return Reply({"__type": "ValidationError", "message": report.generate_report()}, 400)
        found = sorted((point for point in self.points if start <= point[0] < end), reverse=True)
        first = int(asked.get("NextToken") or 0)
        part, rest = found[first : first + self.page], found[first + self.page :]
        result = {"Id": "asked", "Label": "x", "StatusCode": "PartialData" if rest else self.status}
        result |= {"Timestamps": [at for at, _ in part], "Values": [value for _, value in part]}
        more = {"NextToken": str(first + self.page)} if rest else {}
        return Reply({"MetricDataResults": [result], "Messages": [], **more})

    def _signed(self, request: Request) -> bool:
        said = re.search(r"Signature=([0-9a-f]{64})$", request.headers.get("authorization", ""))
        kept = {"content-type", "x-amz-target", "x-amz-date"}
        headers = {name: value for name, value in request.headers.items() if name in kept}
        again = AWSRequest("POST", f"{self.base}/", headers=headers, data=request.body)
        again.context["timestamp"] = request.headers.get("x-amz-date", "")
        signer = SigV4Auth(Credentials(AWS_ID, AWS_SECRET), "monitoring", "eu-west-1")
        signature = signer.signature(signer.string_to_sign(again, signer.canonical_request(again)), again)
        return bool(said) and said[1] == signature if said else False


@dataclass
class Kubernetes:
    """An API server with pods (by namespace) and nodes; `page` bounds a list, whatever `limit` asks for."""

    pods: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    nodes: list[dict[str, Any]] = field(default_factory=list)
    deployments: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By `NAMESPACE/NAME`."""
    page: int = 100
    expire: bool = False
    """`continue` is answered with 410, as when the list has changed too much."""

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {KUBERNETES_TOKEN}":
            return Reply({"kind": "Status", "code": 401, "reason": "Unauthorized"}, 401)
        if request.path == "/api/v1/nodes":
            things = self.nodes
        elif match := re.fullmatch(r"/api/v1/namespaces/([^/]+)/pods", request.path):
            wanted = dict(part.split("=", 1) for part in request.said("labelSelector").split(","))
            things = [pod for pod in self.pods.get(match[1], []) if wanted.items() <= pod["metadata"]["labels"].items()]
        elif match := re.fullmatch(r"/apis/apps/v1/namespaces/([^/]+)/deployments/([^/]+)", request.path):
            found = self.deployments.get(f"{match[1]}/{match[2]}")
            return Reply(found) if found else Reply({"kind": "Status", "code": 404, "reason": "NotFound"}, 404)
        else:
            return Reply({"kind": "Status", "code": 404}, 404)
        first = int(request.said("continue") or 0)
        if first and self.expire:
            return Reply({"kind": "Status", "code": 410, "reason": "Expired"}, 410)
        size = min(self.page, int(request.said("limit")))
        more = {"continue": str(first + size)} if first + size < len(things) else {}
        return Reply({"kind": "List", "metadata": {"resourceVersion": "1", **more}, "items": things[first:][:size]})


def pod(
    name: str, ready: bool = True, phase: str = "Running", waiting: str = "", gone: bool = False, **labels: str
) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "labels": labels or {"slot": "green"}}
    if gone:
        meta["deletionTimestamp"] = "2026-11-20T14:00:00Z"
    state = {"waiting": {"reason": waiting}} if waiting else {"running": {"startedAt": "2026-11-20T14:00:00Z"}}
    conditions = [{"type": "Initialized", "status": "True"}, {"type": "Ready", "status": str(ready)}]
    containers = [{"name": "api", "ready": ready, "state": state}]
    return {"metadata": meta, "status": {"phase": phase, "conditions": conditions, "containerStatuses": containers}}


def deployment(
    replicas: int, updated: int, available: int, total: int | None = None, *, seen: int = 4, reason: str = "",
    paused: bool = False,
) -> dict[str, Any]:  # fmt: skip
    """One in its fourth generation. A count of none is left out, as Kubernetes does."""
    counts = {
        "replicas": updated if total is None else total,
        "updatedReplicas": updated,
        "availableReplicas": available,
    }
    progress = {"type": "Progressing", "status": "False" if reason == "ProgressDeadlineExceeded" else "True"}
    labels = {"app": "api"}
    return {
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "api", "generation": 4},
        "spec": {
            "replicas": replicas, "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "api", "image": "api:1"}]}},
            **({"paused": True} if paused else {}),
        },
        "status": {
            "observedGeneration": seen, **{name: number for name, number in counts.items() if number},
            "conditions": [progress | {"reason": reason or "NewReplicaSetAvailable"}],
        },
    }  # fmt: skip


def node(name: str, ready: str = "True") -> dict[str, Any]:
    conditions = [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": ready}]
    return {"metadata": {"name": name}, "status": {"conditions": conditions}}


@dataclass
class Fly:
    """The Machines API with the apps it knows."""

    apps: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {FLY_TOKEN}":
            return Reply({"error": "unauthorized"}, 401)
        match = re.fullmatch(r"/v1/apps/([^/]+)/machines", request.path)
        if match is None or match[1] not in self.apps:
            return Reply({"error": "app not found"}, 404)
        return Reply(self.apps[match[1]])


def machine(name: str, state: str = "started", *checks: str, autostop: object = None, **config: Any) -> dict[str, Any]:
    stops = {} if autostop is None else {"autostop": autostop}
    services = [{"internal_port": 8080, "autostart": True, **stops}]
    told = [{"name": f"check-{at}", "status": status, "output": ""} for at, status in enumerate(checks)]
    return {
        "id": f"id-{name}",
        "name": name,
        "state": state,
        "region": "ams",
        "config": {"services": services, **config},
        "checks": told,
    }
