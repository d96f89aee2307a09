"""Commands and clicks, through the real Bolt: handed to the core once, answered where only the asker sees it."""

from __future__ import annotations

import asyncio

import pytest

from adapters.slack import answers
from adapters.slack.adapter import SlackAdapter
from adapters.slack.dialogue import typed
from bot.cards.card import Answer, Card, Text
from bot.ports import Conflict, StoreError
from tests.adapters.slack.kit import BUTTONS, CHECKLIST, HELLO, REFUSED, Core, Held, adapter_on, posted, said, whispered
from tests.fakes.slack import FakeSlack, Fault

pytestmark = pytest.mark.usefixtures("nothing_is_refused")


# --- commands ---


async def test_a_command_is_handed_in_with_who_where_and_a_key(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    core.replies["start v1.2.0"] = said("Started azora.")
    ack = await slack.user("U2").command("/deploy", "start v1.2.0", channel="C1")
    assert ack.ok
    delivery = core.got[0]
    assert (delivery.who.chat, delivery.who.id, delivery.who.name) == ("slack", "U2", "ben")
    assert delivery.who.roles == {"qa"}
    assert delivery.channel == "#deployments"
    assert delivery.key == f"slack:{ack.trigger_id}"


async def test_its_answer_is_seen_by_the_asker_alone_and_costs_no_call(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    core.replies["status"] = said("Nothing runs.")
    await slack.user("U1").command("/deploy", "status", channel="C1")
    before = len(slack.called("chat.postEphemeral"))
    assert "Nothing runs." in slack.user("U1").screen("C1")
    assert "Nothing runs." not in slack.user("U2").screen("C1")
    assert before == 0


async def test_no_answer_leaves_no_trace(slack: FakeSlack, adapter: SlackAdapter) -> None:
    ack = await slack.user("U1").command("/deploy", "deployed", channel="C1")
    assert ack.ok
    assert slack.user("U1").sees("C1") == []


async def test_it_works_where_the_bot_is_no_member(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    slack.add_channel("secret", id="C2", members=["U1"], private=True, bot=False)
    core.replies["status"] = said("Nothing runs.")
    await slack.user("U1").command("/deploy", "status", channel="C2")
    assert "Nothing runs." in slack.user("U1").screen("C2")


async def test_a_long_answer_is_continued(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    many = tuple(Text(f"Line {number} " + "x" * 900) for number in range(25))
    core.replies["list"] = Answer(card=Card("Deployments", "All of them.", many))
    await slack.user("U1").command("/deploy", "list", channel="C1")
    await whispered(slack, "Line 24 ")
    assert len(slack.user("U1").sees("C1")) >= 3


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("note <@U1|ana> &amp; <#C1|general> &lt;b&gt;", "note @ana & #general <b>"),
        ("start v1 <https://a.b/c|a.b/c> <!subteam^S1|@oncall> <!here>", "start v1 a.b/c @oncall @here"),
        ("<@U1> <#C1|> <https://a.b>", "@U1 #C1 https://a.b"),
        ("a &lt; b &gt; c &amp;amp;", "a < b > c &amp;"),
    ],
)
def test_what_was_typed_is_read_as_it_looked(sent: str, read: str) -> None:
    assert typed(sent) == read


async def test_when_the_core_fails_the_person_is_told_and_nothing_is_retried(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    for problem, word in (
        (StoreError("no space"), "database"),
        (Conflict("again"), "database"),
        (KeyError("x"), "wrong"),
    ):
        core.replies["start v1"] = problem
        ack = await slack.user("U1").command("/deploy", "start v1", channel="C1")
        assert ack.ok
        screen = slack.user("U1").screen("C1").rsplit("Not done", 1)[1]
        assert word in screen
        assert "try again" in screen
    assert core.got == []


async def test_an_answer_that_comes_too_late_for_the_acknowledgement_comes_beside_it(
    slack: FakeSlack, adapter: SlackAdapter, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answers, "LATE", 0.0)
    core.replies["status"] = said("Nothing runs.")
    ack = await slack.user("U1").command("/deploy", "status", channel="C1")
    assert not ack.body
    await whispered(slack, "Nothing runs.")


# --- clicks ---


async def test_a_click_is_handed_in_by_its_action(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    message = await posted(slack, adapter, BUTTONS)
    ack = await slack.user("U2").click(message, "Next")
    assert ack.ok
    assert not ack.body
    assert (core.got[0].what, core.got[0].who.id, core.got[0].channel) == ("advance:d1", "U2", "#deployments")
    assert core.got[0].key == f"slack:{ack.trigger_id}"


@pytest.mark.parametrize("problem", [StoreError("no space"), KeyError("x")])
async def test_a_click_that_could_not_be_saved_is_acknowledged_once_the_person_knows(
    slack: FakeSlack, adapter: SlackAdapter, core: Core, problem: Exception
) -> None:
    message = await posted(slack, adapter, BUTTONS)
    core.replies["advance:d1"] = problem
    ack = await slack.user("U1").click(message, "Next")
    assert ack.ok
    assert "try again" in slack.user("U1").screen("C1")


async def test_a_click_that_was_neither_saved_nor_answered_is_not_acknowledged(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    """Then Slack itself shows that it failed."""
    slack.courier.ack_timeout = 0.3
    message = await posted(slack, adapter, BUTTONS)
    core.replies["advance:d1"] = StoreError("no space")
    slack.faults.script("chat.postEphemeral", Fault.error("fatal_error"), times=9)
    slack.faults.script("response_url", Fault.status(500), times=9)
    ack = await slack.user("U1").click(message, "Next")
    assert ack.error == "operation_timeout"


async def test_two_clicks_are_two_deliveries(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    message = await posted(slack, adapter, BUTTONS)
    await asyncio.gather(*(slack.user(user).click(message, "Next") for user in ("U1", "U2", "U1")))
    assert len({delivery.key for delivery in core.got}) == 3


async def test_it_is_acknowledged_when_it_is_committed_and_not_before(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    held = Held(Answer())
    core.replies["advance:d1"] = held
    message = await posted(slack, adapter, BUTTONS)
    click = asyncio.create_task(slack.user("U1").click(message, "Next"))
    await held.asked.wait()
    assert not click.done()
    assert slack.socket.acks == []
    held.go.set()
    assert (await click).ok
    assert len(core.got) == 1


async def test_bolts_ten_milliseconds_are_not_waited_for(slack: FakeSlack, adapter: SlackAdapter) -> None:
    message = await posted(slack, adapter, BUTTONS)
    await slack.user("U1").click(message, "Next")
    elapsed = sorted([(await slack.user("U1").click(message, "Next")).elapsed for _ in range(20)])
    assert elapsed[5] < 0.010


async def test_the_answer_is_whispered_in_the_thread(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    root = await posted(slack, adapter, HELLO)
    reply = await posted(slack, adapter, BUTTONS, thread=root.ts)
    core.replies["advance:d1"] = REFUSED
    await slack.user("U1").click(reply, "Next")
    answer = await whispered(slack, "The window is closed.")
    assert answer.thread_ts == root.ts


async def test_where_whispering_fails_the_response_url_leads_there(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    message = await posted(slack, adapter, BUTTONS)
    core.replies["advance:d1"] = REFUSED
    slack.faults.script("chat.postEphemeral", Fault.status(503))
    await slack.user("U1").click(message, "Next")
    await whispered(slack, "The window is closed.")
    assert "Hello" not in slack.text(message)
    assert slack.messages("C1") == [message], "the message that was clicked stands as it was"


async def test_a_click_on_a_whisper_is_a_click(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    core.replies["status"] = Answer(card=BUTTONS)
    core.replies["advance:d1"] = said("Done.")
    await slack.user("U1").command("/deploy", "status", channel="C1")
    shown = await whispered(slack, "azora v1")
    await slack.user("U1").click(shown, "Next")
    await whispered(slack, "Done.")


async def test_a_folded_section_and_an_item_are_shown_whole(
    slack: FakeSlack, adapter: SlackAdapter, core: Core
) -> None:
    message = await posted(slack, adapter, CHECKLIST)
    assert "Unit tests" not in slack.text(message)
    await slack.user("U1").click(message, "Open")
    await whispered(slack, "Unit tests")
    await slack.user("U1").click(message, "Show command")
    await whispered(slack, "kubectl apply")
    assert core.got == []


async def test_what_can_no_longer_be_shown_says_so(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    message = await posted(slack, adapter, CHECKLIST)
    core.shown = ()
    await slack.user("U1").click(message, "Show command")
    await whispered(slack, "cannot be shown")


async def test_when_a_click_fails_the_person_is_told(slack: FakeSlack, adapter: SlackAdapter, core: Core) -> None:
    message = await posted(slack, adapter, BUTTONS)
    core.replies["boom:d1"] = RuntimeError("boom")
    assert (await slack.user("U1").click(message, "Boom")).ok
    await whispered(slack, "try again")


# --- the environment ---


async def test_the_environment_cannot_turn_it_into_another_app(
    slack: FakeSlack, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("BOT_TOKEN", "APP_TOKEN", "SIGNING_SECRET", "CLIENT_ID", "CLIENT_SECRET", "VERIFICATION_TOKEN"):
        monkeypatch.setenv(f"SLACK_{name}", "hijacked")
    async with adapter_on(slack, core) as adapter:
        core.replies["status"] = said("Nothing runs.")
        assert (await slack.user("U1").command("/deploy", "status", channel="C1")).ok
        assert "Nothing runs." in slack.user("U1").screen("C1")
        assert adapter.bolt.oauth_flow is None
    assert all(call.error is None for call in slack.calls)


async def test_what_is_being_posted_while_it_stops_is_posted(slack: FakeSlack, core: Core) -> None:
    async with adapter_on(slack, core) as adapter:
        await adapter.stop()
        assert slack.text(await posted(slack, adapter, HELLO)) == "# Hello\nHello *everybody*."
