"""CloudWatch's newest point as of a moment; each request here is held against AWS's own description and signature."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from adapters.probes.cloudwatch import CloudWatchCredentials, CloudWatchProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.cases import NOW
from tests.adapters.probes.service import ASKED
from tests.fakes.vendors import Reply, Vendor
from tests.fakes.vendors_cloud import AWS_ID, AWS_SECRET, CloudWatch

CPU = "AWS/ECS CPUUtilization Average ClusterName=main ServiceName=api"


def probe_of(client: httpx.AsyncClient, vendor: Vendor, **more: Any) -> CloudWatchProbe:
    return CloudWatchProbe(
        client, CloudWatchCredentials(**{
            "access_key_id": AWS_ID, "secret_access_key": AWS_SECRET, "region": "eu-west-1", "endpoint": vendor.base,
        } | more)
    )  # fmt: skip


async def ask(client: httpx.AsyncClient, vendor: Vendor, words: str = CPU, unit: str | None = "%") -> Measurement:
    return await probe_of(client, vendor).measure("it", ProbePolicy(cloudwatch=words, unit=unit), ASKED)


async def test_it_is_asked_as_of_its_due_time(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = CloudWatch(vendor.base, [(NOW + 60, 99.0), (NOW, 98.0), (NOW - 300, 41.0), (NOW - 600, 97.0)])
    found = await ask(client, vendor)
    assert (found.value, found.dimension) == (pytest.approx(0.41), "ratio")
    # A minute that has begun is not whole.
    asked = replace(ASKED, as_of=ASKED.as_of + timedelta(seconds=59))
    probe = ProbePolicy(cloudwatch=CPU, unit="%")
    assert (await probe_of(client, vendor).measure("it", probe, asked)).value == pytest.approx(0.41)


async def test_a_point_that_is_too_old_is_no_data(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = CloudWatch(vendor.base, [(NOW - 901, 41.0)])
    found = await ask(client, vendor)
    assert (found.outcome, found.value) == (Outcome.NO_DATA, None)
    assert found.detail == "no point in the 15 minutes before 14:30 UTC; are all dimensions of the metric named?"


async def test_a_session_token_is_sent_and_signed(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.always = Reply({"MetricDataResults": []})
    probe = probe_of(client, vendor, session_token="not-a-real-session")
    assert (await probe.measure("it", ProbePolicy(cloudwatch=CPU, unit="%"), ASKED)).outcome is Outcome.NO_DATA
    headers = vendor.asked[0].headers
    assert headers["x-amz-security-token"] == "not-a-real-session"
    assert "x-amz-security-token" in headers["authorization"]


async def test_a_wrong_secret_is_refused(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = CloudWatch(vendor.base, [(NOW - 60, 1.0)])
    probe = probe_of(client, vendor, secret_access_key="wrong")
    found = await probe.measure("it", ProbePolicy(cloudwatch=CPU, unit="%"), ASKED)
    assert found.outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    ("kind", "outcome", "words"),
    [
        ("com.amazonaws#ExpiredTokenException", Outcome.REFUSED, "CloudWatch refused it (ExpiredTokenException)"),
        ("UnrecognizedClientException", Outcome.REFUSED, "GONOGO_AWS_ACCESS_KEY_ID"),
        ("ThrottlingException", Outcome.ERROR, "CloudWatch was asked too often"),
        ("InvalidParameterValueException", Outcome.ERROR, "InvalidParameterValueException: what was wrong"),
    ],
)
async def test_aws_says_in_the_body_what_went_wrong(
    client: httpx.AsyncClient, vendor: Vendor, kind: str, outcome: Outcome, words: str
) -> None:
    vendor.always = Reply({"__type": kind, "message": "what was wrong"}, 400)
    found = await ask(client, vendor)
    assert (found.outcome, words in found.detail) == (outcome, True), found.detail


@pytest.mark.parametrize(("status", "outcome"), [("Forbidden", Outcome.REFUSED), ("InternalError", Outcome.ERROR)])
async def test_a_metric_that_was_not_read_whole_is_no_value(
    client: httpx.AsyncClient, vendor: Vendor, status: str, outcome: Outcome
) -> None:
    vendor.serve = CloudWatch(vendor.base, [(NOW - 60, 1.0)], status=status)
    assert (await ask(client, vendor)).outcome is outcome


async def test_values_without_times_are_an_error(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.always = Reply({"MetricDataResults": [{"Id": "asked", "Timestamps": [], "Values": [1.0]}]})
    assert (await ask(client, vendor)).outcome is Outcome.ERROR


async def test_nan_is_no_data(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.always = Reply(b'{"MetricDataResults": [{"Timestamps": [1], "Values": [NaN]}]}')
    found = await ask(client, vendor)
    assert (found.outcome, found.detail) == (Outcome.NO_DATA, "the last value is no number")


@pytest.mark.parametrize(
    "words",
    ["", "AWS/ECS", "AWS/ECS CPU", "AWS/ECS CPU Mean", "AWS/ECS CPU Average Cluster", "A B Sum =x", "A B p C=1"],
)
async def test_words_that_name_no_metric_are_refused(client: httpx.AsyncClient, vendor: Vendor, words: str) -> None:
    found = await ask(client, vendor, words)
    assert (found.outcome, vendor.asked) == (Outcome.REFUSED, [])
    assert "NAMESPACE METRIC STATISTIC" in found.detail
    assert (await ask(client, vendor, unit=None)).outcome is Outcome.REFUSED


@pytest.mark.parametrize("region", ["", "eu-west-1.evil.test/", "europe"])
async def test_a_region_cannot_lead_elsewhere(client: httpx.AsyncClient, vendor: Vendor, region: str) -> None:
    probe = probe_of(client, vendor, region=region, endpoint="")
    found = await probe.measure("it", ProbePolicy(cloudwatch=CPU, unit="%"), ASKED)
    assert (found.outcome, "GONOGO_AWS_REGION" in found.detail, found.link) == (Outcome.REFUSED, True, None)


async def test_history_follows_the_pages_and_leaves_gaps_out(client: httpx.AsyncClient, vendor: Vendor) -> None:
    points = [(NOW - 60 * minute, float(minute)) for minute in range(1, 60) if minute % 10]
    vendor.serve = CloudWatch(vendor.base, points, page=20)
    start, end = ASKED.as_of - timedelta(hours=1), ASKED.as_of
    policy = ProbePolicy(cloudwatch=CPU, unit="%")
    found = await probe_of(client, vendor).history("it", policy, ASKED, start=start, end=end, step=timedelta(minutes=1))
    assert len(vendor.asked) == 3
    assert found[0] == (datetime(2026, 11, 20, 13, 31, tzinfo=UTC), pytest.approx(0.59))
    assert [at for at, _ in found] == sorted(at for at, _ in found)
    assert len(found) == len(points)
    vendor.always = Reply({}, 500)
    assert await probe_of(client, vendor).history("it", policy, ASKED, start=start, end=end, step=end - start) == []
