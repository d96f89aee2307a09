"""What GitHub is asked to do, and what is made of its answers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from adapters.github.api import GitHub, callback_run, web_of
from adapters.github.auth import AppAuth
from adapters.github.errors import SaidNo
from adapters.github.wire import Wire
from bot.forge import ForgeError, Unsure
from tests.fakes import github as fake
from tests.fakes.github import HEAD, REPOSITORY, SHA
from tests.fakes.vendors import Reply, Vendor

INPUTS = {"version": "v1.2.0", "environment": "production"}


async def test_a_workflow_is_started_with_its_inputs_and_its_run_is_known(github: GitHub, there: fake.GitHub) -> None:
    started = await github.dispatch(REPOSITORY, "deploy.yml", "v1.2.0", INPUTS)
    assert there.dispatched == [{"workflow": "deploy.yml", "ref": "v1.2.0", "inputs": INPUTS}]
    assert started.run in there.runs
    assert started.link == f"https://github.com/acme/shop/actions/runs/{started.run}"


async def test_an_older_server_starts_it_once_and_shows_all_its_runs(
    github: GitHub, there: fake.GitHub, server: Vendor
) -> None:
    there.older = True
    started = await github.dispatch(REPOSITORY, "deploy.yml", "main", INPUTS)
    assert len(there.runs) == 1
    assert started.run is None
    assert started.link == f"{server.base}/acme/shop/actions/workflows/deploy.yml"


@pytest.mark.parametrize(
    ("workflow", "ref", "inputs", "why"),
    [
        ("deploy.yml", "v9", INPUTS, "No ref found for: v9"),
        ("deploy.yml", "main", {"version": "v1", "colour": "blue"}, "Unexpected inputs"),
        ("deploy.yml", "main", {}, "Required input 'version' not provided"),
        ("other.yml", "main", {}, "Not Found"),
    ],
)
async def test_what_github_refuses_was_not_started(
    github: GitHub, there: fake.GitHub, workflow: str, ref: str, inputs: dict[str, str], why: str
) -> None:
    with pytest.raises(ForgeError, match=why) as refused:
        await github.dispatch(REPOSITORY, workflow, ref, inputs)
    assert not isinstance(refused.value, Unsure)
    assert there.runs == {}


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_where_nobody_can_tell_it_is_sent_once(github: GitHub, server: Vendor, status: int) -> None:
    server.always = Reply({}, status)
    with pytest.raises(Unsure):
        await github.dispatch(REPOSITORY, "deploy.yml", "main", INPUTS)
    assert len(server.asked) == 1


async def test_an_answer_that_is_cut_off_is_no_reason_to_start_it_again(github: GitHub, server: Vendor) -> None:
    server.mutate = lambda body: body[:-9]
    started = await github.dispatch(REPOSITORY, "deploy.yml", "main", INPUTS)
    assert started.run is None
    assert len([request for request in server.asked if request.method == "POST"]) == 1


async def test_the_runs_since_a_moment_are_those_of_this_ref_that_were_started_by_hand(
    github: GitHub, there: fake.GitHub
) -> None:
    there.now = lambda: datetime(2026, 11, 24, 9, tzinfo=UTC)
    there.run("deploy.yml", "main")
    there.now = lambda: datetime(2026, 11, 24, 10, tzinfo=UTC)
    ours = there.run("deploy.yml", "main")
    there.run("deploy.yml", "v1.2.0")
    there.run("deploy.yml", "main", event="push")
    since = datetime(2026, 11, 24, 10, tzinfo=UTC) - timedelta(minutes=2)
    found = await github.recent_runs(REPOSITORY, "deploy.yml", "main", since)
    assert [(run.id, run.workflow, run.ref, run.sha) for run in found] == [(ours["id"], "deploy.yml", "main", HEAD)]


@pytest.mark.parametrize("version", ["v1.2.0", "1.2.0", SHA, SHA[:9]])
async def test_the_commit_of_a_version_by_its_tag_or_its_hash(github: GitHub, version: str) -> None:
    assert await github.commit(REPOSITORY, version) == SHA


async def test_a_branch_has_a_commit_and_what_is_not_there_has_none(github: GitHub) -> None:
    assert await github.commit(REPOSITORY, "main") == HEAD
    assert await github.commit(REPOSITORY, "v9.9.9") is None


async def test_a_repository_that_is_none_is_never_put_into_an_address(github: GitHub, server: Vendor) -> None:
    for name in ("", "acme", "acme/..", "../acme/shop", "acme/shop/../../user", "acme/a?b"):
        with pytest.raises(ForgeError, match="which repository"):
            await github.commit(name, "v1.2.0")
    assert server.asked == []


async def test_only_an_app_answers_a_protection_rule_and_once(wire: Wire, github: GitHub, there: fake.GitHub) -> None:
    run = there.waits(there.run("deploy.yml", "v1.2.0")["id"])
    with pytest.raises(SaidNo, match="HTTP 403"):
        await github.review(REPOSITORY, run, "production", approve=True, comment="open")
    app = GitHub(wire, AppAuth(fake.APP, fake.key()))
    assert await app.review(REPOSITORY, run, "production", approve=False, comment="closed: Friday" + "!" * 2_000)
    review = there.waiting[run, "production"]
    assert review is not None
    assert (review["state"], len(review["comment"])) == ("rejected", 1_000)
    assert not await app.review(REPOSITORY, run, "production", approve=True, comment="open")
    assert there.waiting[run, "production"] == review


HERE = "https://ghe.example.org/api/v3"
RULE = "actions/runs/42/deployment_protection_rule"


def test_the_run_to_answer_is_in_the_address_to_call_back() -> None:
    assert callback_run(f"{HERE}/repos/acme/shop/{RULE}", HERE, "acme/shop") == 42
    assert callback_run(f"{HERE}/repos/Acme/Shop/{RULE}", f"{HERE}/", "acme/shop") == 42


@pytest.mark.parametrize(
    "address",
    [
        f"https://evil.example.org/api/v3/repos/acme/shop/{RULE}",
        f"https://ghe.example.org@evil.example.org/repos/acme/shop/{RULE}",
        f"https://ghe.example.org.evil.example.org/api/v3/repos/acme/shop/{RULE}",
        f"http://ghe.example.org/api/v3/repos/acme/shop/{RULE}",
        f"{HERE}/repos/acme/other/{RULE}",
        f"{HERE}/repos/acme/shop/actions/runs/42/deployment_protection_rule/../../43/approve",
        f"{HERE}/repos/acme/shop/actions/runs/42/approve",
        f"{HERE}/repos/acme/shop/actions/runs/４２/deployment_protection_rule",
        f"{HERE}/repos/acme/shop/actions/runs/{'9' * 30}/deployment_protection_rule",
        f"{HERE}/repos/acme/shop/{RULE}?to=evil",
        "",
    ],
)
def test_no_other_address_is_ever_called(address: str) -> None:
    assert callback_run(address, HERE, "acme/shop") is None


def test_people_look_at_the_page_and_not_at_the_api() -> None:
    assert web_of("https://api.github.com") == "https://github.com"
    assert web_of(HERE) == "https://ghe.example.org"
