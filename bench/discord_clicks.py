"""A click in Discord, durable ÷ what discord.py does when nobody does anything: from the gateway to the answer.

Each bot is a process of its own with a loopback Discord of its own; the clicks come 16 at a time, on the same card, and
a click counts when its interaction was answered. gonogo's is committed by then.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.report import Line, line, middle, over, run
from bench.serving import server
from bench.team import ticks_of, write_checklists
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_people import Actor
from tests.fakes.discord_things import Message
from tests.process import Process

CLICKS, IN_FLIGHT, ROUNDS = 120, 16, 5
DEPLOYMENTS, ITEMS = 8, 100
COMPONENT, BUTTON = 3, 2
HERE = "deployments"


async def measure() -> list[Line]:
    """Both, in turn."""
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gonogo-bench-")))
        ours, theirs = [await stack.enter_async_context(FakeDiscord()) for _ in range(2)]
        ann, bob = ours.add_person("ann"), theirs.add_person("bob")
        actions = await _gonogo(stack, folder, ours, ours.person(ann.id))
        await asyncio.to_thread(
            stack.enter_context, server("bench.servers.discord_bot", theirs.api_url, theirs.gateway_url, theirs.token)
        )
        nothing = itertools.cycle(["tick:d1:i1"])
        rates = []
        for _ in range(ROUNDS + 1):
            card, other = await _message(ours), await _message(theirs)
            # Discord sends the message along with every click on it.
            other.content, other.components, other.flags = card.content, card.components, card.flags
            mine = await _rate(ours.person(ann.id), card, actions)
            rates.append((mine, await _rate(theirs.person(bob.id), other, nothing)))
    durable, empty = zip(*rates[1:], strict=True)
    note = f"{middle(durable):.0f}/s, {middle(empty):.0f}/s"
    return [
        line("Discord clicks/s, durable ÷ discord.py's own empty dispatch", over(durable, empty), "≥", 0.4, note=note)
    ]


async def _gonogo(stack: contextlib.AsyncExitStack, folder: Path, discord: FakeDiscord, ann: Actor) -> Iterator[str]:
    """A real process with its deployments running; their ticks."""
    write_checklists(folder / "checklists", DEPLOYMENTS, ITEMS)
    database = f"sqlite:///{folder / 'gonogo.db'}"
    process = await asyncio.to_thread(
        Process,
        folder,
        GONOGO_CHECKLISTS=str(folder / "checklists"),
        GONOGO_CHECKLIST="s0",
        GONOGO_DATABASE_URL=database,
        GONOGO_DISCORD_API_URL=discord.api_url,
        GONOGO_DISCORD_TOKEN=discord.token,
    )
    stack.callback(process.child.communicate)
    stack.callback(process.child.kill)
    await discord.ready(30)
    for number in range(DEPLOYMENTS):
        answer = await ann.slash("deploy start", channel=HERE, version="v1.0.0", service=f"s{number}")
        assert not answer.failed, answer
    _, ticks = await ticks_of(database, DEPLOYMENTS)
    return iter(ticks)


async def _message(discord: FakeDiscord) -> Message:
    await discord.until(lambda: discord.messages(HERE), within=30, what="a message")
    return discord.messages(HERE)[0]


async def _rate(person: Actor, message: Message, actions: Iterator[str]) -> float:
    left = itertools.repeat(None, CLICKS)

    async def one() -> None:
        for _ in left:
            data = {"custom_id": next(actions), "component_type": BUTTON, "id": 1}
            answer = await person._interact(COMPONENT, message.channel_id, data, message)
            assert not answer.failed

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(IN_FLIGHT)))
    return CLICKS / (time.perf_counter() - begun)


if __name__ == "__main__":
    run(measure)
