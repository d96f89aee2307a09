"""Forms, through the real Bolt: opened before their trigger expires, refused where they stand, sent once."""

from __future__ import annotations

import asyncio
import dataclasses

import pytest

from adapters.slack.adapter import SlackAdapter
from bot.cards.card import Answer, Button, Buttons, Card, Text, Tone
from tests.adapters.slack.kit import ASK, BUTTONS, HELLO, REFUSED, START, Core, Held, modal, posted, said, whispered
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_things import View

pytestmark = pytest.mark.usefixtures("nothing_is_refused")


# --- the form that starts ---


async def test_deploy_alone_opens_the_start_with_the_gate(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    ack = await slack.user("U1").command("/deploy", "", channel="C1")
    assert ack.ok
    view = await modal(slack)
    assert "open until 16:00" in slack.text(view)
    core.replies["start:"] = said("Started.")
    assert (await slack.user("U1").submit(view, {"Version": "v1.2.0"})).ok
    assert core.got[-1].values == {"version": "v1.2.0", "service": "azora", "note": ""}
    assert core.got[-1].channel == "#deployments"
    await whispered(slack, "Started.")


async def test_another_checklist_says_its_own_gate_and_keeps_what_was_typed(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    await slack.user("U1").command("/deploy", "", channel="C1")
    view = await modal(slack)
    slack.user("U1").fill(view, {"Version": "v9"})
    core.opening = Answer(form=dataclasses.replace(START, text="shop: closed."))
    select = next(block["element"] for block in view.blocks if block.get("block_id") == "service")
    await slack.user("U1").choose(view, select["action_id"], "shop")
    await slack.until(lambda: "shop: closed." in slack.text(view))
    assert core.got[-1].values["service"] == "shop"
    assert (await slack.user("U1").submit(view)).ok
    assert core.got[-1].values["version"] == "v9"


async def test_a_gate_that_takes_long_to_read_does_not_let_the_trigger_expire(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    held = Held(Answer(form=START))
    core.opening = held
    await slack.user("U1").command("/deploy", "", channel="C1")
    view = await modal(slack)
    assert "Looking at windows" in slack.text(view)
    slack.clock.forward(10)
    held.go.set()
    await slack.until(lambda: "open until 16:00" in slack.text(view))
    assert (await slack.user("U1").submit(view, {"Version": "v1"})).ok


async def test_a_form_that_was_closed_meanwhile_stays_closed(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    held = Held(Answer(form=START))
    core.opening = held
    await slack.user("U1").command("/deploy", "", channel="C1")
    await slack.user("U1").close(await modal(slack))
    held.go.set()
    await slack.until(lambda: slack.called("views.update"))
    assert slack.user("U1").modal is None


# --- forms ---


async def asked(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> View:
    core.replies["rollback:d1"] = Answer(form=ASK)
    root = await posted(slack, adapter, HELLO)
    message = await posted(slack, adapter, BUTTONS, thread=root.ts)
    await slack.user("U1").click(message, "Roll back…")
    return await modal(slack)


async def test_a_form_is_opened_and_its_answers_come_back(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    view = await asked(slack, adapter, core)
    core.replies["excuse:d1:i2"] = said("Excused.")
    assert (await slack.user("U1").submit(view, {"reason": "no traffic"})).ok
    assert not view.open
    delivery = core.got[-1]
    assert (delivery.what, delivery.values) == ("excuse:d1:i2", {"reason": "no traffic", "note": ""})
    answer = await whispered(slack, "Excused.")
    assert answer.thread_ts is not None


async def test_a_refusal_stays_in_the_form_and_the_corrected_one_counts(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    view = await asked(slack, adapter, core)
    core.replies["excuse:d1:i2"] = REFUSED
    first = await slack.user("U1").submit(view, {"reason": "x"})
    assert first.errors == {"reason": "The window is closed."}
    assert view.open
    core.replies["excuse:d1:i2"] = Answer()
    assert (await slack.user("U1").submit(view, {"reason": "better"})).ok
    assert core.got[-1].values["reason"] == "better"


async def test_the_same_answers_after_a_refusal_are_a_new_delivery(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    view = await asked(slack, adapter, core)
    core.replies["excuse:d1:i2"] = REFUSED
    await slack.user("U1").submit(view, {"reason": "x"})
    await slack.user("U1").submit(view, {"reason": "x"})
    assert len({delivery.key for delivery in core.got if delivery.what == "excuse:d1:i2"}) == 2


async def test_a_form_sent_again_because_the_answer_was_lost_is_the_same_delivery(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    view = await asked(slack, adapter, core)
    await slack.user("U1").submit(view, {"reason": "x"})
    view.open = True
    await slack.user("U1").submit(view, {"reason": "x"})
    assert len({delivery.key for delivery in core.got if delivery.what == "excuse:d1:i2"}) == 1


async def test_what_a_refusal_offers_can_be_pressed(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    view = await asked(slack, adapter, core)
    offer = Card(
        "Not done", "Closed.", (Text("Closed."), Buttons((Button("Ask for an override", "override:d1"),))), Tone.WARN
    )
    core.replies["excuse:d1:i2"] = Answer(card=offer)
    await slack.user("U1").submit(view, {"reason": "x"})
    shown = await whispered(slack, "Ask for an override")
    await slack.user("U1").click(shown, "Ask for an override")
    assert core.got[-1].what == "override:d1"


async def test_a_form_is_answered_where_the_bot_is_no_member(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    slack.add_channel("secret", id="C2", members=["U1"], private=True, bot=False)
    core.replies |= {"rollback": Answer(form=ASK), "excuse:d1:i2": said("Excused.")}
    await slack.user("U1").command("/deploy", "rollback", channel="C2")
    assert (await slack.user("U1").submit(await modal(slack), {"reason": "x"})).ok
    await whispered(slack, "Excused.")
    assert "Excused." in slack.user("U1").screen("C2")


async def test_a_form_may_lead_to_another(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    view = await asked(slack, adapter, core)
    core.replies["excuse:d1:i2"] = Answer(form=dataclasses.replace(ASK, title="And now?", action="note:d1:i2"))
    await slack.user("U1").submit(view, {"reason": "x"})
    assert "And now?" in slack.text(view)
    await slack.user("U1").submit(view, {"reason": "y"})
    assert core.got[-1].what == "note:d1:i2"


async def test_a_trigger_that_expired_is_said_and_nothing_hangs(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    held = Held(Answer(form=ASK))
    core.replies["rollback:d1"] = held
    message = await posted(slack, adapter, BUTTONS)
    click = asyncio.create_task(slack.user("U1").click(message, "Roll back…"))
    await held.asked.wait()
    slack.clock.forward(4)
    held.go.set()
    await click
    await whispered(slack, "Please try again")
    assert slack.user("U1").modal is None
