"""What Workers did in the minutes before, in whose units."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from adapters.probes.cloudflare import CloudflareCredentials, CloudflareProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED
from tests.fakes.vendors import Reply, Vendor
from tests.fakes.vendors_metrics import CLOUDFLARE_ACCOUNT, CLOUDFLARE_TOKEN, Cloudflare, Invocations

NOW = ASKED.as_of.timestamp()
GATEWAY = Invocations(NOW - 60, 900, 9, p95=480_000.0, p99=1_200_000.0)
AUTH = Invocations(NOW - 120, 100, 41, p95=90_000.0, worker="auth")


def probe_of(client: httpx.AsyncClient, vendor: Vendor, account: str = CLOUDFLARE_ACCOUNT) -> CloudflareProbe:
    return CloudflareProbe(client, CloudflareCredentials(CLOUDFLARE_TOKEN, account, vendor.base))


async def ask(
    client: httpx.AsyncClient, vendor: Vendor, words: str, unit: str | None = None, *found: Invocations
) -> Measurement:
    vendor.serve = Cloudflare(list(found or (GATEWAY, AUTH)))
    return await probe_of(client, vendor).measure("it", ProbePolicy(cloudflare=words, unit=unit), ASKED)


@pytest.mark.parametrize(
    ("words", "unit", "dimension", "value", "detail"),
    [
        ("error_rate", "ratio", "ratio", 0.05, "5% (1000 requests)"),
        ("error_rate gateway", "%", "ratio", 0.01, "1% (900 requests)"),
        ("error_rate auth", None, "ratio", 0.41, "41% (100 requests)"),
        ("p95_latency gateway", "ms", "seconds", 0.48, "480ms (900 requests)"),
        ("p99_latency gateway", "s", "seconds", 1.2, "1.2s (900 requests)"),
        ("requests", "count", "count", 1000.0, "1000"),
    ],
)
async def test_the_unit_is_cloudflares_own(
    client: httpx.AsyncClient, vendor: Vendor, words: str, unit: str | None, dimension: str, value: float, detail: str
) -> None:
    found = await ask(client, vendor, words, unit)
    assert (found.outcome, found.dimension, found.detail) == (Outcome.MEASURED, dimension, detail)
    assert found.value == pytest.approx(value)
    assert found.link == f"https://dash.cloudflare.com/{CLOUDFLARE_ACCOUNT}/workers-and-pages"


async def test_only_the_ten_minutes_before_the_due_time_count(client: httpx.AsyncClient, vendor: Vendor) -> None:
    others = Invocations(NOW - 601, 1000, 1000), Invocations(NOW + 1, 1000, 1000)
    assert (await ask(client, vendor, "error_rate", "ratio", GATEWAY, *others)).value == 0.01


@pytest.mark.parametrize("metric", ["error_rate", "p95_latency", "p99_latency", "requests"])
async def test_no_invocation_is_no_data_and_not_zero(client: httpx.AsyncClient, vendor: Vendor, metric: str) -> None:
    found = await ask(client, vendor, f"{metric} getaway")
    assert (found.outcome, found.detail) == (
        Outcome.NO_DATA,
        "no invocation of the Worker getaway in the 10 minutes before 14:30 UTC",
    )
    assert (await ask(client, vendor, metric, None, Invocations(NOW - 60, 0))).outcome is Outcome.NO_DATA


@pytest.mark.parametrize(
    ("words", "unit", "why"),
    [
        ("errors", "ratio", "is no metric"), ("error_rate a b", "ratio", "is no metric"), ("", "ratio", "is no metric"),
        ('error_rate "}', "ratio", "is no metric"),
        ("p95_latency", "ratio", "does not fit: p95_latency is measured in s"), ("requests", "bananas", "not a unit"),
    ],
)  # fmt: skip
async def test_what_cannot_be_meant_is_not_asked(
    client: httpx.AsyncClient, vendor: Vendor, words: str, unit: str, why: str
) -> None:
    found = await ask(client, vendor, words, unit)
    assert (found.outcome, vendor.asked) == (Outcome.REFUSED, [])
    assert why in found.detail


async def test_a_token_without_the_permission_names_it(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = Cloudflare([GATEWAY])
    policy = ProbePolicy(cloudflare="requests")
    found = await probe_of(client, vendor, "f" * 32).measure("it", policy, ASKED)
    assert (found.outcome, "Account Analytics: Read" in found.detail) == (Outcome.REFUSED, True)
    assert (await probe_of(client, vendor, "acme").measure("it", policy, ASKED)).outcome is Outcome.REFUSED
    # A token that is none is answered with 400.
    wrong = CloudflareCredentials("wrong", CLOUDFLARE_ACCOUNT, vendor.base)
    found = await CloudflareProbe(client, wrong).measure("it", policy, ASKED)
    assert (found.outcome, "GONOGO_CLOUDFLARE_TOKEN" in found.detail) == (Outcome.REFUSED, True)


async def test_an_error_in_a_200_is_an_error(client: httpx.AsyncClient, vendor: Vendor) -> None:
    said = f"rate limiter budget depleted, try again after 5 minutes ({CLOUDFLARE_TOKEN})"
    vendor.always = Reply({"data": None, "errors": [{"message": said, "extensions": {"code": "budget"}}]})
    found = await ask(client, vendor, "requests")
    assert (found.outcome, "budget depleted" in found.detail) == (Outcome.ERROR, True)
    assert CLOUDFLARE_TOKEN not in found.detail


async def test_the_history_comes_in_cloudflares_steps(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = Cloudflare(
        [Invocations(NOW - 590, 100, 1), Invocations(NOW - 320, 100, 3), Invocations(NOW - 60, 50)]
    )
    points = await probe_of(client, vendor).history(
        "it",
        ProbePolicy(cloudflare="error_rate"),
        ASKED,
        start=ASKED.as_of - timedelta(minutes=10),
        end=ASKED.as_of,
        step=timedelta(minutes=4),
    )
    assert [(at.timestamp() - NOW, value) for at, value in points] == [(-600, 0.02), (-300, 0.0)]
