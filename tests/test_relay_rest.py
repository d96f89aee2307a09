"""However fast people click, a chat is told a few times, and the last state is the one it shows."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from bot.relay import Relay
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import a_folder, open_core

__all__ = ["migrated_file", "sqlite_url"]
REST = 0.4


async def test_cards_rest_between_two_changes_and_the_last_state_lands(sqlite_url: str, tmp_path: Path) -> None:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        deployment = await core.start()
        await core.relay.settle()
        relay = Relay(core.store, core.chat, core.views, core.clock, owner="rests", rest=timedelta(seconds=REST))
        running = asyncio.create_task(relay.run())
        task, *_ = (await core.views.bare(deployment)).plan.steps[0].tasks
        loop = asyncio.get_running_loop()
        core.chat.updates.clear()
        began = loop.time()
        for _ in range(30):
            await core.click(f"tick:{deployment}:{task.id}")
            relay.wake()
            await core.click(f"untick:{deployment}:{task.id}")
            relay.wake()
        await core.click(f"tick:{deployment}:{task.id}")
        relay.wake()
        async with asyncio.timeout(20):
            while "1 of" not in (await core.channel())[0].card.text:
                core.chat.edited.clear()
                await core.chat.edited.wait()
        rounds = 1 + (loop.time() - began) / REST
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert core.chat.updates, "it was told"
        assert len(core.chat.updates) <= 2 * (rounds + 1), "a round is an edit of the card and of its list"
