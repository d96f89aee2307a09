"""The loopback Slack, asked by the real slack_sdk: what it keeps and what it refuses."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack
from tests.fakes.slack_things import BOT_USER

pytestmark = pytest.mark.slow

BUTTONS: list[dict[str, Any]] = [
    {"type": "section", "block_id": "s", "text": {"type": "mrkdwn", "text": "*Go* <@U1> &amp; <https://x.y|docs>"}},
    {
        "type": "actions",
        "block_id": "a",
        "elements": [
            {"type": "button", "action_id": "tick", "value": "t1", "text": {"type": "plain_text", "text": "Tick"}}
        ],
    },
]


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack() as slack:
        yield slack


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    """Without the blind retry of connection errors that slack_sdk has by default."""
    return AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])


async def refused(call: Any) -> str:
    with pytest.raises(SlackApiError) as error:
        await call
    return str(error.value.response["error"])


# --- tokens and scopes ---


async def test_auth_test_says_who_we_are_and_which_scopes_we_have(slack: FakeSlack, client: AsyncWebClient) -> None:
    answer = await client.auth_test()
    assert (answer["user_id"], answer["team_id"]) == (BOT_USER, "T0001")
    assert "chat:write" in answer.headers["x-oauth-scopes"].split(",")


async def test_tokens_are_checked(slack: FakeSlack, client: AsyncWebClient) -> None:
    assert await refused(AsyncWebClient(base_url=slack.api_url).auth_test()) == "not_authed"
    assert await refused(AsyncWebClient("xoxb-no", base_url=slack.api_url).auth_test()) == "invalid_auth"
    assert await refused(client.apps_connections_open(app_token=slack.bot_token)) == "not_allowed_token_type"
    assert await refused(client.auth_test(token=slack.app_token)) == "not_allowed_token_type"
    assert await refused(client.api_call("chat.postEverything")) == "unknown_method"
    slack.revoke()
    assert await refused(client.auth_test()) == "token_revoked"


async def test_a_missing_scope_is_named(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.scopes -= {"chat:write", "channels:history"}
    with pytest.raises(SlackApiError) as error:
        await client.chat_postMessage(channel="C1", text="x")
    assert error.value.response["error"] == "missing_scope"
    assert error.value.response["needed"] == "chat:write"
    assert "commands" in error.value.response["provided"]
    assert await refused(client.conversations_history(channel="C1")) == "missing_scope"


# --- messages ---


async def test_what_is_posted_comes_back_with_its_thread_and_metadata(slack: FakeSlack, client: AsyncWebClient) -> None:
    told = {"event_type": "gonogo", "event_payload": {"key": "k1"}}
    parent = await client.chat_postMessage(channel="#deployments", text="card", blocks=BUTTONS, metadata=told)
    for number in range(3):
        await client.chat_postMessage(channel="C1", text=f"reply {number}", thread_ts=parent["ts"], metadata=told)

    history = await client.conversations_history(channel="C1", include_all_metadata=True)
    (shown,) = history["messages"]
    assert (shown["metadata"], shown["reply_count"]) == (told, 3)
    assert shown["blocks"][1]["elements"][0]["text"]["emoji"] is True
    assert "metadata" not in (await client.conversations_history(channel="C1"))["messages"][0]

    first = await client.conversations_replies(channel="C1", ts=parent["ts"], limit=2, include_all_metadata=True)
    assert [each["text"] for each in first["messages"]] == ["card", "reply 0", "reply 1"]
    assert first["messages"][1]["metadata"] == told
    cursor = first["response_metadata"]["next_cursor"]
    rest = await client.conversations_replies(channel="C1", ts=parent["ts"], limit=2, cursor=cursor)
    assert [each["text"] for each in rest["messages"]] == ["card", "reply 2"]
    assert slack.user("U1").screen("C1") == "*Go* @ana & docs\n[Tick]"


async def test_history_is_newest_first_and_its_window_excludes_the_ends(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    stamps = [(await client.chat_postMessage(channel="C1", text=str(number)))["ts"] for number in range(4)]
    assert stamps == sorted(set(stamps))

    async def texts(**window: Any) -> list[str]:
        return [each["text"] for each in (await client.conversations_history(channel="C1", **window))["messages"]]

    assert await texts() == ["3", "2", "1", "0"]
    assert await texts(oldest=stamps[0], latest=stamps[3]) == ["2", "1"]
    assert await texts(oldest=stamps[0], latest=stamps[1], inclusive=True) == ["1", "0"]
    first = await client.conversations_history(channel="C1", limit=3)
    assert first["has_more"]
    assert await texts(limit=3, cursor=first["response_metadata"]["next_cursor"]) == ["0"]


async def test_an_update_keeps_and_drops_what_slack_keeps_and_drops(slack: FakeSlack, client: AsyncWebClient) -> None:
    told = {"event_type": "gonogo", "event_payload": {"key": "k1"}}
    ts = (await client.chat_postMessage(channel="C1", text="card", blocks=BUTTONS, metadata=told))["ts"]
    await client.chat_update(channel="C1", ts=ts, text="only text")
    (message,) = slack.messages("C1")
    assert (message.text, message.blocks, message.metadata) == ("only text", [], told)
    await client.chat_update(channel="C1", ts=ts, text="again", blocks=BUTTONS, metadata={})
    assert message.metadata is None
    assert [text for text, _ in message.versions] == ["card", "only text"]


async def test_posts_that_slack_refuses(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.add_channel("open", id="C2", bot=False)
    slack.add_channel("secret", id="C3", private=True, bot=False)
    slack.add_channel("old", id="C4").archived = True
    assert await refused(client.chat_postMessage(channel="C9", text="x")) == "channel_not_found"
    assert await refused(client.chat_postMessage(channel="C2", text="x")) == "not_in_channel"
    assert await refused(client.chat_postMessage(channel="C3", text="x")) == "channel_not_found"
    assert await refused(client.chat_postMessage(channel="C4", text="x")) == "is_archived"
    assert await refused(client.api_call("chat.postMessage", json={"channel": "C1"})) == "no_text"
    assert (
        await refused(client.chat_postMessage(channel="C1", text="x", metadata={"a": 1})) == "invalid_metadata_format"
    )
    deep = {"event_type": "x", "event_payload": {"a": {"b": {"c": 1}}}}
    assert await refused(client.chat_postMessage(channel="C1", text="x", metadata=deep)) == "invalid_metadata_schema"
    assert await refused(client.chat_postEphemeral(channel="C1", user="U9", text="x")) == "user_not_in_channel"
    slack.scopes.add("chat:write.public")
    await client.chat_postMessage(channel="C2", text="x")


async def test_blocks_that_slack_refuses_are_explained(slack: FakeSlack, client: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as error:
        await client.chat_postMessage(channel="C1", text="x", blocks=[{"type": "divider"}] * 51)
    assert error.value.response["error"] == "invalid_blocks"
    said = ["[ERROR] no more than 50 items allowed [json-pointer:/blocks]"]
    assert error.value.response["response_metadata"]["messages"] == said
    heavy = [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 2300}} for _ in range(4)]
    assert await refused(client.chat_postMessage(channel="C1", text="x", blocks=heavy)) == "msg_blocks_too_long"
    assert slack.messages("C1") == []


async def test_updates_that_slack_refuses(slack: FakeSlack, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C1", text="x"))["ts"]
    theirs = slack.user("U1").say("mine", channel="C1").ts

    def update(ts: str, text: str = "y", channel: str = "C1") -> Any:
        return client.chat_update(channel=channel, ts=ts, text=text)

    assert await refused(update("1.000001")) == "message_not_found"
    assert await refused(update(theirs)) == "cant_update_message"
    assert await refused(update(ts, channel="#deployments")) == "channel_not_found"
    assert await refused(update(ts, "x" * 4001)) == "msg_too_long"
    slack.edit_window = 60
    slack.clock.forward(61)
    assert await refused(update(ts)) == "edit_window_closed"
    slack.edit_window, slack.channels["C1"].archived = None, True
    assert await refused(update(ts)) == "is_inactive"
    slack.channels["C1"].archived = False
    await client.chat_delete(channel="C1", ts=ts)
    assert await refused(update(ts)) == "message_not_found"
    assert await refused(client.conversations_replies(channel="C1", ts=ts)) == "thread_not_found"


async def test_text_over_40000_characters_is_cut_with_a_warning(slack: FakeSlack, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel="C1", text="x" * 40_001)
    assert answer["response_metadata"]["warnings"] == ["message_truncated"]
    assert len(slack.messages("C1")[0].text) == 40_000


async def test_a_reply_to_a_parent_that_is_gone_loses_its_thread(slack: FakeSlack, client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel="C1", text="x", thread_ts="1.000001")
    assert "thread_ts" not in answer["message"]
    slack.missing_thread = "thread_not_found"
    assert await refused(client.chat_postMessage(channel="C1", text="x", thread_ts="1.000001")) == "thread_not_found"


async def test_a_deleted_parent_with_replies_leaves_a_tombstone(slack: FakeSlack, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C1", text="x"))["ts"]
    await client.chat_postMessage(channel="C1", text="y", thread_ts=ts)
    await client.chat_delete(channel="C1", ts=ts)
    rows = (await client.conversations_replies(channel="C1", ts=ts))["messages"]
    assert [each["text"] for each in rows] == ["This message was deleted.", "y"]
    assert rows[0]["subtype"] == "tombstone"


# --- channels, people, files ---


async def test_channels_people_and_groups(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.add_channel("secret", id="C3", private=True, bot=False)
    slack.add_group("S1", "oncall", ["U1", "U2"])
    assert [each["id"] for each in (await client.conversations_list())["channels"]] == ["C1"]
    assert await refused(client.conversations_info(channel="C3")) == "channel_not_found"
    assert (await client.conversations_members(channel="C1"))["members"] == ["U1", "U2", "U3", BOT_USER]
    assert (await client.users_info(user="U1"))["user"]["name"] == "ana"
    assert await refused(client.users_info(user="U9")) == "user_not_found"
    assert (await client.usergroups_list(include_users=True))["usergroups"][0]["users"] == ["U1", "U2"]
    assert await refused(client.usergroups_users_list(usergroup="S9")) == "no_such_subteam"
    slack.add_channel("open", id="C4", bot=False)
    await client.conversations_join(channel="C4")
    joined = await client.users_conversations(types="public_channel")
    assert [each["id"] for each in joined["channels"]] == ["C1", "C4"]


async def test_a_file_appears_when_it_has_been_processed(slack: FakeSlack, client: AsyncWebClient) -> None:
    slack.file_checks = 2
    done = await client.files_upload_v2(filename="watch.png", content=b"png", title="The watch", channel="C1")
    image = [{"type": "image", "alt_text": "watch", "slack_file": {"id": done["file"]["id"]}}]
    assert await refused(client.chat_postMessage(channel="C1", text="x", blocks=image)) == "invalid_blocks"
    assert slack.messages("C1") == []
    types = [(await client.files_info(file=done["file"]["id"]))["file"]["mimetype"] for _ in range(3)]
    assert types == ["", "", "image/png"]
    assert slack.user("U1").screen("C1") == "(file: The watch)"
    await client.chat_postMessage(channel="C1", text="x", blocks=image)


async def test_waiting_is_bounded_and_says_what_was_going_on(slack: FakeSlack, client: AsyncWebClient) -> None:
    await client.auth_test()
    with pytest.raises(AssertionError, match=r"posted after 0.05 s; last calls: auth.test→200"):
        await slack.until(lambda: slack.messages("C1"), within=0.05, what="posted")
    waiting = asyncio.create_task(slack.until(lambda: slack.messages("C1")))
    await client.chat_postMessage(channel="C1", text="x")
    assert [each.text for each in await waiting] == ["x"]
