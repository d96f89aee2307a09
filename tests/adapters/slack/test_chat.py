"""Slack as a chat: the contract of the port, whatever Slack does meanwhile."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.slack.chat import EVENT, SlackChat
from adapters.slack.client import Api
from adapters.slack.faults import Refusal
from adapters.slack.methods import METHODS
from bot.cards.card import Card, Text
from bot.ports import Ambiguous, Busy429, ChannelGone, ChatError, MessageGone
from tests.adapters.slack.kit import HELLO, PEOPLE, unpaced
from tests.fakes.slack import FakeSlack, Fault

CHANNEL = "#deployments"


def lately() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


@pytest.fixture
async def chat(api: Api) -> AsyncIterator[SlackChat]:
    chat = SlackChat(api, lambda: PEOPLE)
    yield chat
    await chat.close()


# --- the contract ---


async def test_a_message_is_posted_with_its_key_and_found_by_it(slack: FakeSlack, chat: SlackChat) -> None:
    message = await chat.post(CHANNEL, HELLO, key="d1:card")
    standing = slack.messages(CHANNEL)[0]
    assert standing.ts == message
    assert standing.metadata == {"event_type": EVENT, "event_payload": {"key": "d1:card"}}
    assert standing.text == "Hello everybody."
    assert standing.options["unfurl_links"] is False
    assert await chat.find(CHANNEL, "d1:card", since=lately()) == message
    assert await chat.find(CHANNEL, "d1:other", since=lately()) is None


async def test_what_was_posted_before_is_not_looked_for(slack: FakeSlack, chat: SlackChat) -> None:
    await chat.post(CHANNEL, HELLO, key="d1:card")
    assert await chat.find(CHANNEL, "d1:card", since=datetime.now(UTC) + timedelta(minutes=1)) is None


async def test_a_reply_hangs_in_its_thread_and_is_found_there_only(slack: FakeSlack, chat: SlackChat) -> None:
    root = await chat.post(CHANNEL, HELLO, key="d1:card")
    reply = await chat.post(CHANNEL, HELLO, key="d1:phase", thread=root)
    assert [each.ts for each in slack.messages(CHANNEL, thread=root)] == [reply]
    assert await chat.find(CHANNEL, "d1:phase", since=lately(), thread=root) == reply
    assert await chat.find(CHANNEL, "d1:phase", since=lately()) is None


async def test_an_update_replaces_what_it_says_and_keeps_the_key(slack: FakeSlack, chat: SlackChat) -> None:
    message = await chat.post(CHANNEL, HELLO, key="d1:card")
    await chat.update(CHANNEL, message, Card("Bye", "Bye.", (Text("Bye."),)))
    await chat.update(CHANNEL, message, Card("Bye", "Bye.", (Text("Bye."),)))
    standing = slack.messages(CHANNEL)[0]
    assert standing.text == "Bye."
    assert "everybody" not in slack.text(standing)
    assert await chat.find(CHANNEL, "d1:card", since=lately()) == message


async def test_a_removed_message_is_gone_and_gone_already_is_fine(slack: FakeSlack, chat: SlackChat) -> None:
    message = await chat.post(CHANNEL, HELLO, key="d1:card")
    await chat.remove(CHANNEL, message)
    await chat.remove(CHANNEL, message)
    assert slack.messages(CHANNEL) == []


async def test_a_channel_can_be_meant_by_its_id(slack: FakeSlack, chat: SlackChat) -> None:
    assert await chat.has_channel("C1")
    message = await chat.post("C1", HELLO, key="d1:card")
    assert await chat.find(CHANNEL, "d1:card", since=lately()) == message
    assert await chat.name_of("C1") == CHANNEL


async def test_only_the_channels_the_bot_is_in_are_there(slack: FakeSlack, chat: SlackChat) -> None:
    slack.add_channel("secret", private=True)
    slack.add_channel("elsewhere", bot=False)
    slack.add_channel("old").archived = True
    names = ("#deployments", "#secret", "#elsewhere", "#old", "#nowhere")
    assert [await chat.has_channel(name) for name in names] == [True, True, False, False, False]


async def test_another_bots_metadata_is_not_ours(slack: FakeSlack, chat: SlackChat, api: Api) -> None:
    await api.identify()
    theirs = slack.user("U1").say("hello", channel="C1")
    theirs.metadata = {"event_type": EVENT, "event_payload": {"key": "d1:card"}}
    assert await chat.find(CHANNEL, "d1:card", since=lately()) is None


async def test_history_is_read_page_by_page_and_not_for_ever(
    slack: FakeSlack, chat: SlackChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.chat._PAGE", 20)
    unpaced(chat._api)
    message = await chat.post(CHANNEL, HELLO, key="d1:card")
    for _ in range(45):
        slack.user("U1").say("chatter", channel="C1")
    assert await chat.find(CHANNEL, "d1:card", since=lately()) == message
    assert len(slack.called("conversations.history")) == 3
    for _ in range(160):
        slack.user("U1").say("chatter", channel="C1")
    with pytest.raises(Ambiguous):
        await chat.find(CHANNEL, "d1:card", since=lately())


# --- what goes wrong ---


@pytest.mark.parametrize(
    "fault",
    [
        Fault.drop(stored=True),
        Fault.half_open(stored=True),
        Fault.status(502, stored=True),
        Fault.error("internal_error", stored=True),
        Fault.error("fatal_error", stored=True),
        Fault.slow(0.8),
    ],
    ids=str,
)
async def test_a_message_that_may_stand_is_looked_for_and_not_doubled(
    slack: FakeSlack, chat: SlackChat, fault: Fault
) -> None:
    slack.faults.script("chat.postMessage", fault)
    with pytest.raises(Ambiguous):
        await chat.post(CHANNEL, HELLO, key="d1:card")
    assert await chat.find(CHANNEL, "d1:card", since=lately()) == slack.messages(CHANNEL)[0].ts
    assert len(slack.called("chat.postMessage")) == 1


@pytest.mark.parametrize(
    "fault", [Fault.drop(), Fault.half_open(), Fault.status(503), Fault.error("fatal_error")], ids=str
)
async def test_a_message_that_never_arrived_is_known_not_to_stand(
    slack: FakeSlack, chat: SlackChat, fault: Fault
) -> None:
    slack.faults.script("chat.postMessage", fault)
    with pytest.raises(Ambiguous):
        await chat.post(CHANNEL, HELLO, key="d1:card")
    assert await chat.find(CHANNEL, "d1:card", since=lately()) is None
    assert await chat.post(CHANNEL, HELLO, key="d1:card")
    assert len(slack.messages(CHANNEL)) == 1


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_happens_every_message_stands_once(
    slack: FakeSlack, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    for method in ("chat.postMessage", "conversations.history"):
        monkeypatch.setitem(METHODS, method, dataclasses.replace(METHODS[method], per_minute=60_000, burst=1_000))
    bad = [
        Fault.drop(),
        Fault.drop(stored=True),
        Fault.status(502, stored=True),
        Fault.error("fatal_error", stored=True),
    ]
    slack.faults.chance("chat.postMessage", dict.fromkeys([*bad, Fault.status(503)], 0.15), seed)
    slack.faults.chance("conversations.history", {Fault.status(503): 0.2, Fault.drop(): 0.1}, seed)
    api = Api(slack.bot_token, base_url=slack.api_url)
    await api.open()
    chat = SlackChat(api, lambda: PEOPLE)
    for number in range(30):
        stands, tried = None, False
        while stands is None:
            with contextlib.suppress(Ambiguous):
                stands = await chat.find(CHANNEL, f"k{number}", since=lately()) if tried else None
                tried = True
                stands = stands or await chat.post(CHANNEL, HELLO, key=f"k{number}")
    keys = [(each.metadata or {})["event_payload"]["key"] for each in slack.messages(CHANNEL)]
    assert keys == [f"k{number}" for number in range(30)]
    await chat.close()
    await api.close()


async def test_asked_to_wait_a_moment_it_waits(slack: FakeSlack, chat: SlackChat) -> None:
    slack.faults.script("chat.postMessage", Fault.ratelimited(1))
    assert await chat.post(CHANNEL, HELLO, key="d1:card")
    assert [call.status for call in slack.called("chat.postMessage")] == [429, 200]


async def test_asked_to_wait_longer_it_says_how_long_and_asks_no_more(slack: FakeSlack, chat: SlackChat) -> None:
    message = await chat.post(CHANNEL, HELLO, key="d1:card")
    slack.faults.script("chat.update", Fault.ratelimited(30))
    for _ in range(3):
        with pytest.raises(Busy429) as busy:
            await chat.update(CHANNEL, message, HELLO)
        assert 25 < busy.value.retry_after <= 30
    assert len(slack.called("chat.update")) == 1
    assert await chat.find(CHANNEL, "d1:card", since=lately()) == message, "other methods are not held up"


@pytest.mark.parametrize("error", ["message_not_found", "edit_window_closed", "cant_update_message"])
async def test_a_message_that_cannot_be_edited_is_gone(slack: FakeSlack, chat: SlackChat, error: str) -> None:
    message = await chat.post(CHANNEL, HELLO, key="d1:card")
    slack.faults.script("chat.update", Fault.error(error))
    with pytest.raises(MessageGone):
        await chat.update(CHANNEL, message, HELLO)


async def test_a_reply_whose_parent_is_gone_does_not_stray_into_the_channel(slack: FakeSlack, chat: SlackChat) -> None:
    root = await chat.post(CHANNEL, HELLO, key="d1:card")
    await chat.remove(CHANNEL, root)
    with pytest.raises(MessageGone):
        await chat.post(CHANNEL, HELLO, key="d1:phase", thread=root)
    assert slack.messages(CHANNEL) == []
    assert await chat.find(CHANNEL, "d1:phase", since=lately(), thread=root) is None


async def test_when_slack_is_away_nobody_says_that_the_channel_does_not_exist(
    slack: FakeSlack, chat: SlackChat
) -> None:
    slack.faults.script("users.conversations", Fault.status(503))
    with pytest.raises(Ambiguous):
        await chat.has_channel(CHANNEL)


# --- faults are shown until they are mended ---


async def test_a_bot_that_was_not_invited_says_so_until_it_is(
    slack: FakeSlack, chat: SlackChat, api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.slack.chat._MISSED", 0.0)
    channel = slack.add_channel("releases", bot=False)
    await api.identify()
    assert not await chat.has_channel("#releases")
    with pytest.raises(ChannelGone, match="/invite @gonogo"):
        await chat.post("#releases", HELLO, key="d1:card")
    assert chat.faults() == ("Slack: I am not in #releases: invite me with /invite @gonogo",)
    channel.members.add("UBOT")
    assert await chat.has_channel("#releases")
    assert chat.faults() == ()


@pytest.mark.parametrize(("what", "word"), [("archived", "archived"), ("kicked", "/invite")])
async def test_a_channel_lost_meanwhile_is_a_fault(slack: FakeSlack, chat: SlackChat, what: str, word: str) -> None:
    await chat.post(CHANNEL, HELLO, key="d1:card")
    channel = slack.channels["C1"]
    if what == "archived":
        channel.archived = True
    else:
        channel.members.discard("UBOT")
    with pytest.raises(ChannelGone, match=word):
        await chat.post(CHANNEL, HELLO, key="d1:next")
    assert word in chat.faults()[0]
    channel.archived = False
    channel.members.add("UBOT")
    await chat.post(CHANNEL, HELLO, key="d1:next")
    assert chat.faults() == ()


async def test_a_revoked_token_is_a_fault_until_it_holds_again(slack: FakeSlack, chat: SlackChat) -> None:
    message = await chat.post(CHANNEL, HELLO, key="d1:card")
    slack.revoke()
    with pytest.raises(Refusal) as refusal:
        await chat.update(CHANNEL, message, HELLO)
    assert refusal.value.code == "token_revoked"
    assert "GONOGO_SLACK_BOT_TOKEN" in chat.faults()[0]
    slack.restore()
    await chat.update(CHANNEL, message, HELLO)
    assert chat.faults() == ()


async def test_a_missing_scope_is_named_with_what_to_do(slack: FakeSlack, chat: SlackChat) -> None:
    slack.scopes.remove("channels:history")
    with pytest.raises(ChatError, match="channels:history"):
        await chat.find(CHANNEL, "d1:card", since=lately())
    assert "gonogo slack manifest" in chat.faults()[0]
    slack.scopes.add("channels:history")
    await chat.find(CHANNEL, "d1:card", since=lately())
    assert chat.faults() == ()


async def test_silence_is_a_fault_when_it_lasts(slack: FakeSlack, chat: SlackChat) -> None:
    message = await chat.post(CHANNEL, HELLO, key="d1:card")
    slack.faults.script("chat.update", *[Fault.status(503)] * 3)
    for expected in (0, 0, 1):
        with pytest.raises(Ambiguous):
            await chat.update(CHANNEL, message, HELLO)
        assert len(chat.faults()) == expected
    await chat.update(CHANNEL, message, HELLO)
    assert chat.faults() == ()


async def test_looking_where_it_never_stood_is_no_fault(chat: SlackChat) -> None:
    with pytest.raises(ChannelGone):
        await chat.find("#nowhere", "d1:card", since=lately())
    assert chat.faults() == ()
    with pytest.raises(ChannelGone):
        await chat.post("#nowhere", HELLO, key="d1:card")
    assert chat.faults() == ("Slack: I am not in #nowhere: invite me with /invite @gonogo",)
