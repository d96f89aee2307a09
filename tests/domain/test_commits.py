"""What a deployment is of, and what follows when that changes."""

from __future__ import annotations

import pytest

from bot.domain import events as e
from bot.domain.commits import dispatch_of, is_of, same_version, tag_moved
from bot.domain.deployment import Deployment, replay
from bot.domain.people import Who
from bot.domain.workflows import answered, due, ended, tried
from tests.domain.runs import ANN, GONOGO, START, Course, plan

SHA, OTHER = "a" * 40, "b" * 40
SHOP = plan("# Before\n- [ ] tests\n- [ ] sign-off\n# Deploy\n- [ ] switch\n", "items: {sign-off: {role: qa}}")
QUINN = Who(chat="web", id="quinn", name="quinn", roles=frozenset({"qa"}))


def waiting(*more: e.Event, version: str = "v1.2.0", commit: str = "") -> Deployment:
    """One that QA has approved."""
    started = Course(SHOP).state.started.model_copy(
        update={"version": version, "waits": True, "approvals": (e.Approvals(role="qa"),)}
    )
    facts: list[e.Event] = [started, e.Approved(at=START, by=QUINN, role="qa")]
    known: list[e.Event] = [e.CommitKnown(at=START, by=GONOGO, commit=commit)] if commit else []
    return replay([*facts, *known, *more])


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("v1.2.0", "1.2.0", True),
        ("v1.2.0", "refs/tags/v1.2.0", True),
        ("main", "refs/heads/main", True),
        ("v1.2.0", "v1.2.01", False),
        ("", "", False),
    ],
)
def test_names_of_a_version(one: str, other: str, same: bool) -> None:
    assert same_version(one, other) is same


def test_a_deployment_is_of_its_version_its_hash_or_what_was_approved() -> None:
    assert is_of(waiting(), "v1.2.0", "")
    assert is_of(waiting(version=SHA[:9]), "main", SHA)
    assert is_of(waiting(commit=SHA), "main", SHA)
    assert not is_of(waiting(), "main", SHA)
    assert not is_of(waiting(version="main"), "v1.2.0", "")


@pytest.mark.parametrize(
    ("commit", "sha", "why"),
    [
        (SHA, OTHER, "v1.2.0 is at bbbbbbb now, and approved was aaaaaaa"),
        (SHA, "", "v1.2.0 was deleted"),
        (SHA, None, "v1.2.0 was moved, and approved was aaaaaaa"),
        ("", OTHER, "v1.2.0 is at bbbbbbb now, and it is not known which commit was approved"),
    ],
)
def test_a_tag_that_moves_takes_approvals_back_and_says_why(commit: str, sha: str | None, why: str) -> None:
    (fact,) = tag_moved(SHOP, waiting(commit=commit), "v1.2.0", sha, START)
    assert isinstance(fact, e.ApprovalsDropped)
    assert fact.why == why


def test_a_tag_that_stays_or_that_nobody_approved_changes_nothing() -> None:
    assert tag_moved(SHOP, waiting(commit=SHA), "v1.2.0", SHA, START) == []
    unapproved = replay([waiting().started])
    assert tag_moved(SHOP, unapproved, "v1.2.0", OTHER, START) == []


def test_sign_offs_are_taken_back_with_the_approvals() -> None:
    state = waiting(e.Ticked(at=START, by=QUINN, item="sign-off"), e.Ticked(at=START, by=ANN, item="tests"), commit=SHA)
    facts = tag_moved(SHOP, state, "v1.2.0", OTHER, START)
    assert [fact.kind for fact in facts] == ["approvals_dropped", "unticked"]


def test_once_it_has_gone_a_tag_changes_nothing() -> None:
    went = waiting(e.Admitted(at=START, by=ANN, gate=e.Decision(asked=START, open=True)), commit=SHA)
    assert tag_moved(SHOP, went, "v1.2.0", OTHER, START) == []


def test_what_was_approved_is_asked_for_until_it_is_known() -> None:
    assert f"commit:{START.isoformat()}" in due(SHOP, waiting())
    assert due(SHOP, waiting(commit=SHA)) == {}
    dropped = waiting(e.ApprovalsDropped(at=START, by=GONOGO, why="moved"), commit=SHA)
    assert dropped.commit == ""
    assert due(SHOP, dropped) == {}


# --- the starts of workflows ---


def sent(id: str, ref: str = "main", workflow: str = "deploy.yml") -> list[e.Event]:
    asked = e.Dispatched(
        at=START, by=ANN, id=id, purpose="deploy", repository="a/b", workflow=workflow, ref=ref, inputs={}
    )
    return [asked, e.DispatchTried(at=START, by=GONOGO, id=id)]


def said(id: str, run: int | None) -> e.DispatchAnswered:
    return e.DispatchAnswered(at=START, by=GONOGO, id=id, outcome="started", run=run)


def test_a_run_is_the_one_github_named_before_any_guess() -> None:
    state = waiting(*sent("one"), *sent("two"), said("two", 42))
    found = dispatch_of(state, 42, "main")
    assert found is not None
    assert found.asked.id == "two"


def test_a_run_nobody_named_is_of_the_start_that_has_no_run_yet() -> None:
    state = waiting(*sent("one"), said("one", 41), *sent("two"))
    found = dispatch_of(state, 42, "main", "deploy.yml")
    assert found is not None
    assert found.asked.id == "two"
    assert dispatch_of(state, 42, "v1.2.0", "deploy.yml") is None
    assert dispatch_of(state, 42, "main", "other.yml") is None


def test_a_request_goes_out_once_and_is_answered_once() -> None:
    asked, gone = sent("one")
    state = waiting(asked)
    assert due(SHOP, state)["call:one"] == START
    assert [fact.kind for fact in tried(state, "one", START)] == ["dispatch_tried"]
    state = waiting(asked, gone)
    assert "call:one" not in due(SHOP, state)
    assert "look:one" in due(SHOP, state)
    assert tried(state, "one", START) == []
    assert answered(state, said("one", 1)) == [said("one", 1)]
    state = waiting(asked, gone, said("one", 1))
    assert answered(state, said("one", 2)) == []
    assert not [key for key in due(SHOP, state) if key.endswith("one")]


def test_the_end_of_a_run_is_kept_once_and_a_better_one_after_it() -> None:
    over = e.DispatchEnded(at=START, by=GONOGO, id="one", conclusion="failure")
    state = waiting(*sent("one"), said("one", 1), over)
    assert ended(state, over) == []
    assert len(ended(state, over.model_copy(update={"conclusion": "success"}))) == 1
    assert ended(state, over.model_copy(update={"id": "none"})) == []
