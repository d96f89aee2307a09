"""What Sentry counts in the half hour before, and what is not counted as nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import httpx
import pytest
from pydantic import ValidationError

from adapters.probes.sentry import SentryCredentials, SentryProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED
from tests.fakes.vendors import Vendor
from tests.fakes.vendors_sentry import TOKEN, Issue, Sentry, Sessions, errors

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
    release: str | None = None,
    version: str = "v1.2.0",
) -> Measurement:
    vendor.serve = serve
    probe = SentryProbe(client, SentryCredentials(TOKEN, org, vendor.base))
    policy = ProbePolicy(sentry=words, unit=unit, release=release)
    return await probe.measure("it", policy, replace(ASKED, environment=environment, version=version))


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
    told = Sentry(vendor.base, issues=[Issue(NOW + at) for at in (-3600, -1700, -5, 5)])
    assert (await ask(client, vendor, told, "api new_issues", "count")).value == 2.0


async def test_new_issues_are_counted_over_all_pages(client: httpx.AsyncClient, vendor: Vendor) -> None:
    told = Sentry(vendor.base, issues=[Issue(NOW - n) for n in range(7)], page=3)
    assert (await ask(client, vendor, told, "api new_issues")).value == 7.0
    # A page of another host is not asked for.
    told = Sentry("https://evil.test", issues=[Issue(NOW - n) for n in range(7)], page=3)
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


OLD_AND_NEW = Sentry(
    errors=[*errors(40, NOW - 60), *errors(3, NOW - 60, release="api@1.2.0")],
    issues=[Issue(NOW - 60), Issue(NOW - 60, "api@1.2.0"), Issue(NOW - 3600, "api@1.2.0")],
    sessions=[
        Sessions(NOW - 60, "healthy", 9_000), Sessions(NOW - 60, "healthy", 90, "api@1.2.0"),
        Sessions(NOW - 60, "crashed", 10, "api@1.2.0"),
    ],
    releases={"api@1.1.0": ("api",), "api@1.2.0": ("web", "api"), "web@1.2.0": ("web",)},
)  # fmt: skip
"""While the old release still serves most of the traffic."""


@pytest.mark.parametrize(
    ("metric", "value", "detail"),
    [
        ("error_rate", 0.1, "10% of 100 sessions in api@1.2.0"), ("errors", 3.0, "3 in api@1.2.0"),
        ("users", 3.0, "3 in api@1.2.0"), ("new_issues", 1.0, "1 in api@1.2.0"),
    ],
)  # fmt: skip
async def test_only_the_deployed_release_counts_where_the_policy_names_it(
    client: httpx.AsyncClient, vendor: Vendor, metric: str, value: float, detail: str
) -> None:
    found = await ask(client, vendor, OLD_AND_NEW, f"api {metric}", release="api@{{ version }}")
    assert (found.outcome, found.value, found.detail) == (Outcome.MEASURED, value, detail)
    assert vendor.asked[1].path == "/api/0/organizations/acme/releases/api%40v1.2.0/", (
        "as it was started, then without v"
    )
    assert httpx.URL(found.link or "").params["query"] == 'release:"api@1.2.0"'


async def test_a_rollback_is_measured_by_the_release_it_goes_back_to(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, OLD_AND_NEW, "api errors", release="api@{{ version }}", version="1.1.0")
    assert (found.value, found.detail) == (40.0, "40 in api@1.1.0")


@pytest.mark.parametrize(
    ("release", "said"),
    [("app@{{ version }}", "app@v1.2.0 or app@1.2.0"), ("web@{{version}}", "web@v1.2.0 or web@1.2.0")],
)
async def test_a_release_sentry_does_not_know_in_the_project_is_not_one_without_errors(
    client: httpx.AsyncClient, vendor: Vendor, release: str, said: str
) -> None:
    for metric in ("errors", "new_issues", "error_rate"):
        found = await ask(client, vendor, OLD_AND_NEW, f"api {metric}", release=release)
        assert (found.outcome, found.value) == (Outcome.NO_DATA, None)
        assert found.detail == f"Sentry has seen no release {said} of api: create it when you deploy, or mend `release`"


@pytest.mark.parametrize("version", ["", 'x" OR release:"api@1.1.0', "1.*", "../1.2.0"])
async def test_a_version_that_is_more_than_a_name_to_sentry_is_refused(
    client: httpx.AsyncClient, vendor: Vendor, version: str
) -> None:
    found = await ask(client, vendor, OLD_AND_NEW, "api errors", release="api@{{ version }}", version=version)
    assert (found.outcome, found.value) == (Outcome.REFUSED, None)
    assert [request.path for request in vendor.asked] == ["/api/0/projects/acme/api/"]


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"http": "https://x.test", "release": "api@{{ version }}"}, "only for a `sentry` probe"),
        ({"sentry": "api errors_vs_normal", "release": "api@{{ version }}"}, "this release was not there"),
        ({"sentry": "api errors", "release": "api@1.2.0"}, "what Sentry calls each version"),
        ({"sentry": "api errors", "release": "{{ service }}@{{ version }}"}, "and nothing else"),
    ],
)
def test_a_release_that_cannot_be_meant_is_no_policy(policy: dict[str, str], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        ProbePolicy(**policy)
