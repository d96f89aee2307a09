"""Slack, put together: what the wiring needs of it."""

from __future__ import annotations

import asyncio

import structlog
from starlette.routing import Route

from adapters.slack.answers import Answers
from adapters.slack.app import Inbox, make_app
from adapters.slack.chat import SlackChat
from adapters.slack.client import Api
from adapters.slack.config import SlackConfig
from adapters.slack.dialogue import SlackDialogue
from adapters.slack.home import Home
from adapters.slack.http import routes
from adapters.slack.manifest import PATH
from adapters.slack.pictures import Uploads
from adapters.slack.roles import People, Roster
from adapters.slack.socket import SocketMode
from adapters.slack.tasks import Tasks
from bot.ports import ChatError, Pictures

_DRAIN = 5.0
_AGAIN = 30.0

log = structlog.get_logger(__name__)


class SlackAdapter:
    """Made on the event loop. `chat` is for the relay from `open` to `close`; `start` begins to listen, `stop` ends it
    with nothing half done.

    Without `pictures` they are said in words. Raises ValueError when there is no way in: neither an app token nor a
    signing secret.
    """

    def __init__(
        self, config: SlackConfig, dialogue: SlackDialogue, people: People, pictures: Pictures | None = None
    ) -> None:
        if not config.app_token and not config.signing_secret:
            raise ValueError("Slack needs GONOGO_SLACK_APP_TOKEN (Socket Mode) or GONOGO_SLACK_SIGNING_SECRET (HTTP)")
        self.api = Api(config.bot_token, base_url=config.api_url)
        self._uploads = Uploads(self.api, pictures)
        self.chat = SlackChat(self.api, people, self._uploads)
        self._config, self._tasks = config, Tasks()
        self._roster = Roster(self.api, people)
        self.home = Home(self.api, dialogue, self._roster, people)
        answers = Answers(self.api, people, self._tasks, self._uploads)
        inbox = Inbox(dialogue, self._roster, answers, self.home, self._tasks)
        self.bolt = make_app(inbox, self.api, "" if config.app_token else config.signing_secret)
        self._socket = (
            SocketMode(self.api, self.bolt, config.app_token, processes=config.processes) if config.app_token else None
        )
        self._running: list[asyncio.Task[None]] = []

    @property
    def way_in(self) -> str:
        """For the line that says what runs."""
        return "Socket Mode" if self._socket is not None else f"HTTP at {PATH}"

    @property
    def connected(self) -> bool | None:
        """Whether a line of Socket Mode stands; None over HTTP."""
        return self._socket.connected > 0 if self._socket is not None else None

    def routes(self) -> list[Route]:
        """What the web server has to serve: nothing in Socket Mode."""
        return [] if self._socket is not None else routes(self.bolt, self._config.signing_secret)

    async def open(self) -> None:
        """The connections that posting needs; enough for a process that does not listen. Again, it changes nothing."""
        if not self._running:
            await self.api.open()
            self._running = [asyncio.create_task(self._identify())]

    async def start(self) -> None:
        """Listen. What is wrong with tokens, scopes or channels is in `chat.faults()`; it goes on trying."""
        await self.open()
        self._running.append(asyncio.create_task(self.home.run()))
        self._tasks.spawn(self._roster.warm())
        if self._socket is not None:
            await self._socket.start()

    async def stop(self) -> None:
        """Hear no more, and let what is running end and be acknowledged; posting goes on. Safe before `start`, and
        twice."""
        if self._socket is not None:
            await self._socket.stop()
        await self._tasks.drained(_DRAIN)
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def close(self) -> None:
        """Give every connection back; nothing is posted any more."""
        await self._roster.close()
        await self.chat.close()
        await self._uploads.close()
        await self.api.close()

    def changed(self) -> None:
        """Something was committed: Home tabs are drawn anew."""
        self.home.changed()

    async def _identify(self) -> None:
        """Who the bot is. Bolt would ask at the first click and fail with it; here it is asked until it is known."""
        while True:
            try:
                await self.api.identify()
            except ChatError as problem:
                log.warning("slack.identify", problem=str(problem))
                await asyncio.sleep(_AGAIN)
            else:
                return
