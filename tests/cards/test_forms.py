"""What the forms of a rollback say of it."""

from __future__ import annotations

import pytest

from bot.cards import card as c
from bot.cards import forms
from bot.domain import moves
from tests.cards.drawn import live, view
from tests.domain.runs import ALL, Course, plan, shipped

KEPT, TOLD = "Kept with the deployment; the announcement does not say it.", "Goes into the announcement."


def opened(answer: c.Answer) -> c.Form:
    assert answer.form is not None
    return answer.form


def hint(form: c.Form, name: str) -> str:
    return next(field.hint for field in form.fields if field.name == name)


@pytest.mark.parametrize(
    ("yaml", "next_steps", "status"),
    [
        ("", TOLD, TOLD),
        ("templates: {rolled_back: done}", KEPT, KEPT),
        ('templates: {rolled_back: "{% if status is known %}{{ status }}{% endif %}"}', KEPT, TOLD),
        ('templates: {rolled_back: done, rollback_started: "{{ next_steps }}"}', TOLD, KEPT),
    ],
)
def test_a_form_says_of_an_answer_whether_the_teams_words_say_it(yaml: str, next_steps: str, status: str) -> None:
    course = Course(plan("# One\n- [ ] a", yaml))
    assert hint(opened(forms.rollback_form(view(course), ())), "next_steps") == next_steps
    course.do(moves.roll_back, "v1", "slow", "")
    assert hint(opened(forms.rolled_back_form(view(course))), "status") == status


def test_azoras_words_say_neither() -> None:
    shown = view(Course(shipped("azora")))
    assert hint(opened(forms.rollback_form(shown, ())), "next_steps") == KEPT
    assert hint(opened(forms.rolled_back_form(shown)), "status") == KEPT


def test_who_says_that_it_is_back_is_told_what_is_still_open_in_the_list() -> None:
    course = live()
    course.do(moves.roll_back, "v1.1.0", "slow", "", who=ALL)
    back = "shop v1.2.0 → production is back on v1.1.0."
    said = opened(forms.rolled_back_form(view(course))).text
    assert said == f"{back} Still open in the rollback list: 1 item (switch back)."
    course.tick("switch-back")
    assert opened(forms.rolled_back_form(view(course))).text == back


def test_a_version_that_was_asked_for_stands_in_the_form() -> None:
    form = opened(forms.rollback_form(view(live()), ("v1.1.0",), "v0.9"))
    assert form.fields[0].value == "v0.9"
