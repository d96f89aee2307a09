"""One process listens; the line drops and comes back; what only a person can mend ends it with a sentence."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta

import discord
import pytest

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.gateway import NAME
from adapters.store.engine import address
from adapters.store.store import SqlStore
from tests.adapters.discord.kit import BUTTONS, PEOPLE, Core, Leases, adapter_on, config, posted
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.fakes.discord import FakeDiscord

__all__ = ["address", "migrated_file", "sqlite_url"]

SILENT = 6


async def clicked(server: FakeDiscord, adapter: DiscordAdapter, core: Core) -> int | None:
    message = await posted(server, adapter, BUTTONS)
    return (await server.person("ana").click(message, "Next")).kind


# --- the commands ---------------------------------------------------------------------------------------------------


async def test_the_command_is_defined_once_and_again_only_when_it_changed(
    server: FakeDiscord, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        async with adapter_on(server, core):
            pass
    puts = "PUT /applications/*/commands"
    assert len(server.called(puts)) == 1
    monkeypatch.setattr("adapters.discord.commands.ABOUT", "Deploy, by another description")
    async with adapter_on(server, core):
        pass
    assert len(server.called(puts)) == 2
    assert server.command_creates == 1, "it was replaced"


async def test_only_the_guilds_intent_is_asked_for(server: FakeDiscord, core: Core, adapter: DiscordAdapter) -> None:
    assert [each["intents"] for each in server.gateway.identifies] == [discord.Intents(guilds=True).value]


# --- the line -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["asked", "dropped", "invalid"])
async def test_a_line_that_drops_comes_back(
    server: FakeDiscord, core: Core, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.client.ExponentialBackoff, "delay", lambda self: 0.01)
    monkeypatch.setattr(discord.Client, "before_identify_hook", _at_once)
    async with adapter_on(server, core) as adapter:
        before = len(server.gateway.identifies) + len(server.gateway.resumes)
        if how == "asked":
            await server.gateway.reconnect()
        elif how == "dropped":
            server.gateway.drop()
        else:
            await server.gateway.invalidate(resumable=False)
        await server.until(lambda: len(server.gateway.identifies) + len(server.gateway.resumes) > before, what="back")
        await server.ready()
        assert await clicked(server, adapter, core) == SILENT
        assert not adapter.gateway.ended.done()
        assert adapter.chat.faults() == ()


async def _at_once(self: discord.Client, shard_id: int | None, *, initial: bool = False) -> None:
    return None


async def test_a_line_that_is_dead_does_not_hold_up_the_stop(
    server: FakeDiscord, adapter: DiscordAdapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.gateway._GOODBYE", 0.1)
    for connection in server.gateway.connections:
        connection.stall()
    async with asyncio.timeout(5):
        await adapter.stop()


async def test_a_click_while_the_line_was_down_is_heard_after_a_resume(
    server: FakeDiscord, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.client.ExponentialBackoff, "delay", lambda self: 0.01)
    async with adapter_on(server, core) as adapter:
        message = await posted(server, adapter, BUTTONS)
        server.gateway.drop()
        assert (await server.person("ana").click(message, "Next")).kind == SILENT
        assert [got.what for got in core.got] == ["advance:d1"]
        assert server.gateway.resumes != []


# --- what ends it ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "told"), [(4004, "GONOGO_DISCORD_TOKEN"), (4014, "intent (4014)"), (4013, "update discord.py")]
)
async def test_what_only_a_person_can_mend_ends_it_with_a_sentence(
    server: FakeDiscord, core: Core, code: int, told: str
) -> None:
    async with adapter_on(server, core) as adapter:
        await server.gateway.close(code)
        sentence = await asyncio.wait_for(asyncio.shield(adapter.gateway.ended), 5)
        assert told in sentence
        assert any(told in fault for fault in adapter.chat.faults())
        await posted(server, adapter, BUTTONS)


async def test_a_wrong_token_ends_it_and_is_not_shown(server: FakeDiscord, core: Core) -> None:
    adapter = DiscordAdapter(config(server, token="secret.value"), core, lambda: PEOPLE, Leases())
    await adapter.start()
    sentence = await asyncio.wait_for(asyncio.shield(adapter.gateway.ended), 5)
    assert "GONOGO_DISCORD_TOKEN is not accepted" in sentence
    assert "secret" not in sentence + str(adapter.chat.faults())
    await adapter.stop()
    await adapter.close()


async def test_discord_being_away_ends_nothing(server: FakeDiscord, core: Core) -> None:
    server.go_down()
    async with adapter_on(server, core, leases=Leases()) as adapter:
        await asyncio.sleep(0)
        server.come_back()
        await asyncio.wait_for(adapter.gateway.listening.wait(), 5)
        assert await clicked(server, adapter, core) == SILENT


# --- one of several -------------------------------------------------------------------------------------------------


async def test_a_standby_takes_over_when_the_one_that_listens_stops(server: FakeDiscord, sqlite_url: str) -> None:
    store = await SqlStore.open(sqlite_url)
    first, second = Core(), Core()
    lease = timedelta(seconds=0.3)
    standby = DiscordAdapter(config(server), second, lambda: PEOPLE, store, lease=lease)
    active = DiscordAdapter(config(server), first, lambda: PEOPLE, store, lease=lease)
    await active.start()
    await active.gateway.listening.wait()
    await standby.start()
    assert await clicked(server, active, first) == SILENT
    assert (len(first.got), len(second.got)) == (1, 0)
    assert not standby.gateway.listening.is_set()
    await active.stop()
    await asyncio.wait_for(standby.gateway.listening.wait(), 5)
    assert await clicked(server, active, second) == SILENT, "the one that stopped still posts"
    assert (len(first.got), len(second.got)) == (1, 1)
    for each in (standby, active):
        await each.stop()
        await each.close()
    await store.close()


async def test_who_loses_the_lease_stops_listening(server: FakeDiscord, core: Core) -> None:
    leases = Leases()
    async with adapter_on(server, core, leases=leases, lease=0.15) as adapter:
        await asyncio.wait_for(adapter.gateway.listening.wait(), 5)
        leases.held[NAME] = "somebody else"
        await server.until(lambda: not server.gateway.connections, what="let go")
        del leases.held[NAME]
        await asyncio.wait_for(adapter.gateway.listening.wait(), 5)
    assert leases.held == {}, "given back in the end"


async def test_two_that_listen_at_once_answer_a_click_once(server: FakeDiscord, core: Core) -> None:
    """As in the moment of a hand-over: both hear it, with the same key."""
    async with adapter_on(server, core) as one, adapter_on(server, core):
        await server.until(lambda: len(server.gateway.connections) == 2, what="both")
        assert await clicked(server, one, core) == SILENT
        await server.until(lambda: len(core.got) == 2, what="heard by both")
    assert len({got.key for got in core.got}) == 1


async def test_many_servers_are_listened_to_over_several_connections(
    server: FakeDiscord, core: Core, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discord.Client, "before_identify_hook", _at_once)
    server.gateway.required_shards = 2
    async with adapter_on(server, core) as adapter:
        assert [each["shard"] for each in server.gateway.identifies] == [[0, 2], [1, 2]]
        assert await clicked(server, adapter, core) == SILENT


def test_discord_py_writes_nothing_to_the_terminal() -> None:
    assert logging.getLogger("discord").handlers != []
