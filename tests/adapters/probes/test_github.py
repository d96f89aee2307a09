"""What GitHub is asked about a deployment, and what is made of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from adapters.probes.github import GitHubCredentials, GitHubProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED
from tests.fakes.vendors import Reply, Vendor
from tests.fakes.vendors_github import SHA, TOKEN, GitHub, check, environment_review, pull, review, run

Ask = Callable[..., Awaitable[Measurement]]


@pytest.fixture
def ask(client: httpx.AsyncClient, vendor: Vendor) -> Ask:
    def asks(
        words: str, version: str = "v1.2.0", repository: str | None = "acme/api", **world: Any
    ) -> Awaitable[Measurement]:
        vendor.serve = GitHub(vendor.base, **world)
        asked = replace(ASKED, version=version, repository=repository)
        probe = GitHubProbe(client, GitHubCredentials(TOKEN, "acme/elsewhere", vendor.base))
        return probe.measure("it", ProbePolicy(github=words, unit="count"), asked)

    return asks


@pytest.mark.parametrize(
    ("reviews", "count"),
    [
        ([review("ann"), review("ben")], 2),
        ([review("ann"), review("ann")], 1),
        ([review("ann"), review("ann", "COMMENTED")], 1),
        ([review("ann"), review("ann", "CHANGES_REQUESTED")], 0),
        ([review("ann", "CHANGES_REQUESTED"), review("ann")], 1),
        ([review("ann", "DISMISSED")], 0),
        ([review("ann", "PENDING")], 0),
        ([{**review("ghost"), "user": None}], 0),
    ],
)
async def test_the_last_word_of_each_reviewer_counts(ask: Ask, reviews: list[dict[str, Any]], count: int) -> None:
    found = await ask("approvals", pulls=[pull()], reviews=reviews)
    assert (found.value, found.dimension) == (count, "count")
    assert found.link == "https://github.com/acme/api/pull/42"


async def test_all_pages_of_reviews_are_read(ask: Ask, vendor: Vendor) -> None:
    reviews = [review(f"dev{number}") for number in range(7)]
    found = await ask("approvals", pulls=[pull()], reviews=reviews, longest_page=3)
    assert found.value == 7
    assert found.detail == "7 on #42: dev0, dev1, dev2, dev3, dev4"
    assert [request.said("page") for request in vendor.asked if request.path.endswith("/reviews")] == ["", "2", "3"]


async def test_a_list_without_an_end_is_an_error(ask: Ask, vendor: Vendor) -> None:
    found = await ask("approvals", pulls=[pull()], reviews=[review(str(n)) for n in range(30)], longest_page=1)
    assert (found.outcome, found.detail) == (Outcome.ERROR, "GitHub's list has more pages than are read")
    assert len(vendor.asked) < 30


async def test_a_next_page_on_another_host_is_not_asked(ask: Ask, vendor: Vendor) -> None:
    waiting = ask("approvals")
    github = GitHub(vendor.base)
    link = {"Link": '<http://localhost:1/steal>; rel="next"'}
    vendor.serve = lambda request: Reply([pull()], headers=link) if "pulls" in request.path else github(request)
    found = await waiting
    assert (found.outcome, found.detail) == (Outcome.ERROR, "GitHub leads on to localhost, which is not followed")


@pytest.mark.parametrize("version", ["v1.2.0", "1.2.0", SHA, SHA[:40]])
async def test_a_version_is_a_tag_with_or_without_v_or_a_commit(ask: Ask, version: str) -> None:
    assert (await ask("approvals", version=version, pulls=[pull()])).value == 0


@pytest.mark.parametrize(
    ("version", "why"),
    [
        ("v9.9.9", "acme/api has no tag or commit v9.9.9, or the token may not see it"),
        ("../../user", "acme/api has no tag or commit ../../user, or the token may not see it"),
        ("", "it is not known which version is deployed"),
    ],
)
async def test_a_version_that_github_does_not_know_is_no_data(ask: Ask, version: str, why: str) -> None:
    found = await ask("checks", version=version, check_runs=[check("test")])
    assert (found.outcome, found.detail) == (Outcome.NO_DATA, why)


async def test_the_pull_request_that_was_merged_as_this_commit_counts(ask: Ask) -> None:
    others = [pull(7, merged="c" * 40), pull(8, merged=None), pull(42)]
    assert "#42" in (await ask("approvals", pulls=others)).detail
    assert "#8" in (await ask("approvals", pulls=[pull(7, merged="c" * 40), pull(8, merged=None, head=SHA)])).detail
    found = await ask("approvals", pulls=[pull(7, merged="c" * 40), pull(8, merged="d" * 40)])
    assert (found.outcome, found.detail) == (Outcome.ERROR, "a1b2c3d belongs to 2 pull requests (#7, #8)")
    found = await ask("approvals", pulls=[])
    assert (found.outcome, found.detail) == (Outcome.NO_DATA, "no pull request brought a1b2c3d")


async def test_checks_and_statuses_count_alike_and_what_runs_is_not_green(ask: Ask) -> None:
    runs = [check("test"), check("lint", "skipped"), check("build", None), check("e2e", "failure")]
    statuses = [{"context": "ci/jenkins", "state": "success"}, {"context": "cla", "state": "pending"}]
    found = await ask("checks", check_runs=runs, statuses=statuses)
    assert (found.value, found.dimension) == (0.5, "ratio")
    assert found.detail == "3 of 6 green; not: build running, e2e failure, cla (status) pending"
    found = await ask("checks", check_runs=[check("test"), check("test", "failure"), check("test")])
    assert found.value == 0.0


async def test_checks_that_are_not_all_listed_are_an_error(ask: Ask) -> None:
    found = await ask("checks", check_runs=[check("test")], count_more=1)
    assert (found.outcome, found.detail) == (Outcome.ERROR, "GitHub listed 1 of 2 checks")
    found = await ask("checks")
    assert (found.outcome, found.detail) == (Outcome.NO_DATA, "a1b2c3d has no check")


async def test_runs_that_have_not_ended_count_and_our_own_do_not(ask: Ask) -> None:
    runs = {"deploy.yml": [run(1, sha=SHA), run(2), run(3, "queued"), run(4, "waiting"), run(5, "completed")]}
    found = await ask("runs deploy.yml", runs=runs)
    assert (found.value, found.dimension, found.detail) == (3, "count", "3 of deploy.yml")
    # Whose run it is cannot be told before the version is there, so it counts.
    assert (await ask("runs deploy.yml", version="v9.9.9", runs=runs)).value == 4
    found = await ask("runs other.yml", runs=runs)
    assert (found.outcome, found.detail) == (Outcome.ERROR, "GitHub answered HTTP 404")


async def test_a_label_counts_whatever_its_case(ask: Ask) -> None:
    found = await ask("blocking_labels DO NOT MERGE", pulls=[pull(42, "bug", "do not merge")])
    assert (found.value, found.detail) == (1, "#42 is labelled DO NOT MERGE")
    found = await ask("blocking_labels DO NOT MERGE", pulls=[pull(42, "bug")])
    assert (found.value, found.detail) == (0, "not on #42")


async def test_the_hourly_limit_is_an_error_and_no_refusal(ask: Ask, vendor: Vendor) -> None:
    vendor.always = Reply({"message": "API rate limit exceeded"}, 403, {"X-RateLimit-Remaining": "0"})
    found = await ask("checks")
    assert (found.outcome, found.detail) == (Outcome.ERROR, "GitHub was asked too often (HTTP 403)")


@pytest.mark.parametrize("words", ["", "approval", "approvals twice", "runs", "blocking_labels", "users"])
async def test_what_github_is_not_asked_is_refused_with_what_to_write(ask: Ask, vendor: Vendor, words: str) -> None:
    found = await ask(words)
    assert (found.outcome, vendor.asked) == (Outcome.REFUSED, [])
    assert "write `approvals`" in found.detail


async def test_the_policy_says_which_repository_else_the_settings(ask: Ask, vendor: Vendor) -> None:
    assert (await ask("checks", repository=None, name="acme/elsewhere", check_runs=[check("x")])).value == 1
    found = await ask("checks", repository="../../user")
    assert (found.outcome, "owner/name" in found.detail) == (Outcome.REFUSED, True)


APPROVAL = "environment_approval deploy.yml production"


@pytest.mark.parametrize(
    ("said", "value", "detail"),
    [
        ([environment_review("ann")], 1.0, "approved by ann"),
        ([environment_review("ann"), environment_review("ben", environment="Production")], 1.0, "approved by ann, ben"),
        ([environment_review("ann"), environment_review("ben", "rejected")], 0.0, "rejected by ben"),
        ([environment_review("ann", environment="staging")], None, "nobody has approved it yet"),
        ([environment_review("ann", "pending")], None, "nobody has approved it yet"),
        ([], None, "nobody has approved it yet"),
    ],
)
async def test_who_has_approved_the_newest_run_for_an_environment(
    ask: Ask, vendor: Vendor, said: list[dict[str, Any]], value: float | None, detail: str
) -> None:
    runs = {"deploy.yml": [run(9, "waiting", SHA), run(8, "completed", SHA)]}
    reviews = {9: said, 8: [environment_review("zoe")]}
    found = await ask(APPROVAL, runs=runs, environment_reviews=reviews)
    assert found.outcome is (Outcome.NO_DATA if value is None else Outcome.MEASURED)
    assert (found.value, found.detail) == (value, f"production of deploy.yml of {SHA[:7]}: {detail}")
    assert value is None or (found.dimension, found.link) == ("ok", "https://github.com/acme/api/actions/runs/9")


async def test_without_a_run_of_the_version_nothing_is_approved(ask: Ask) -> None:
    found = await ask(
        APPROVAL, runs={"deploy.yml": [run(9, "waiting")]}, environment_reviews={9: [environment_review("ann")]}
    )
    assert (found.outcome, found.detail) == (Outcome.NO_DATA, f"deploy.yml has no run of {SHA[:7]}")
    found = await ask("environment_approval deploy.yml")
    assert (found.outcome, "of which environment" in found.detail) == (Outcome.REFUSED, True)
