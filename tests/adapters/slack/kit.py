"""A core that answers as it is told and remembers what it was asked, and Slack's adapter around it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from adapters.slack.adapter import SlackAdapter
from adapters.slack.client import Api
from adapters.slack.config import SlackConfig
from bot.cards.card import Answer, Button, Buttons, Card, Field, Form, Heading, ItemRow, ItemState, Option, Text, Tone
from bot.domain.people import Who
from checklists.policy import Person
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_things import Message, View

PEOPLE: Mapping[str, Sequence[Person]] = {
    "qa": (Person(slack="S001"),),
    "vp_engineering": (Person(slack="U003"),),
    "on_call": (Person(slack="@oncall"), Person(slack="S002")),
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
START = Form(
    "Start a deployment",
    "start:",
    (
        Field("version", "Version"),
        Field("service", "Checklist", "choice", "azora", options=(Option("azora", "azora"), Option("shop", "shop"))),
        Field("note", "Note", required=False),
    ),
    submit="Start",
    text="azora: open until 16:00.",
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
    """`adapters.slack.dialogue.SlackDialogue`. `replies` by text or action; anything else is answered with nothing."""

    replies: dict[str, Reply] = field(default_factory=dict)
    got: list[Delivery] = field(default_factory=list)
    opening: Reply = field(default_factory=lambda: Answer(form=START))
    shown: tuple[Card, ...] = (CHECKLIST,)
    homes: list[Card] = field(default_factory=lambda: [HELLO])
    asked_home: int = 0

    async def _reply(self, reply: Reply) -> Answer:
        if isinstance(reply, Answer):
            return reply
        if isinstance(reply, Exception):
            raise reply
        return await reply()

    async def _take(self, delivery: Delivery) -> Answer:
        answer = await self._reply(self.replies.get(delivery.what, Answer()))
        self.got.append(delivery)
        return answer

    async def command(self, text: str, *, who: Who, key: str, channel: str) -> Answer:
        return await self._take(Delivery(text, who, key, channel))

    async def click(self, action: str, *, who: Who, key: str, channel: str) -> Answer:
        return await self._take(Delivery(action, who, key, channel))

    async def submit(self, action: str, values: Mapping[str, str], *, who: Who, key: str, channel: str) -> Answer:
        return await self._take(Delivery(action, who, key, channel, dict(values)))

    async def complete(self, text: str, *, who: Who) -> list[Option]:
        return []

    async def opening_form(self, *, who: Who, answers: Mapping[str, str]) -> Answer:
        self.got.append(Delivery("opening", who, "", "", dict(answers)))
        return await self._reply(self.opening)

    async def home(self, *, who: Who) -> Card:
        self.asked_home += 1
        return self.homes[min(self.asked_home, len(self.homes)) - 1]

    async def cards(self, deployment: str) -> tuple[Card, ...]:
        return self.shown if deployment == "d1" else ()


@asynccontextmanager
async def adapter_on(slack: FakeSlack, core: Core, *, http: bool = False) -> AsyncIterator[SlackAdapter]:
    """The adapter, listening."""
    config = SlackConfig(
        bot_token=slack.bot_token,
        app_token="" if http else slack.app_token,
        signing_secret=slack.courier.secret,
        api_url=slack.api_url,
    )
    adapter = SlackAdapter(config, core, lambda: PEOPLE)
    adapter.home.pause = 0.01
    await adapter.start()
    try:
        yield adapter
    finally:
        await adapter.stop()
        await adapter.close()


def unpaced(api: Api) -> Api:
    """Waits for no rate limit that no test has set."""
    for pace in api._paces.values():
        pace._interval = 0.0
    return api


async def soon(predicate: Callable[[], object], *, within: float = 5.0) -> None:
    """Wait for something on our side to become true: the loopback Slack only knows when something changes on its."""
    async with asyncio.timeout(within):
        while not predicate():  # noqa: ASYNC110 what is waited for tells nobody
            await asyncio.sleep(0.002)


class Held:
    """A core that does not answer until it is let go."""

    def __init__(self, answer: Answer) -> None:
        self.answer, self.asked, self.go = answer, asyncio.Event(), asyncio.Event()

    async def __call__(self) -> Answer:
        self.asked.set()
        await self.go.wait()
        return self.answer


async def posted(slack: FakeSlack, adapter: SlackAdapter, card: Card, thread: str | None = None) -> Message:
    ts = await adapter.chat.post("#deployments", card, key=f"d1:{card.title}", thread=thread)
    return slack.message("C1", ts)


async def modal(slack: FakeSlack, user: str = "U1") -> View:
    opened = await slack.until(lambda: slack.user(user).modal, what="a modal")
    assert opened is not None
    return opened


async def whispered(slack: FakeSlack, word: str, user: str = "U1") -> Message:
    """What only they see, once it is there."""
    found = await slack.until(
        lambda: [each for each in slack.ephemerals if each.ephemeral_to == user and word in slack.text(each)], what=word
    )
    return found[0]
