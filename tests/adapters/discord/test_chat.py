"""Discord as a chat, beyond what every chat keeps: threads, nonces, refusals, and what is sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.discord import chat as chats
from adapters.discord.chat import DiscordChat
from adapters.discord.client import Api
from adapters.discord.layout import marker
from adapters.discord.people import first_holders
from adapters.discord.posting import post_body, update_body
from bot.cards.card import Card, Text
from bot.ports import Ambiguous, Busy429, ChannelGone, MessageGone
from tests.adapters.discord.kit import BUTTONS, CHECKLIST, HELLO, PEOPLE, config
from tests.fakes.discord import FakeDiscord, Fault

POST, EDIT = "POST /channels/*/messages", "PATCH /channels/*/messages/*"


@pytest.fixture
async def chat(server: FakeDiscord) -> AsyncIterator[DiscordChat]:
    """A client that gives up soon."""
    api = Api(config(server), timeout=1.5)
    chat = DiscordChat(api, lambda: PEOPLE)
    yield chat
    await chat.close()
    await api.close()


def lately() -> datetime:
    return datetime.now(UTC) - timedelta(minutes=5)


async def again(chat: DiscordChat, server: FakeDiscord) -> str | None:
    return await chat.find("#deployments", "d1:card", since=lately())


# --- what is sent ---------------------------------------------------------------------------------------------------


async def test_what_render_prints_is_what_is_sent(server: FakeDiscord, chat: DiscordChat) -> None:
    card = Card("Phase", "Phase", CHECKLIST.blocks, mentions=("qa",))
    root = await chat.post("#deployments", card, key="d1:card")
    await chat.update("#deployments", root, BUTTONS)
    people = first_holders(PEOPLE)
    [posted], [edited] = server.called(POST), server.called(EDIT)
    assert posted.body == json.loads(json.dumps(post_body(card, key="d1:card", people=people)))
    wanted = update_body(BUTTONS, people=people, deployment="d1", marked=marker("d1:card"))
    assert edited.body == json.loads(json.dumps(wanted))
    assert server.pings(server.messages("deployments")[0]) == ["@&testers"]


async def test_nobody_is_called_by_an_edit_or_by_what_was_typed(server: FakeDiscord, chat: DiscordChat) -> None:
    root = await chat.post("#deployments", Card("x", "x", (Text("\\<@&1600000000000000001> \\@everyone"),)), key="d1:a")
    await chat.update("#deployments", root, Card("Phase", "Phase", (Text("x"),), mentions=("qa",)))
    assert [server.pings(each) for each in server.messages("deployments")] == [[]]


async def test_the_thread_is_made_with_the_first_reply_and_called_like_the_card(
    server: FakeDiscord, chat: DiscordChat
) -> None:
    root = await chat.post("#deployments", BUTTONS, key="d1:card")
    assert server.thread(root) is None
    for number in range(2):
        await chat.post("#deployments", CHECKLIST, key=f"d1:{number}", thread=root)
    thread = server.thread(root)
    assert thread is not None
    assert (str(thread.id), thread.name, thread.auto_archive) == (root, "azora v1", 10_080)
    assert len(server.called("POST /channels/*/messages/*/threads")) == 1


async def test_two_that_make_the_thread_at_once_both_use_it(server: FakeDiscord, chat: DiscordChat) -> None:
    root = await chat.post("#deployments", BUTTONS, key="d1:card")
    api = Api(config(server))
    other = DiscordChat(api, dict)
    await other.has_channel("#deployments")
    await asyncio.gather(
        *(each.post("#deployments", HELLO, key=f"d1:{n}", thread=root) for n, each in enumerate([chat, other]))
    )
    assert len(server.messages(root)) == 2
    assert [call.code for call in server.calls if call.code == 160004] == [160004]
    await api.close()


# --- posted once ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [Fault.drop(stored=True), Fault.half_open(stored=True), Fault.status(503, stored=True)]
)
async def test_a_message_whose_answer_was_lost_is_found_again(
    server: FakeDiscord, chat: DiscordChat, fault: Fault
) -> None:
    await chat.has_channel("#deployments")
    server.faults.script(POST, fault)
    with pytest.raises(Ambiguous):
        await chat.post("#deployments", HELLO, key="d1:card")
    found = await again(chat, server)
    assert found == str(server.messages("deployments")[0].id)


@pytest.mark.parametrize("fault", [Fault.drop(), Fault.status(503)])
async def test_a_message_that_was_not_taken_is_not_found(server: FakeDiscord, chat: DiscordChat, fault: Fault) -> None:
    await chat.has_channel("#deployments")
    server.faults.script(POST, fault)
    with pytest.raises(Ambiguous):
        await chat.post("#deployments", HELLO, key="d1:card")
    assert await again(chat, server) is None


async def test_an_attempt_that_got_through_is_not_doubled_by_the_next(server: FakeDiscord, chat: DiscordChat) -> None:
    await chat.has_channel("#deployments")
    server.faults.script(POST, Fault.drop(stored=True))
    with pytest.raises(Ambiguous):
        await chat.post("#deployments", HELLO, key="d1:card")
    second = await chat.post("#deployments", HELLO, key="d1:card")
    assert [str(each.id) for each in server.messages("deployments")] == [second]


async def test_others_messages_with_the_same_ids_are_not_ours(server: FakeDiscord, chat: DiscordChat) -> None:
    root = await chat.post("#deployments", HELLO, key="d1:card")
    server.messages("deployments")[0].author = server.someone("ana").id
    assert await again(chat, server) is None
    assert root


async def test_it_is_found_among_a_hundred_and_fifty(server: FakeDiscord, chat: DiscordChat) -> None:
    root = await chat.post("#deployments", HELLO, key="d1:card")
    for number in range(150):
        server.person("ana").say(str(number), channel="deployments")
    assert await again(chat, server) == root


async def test_too_many_to_search_is_not_taken_for_none(
    server: FakeDiscord, chat: DiscordChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chats, "_READ", 20)
    for number in range(30):
        server.person("ana").say(str(number), channel="deployments")
    with pytest.raises(Ambiguous, match="not searched"):
        await again(chat, server)


async def test_what_it_is_found_by_stays_when_another_process_edits_it(server: FakeDiscord, chat: DiscordChat) -> None:
    root = await chat.post("#deployments", CHECKLIST, key="d1:card")
    api = Api(config(server))
    other = DiscordChat(api, dict)
    await other.update("#deployments", root, BUTTONS)
    assert await again(other, server) == root
    await api.close()


# --- refusals -------------------------------------------------------------------------------------------------------


async def test_a_long_wait_is_handed_on_and_a_short_one_waited_for(server: FakeDiscord, chat: DiscordChat) -> None:
    await chat.has_channel("#deployments")
    server.faults.script(POST, Fault.ratelimited(0.05))
    await chat.post("#deployments", HELLO, key="d1:a")
    server.faults.script(POST, Fault.ratelimited(45.0))
    with pytest.raises(Busy429) as busy:
        await chat.post("#deployments", HELLO, key="d1:b")
    assert busy.value.retry_after == 45.0
    server.faults.script(POST, Fault.ratelimited(5.0, via=False))
    with pytest.raises(Busy429):
        await chat.post("#deployments", HELLO, key="d1:c")


@pytest.mark.parametrize(
    ("lacking", "told"),
    [
        (("VIEW_CHANNEL",), "in #deployments: allow it"),
        (("SEND_MESSAGES",), "I may not Send Messages in #deployments: allow it to my role"),
        (("CREATE_PUBLIC_THREADS",), "I may not Create Public Threads in #deployments"),
    ],
)
async def test_a_channel_it_may_not_post_to_is_gone_and_told(
    server: FakeDiscord, chat: DiscordChat, lacking: tuple[str, ...], told: str
) -> None:
    server.forbid("deployments", *lacking)
    assert not await chat.has_channel("#deployments")
    with pytest.raises(ChannelGone):
        await chat.post("#deployments", HELLO, key="d1:card")
    assert [told in fault for fault in chat.faults()] == [True]


async def test_a_permission_taken_away_later_is_told_and_forgotten_when_it_is_back(
    server: FakeDiscord, chat: DiscordChat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.rooms._MISSED", 0.0)
    await chat.post("#deployments", HELLO, key="d1:a")
    server.forbid("deployments", "SEND_MESSAGES")
    with pytest.raises(ChannelGone):
        await chat.post("#deployments", HELLO, key="d1:b")
    assert chat.faults() != ()
    server.allow("deployments", "SEND_MESSAGES")
    await chat.post("#deployments", HELLO, key="d1:b")
    assert chat.faults() == ()


async def test_a_channel_goes_by_its_number_too(server: FakeDiscord, chat: DiscordChat) -> None:
    number = str(server.place("deployments").id)
    assert await chat.has_channel(number)
    root = await chat.post(number, HELLO, key="d1:card")
    assert await chat.find("#deployments", "d1:card", since=lately()) == root


async def test_an_archived_thread_is_opened_for_the_edit(server: FakeDiscord, chat: DiscordChat) -> None:
    root = await chat.post("#deployments", BUTTONS, key="d1:card")
    reply = await chat.post("#deployments", CHECKLIST, key="d1:1", thread=root)
    thread = server.thread(root)
    assert thread is not None
    server.archive(thread)
    await chat.update("#deployments", reply, HELLO, thread=root)
    assert not thread.archived
    assert "Hello **everybody**." in server.text(server.messages(thread)[0])


async def test_what_stood_in_a_deleted_thread_is_gone(server: FakeDiscord, chat: DiscordChat) -> None:
    root = await chat.post("#deployments", BUTTONS, key="d1:card")
    reply = await chat.post("#deployments", CHECKLIST, key="d1:1", thread=root)
    server.remove_thread(root)
    with pytest.raises(MessageGone):
        await chat.update("#deployments", reply, HELLO, thread=root)
    assert await chat.find("#deployments", "d1:1", since=lately(), thread=root) is None
    assert chat.faults() == ()


async def test_a_wrong_token_is_told_in_words_without_it(server: FakeDiscord) -> None:
    api = Api(config(server, token="secret.token.value"))
    chat = DiscordChat(api, dict)
    with pytest.raises(Exception, match="GONOGO_DISCORD_TOKEN is not accepted") as refused:
        await chat.post("#deployments", HELLO, key="d1:card")
    assert "secret" not in str(refused.value) + repr(api.config)
    assert any("GONOGO_DISCORD_TOKEN" in fault for fault in chat.faults())
    await chat.close()
    await api.close()


async def test_silence_is_told_and_forgotten_when_discord_answers_again(server: FakeDiscord, chat: DiscordChat) -> None:
    await chat.has_channel("#deployments")
    server.go_down()
    for _ in range(3):
        with pytest.raises(Ambiguous):
            await chat.post("#deployments", HELLO, key="d1:card")
    assert ["caught up with" in fault for fault in chat.faults()] == [True]
    server.come_back()
    await chat.post("#deployments", HELLO, key="d1:card")
    assert chat.faults() == ()
