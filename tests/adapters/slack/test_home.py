"""The Home tab: drawn when somebody looks, kept up to date while they may still be looking."""

from __future__ import annotations

from adapters.slack.adapter import SlackAdapter
from bot.cards.card import Answer, Card, Text
from tests.adapters.slack.kit import ASK, BUTTONS, HELLO, REFUSED, Core, adapter_on, said, soon
from tests.fakes.slack import FakeSlack, Fault

NEWER = Card("Newer", "Newer.", (Text("Something newer."),))


def shows(slack: FakeSlack, word: str, user: str = "U1") -> bool:
    view = slack.user(user).home
    return view is not None and word in slack.text(view)


async def test_it_is_drawn_when_somebody_looks(slack: FakeSlack, adapter: SlackAdapter) -> None:
    assert (await slack.user("U1").open_home()).ok
    await slack.until(lambda: shows(slack, "Hello"))
    assert slack.user("U2").home is None


async def test_what_changes_is_shown_to_who_looked_lately(slack: FakeSlack, core: Core) -> None:
    core.homes = [HELLO, NEWER]
    async with adapter_on(slack, core) as adapter:
        await slack.user("U1").open_home()
        await slack.until(lambda: shows(slack, "Hello"))
        adapter.changed()
        await slack.until(lambda: shows(slack, "Something newer."))


async def test_who_looked_long_ago_is_left_alone(slack: FakeSlack, core: Core) -> None:
    core.homes = [HELLO, NEWER]
    async with adapter_on(slack, core) as adapter:
        await slack.user("U1").open_home()
        await slack.until(lambda: shows(slack, "Hello"))
        await slack.user("U2").open_home()
        await slack.until(lambda: shows(slack, "Newer", "U2"))
        adapter.home.lately = 0.0
        adapter.changed()
        await slack.user("U3").open_home()
        await slack.until(lambda: slack.user("U3").home)
    assert [call.body["user_id"] for call in slack.called("views.publish")] == ["U1", "U2", "U3"]


async def test_what_says_nothing_new_is_not_published(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    await slack.user("U1").open_home()
    await slack.until(lambda: shows(slack, "Hello"))
    adapter.changed()
    await soon(lambda: core.asked_home == 2)
    assert len(slack.called("views.publish")) == 1


async def test_an_older_draft_does_not_win_over_what_another_process_published(slack: FakeSlack, core: Core) -> None:
    core.homes = [HELLO, NEWER, NEWER]
    async with adapter_on(slack, core) as adapter:
        await slack.user("U1").open_home()
        await slack.until(lambda: shows(slack, "Hello"))
        view = slack.user("U1").home
        assert view is not None
        view.hash = "another"
        adapter.changed()
        await slack.until(lambda: shows(slack, "Something newer."))
        assert [call.error for call in slack.called("views.publish")] == [None, "hash_conflict", None]


async def test_put_off_by_slack_the_newest_is_shown_later(slack: FakeSlack, core: Core) -> None:
    core.homes = [HELLO, NEWER]
    async with adapter_on(slack, core) as adapter:
        await slack.user("U1").open_home()
        await slack.until(lambda: shows(slack, "Hello"))
        slack.faults.script("views.publish", Fault.status(503), Fault.ratelimited(1))
        adapter.changed()
        await slack.until(lambda: len(slack.called("views.publish")) == 2)
        adapter.changed()
        await slack.until(lambda: shows(slack, "Something newer."))


async def test_a_form_opened_there_answers_there(slack: FakeSlack, core: Core) -> None:
    core.homes = [BUTTONS]
    core.replies |= {"rollback:d1": Answer(form=ASK), "excuse:d1:i2": said("Excused."), "advance:d1": REFUSED}
    async with adapter_on(slack, core):
        ana = slack.user("U1")
        await ana.open_home()
        await slack.until(lambda: ana.home)
        assert ana.home is not None
        await ana.click(ana.home, "Roll back…")
        view = await slack.until(lambda: ana.modal)
        assert view is not None
        assert (await ana.submit(view, {"reason": "x"})).ok
        await slack.until(lambda: ana.modal is not None and "Excused." in slack.text(ana.modal))
        await ana.close(view)
        await ana.click(ana.home, "Next")
        await slack.until(lambda: ana.modal is not None and "The window is closed." in slack.text(ana.modal))
    assert slack.refused == []
