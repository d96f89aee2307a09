"""Prometheus, Alertmanager, Datadog and Cloudflare's analytics, each as far as a probe asks them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.fakes.vendors import Reply, Request

PROMETHEUS_TOKEN = "not-a-real-prometheus-token"
ALERTMANAGER_TOKEN = "not-a-real-alertmanager-token"
DATADOG_API_KEY = "not-a-real-datadog-api-key"
DATADOG_APP_KEY = "not-a-real-datadog-app-key"
CLOUDFLARE_TOKEN = "not-a-real-cloudflare-token"
CLOUDFLARE_ACCOUNT = "0123456789abcdef0123456789abcdef"
LOOKBACK = 300
"""Seconds a sample counts for, as with Prometheus."""

Points = Sequence[tuple[float, float]]


@dataclass
class Prometheus:
    """Series by expression: `{"up": [[(time, value), …]]}`. An expression nobody gave a series for finds nothing."""

    series: dict[str, list[Points]] = field(default_factory=dict)
    authorization: str = f"Bearer {PROMETHEUS_TOKEN}"
    tenant: str | None = None
    warnings: list[str] = field(default_factory=list)
    data: dict[str, Any] | None = None
    """Another answer than a vector."""

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != self.authorization:
            return Reply(b"unauthorized", 401)
        if request.headers.get("x-scope-orgid") != self.tenant:
            return Reply(b"no org id", 401)
        expression = request.said("query")
        if expression.count("(") != expression.count(")"):
            said = f'invalid parameter "query": 1:9: parse error: unclosed left parenthesis ({self.authorization})'
            return Reply({"status": "error", "errorType": "bad_data", "error": said}, 400)
        found = self.series.get(expression, [])
        if request.path == "/api/v1/query":
            return self._say(self.data or {"resultType": "vector", "result": _instant(found, request.said("time"))})
        if request.path == "/api/v1/query_range":
            start, end, step = (float(request.said(name)) for name in ("start", "end", "step"))
            if (end - start) / step > 11_000:
                said = "exceeded maximum resolution of 11,000 points per timeseries"
                return Reply({"status": "error", "errorType": "bad_data", "error": said}, 400)
            times = [start + n * step for n in range(int((end - start) / step) + 1)]
            ranged = [[[at, sample[1]] for at in times if (sample := _sample(points, at))] for points in found]
            return self._say({"resultType": "matrix", "result": [{"metric": {}, "values": each} for each in ranged]})
        return Reply(b"404 page not found", 404)

    def _say(self, data: dict[str, Any]) -> Reply:
        return Reply({"status": "success", "data": data, **({"warnings": self.warnings} if self.warnings else {})})


def _instant(found: list[Points], time: str) -> list[dict[str, Any]]:
    samples = [_sample(points, float(time)) for points in found]
    return [{"metric": {"job": str(n)}, "value": sample} for n, sample in enumerate(samples) if sample]


def _sample(points: Points, at: float) -> list[Any] | None:
    """The newest one, if it is not too old; as text, in Go's spelling."""
    fresh = [(time, value) for time, value in points if at - LOOKBACK < time <= at]
    if not fresh:
        return None
    text = {"nan": "NaN", "inf": "+Inf", "-inf": "-Inf"}.get(repr(max(fresh)[1]), repr(max(fresh)[1]))
    return [at, text]


@dataclass
class Alertmanager:
    """`GET /api/v2/alerts` with its filters."""

    alerts: list[dict[str, Any]] = field(default_factory=list)
    authorization: str = f"Bearer {ALERTMANAGER_TOKEN}"

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != self.authorization:
            return Reply(b"unauthorized", 401)
        if request.path != "/api/v2/alerts":
            return Reply({"code": 404, "message": f"path {request.path} was not found"}, 404)
        wanted = []
        for text in (value for name, value in request.query if name == "filter"):
            match = re.fullmatch(r'([a-z_]+)(=~|!=|!~|=)("(?:[^"\\]|\\.)*")', text)
            if match is None:
                return Reply(f"bad matcher format: {text}", 400)
            wanted.append((match[1], match[2], json.loads(match[3])))
        return Reply([alert for alert in self.alerts if self._shown(alert, request) and _matches(alert, wanted)])

    def _shown(self, alert: dict[str, Any], request: Request) -> bool:
        status = alert["status"]
        if status["silencedBy"] and request.said("silenced") == "false":
            return False
        if status["inhibitedBy"] and request.said("inhibited") == "false":
            return False
        return not (status["state"] == "active" and request.said("active") == "false")


def _matches(alert: dict[str, Any], wanted: list[tuple[str, str, str]]) -> bool:
    for name, operator, value in wanted:
        found = alert["labels"].get(name, "")
        same = re.fullmatch(value, found) is not None if "~" in operator else found == value
        if same == operator.startswith("!"):
            return False
    return True


def alert(name: str, *, silenced: bool = False, inhibited: bool = False, **labels: str) -> dict[str, Any]:
    return {
        "annotations": {}, "receivers": [{"name": "team"}], "fingerprint": "f1", "generatorURL": "",
        "startsAt": "2026-11-20T14:21:07.511Z", "endsAt": "2026-11-20T14:35:07Z", "updatedAt": "2026-11-20T14:30:07Z",
        "labels": {"alertname": name, **labels},
        "status": {
            "state": "suppressed" if silenced or inhibited else "active",
            "silencedBy": ["s1"] if silenced else [], "inhibitedBy": ["f2"] if inhibited else [],
        },
    }  # fmt: skip


@dataclass
class Datadog:
    """`GET /api/v1/query`: the points between `from` and `to`, null where there is none. And monitors, in pages."""

    series: list[Sequence[tuple[float, float | None]]] = field(default_factory=list)
    said: dict[str, Any] = field(default_factory=dict)
    """What the answer has besides, or otherwise."""
    monitors: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        keys = (request.headers.get("dd-api-key"), request.headers.get("dd-application-key"))
        if keys != (DATADOG_API_KEY, DATADOG_APP_KEY):
            return Reply({"errors": ["Forbidden"]}, 403)
        if request.path == "/api/v1/monitor":
            tags = set(request.said("monitor_tags").split(","))
            found = [each for each in self.monitors if tags <= set(each["tags"])]
            page, size = int(request.said("page")), int(request.said("page_size"))
            return Reply(found[page * size : (page + 1) * size])
        if request.path.startswith("/api/v1/monitor/"):
            number = int(request.path.rpartition("/")[2])
            one = next((each for each in self.monitors if each["id"] == number), None)
            return Reply(one) if one else Reply({"errors": ["Monitor not found"]}, 404)
        if request.path != "/api/v1/query":
            return Reply({"errors": ["Not found"]}, 404)
        if "{" not in request.said("query"):
            said = f"Error parsing query: unable to parse {request.said('query')} of {DATADOG_APP_KEY}"
            return Reply({"errors": [said]}, 400)
        start, end = int(request.said("from")), int(request.said("to"))
        series = [
            {
                "metric": "x", "scope": f"host:{n}", "expression": request.said("query"), "interval": 20,
                "pointlist": [[at * 1000, value] for at, value in points if start <= at <= end], "unit": [None, None],
            }
            for n, points in enumerate(self.series)
        ]  # fmt: skip
        return Reply({"status": "ok", "res_type": "time_series", "message": "", "series": series, **self.said})


def monitor(
    number: int, state: str, *tags: str, muted: Sequence[str] = (), downtimes: Sequence[Sequence[str]] = ()
) -> dict[str, Any]:
    """A monitor as Datadog answers with it. `muted` has scopes, `downtimes` the scopes of each."""
    return {
        "id": number, "name": f"Monitor {number}", "type": "metric alert", "query": "avg(last_5m):avg:x{*} > 1",
        "message": "", "tags": list(tags), "multi": False, "priority": None, "restricted_roles": None, "deleted": None,
        "created": "2026-01-08T12:00:00.000000+00:00", "modified": "2026-10-08T12:00:00.000000+00:00",
        "overall_state": state, "options": {"silenced": dict.fromkeys(muted), "include_tags": True},
        "matching_downtimes": [
            {"id": n, "scope": list(scope), "start": 1_792_500_000, "end": None} for n, scope in enumerate(downtimes)
        ],
    }  # fmt: skip


@dataclass(frozen=True)
class Invocations:
    """What a Worker did at an instant; wall times in microseconds."""

    at: float
    requests: int
    errors: int = 0
    p95: float = 100_000.0
    p99: float = 200_000.0
    worker: str = "gateway"


@dataclass
class Cloudflare:
    """`POST /graphql` for `workersInvocationsAdaptive`. Sums add up, and of wall times the longest is given."""

    invocations: list[Invocations] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {CLOUDFLARE_TOKEN}":
            return Reply({"success": False, "errors": [{"code": 10000, "message": "Authentication error"}]}, 400)
        if (request.method, request.path) != ("POST", "/graphql"):
            return Reply({"success": False, "errors": [{"code": 7000, "message": "No route for that URI"}]}, 400)
        said = json.loads(request.body)
        query, given = said["query"], said["variables"]
        declared = set(re.findall(r"\$(\w+):", query.split("{")[0]))
        if declared != set(given) or any(f"${name}" not in query.partition("{")[2] for name in declared):
            return Reply({"data": None, "errors": [{"message": "unknown variable", "path": None}]})
        if query.count("{") != query.count("}"):
            return Reply({"data": None, "errors": [{"message": "Syntax Error: Expected Name", "path": None}]})
        if given["account"] != CLOUDFLARE_ACCOUNT:
            problem = {
                "message": "not authorized for that account",
                "path": ["viewer"],
                "extensions": {"code": "authz"},
            }
            return Reply({"data": None, "errors": [problem]})
        start, end = (datetime.fromisoformat(given[name]).timestamp() for name in ("start", "end"))
        found = [each for each in self.invocations if start <= each.at < end]
        found = [each for each in found if given.get("worker", each.worker) == each.worker]
        rows = self._by_time(query, found) if "dimensions" in query else ([_row(found)] if found else [])
        return Reply({"data": {"viewer": {"accounts": [{"found": rows}]}}, "errors": None})

    def _by_time(self, query: str, found: list[Invocations]) -> list[dict[str, Any]]:
        seconds = {"datetimeMinute": 60, "datetimeFiveMinutes": 300, "datetimeHour": 3600}
        length = next(seconds for name, seconds in seconds.items() if name in query)
        times = sorted({each.at // length * length for each in found}, reverse=True)
        return [
            {
                **_row([each for each in found if each.at // length * length == time]),
                "dimensions": {"at": datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")},
            }
            for time in times
        ]


def _row(found: list[Invocations]) -> dict[str, Any]:
    sums = {"requests": sum(each.requests for each in found), "errors": sum(each.errors for each in found)}
    longest = {
        "wallTimeP95": max((each.p95 for each in found), default=0.0),
        "wallTimeP99": max((each.p99 for each in found), default=0.0),
    }
    return {"sum": sums, "quantiles": longest}
