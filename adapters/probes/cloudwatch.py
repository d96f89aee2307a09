"""AWS CloudWatch: a metric's statistic (`GetMetricData`, in the service's JSON protocol, signed with SigV4)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
from pydantic import BaseModel, Field

from adapters.probes.asking import PAGES, Api, BadStatus, Cannot, Found, NoData, Refused, measured, short
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy
from checklists.quantities import to_base

LOOKS_BACK = timedelta(minutes=15)
"""How old the newest point may be: CloudWatch is some minutes behind, and some metrics have a point every five."""
PERIOD = timedelta(minutes=1)
"""What one point stands for; a `Sum` is over this time."""
POINTS = 1440
"""Most points of a history."""
TARGET = "GraniteServiceVersion20100801.GetMetricData"

_REGION = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_STATISTIC = re.compile(r"Average|Sum|Minimum|Maximum|SampleCount|IQM|p\d{1,2}(\.\d{1,10})?|p100|(tm|wm|tc|ts|PR)\S+")
_NOT_ALLOWED = {
    "AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature",
    "InvalidClientTokenId", "InvalidSignatureException", "MissingAuthenticationToken", "NotAuthorized", "OptInRequired",
    "SignatureDoesNotMatch", "UnrecognizedClientException",
}  # fmt: skip
_TOO_OFTEN = {"Throttling", "ThrottlingException", "RequestLimitExceeded", "LimitExceededException"}


@dataclass(frozen=True, slots=True)
class CloudWatchCredentials:
    """An access key that may `cloudwatch:GetMetricData`, and the region. `endpoint` replaces the region's own."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    region: str
    session_token: str = field(default="", repr=False)
    endpoint: str = ""


class _Result(BaseModel):
    timestamps: list[float] = Field(default=[], alias="Timestamps")
    """Seconds since 1970, as the JSON protocol writes instants."""
    values: list[float] = Field(default=[], alias="Values")
    status: str | None = Field(default=None, alias="StatusCode")


class _Data(BaseModel):
    results: list[_Result] = Field(alias="MetricDataResults")
    next_token: str | None = Field(default=None, alias="NextToken")


class _Failure(BaseModel):
    kind: str = Field(default="", alias="__type")
    message: str | None = None


class CloudWatchProbe:
    """`bot.ports.Probe` and `History` for `cloudwatch: NAMESPACE METRIC STATISTIC Dimension=value …`.

    The newest point of the 15 minutes before `asked.as_of` counts, in the probe's `unit`. All dimensions of the metric
    must be named, as CloudWatch keeps each combination as a metric of its own.
    """

    def __init__(self, client: httpx.AsyncClient, credentials: CloudWatchCredentials) -> None:
        self._client = client
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once, as of `asked.as_of`. No data when there is no point in that time."""
        if probe is None or probe.cloudwatch is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy has no metric for {name}")
        return await measured(name, probe, self._ask(probe, probe.cloudwatch, asked), link=self._link())

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        """Points of `step` (rounded up to whole minutes), at most a day of minutes; empty when it cannot be told."""
        minutes = max(1, -(-step // PERIOD), -(-(end - start) // (PERIOD * POINTS)))
        found: list[tuple[datetime, float]] = []

        async def collect() -> Found:
            if probe.cloudwatch is None or probe.unit is None:
                raise Refused("the policy has no metric, or no unit")
            points = await self._points(probe, probe.cloudwatch, start, end, PERIOD * minutes)
            found.extend((at, to_base(value, str(probe.unit))[1]) for at, value in sorted(points.items()))
            return Found(len(points), "count")

        told = await measured(name, probe, collect())
        return found if told.outcome is Outcome.MEASURED else []

    async def _ask(self, probe: ProbePolicy, words: str, asked: Asked) -> Found:
        if probe.unit is None:
            raise Refused("CloudWatch answers with a bare number: add `unit` to the probe")
        # The end is exclusive, and the minute that has begun is not whole yet.
        end = asked.as_of.astimezone(UTC).replace(second=0, microsecond=0)
        points = await self._points(probe, words, end - LOOKS_BACK, end, PERIOD)
        if not points:
            raise NoData(f"no point in the 15 minutes before {end:%H:%M} UTC; are all dimensions of the metric named?")
        return Found(points[max(points)], probe.unit)

    async def _points(
        self, probe: ProbePolicy, words: str, start: datetime, end: datetime, period: timedelta
    ) -> dict[datetime, float]:
        asked = _request(words, start, end, period)
        api = self._api(probe)
        found: dict[datetime, float] = {}
        for _ in range(PAGES):
            page = await self._page(api, asked)
            for result in page.results:
                _must_be_whole(result)
                at = (datetime.fromtimestamp(seconds, UTC) for seconds in result.timestamps)
                found.update(zip(at, result.values, strict=True))
            if not page.next_token:
                return found
            asked["NextToken"] = page.next_token
        raise Cannot("CloudWatch has more pages than are read")

    async def _page(self, api: Api, asked: Mapping[str, Any]) -> _Data:
        body = json.dumps(asked).encode()
        try:
            answer = await api.send("POST", "/", content=body, headers=self._signed(api.base, body))
        except BadStatus as bad:
            raise _failure(bad) from None
        return answer.read(_Data)

    def _api(self, probe: ProbePolicy) -> Api:
        region = self._credentials.region
        if not _REGION.fullmatch(region):
            raise Refused("GONOGO_AWS_REGION is no region; write it like eu-west-1")
        china = ".cn" if region.startswith("cn-") else ""
        base = self._credentials.endpoint.rstrip("/") or f"https://monitoring.{region}.amazonaws.com{china}"
        return Api.begin(self._client, "CloudWatch", base, _MEND, probe)

    def _signed(self, base: str, body: bytes) -> Mapping[str, str]:
        # Loaded by those alone who ask CloudWatch: it takes a tenth of a second.
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        headers = {"Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": TARGET}
        request = AWSRequest(method="POST", url=f"{base}/", data=body, headers=headers)
        keys = self._credentials
        credentials = Credentials(keys.access_key_id, keys.secret_access_key, keys.session_token or None)
        SigV4Auth(credentials, "monitoring", keys.region).add_auth(request)
        return dict(request.headers.items())

    def _link(self) -> str | None:
        region = self._credentials.region
        if not _REGION.fullmatch(region) or region.startswith(("cn-", "us-gov-")):
            return None
        return f"https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}#metricsV2"


_MEND = "the key of GONOGO_AWS_ACCESS_KEY_ID must be valid and may need cloudwatch:GetMetricData"


def _request(words: str, start: datetime, end: datetime, period: timedelta) -> dict[str, Any]:
    """The body of GetMetricData. Raises Refused for words that are none."""
    parts = words.split()
    dimensions = [part.partition("=") for part in parts[3:]]
    if len(parts) < 3 or not _STATISTIC.fullmatch(parts[2]) or not all(key and value for key, _, value in dimensions):
        raise Refused(f"{short(words)!r} names no metric; write `NAMESPACE METRIC STATISTIC Dimension=value`")
    metric = {
        "Namespace": parts[0],
        "MetricName": parts[1],
        "Dimensions": [{"Name": key, "Value": value} for key, _, value in dimensions],
    }
    statistic = {"Metric": metric, "Period": int(period.total_seconds()), "Stat": parts[2]}
    return {
        "MetricDataQueries": [{"Id": "asked", "MetricStat": statistic, "ReturnData": True}],
        "StartTime": start.timestamp(),
        "EndTime": end.timestamp(),
        "ScanBy": "TimestampDescending",
    }


def _must_be_whole(result: _Result) -> None:
    if result.status == "Forbidden":
        raise Refused(f"CloudWatch refused the metric: {_MEND}")
    if result.status not in (None, "Complete", "PartialData"):
        raise Cannot(f"CloudWatch could not read the metric ({short(result.status, 40)})")
    if len(result.timestamps) != len(result.values):
        raise Cannot("CloudWatch answered with values that have no time")


def _failure(bad: BadStatus) -> Cannot:
    try:
        said = _Failure.model_validate_json(bad.content)
    except ValueError:
        return bad
    kind = said.kind.rpartition("#")[2]
    if kind in _NOT_ALLOWED:
        return Refused(f"CloudWatch refused it ({kind}): {_MEND}")
    if kind in _TOO_OFTEN:
        return Cannot("CloudWatch was asked too often")
    return Cannot(f"CloudWatch answered {short(kind, 60) or f'HTTP {bad.status}'}: {short(said.message or '', 120)}")
