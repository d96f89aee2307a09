"""What each of GitHub's events is heard as."""

from __future__ import annotations

import contextlib
import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from adapters.github.payloads import Misleading, heard
from bot.forge import (
    DeploymentEnded,
    Heard,
    ReleasePublished,
    RuleAsked,
    RunEnded,
    SourceChanged,
    TagMoved,
)  # fmt: skip
from tests.fakes.github import SHA, GitHub
from tests.fakes.github_deliveries import (
    about,
    deployment_status,
    released,
    rule_asked,
    run_ended,
    suite_completed,
    tag_created,
    tag_pushed,
)  # fmt: skip

BASE = "https://api.github.com"


def told(event: str, payload: dict[str, Any]) -> Heard | None:
    return heard(event, json.dumps(payload).encode(), BASE)


def test_the_end_of_a_run_names_its_file_its_ref_and_its_end() -> None:
    github = GitHub(BASE)
    said = told("workflow_run", run_ended(github.run("deploy.yml", "v1.2.0"), "timed_out"))
    assert isinstance(said, RunEnded)
    assert (said.run.workflow, said.run.ref, said.run.sha, said.conclusion) == (
        "deploy.yml",
        "v1.2.0",
        SHA,
        "timed_out",
    )


def test_an_attempt_of_a_run_is_told_from_the_one_before() -> None:
    again = {**GitHub(BASE).run("deploy.yml", "v1.2.0"), "run_attempt": 3}
    run = told("workflow_run", run_ended(again, "failure"))
    assert isinstance(run, RunEnded)
    status = deployment_status("failure", run=42)
    status["workflow_run"]["run_attempt"] = 3
    deployment = told("deployment_status", status)
    assert isinstance(deployment, DeploymentEnded)
    assert run.run.attempt == deployment.attempt == 3


def test_a_release_names_its_tag() -> None:
    said = told("release", released("v2.0.0"))
    assert isinstance(said, ReleasePublished)
    assert said.tag == "v2.0.0"


@pytest.mark.parametrize(("state", "ok"), [("success", True), ("failure", False), ("error", False)])
def test_the_end_of_a_deployment_is_good_or_bad(state: str, ok: bool) -> None:
    said = told("deployment_status", deployment_status(state, run=42))
    assert isinstance(said, DeploymentEnded)
    assert (said.ok, said.environment, said.ref, said.run) == (ok, "production", "v1.2.0", 42)
    assert said.link.startswith("https://github.com/acme/shop/actions/runs/42")


@pytest.mark.parametrize("state", ["pending", "queued", "in_progress", "waiting", "inactive"])
def test_a_deployment_that_goes_on_is_no_news(state: str) -> None:
    assert told("deployment_status", deployment_status(state)) is None


def test_a_pushed_tag_says_where_it_is_now() -> None:
    assert told("push", tag_pushed("v1.2.0", SHA)) == TagMoved("acme/shop", "zoe", "v1.2.0", SHA)


def test_an_annotated_tag_is_at_its_commit_and_not_at_its_own_hash() -> None:
    payload = {**tag_pushed("v1.2.0", SHA), "after": "c" * 40}
    assert told("push", payload) == TagMoved("acme/shop", "zoe", "v1.2.0", SHA)


def test_a_deleted_tag_is_gone() -> None:
    assert told("push", tag_pushed("v1.2.0", "0" * 40, SHA)) == TagMoved("acme/shop", "zoe", "v1.2.0", "")
    assert told("delete", about(ref="v1.2.0", ref_type="tag")) == TagMoved("acme/shop", "zoe", "v1.2.0", "")


def test_a_made_tag_does_not_say_where_it_is() -> None:
    assert told("create", tag_created("v1.2.0")) == TagMoved("acme/shop", "zoe", "v1.2.0", None)
    assert told("create", about(ref="topic", ref_type="branch")) is None


@pytest.mark.parametrize(
    ("event", "action"),
    [("check_suite", "completed"), ("pull_request_review", "submitted"), ("pull_request", "labeled")],
)
def test_what_items_measure_may_have_changed(event: str, action: str) -> None:
    assert told(event, {**suite_completed(), "action": action}) == SourceChanged("acme/shop", "zoe")


def test_a_protection_rule_names_the_run_that_waits() -> None:
    github = GitHub(BASE)
    run = github.run("deploy.yml", "v1.2.0")["id"]
    said = told("deployment_protection_rule", rule_asked(github, run, "prod"))
    assert said == RuleAsked("acme/shop", "zoe", "prod", "v1.2.0", SHA, run)


def test_keys_that_are_new_or_missing_do_no_harm() -> None:
    payload = {**released(), "new_in_2030": {"deep": [1]}}
    del payload["sender"]
    said = told("release", payload)
    assert isinstance(said, ReleasePublished)
    assert said.by == "GitHub"


ALL = {
    "workflow_run": run_ended(GitHub(BASE).run("deploy.yml", "v1.2.0")),
    "release": released(),
    "deployment_status": deployment_status(run=42),
    "push": tag_pushed("v1.2.0", SHA),
    "create": tag_created("v1.2.0"),
    "check_suite": suite_completed(),
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150)
@given(event=st.sampled_from(sorted(ALL)), path=st.lists(st.integers(0, 12), min_size=1, max_size=3), value=JSON)
def test_whatever_stands_in_a_payload_it_is_heard_or_refused(event: str, path: list[int], value: Any) -> None:
    payload = copy.deepcopy(ALL[event])
    place: Any = payload
    for step in path[:-1]:
        inside = [key for key in place if isinstance(place[key], dict) and place[key]]
        place = place[inside[step % len(inside)]] if inside else place
    place[sorted(place)[path[-1] % len(place)]] = value
    with contextlib.suppress(ValidationError, Misleading):
        said = told(event, payload)
        assert said is None or said.repository
