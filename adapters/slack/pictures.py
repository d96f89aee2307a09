"""Pictures as files of Slack's: drawn, uploaded and processed before the message that shows them is posted.

docs.slack.dev/messaging/working-with-files: an address is asked for, the bytes are sent to it, the upload is completed.
A file that is still being processed is refused in a message (slackapi/python-slack-sdk issues 1521 and 1658).
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable
from typing import Any

import structlog

from adapters.slack.blocks import NO_FILES, Files
from adapters.slack.cache import Cache
from adapters.slack.client import Api
from adapters.slack.faults import Refusal
from bot.cards.card import Card, Picture
from bot.cards.chart import Chart
from bot.cards.codec import chart_digest
from bot.ports import Ambiguous, ChatError, Pictures

PATIENCE = 6.0
"""Seconds a message waits for its pictures; then it goes out with their words. What is under way goes on, and the next
message has it."""
_PAUSES = (0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4)
"""Seconds between looks whether a file is processed."""
_TRIES = 2
"""A call that was not answered would cost a check its picture for good: its message is not drawn again."""

log = structlog.get_logger(__name__)


class Unprocessed(ChatError):
    """Slack has the file, and has not looked at it yet."""


class Uploads:
    """Each picture is uploaded once in the life of the process; a failure is tried again after 20 seconds at the
    earliest. Nothing here raises: without its file a picture is said in words."""

    def __init__(self, api: Api, pictures: Pictures | None, *, patience: float = PATIENCE) -> None:
        self._api, self._pictures = api, pictures
        self._charts: dict[str, Chart] = {}
        """What is being asked for, by its digest."""
        self._files: Cache[str] = Cache(self._upload, fresh=math.inf, stale=math.inf, patience=patience)

    def at_once(self, card: Card) -> bool:
        """Whether nothing has to be waited for."""
        return self._pictures is None or not any(isinstance(block, Picture) for block in card.blocks)

    async def of(self, card: Card) -> Files:
        """The files of a card's pictures, as many as there are in time."""
        if self.at_once(card):
            return NO_FILES
        charts = [block.chart for block in card.blocks if isinstance(block, Picture)]
        found = await asyncio.gather(*map(self._file, charts))
        return {chart: file for chart, file in zip(charts, found, strict=True) if file}

    async def call(self, method: str, files: Files, body: Callable[[Files], dict[str, Any]]) -> dict[str, Any]:
        """Call with the body that shows these files. Where Slack does not take one of them nothing was done, and the
        same is said in words. Raises like `Api.call`."""
        try:
            return await self._api.call(method, **body(files))
        except Refusal as problem:
            if not files or problem.code not in ("invalid_blocks", "invalid_blocks_format"):
                raise
            log.warning("slack.picture", problem=str(problem))
            for chart in files:
                self._files.forget(chart_digest(chart))
        return await self._api.call(method, **body(NO_FILES))

    async def close(self) -> None:
        """Give up what is under way."""
        await self._files.close()

    async def _file(self, chart: Chart) -> str:
        key = chart_digest(chart)
        self._charts[key] = chart
        try:
            return await self._files.get(key)
        except ChatError as problem:
            log.info("slack.picture", problem=str(problem))
            return ""
        finally:
            self._charts.pop(key, None)  # an upload that goes on has taken it

    async def _upload(self, key: str) -> str:
        """The id of the file, processed. Raises ChatError."""
        assert self._pictures is not None
        chart = self._charts[key]
        try:
            content = await self._pictures.png(chart)
        except Exception as problem:  # whatever is wrong with a picture, the message goes out
            raise ChatError(f"the picture cannot be drawn ({type(problem).__name__}: {problem})") from problem
        for left in reversed(range(_TRIES)):
            try:
                return await self._put(key, chart.title, content)
            except Ambiguous:
                if not left:
                    raise
        raise AssertionError("unreachable: the last try raises")

    async def _put(self, key: str, title: str, content: bytes) -> str:
        """Upload once and wait until it is processed. Doing it again leaves at worst a file nobody sees: without a
        channel it is private to the bot. Raises ChatError."""
        place = await self._api.call("files.getUploadURLExternal", filename=f"{key}.png", length=len(content))
        file = str(place["file_id"])
        await self._api.upload(str(place["upload_url"]), content)
        await self._api.call("files.completeUploadExternal", files=[{"id": file, "title": title[:200]}])
        for pause in _PAUSES:
            with contextlib.suppress(Ambiguous):  # a look that was not answered: the file is there, look again
                answer = await self._api.call("files.info", file=file)
                if (answer.get("file") or {}).get("mimetype"):
                    return file
            await asyncio.sleep(pause)
        raise Unprocessed("the picture is still being processed")
