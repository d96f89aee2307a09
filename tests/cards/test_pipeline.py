"""What people and pipelines read of a report."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards import pipeline as said
from bot.cards.card import Buttons
from bot.cards.items import item_row
from bot.cards.view import View
from bot.domain import events as e
from bot.domain import moves
from bot.domain.people import Who
from bot.domain.pipeline import Report, UnknownStep, hear
from tests.domain.runs import Course
from tests.domain.shop import POLICY, live, shop

CI = Who(chat="api", id="t1", name="ci", roles=frozenset({"pipeline"}))
RUN = "https://ci.example.com/runs/42"


def seen(course: Course) -> View:
    return View(course.plan, course.state, course.now)


def report(course: Course, event: str, **more: str) -> list[e.Event]:
    return course.add(hear(course.plan, course.state, Report(event, **more), CI, course.now))


def test_a_reported_item_links_to_the_run() -> None:
    course = shop()
    report(course, "tests", detail="412 of 412", link=RUN)
    task = course.plan.task("tests")
    assert task is not None
    assert item_row(seen(course), task).status == f"gonogo 10:04 · [reported by ci: 412 of 412]({RUN})"


def test_an_item_says_what_it_waits_for_until_it_is_ticked() -> None:
    course = shop(POLICY.replace("items: {", "items: {tests: {event: tests *passed*}, "))
    task = course.plan.task("tests")
    assert task is not None
    hint = "ticks itself when the pipeline reports “tests \\*passed\\*”"
    assert hint in item_row(seen(course), task).hints
    course.do(moves.tick, "tests")
    assert hint not in item_row(seen(course), task).hints


def test_an_address_that_is_none_is_words() -> None:
    assert said.linked("run", RUN) == f"[run]({RUN})"
    for address in (None, "", "javascript:alert(1)", "ftp://x", "https://", "//x", "https://a@b/", "data:text/html,x"):
        assert said.linked("run", address) == "run", address


@given(st.text(max_size=80))
def test_no_address_leaves_its_link(address: str) -> None:
    found = said.linked("run", f"{RUN}?{address}")
    if found != "run":
        inside = found.removeprefix("[run](").removesuffix(")")
        assert not set(inside) & set(' ()<>[]\n\r\t"\\`') or set(inside) & set("[]")
        assert not set(inside) & set(' ()<>\n\r\t"\\`')


def test_a_failure_is_told_with_the_way_out_that_fits() -> None:
    course = shop()
    [fact] = report(course, "failed", step="push", detail="no space", link=RUN)
    [(_, card, everywhere)] = said.pipeline_notices(seen(course), fact)
    assert (card.mentions, everywhere) == (("on_call",), False)
    assert "push: no space" in card.text
    assert "Nothing is cancelled by itself" in card.text
    labels = [button.label for block in card.blocks if isinstance(block, Buttons) for button in block.buttons]
    assert labels == ["Cancel…", "Roll back…"]

    after = live()
    [fact] = report(after, "failed")
    [(_, card, _)] = said.pipeline_notices(seen(after), fact)
    assert "no details were given" in card.text
    assert "nothing is rolled back by itself" in card.text
    labels = [button.label for block in card.blocks if isinstance(block, Buttons) for button in block.buttons]
    assert labels == ["Roll back…"]


def test_failures_of_one_minute_are_one_notice() -> None:
    course = shop()
    facts = []
    for number in range(3):
        facts += report(course, "failed", step=f"job {number}")
        course.now += timedelta(seconds=30)
    names = {name for fact in facts for name, _, _ in said.pipeline_notices(seen(course), fact)}
    assert len(names) == 2


def test_the_card_shows_the_last_failures_and_how_many_there_were() -> None:
    course = shop()
    for number in range(7):
        report(course, "failed", step=f"job {number}")
    lines = list(said.failure_lines(seen(course)))
    assert [f"job {number}" in line for number, line in zip(range(2, 7), lines, strict=False)] == [True] * 5
    assert lines[5:] == ["… and 2 earlier failures"]


def test_a_long_list_of_steps_is_cut() -> None:
    reply = said.unknown_step(UnknownStep("x" * 500, [f"step {number}" for number in range(20)]))
    assert "“step 11” and 8 more" in reply.message
    assert len(reply.message) < 600
    assert "knows none by name" in said.unknown_step(UnknownStep("x", [])).message


@pytest.mark.parametrize(
    ("code", "labels", "called"),
    [
        ("missing_items", ["Next phase", "Deployed", "Roll back…"], True),
        ("closed", ["Deployed", "Roll back…"], True),
        ("waits", ["Go", "Cancel…"], True),
        ("not_entitled", ["Deployed"], False),
        ("rolling_back", [], True),
    ],
)
def test_what_github_says_and_nobody_may_set_is_told_with_what_to_press(
    code: str, labels: list[str], called: bool
) -> None:
    course = shop()
    fact = e.SaidDeployed(at=course.now, by=CI, code=code, why="Not yet: *x*", link=RUN)
    [(name, card, everywhere)] = said.pipeline_notices(seen(course), fact)
    assert (name, everywhere) == (f"said-deployed-{code}", False)
    assert card.mentions == (("on_call",) if called else ())
    assert ("Not yet: *x*" in card.text) is called
    buttons = [button.label for block in card.blocks if isinstance(block, Buttons) for button in block.buttons]
    assert buttons == labels
