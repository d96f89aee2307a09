"""The gateway of the loopback Discord, its rate limits, and what goes wrong on the way."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import discord
import pytest
from discord import ui

from tests.discord_bot import Bot, layout, logged_in, raw, running, section
from tests.fakes.discord import FakeDiscord, Fault
from tests.fakes.discord_things import Message

pytestmark = pytest.mark.slow

POSTS = "POST /channels/*/messages"


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """discord.py waits up to seconds before it tries again; here it only yields."""
    monkeypatch.setattr(discord.backoff.ExponentialBackoff, "delay", lambda self: 0.01)


def messages(server: FakeDiscord) -> str:
    return f"/channels/{server.place('deployments').id}/messages"


async def card(server: FakeDiscord, bot: Bot) -> Message:
    channel = bot.get_channel(server.place("deployments").id)
    assert isinstance(channel, discord.TextChannel)
    await channel.send(view=layout(section("Tests", "Tick", "tick")))
    return server.find("deployments", "Tests")


async def defer(interaction: discord.Interaction[Any]) -> None:
    await interaction.response.defer()


# --- the gateway ---


async def test_hello_identify_ready_and_the_guild(server: FakeDiscord) -> None:
    async with running(server) as bot:
        assert server.gateway.identifies[0]["intents"] == discord.Intents(guilds=True).value
        guild = bot.get_guild(server.guild_id)
        assert guild is not None
        assert [each.name for each in guild.text_channels] == ["deployments"]
        assert [each.name for each in guild.roles] == ["@everyone", "gonogo", "qa", "on-call"]
        assert guild.me.guild_permissions.send_messages
        await server.until(lambda: server.gateway.connections[0].beats)
    await server.until(lambda: not server.gateway.connections)


async def test_a_bot_that_closes_with_1000_ends_its_session(server: FakeDiscord) -> None:
    async with aiohttp.ClientSession() as http:
        for code in (1000, 4000):
            async with http.ws_connect(server.gateway_url) as ws:
                await ws.send_json({"op": 2, "d": {"token": server.token, "intents": 1, "properties": {}}})
                await server.ready()
                await ws.close(code=code)
            await server.until(lambda: not server.gateway.connections)
    assert [each.alive for each in server.gateway.sessions] == [False, True]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": "wrong"}, 4004),
        ({"intents": 1 << 15}, 4014),
        ({"intents": 1 << 30}, 4013),
        ({"shard": [1, 1]}, 4010),
        ({"required": 2}, 4011),
    ],
)
async def test_an_identify_is_judged(server: FakeDiscord, change: dict[str, Any], code: int) -> None:
    server.gateway.required_shards = change.pop("required", 0)
    async with aiohttp.ClientSession() as http, http.ws_connect(server.gateway_url) as ws:
        assert (await ws.receive_json())["op"] == 10
        await ws.send_json({"op": 2, "d": {"token": server.token, "intents": 1, "properties": {}, **change}})
        while (message := await ws.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert ws.close_code == code, message


@pytest.mark.parametrize(
    ("message", "times", "code"),
    [("{", 1, 4002), ('{"op":1,"d":null}' + " " * 4096, 1, 4002), ('{"op":1}', 121, 4008), ('{"op":99}', 1, 4001)],
)
async def test_what_is_sent_is_judged(server: FakeDiscord, message: str, times: int, code: int) -> None:
    async with aiohttp.ClientSession() as http, http.ws_connect(server.gateway_url) as ws:
        for _ in range(times):
            await ws.send_str(message)
        while (await ws.receive()).type is aiohttp.WSMsgType.TEXT:
            pass
        assert ws.close_code == code


async def test_discord_py_gives_up_without_the_intents_it_wants(server: FakeDiscord) -> None:
    async with logged_in(server, Bot(discord.Intents(guilds=True, message_content=True))) as bot:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await bot.connect()
    server.allowed_intents |= 1 << 15
    async with running(server, Bot(discord.Intents(guilds=True, message_content=True))):
        pass


async def test_too_many_identifies_cost_the_token(server: FakeDiscord) -> None:
    server.gateway.identify_limit, old = 1, server.token
    async with running(server):
        pass
    async with logged_in(server) as bot:
        with pytest.raises(discord.ConnectionClosed):
            await bot.connect()
    assert server.token != old


@pytest.mark.parametrize("end", ["reconnect", "drop", "close", "invalid but resumable"])
async def test_what_was_missed_is_played_again_after_a_resume(server: FakeDiscord, end: str) -> None:
    async with running(server) as bot:
        bot.handler = defer
        message = await card(server, bot)
        server.gateway.down = True
        if end == "reconnect":
            await server.gateway.reconnect()
        elif end == "drop":
            server.gateway.drop()
        elif end == "close":
            await server.gateway.close(4000)
        else:
            await server.gateway.invalidate(resumable=True)
        await server.until(lambda: not server.gateway.connections)
        pressing = asyncio.create_task(server.person("ana").click(message, "Tick"))
        await server.until(lambda: server.interactions)
        server.gateway.down = False
        answer = await pressing
        assert answer.kind == 6
        await server.until(lambda: bot.resumed)
        assert (len(server.gateway.resumes), len(server.gateway.identifies)) == (1, 1)


async def test_an_invalidated_session_begins_anew_and_what_was_missed_is_gone(
    server: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(server) as bot:
        bot.handler = defer
        message = await card(server, bot)
        server.gateway.down = True
        await server.gateway.invalidate()
        await server.until(lambda: not server.gateway.connections)
        server.ack_within = 0.05
        assert (await server.person("ana").click(message, "Tick")).failed
        server.ack_within, server.gateway.down = 3.0, False
        await server.until(lambda: len(server.gateway.identifies) == 2 and server.gateway.is_ready)
        assert (await server.person("ana").click(message, "Tick")).kind == 6
        assert len(bot.got) == 1


async def test_a_session_closed_with_1000_cannot_be_resumed(server: FakeDiscord) -> None:
    async with running(server):
        await server.gateway.close(1000)
        await server.until(lambda: len(server.gateway.identifies) == 2)
        assert len(server.gateway.resumes) == 1
        assert not server.gateway.sessions[0].alive


async def test_a_zombie_is_left(server: FakeDiscord) -> None:
    server.gateway.heartbeat, server.gateway.mute = 0.05, True
    bot = Bot()
    bot._connection.heartbeat_timeout = 0.15
    async with running(server, bot):
        await server.until(lambda: server.gateway.resumes)
        server.gateway.mute = False
        await server.until(lambda: bot.resumed)


async def test_two_connections_get_the_same_click_and_one_answers(server: FakeDiscord) -> None:
    codes: list[int] = []

    async def race(interaction: discord.Interaction[Any]) -> None:
        try:
            await interaction.response.defer()
        except discord.HTTPException as error:
            codes.append(error.code)

    async with running(server) as one, running(server) as two:
        one.handler = two.handler = race
        message = await card(server, one)
        answer = await server.person("ana").click(message, "Tick")
        assert answer.kind == 6
        await server.until(lambda: codes)
        assert codes == [40060]
        assert one.got[0].id == two.got[0].id


async def test_what_others_do_arrives(server: FakeDiscord) -> None:
    async with running(server) as bot:
        message = await card(server, bot)
        await raw(bot, "POST", f"{messages(server)}/{message.id}/threads", {"name": "v1"})
        guild = bot.get_guild(server.guild_id)
        assert guild is not None
        found = await server.until(lambda: guild.get_thread(message.id))
        server.archive(message)
        await server.until(lambda: found.archived)
        server.add_channel("releases")
        await server.until(lambda: len(guild.text_channels) == 2)
        server.remove_channel("deployments")
        await server.until(lambda: [each.name for each in guild.text_channels] == ["releases"])
        assert message.deleted


# --- rate limits ---


async def test_a_bucket_is_kept_by_its_headers_alone(server: FakeDiscord) -> None:
    server.limits.route(POSTS, calls=2, per=0.3)
    async with logged_in(server) as bot:
        begun = time.monotonic()
        for n in range(3):
            await raw_channel(bot, server).send(str(n))
        assert 0.25 < time.monotonic() - begun < 2
        assert [call.status for call in server.called(POSTS)] == [200] * 3
    headers = server.limits.check(server.called(POSTS)[0], "another channel")[0]
    assert headers["X-RateLimit-Remaining"] == "1"


def raw_channel(bot: Bot, server: FakeDiscord) -> discord.PartialMessageable:
    return bot.get_partial_messageable(server.place("deployments").id)


@pytest.mark.parametrize(("scope", "invalid"), [("user", 1), ("shared", 0), ("global", 1)])
async def test_a_429_says_how_long_and_whose(server: FakeDiscord, scope: str, invalid: int) -> None:
    server.faults.script(POSTS, Fault.ratelimited(0.05, scope=scope))
    async with logged_in(server) as bot:
        await raw_channel(bot, server).send("x")
    assert [call.status for call in server.called(POSTS)] == [429, 200]
    assert server.invalid_requests == invalid
    assert len(server.messages("deployments")) == 1


async def test_a_429_without_via_is_a_ban(server: FakeDiscord) -> None:
    server.faults.script(POSTS, Fault.ratelimited(via=False))
    async with logged_in(server) as bot:
        with pytest.raises(discord.HTTPException) as error:
            await raw_channel(bot, server).send("x")
    assert error.value.status == 429


async def test_the_global_limit_counts_all_but_answers_to_interactions(server: FakeDiscord) -> None:
    server.limits.overall(3, 0.2)
    async with logged_in(server) as bot:
        await asyncio.gather(*(raw_channel(bot, server).send(str(n)) for n in range(3)))
    assert 429 in [call.status for call in server.calls]
    assert len(server.messages("deployments")) == 3
    call = server.calls[-1]
    assert (call.token, call.route) == (True, "/channels/{channel}/messages")


# --- faults ---


async def test_a_502_after_the_work_is_done_is_tried_again_with_the_same_nonce(
    server: FakeDiscord, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = asyncio.sleep
    monkeypatch.setattr("discord.http.asyncio.sleep", lambda seconds: sleep(min(seconds, 0.01)))
    server.faults.script(POSTS, Fault.status(502), Fault.status(500, stored=True))
    async with logged_in(server) as bot:
        sent = await raw_channel(bot, server).send("x", nonce="k1")
    assert [call.fault for call in server.called(POSTS)] == ["status:502", "status:500:stored", None]
    assert [each.id for each in server.messages("deployments")] == [sent.id]


@pytest.mark.parametrize("stored", [True, False])
async def test_a_connection_that_drops_says_nothing_of_what_was_done(server: FakeDiscord, stored: bool) -> None:
    server.faults.script(POSTS, Fault.drop(stored=stored))
    async with logged_in(server) as bot:
        with pytest.raises((aiohttp.ClientError, OSError)):
            await raw_channel(bot, server).send("x", nonce="k1")
        assert len(server.messages("deployments")) == int(stored)
        await raw_channel(bot, server).send("x", nonce="k1")
    assert len(server.messages("deployments")) == 1


async def test_an_answer_may_be_late_or_never_come(server: FakeDiscord) -> None:
    server.faults.script(POSTS, Fault.slow(0.1), Fault.half_open(stored=True), Fault.none())
    async with logged_in(server) as bot:
        sending = asyncio.create_task(raw_channel(bot, server).send("x"))
        await server.until(lambda: server.messages("deployments"))
        assert not sending.done()
        await sending
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(raw_channel(bot, server).send("y"), 0.1)
        assert len(server.messages("deployments")) == 2
        await raw_channel(bot, server).send("z")
    assert server.faults.next(server.calls[-1]) is None


async def test_faults_by_chance_are_the_same_for_the_same_seed(server: FakeDiscord) -> None:
    runs = []
    async with logged_in(server) as bot:
        await raw(bot, "GET", "/users/@me")
    for _ in range(2):
        server.faults.clear()
        server.faults.chance("GET *", {Fault.drop(): 0.5}, seed=3)
        runs.append([server.faults.next(server.calls[-1]) for _ in range(20)])
    assert runs[0] == runs[1]
    assert 0 < runs[0].count(None) < 20


async def test_an_outage_ends_and_the_bot_comes_back(server: FakeDiscord) -> None:
    async with running(server) as bot:
        bot.handler = defer
        message = await card(server, bot)
        server.faults.script("GET *", Fault.half_open())
        waiting = asyncio.create_task(raw(bot, "GET", messages(server)))
        await server.until(lambda: server.called("GET /channels/*/messages"))
        server.go_down()
        for asking in (waiting, raw(bot, "GET", messages(server))):
            with pytest.raises((aiohttp.ClientError, OSError)):
                await asking
        server.come_back()
        await server.until(lambda: bot.resumed)
        assert (await server.person("ana").click(message, "Tick")).kind == 6


async def test_the_log_tells_what_was_asked_and_answered(server: FakeDiscord) -> None:
    async with logged_in(server) as bot:
        await raw_channel(bot, server).send(view=layout(ui.TextDisplay("x")), nonce="k1")
    call = server.called("POST /channels/{channel}/messages")[-1]
    assert (call.name, call.status, call.token) == (f"POST {messages(server)}", 200, True)
    assert call.body["components"] == [{"type": 10, "content": "x"}]
    assert call.answer["nonce"] == "k1"
    assert server.token not in str(server.calls)
