"""What Sentry counts in the half hour before, and what is not counted as nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest

from adapters.probes.sentry import SentryCredentials, SentryProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED
from tests.fakes.vendors import Vendor
from tests.fakes.vendors_sentry import TOKEN, Sentry, Sessions, errors

NOW = ASKED.as_of.timestamp()
WEEK = timedelta(days=7).total_seconds()


async def ask(
    client: httpx.AsyncClient,
    vendor: Vendor,
    serve: Sentry,
    words: str,
    unit: str | None = None,
    *,
    org: str = "acme",
    environment: str = "production",
) -> Measurement:
    vendor.serve = serve
    probe = SentryProbe(client, SentryCredentials(TOKEN, org, vendor.base))
    return await probe.measure("it", ProbePolicy(sentry=words, unit=unit), replace(ASKED, environment=environment))


async def test_errors_of_the_half_hour_in_that_environment_are_counted(
    client: httpx.AsyncClient, vendor: Vendor
) -> None:
    told = [
        *errors(4, NOW - 1790), *errors(90, NOW - 1801), *errors(90, NOW + 1),
        *errors(2, NOW - 60, environment="staging"),
    ]  # fmt: skip
    found = await ask(client, vendor, Sentry(errors=told), "api errors", "count")
    assert (found.outcome, found.value, found.dimension) == (Outcome.MEASURED, 4.0, "count")
    assert (await ask(client, vendor, Sentry(errors=told), "api errors", environment="staging")).value == 2.0


async def test_no_error_is_a_measured_zero(client: httpx.AsyncClient, vendor: Vendor) -> None:
    assert (await ask(client, vendor, Sentry(), "api errors")).value == 0.0


async def test_users_are_counted_once(client: httpx.AsyncClient, vendor: Vendor) -> None:
    assert (await ask(client, vendor, Sentry(errors=errors(20, NOW - 60)), "api users")).value == 3.0


async def test_new_issues_are_those_first_seen_since(client: httpx.AsyncClient, vendor: Vendor) -> None:
    told = Sentry(vendor.base, issues=[NOW - 3600, NOW - 1700, NOW - 5, NOW + 5])
    assert (await ask(client, vendor, told, "api new_issues", "count")).value == 2.0


async def test_new_issues_are_counted_over_all_pages(client: httpx.AsyncClient, vendor: Vendor) -> None:
    told = Sentry(vendor.base, issues=[NOW - n for n in range(7)], page=3)
    assert (await ask(client, vendor, told, "api new_issues")).value == 7.0
    # A page of another host is not asked for.
    told = Sentry("https://evil.test", issues=[NOW - n for n in range(7)], page=3)
    found = await ask(client, vendor, told, "api new_issues")
    assert (found.outcome, "not followed" in found.detail) == (Outcome.ERROR, True)


async def test_errors_against_the_week_before(client: httpx.AsyncClient, vendor: Vendor) -> None:
    told = Sentry(errors=errors(30, NOW - 60) + errors(20, NOW - 60 - WEEK) + errors(9, NOW - 2400 - WEEK))
    found = await ask(client, vendor, told, "api errors_vs_normal", "x")
    assert (found.value, found.dimension) == (1.5, "times normal")
    assert found.detail == "1.5 x (30 errors, 20 a week before)"


@pytest.mark.parametrize("now", [0, 30])
async def test_without_errors_a_week_before_there_is_no_normal(
    client: httpx.AsyncClient, vendor: Vendor, now: int
) -> None:
    found = await ask(client, vendor, Sentry(errors=errors(now, NOW - 60)), "api errors_vs_normal", "x")
    assert (found.outcome, found.value) == (Outcome.NO_DATA, None)
    assert f"to hold {now} against" in found.detail


async def test_the_error_rate_is_the_share_of_sessions_that_were_not_healthy(
    client: httpx.AsyncClient, vendor: Vendor
) -> None:
    told = [
        Sessions(NOW - 60, "healthy", 950), Sessions(NOW - 120, "errored", 30), Sessions(NOW - 1700, "crashed", 15),
        Sessions(NOW - 1700, "abnormal", 4), Sessions(NOW - 60, "unhandled", 1),
    ]  # fmt: skip
    found = await ask(client, vendor, Sentry(sessions=told), "api error_rate", "ratio")
    assert (found.value, found.dimension, found.detail) == (0.05, "ratio", "5% of 1000 sessions")


async def test_sessions_of_the_hour_around_do_not_dilute_it(client: httpx.AsyncClient, vendor: Vendor) -> None:
    told = [
        Sessions(NOW - 60, "healthy", 5), Sessions(NOW - 60, "crashed", 5),
        Sessions(NOW - 1801, "healthy", 90_000), Sessions(NOW + 60, "healthy", 90_000),
    ]  # fmt: skip
    assert (await ask(client, vendor, Sentry(sessions=told), "api error_rate")).value == 0.5


async def test_no_sessions_are_no_data_and_not_zero(client: httpx.AsyncClient, vendor: Vendor) -> None:
    before = [Sessions(NOW - 2400, "healthy", 100)]
    for told in (Sentry(), Sentry(sessions=before)):
        found = await ask(client, vendor, told, "api error_rate")
        assert (found.outcome, found.detail) == (Outcome.NO_DATA, "no sessions in that time")


async def test_an_environment_sentry_does_not_know_is_not_a_quiet_one(
    client: httpx.AsyncClient, vendor: Vendor
) -> None:
    for metric in ("errors", "users", "new_issues", "errors_vs_normal", "error_rate"):
        found = await ask(client, vendor, Sentry(), f"api {metric}", environment="prod")
        assert (found.outcome, "does not exist" in found.detail) == (Outcome.ERROR, True)


async def test_a_project_sentry_does_not_know_is_an_error(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, Sentry(), "apo errors")
    assert (found.outcome, found.detail) == (Outcome.ERROR, "Sentry knows no project apo of acme")


async def test_the_link_shows_the_same_minutes(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, Sentry(), "api errors")
    url = httpx.URL(found.link or "")
    assert url.path == "/organizations/acme/issues/"
    assert dict(url.params) == {
        "project": "4507", "environment": "production", "utc": "true",
        "start": "2026-11-20T14:00:00", "end": "2026-11-20T14:30:00",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("words", "unit", "org", "why"),
    [
        ("api", None, "acme", "is no metric"), ("api crashes", None, "acme", "is no metric"),
        ("../x errors", None, "acme", "is no metric"), ("api error_rate", "ms", "acme", "does not fit"),
        ("api errors", "bananas", "acme", "not a unit"), ("api errors", None, "acme/../x", "GONOGO_SENTRY_ORG"),
    ],
)  # fmt: skip
async def test_what_cannot_be_meant_is_not_asked(
    client: httpx.AsyncClient, vendor: Vendor, words: str, unit: str | None, org: str, why: str
) -> None:
    found = await ask(client, vendor, Sentry(), words, unit, org=org)
    assert (found.outcome, vendor.asked) == (Outcome.REFUSED, [])
    assert why in found.detail
