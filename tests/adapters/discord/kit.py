"""A core that answers as it is told and remembers what it was asked, and Discord's adapter around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.config import DiscordConfig
from bot.cards.card import Answer, Button, Buttons, Card, Field, Form, Heading, ItemRow, ItemState, Option, Text, Tone
from bot.domain.people import Who
from bot.ports import Pictures
from checklists.policy import Person
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_things import Message

QA, SRE, ANA = 1_600_000_000_000_000_001, 1_600_000_000_000_000_002, 1_700_000_000_000_000_001
PEOPLE: Mapping[str, Sequence[Person]] = {
    "qa": (Person(discord=f"role:{QA}"),),
    "vp_engineering": (Person(discord=str(ANA)),),
    "on_call": (Person(discord="@oncall"), Person(discord=f"role:{SRE}")),
}
HELLO = Card("Hello", "Hello everybody.", (Text("Hello **everybody**."),))
REFUSED = Answer(
    card=Card("Not done", "The window is closed.", (Text("The window is closed."),), Tone.WARN), refused=True
)
ASK = Form(
    "Why?",
    "excuse:d1:i2",
    (Field("reason", "Why does it not apply?", "paragraph"), Field("note", "Note", required=False)),
)
CHECKLIST = Card(
    "Phase 1",
    "Phase 1",
    (
        Heading("Tests"),
        ItemRow("i1", "Unit tests", ItemState.TICKED, status="ana 10:00", buttons=(Button("Undo", "untick:d1:i1"),)),
        Heading("Switch"),
        ItemRow("i2", "Traffic", ItemState.OPEN, command="kubectl apply", buttons=(Button("Tick", "tick:d1:i2"),)),
    ),
)
BUTTONS = Card(
    "azora v1",
    "azora v1 runs.",
    (Buttons((Button("Next", "advance:d1"), Button("Roll back…", "rollback:d1"), Button("Boom", "boom:d1"))),),
)


def said(sentence: str) -> Answer:
    """A card that says it."""
    return Answer(card=Card("", sentence, (Text(sentence),)))


@dataclass
class Delivery:
    """What the core was handed."""

    what: str
    who: Who
    key: str
    channel: str
    values: Mapping[str, str] = field(default_factory=dict)


Reply = Answer | Exception | Callable[[], Awaitable[Answer]]


@dataclass
class Core:
    """`adapters.discord.dialogue.DiscordDialogue`. `replies` by text or action; anything else is answered with
    nothing."""

    replies: dict[str, Reply] = field(default_factory=dict)
    got: list[Delivery] = field(default_factory=list)
    shown: tuple[Card, ...] = (CHECKLIST,)

    async def _take(self, delivery: Delivery) -> Answer:
        reply = self.replies.get(delivery.what, Answer())
        if isinstance(reply, Exception):
            raise reply
        answer = reply if isinstance(reply, Answer) else await reply()
        self.got.append(delivery)
        return answer

    async def command(self, text: str, *, who: Who, key: str, channel: str) -> Answer:
        return await self._take(Delivery(text, who, key, channel))

    async def click(self, action: str, *, who: Who, key: str, channel: str) -> Answer:
        return await self._take(Delivery(action, who, key, channel))

    async def submit(self, action: str, values: Mapping[str, str], *, who: Who, key: str, channel: str) -> Answer:
        return await self._take(Delivery(action, who, key, channel, dict(values)))

    async def complete(self, text: str, *, who: Who) -> list[Option]:
        return [Option(f"{text}shop ", "shop · checklist")]

    async def cards(self, deployment: str) -> tuple[Card, ...]:
        return self.shown if deployment == "d1" else ()


@dataclass
class Leases:
    """Named leases that a test can take away: as the database keeps them, without one."""

    held: dict[str, str] = field(default_factory=dict)
    asked: int = 0

    async def hold(self, name: str, owner: str, lease: timedelta) -> bool:
        self.asked += 1
        return self.held.setdefault(name, owner) == owner

    async def drop(self, name: str, owner: str) -> None:
        if self.held.get(name) == owner:
            del self.held[name]


def config(server: FakeDiscord, **more: object) -> DiscordConfig:
    return DiscordConfig(**{"token": server.token, "guild": server.guild_id, "api_url": server.api_url} | more)  # type: ignore[arg-type]


@asynccontextmanager
async def adapter_on(
    server: FakeDiscord,
    core: Core,
    *,
    leases: Leases | None = None,
    patience: float = 0.3,
    lease: float = 0.3,
    pictures: Pictures | None = None,
) -> AsyncIterator[DiscordAdapter]:
    """The adapter, listening where it may."""
    adapter = DiscordAdapter(
        config(server),
        core,
        lambda: PEOPLE,
        leases or Leases(),
        pictures=pictures,
        lease=timedelta(seconds=lease),
        patience=patience,
    )
    await adapter.start()
    try:
        if leases is None:
            await adapter.gateway.listening.wait()
        yield adapter
    finally:
        await adapter.stop()
        await adapter.close()


class Held:
    """A core that does not answer until it is let go."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked, self.go = answer, asyncio.Event(), asyncio.Event()

    async def __call__(self) -> Answer:
        self.asked.set()
        await self.go.wait()
        return self.answer


async def posted(server: FakeDiscord, adapter: DiscordAdapter, card: Card, thread: str | None = None) -> Message:
    number = await adapter.chat.post("#deployments", card, key=f"d1:{card.title}", thread=thread)
    return next(each for each in server.messages(thread or "deployments") if str(each.id) == number)
