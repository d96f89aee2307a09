"""Whether GitHub has a tag for the version, and whether a workflow has succeeded for its commit."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import pytest

from adapters.probes.github import GitHubCredentials, GitHubProbe
from bot.domain.events import Measurement, Outcome
from bot.forge import ForgeError
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED
from tests.fakes.github import OTHER, REPOSITORY, TOKEN, GitHub
from tests.fakes.vendors import Vendor

Ask = Callable[..., Awaitable[Measurement]]


@pytest.fixture
def there(vendor: Vendor) -> GitHub:
    vendor.serve = github = GitHub(vendor.base)
    return github


@pytest.fixture
def ask(client: httpx.AsyncClient, vendor: Vendor) -> Ask:
    def asks(words: str, version: str = "v1.2.0") -> Awaitable[Measurement]:
        probe = GitHubProbe(client, GitHubCredentials(TOKEN, REPOSITORY, vendor.base))
        return probe.measure("it", ProbePolicy(github=words), replace(ASKED, version=version, repository=None))

    return asks


@pytest.mark.parametrize("version", ["v1.2.0", "1.2.0"])
async def test_there_is_a_tag_for_the_version(there: GitHub, ask: Ask, version: str) -> None:
    found = await ask("tag", version)
    assert (found.value, found.dimension, found.detail) == (1.0, "ok", "v1.2.0 at a1b2c3d")
    assert found.link is not None


@pytest.mark.parametrize("version", ["v9.0.0", "main", "a1b2c3d"])
async def test_a_branch_or_a_commit_is_no_tag(there: GitHub, ask: Ask, version: str) -> None:
    found = await ask("tag", version)
    assert (found.outcome, found.value) == (Outcome.MEASURED, 0.0)
    assert f"has no tag {version}" in found.detail


@pytest.mark.parametrize(("conclusion", "value"), [("success", 1.0), ("failure", 0.0), ("cancelled", 0.0)])
async def test_the_newest_run_of_the_commit_has_succeeded_or_not(
    there: GitHub, ask: Ask, conclusion: str, value: float
) -> None:
    there.run("deploy.yml", "v1.2.0", "push")["conclusion"] = "failure" if value else "success"
    newest = there.run("deploy.yml", "v1.2.0", "push")
    newest["conclusion"] = conclusion
    found = await ask("workflow deploy.yml")
    assert (found.value, found.detail) == (value, f"deploy.yml of a1b2c3d: {conclusion}")
    assert found.link == newest["html_url"]


async def test_a_run_that_goes_on_or_of_another_commit_is_no_success(there: GitHub, ask: Ask) -> None:
    there.tags["v1.3.0"] = OTHER
    there.run("deploy.yml", "v1.3.0", "push")["conclusion"] = "success"
    found = await ask("workflow deploy.yml")
    assert (found.outcome, found.detail) == (Outcome.NO_DATA, "deploy.yml has no run of a1b2c3d")
    there.run("deploy.yml", "v1.2.0", "push")
    found = await ask("workflow deploy.yml")
    assert (found.outcome, found.detail) == (Outcome.NO_DATA, "deploy.yml of a1b2c3d is still running")


async def test_a_workflow_without_its_name_is_refused(there: GitHub, ask: Ask) -> None:
    for words in ("workflow", "tag v1.2.0"):
        assert (await ask(words)).outcome is Outcome.REFUSED


async def test_a_token_that_is_not_to_be_had_is_a_refusal(client: httpx.AsyncClient, there: GitHub) -> None:
    async def nobody(repository: str) -> str:
        raise ForgeError(f"the App is not installed in {repository}")

    probe = GitHubProbe(client, GitHubCredentials(repository=REPOSITORY, api=there.base, bearer=nobody))
    found = await probe.measure("it", ProbePolicy(github="tag"), replace(ASKED, version="v1.2.0", repository=None))
    assert (found.outcome, found.detail) == (Outcome.REFUSED, "the App is not installed in acme/shop")
