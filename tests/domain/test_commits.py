"""What a deployment is of, and what follows when that changes."""

from __future__ import annotations

import itertools
from datetime import timedelta

import pytest

from bot.domain import events as e
from bot.domain.commits import commit_known, dispatch_of, is_of, same_version, tag_moved
from bot.domain.deployment import Deployment, replay
from bot.domain.people import Who
from bot.domain.workflows import answered, due, ended, news_due, news_heard, tried
from tests.domain.runs import ANN, GONOGO, START, Course, plan

SHA, OTHER = "a" * 40, "b" * 40
SHOP = plan("# Before\n- [ ] tests\n- [ ] sign-off\n# Deploy\n- [ ] switch\n", "items: {sign-off: {role: qa}}")
QUINN = Who(chat="web", id="quinn", name="quinn", roles=frozenset({"qa"}))


def waiting_facts(version: str = "v1.2.0") -> list[e.Event]:
    """Of one that QA has approved."""
    started = Course(SHOP).state.started.model_copy(
        update={"version": version, "waits": True, "approvals": (e.Approvals(role="qa"),)}
    )
    return [started, e.Approved(at=START, by=QUINN, role="qa")]


def waiting(*more: e.Event, version: str = "v1.2.0", commit: str = "") -> Deployment:
    """One that QA has approved."""
    known: list[e.Event] = [e.CommitKnown(at=START, by=GONOGO, commit=commit)] if commit else []
    return replay([*waiting_facts(version), *known, *more])


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


def test_a_commit_that_is_known_late_takes_the_approvals_back_and_vouches_for_nothing() -> None:
    soon, late = START + timedelta(seconds=59), START + timedelta(minutes=35)
    assert commit_known(SHOP, waiting(), SHA, soon) == [e.CommitKnown(at=soon, by=GONOGO, commit=SHA)]
    (fact,) = commit_known(SHOP, waiting(), SHA, late)
    assert isinstance(fact, e.ApprovalsDropped)
    assert fact.why == "GitHub said only 35 m later which commit v1.2.0 is, and it may have been moved meanwhile"
    assert commit_known(SHOP, waiting(commit=SHA), OTHER, late) == []
    assert commit_known(SHOP, waiting(), "", late) == []


# --- the starts of workflows ---

PIPED = plan(
    "# Before\n- [ ] tests\n# Deploy\n- [ ] switch\n",
    "phases: {Deploy: {deployed: true}}\n"
    "pipeline: {deploy: {workflow: deploy.yml}, rollback: {workflow: rollback.yml}}",
)


def next_is_t0(*more: e.Event) -> Deployment:
    """One whose deploying workflow is offered."""
    before = e.PhaseDone(at=START, by=ANN, phase=PIPED.steps[0].id)
    return replay([*Course(PIPED).events, before, *more])


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
    state = next_is_t0(asked)
    assert due(PIPED, state)["call:one"] == START
    assert [fact.kind for fact in tried(PIPED, state, "one", START)] == ["dispatch_tried"]
    state = next_is_t0(asked, gone)
    assert "call:one" not in due(PIPED, state)
    assert "look:one" in due(PIPED, state)
    assert tried(PIPED, state, "one", START) == []
    assert answered(state, said("one", 1)) == [said("one", 1)]
    state = next_is_t0(asked, gone, said("one", 1))
    assert answered(state, said("one", 2)) == []
    assert not [key for key in due(PIPED, state) if key.endswith("one")]


CANCELLED = e.Cancelled(at=START, by=ANN, reason="not today")
BACK = e.RollbackStarted(at=START, by=ANN, to_version="v1.1.0", reason="slow")
T0 = e.Deployed(at=START, by=ANN)


@pytest.mark.parametrize(
    ("more", "minutes", "why"),
    [
        ([CANCELLED], 0, "it could not be sent before, and the deployment is cancelled now"),
        ([BACK], 0, "it could not be sent before, and the deployment is rolling back now"),
        ([T0], 0, "it could not be sent before, and the deployment is deployed now"),
        ([], 11, "it could not be sent before, and was confirmed 11 m ago; confirm it again"),
    ],
)
def test_what_was_decided_and_is_not_next_any_more_or_long_ago_is_not_sent(
    more: list[e.Event], minutes: int, why: str
) -> None:
    state = next_is_t0(sent("one")[0], *more)
    (fact,) = tried(PIPED, state, "one", START + timedelta(minutes=minutes))
    assert isinstance(fact, e.DispatchAnswered)
    assert (fact.outcome, fact.problem) == ("refused", why)


def test_a_rollback_never_comes_too_late_while_it_lasts() -> None:
    asked = sent("one", workflow="rollback.yml")[0].model_copy(update={"purpose": "rollback"})
    state = next_is_t0(BACK, asked)
    assert [fact.kind for fact in tried(PIPED, state, "one", START + timedelta(hours=9))] == ["dispatch_tried"]
    over = replay([*Course(PIPED).events, BACK, asked, e.RolledBack(at=START, by=ANN, status="well")])
    assert [fact.kind for fact in tried(PIPED, over, "one", START)] == ["dispatch_answered"]


def test_the_end_of_a_run_is_kept_once_and_a_better_one_after_it() -> None:
    over = e.DispatchEnded(at=START, by=GONOGO, id="one", conclusion="failure")
    state = waiting(*sent("one"), said("one", 1), over)
    assert ended(state, over) == []
    assert len(ended(state, over.model_copy(update={"conclusion": "success"}))) == 1
    assert ended(state, over.model_copy(update={"id": "none"})) == []


def test_each_attempt_of_a_run_ends_once_and_an_earlier_one_is_no_news() -> None:
    over = e.DispatchEnded(at=START, by=GONOGO, id="one", conclusion="failure")
    second = over.model_copy(update={"attempt": 2})
    assert ended(waiting(*sent("one"), over), second) == [second]
    state = waiting(*sent("one"), over, second)
    assert ended(state, second) == []
    assert ended(state, over.model_copy(update={"conclusion": "cancelled"})) == []


# --- news ---


def test_looks_after_news_become_rarer_while_it_goes_on_and_none_is_lost() -> None:
    state, now, looks = waiting(), START, []
    for _ in range(24 * 60 * 6):  # every ten seconds for a day
        now += timedelta(seconds=10)
        if facts := news_heard(state, now):
            state = replay([*waiting_facts(), *facts])
            assert state.news is not None
            looks.append(news_due(state.news))
            assert f"news:{now.isoformat()}" in due(SHOP, state)
        assert now < looks[-1], "what is heard is looked at later"
    gaps = [int((after - before).total_seconds()) for before, after in itertools.pairwise(looks)]
    assert looks[0] == START + timedelta(seconds=20)
    assert gaps[:5] == [60, 60, 60, 60, 300]
    assert len(looks) < 300
    (first,) = news_heard(state, looks[-1] + timedelta(minutes=10))
    assert isinstance(first, e.NewsHeard)
    assert first.looks == 1, "after a calm time the next one is soon again"
