"""What is wrong between gonogo and Discord right now, in sentences for people; and what Discord's refusals mean."""

from __future__ import annotations

import aiohttp
import discord
import structlog

from bot.ports import Ambiguous, Busy429, ChannelGone, ChatError, MessageGone

_IN_A_ROW = 3
"""So many calls in a row without an answer are a fault; one is the weather."""
_EDITS = 60.0
"""Seconds to wait after 30046, which names none."""

# discord/discord-api-docs: topics/opcodes-and-status-codes, JSON error codes
UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_MEMBER = 10003, 10008, 10007
UNKNOWN_INTERACTION, ANSWERED, BAD_WEBHOOK = 10062, 40060, 50027
ARCHIVED, THREAD_EXISTS, OLD_EDITS = 50083, 160004, 30046
_MESSAGE = {UNKNOWN_MESSAGE: "the message was deleted"}
_CHANNEL = {
    UNKNOWN_CHANNEL: "does not exist, or I cannot see it",
    50001: "I cannot see it: allow my role View Channel there",
    50013: "I may not do that there: allow my role what `gonogo doctor` names",
}
UNACCEPTED = "GONOGO_DISCORD_TOKEN is not accepted: copy the token under Bot in the developer portal, and start again"

log = structlog.get_logger(__name__)


class Refusal(ChatError):
    """Discord said no for good. `code` is its number; `lasts` when it stays so until somebody mends it."""

    def __init__(self, sentence: str, code: int, *, lasts: bool = False) -> None:
        super().__init__(sentence)
        self.code, self.lasts = code, lasts


class Archived(ChatError):
    """The thread is archived, and what stands in it cannot be edited until it is opened again."""


class Faults:
    """Each stands until what it is about works again."""

    def __init__(self) -> None:
        self._standing: dict[str, str] = {}
        self._unanswered = 0

    def note(self, about: str, sentence: str) -> None:
        """Something is wrong. `about` names it for `mend`; a newer sentence about the same replaces the older. Logged
        once."""
        if self._standing.get(about) != sentence:
            log.warning("discord.fault", about=about, problem=sentence)
        self._standing[about] = sentence

    def mend(self, about: str) -> None:
        """It works again."""
        if self._standing.pop(about, None) is not None:
            log.info("discord.mended", about=about)

    def sentences(self) -> tuple[str, ...]:
        """What is wrong now, each with how to mend it."""
        return tuple(f"Discord: {sentence}" for sentence in dict.fromkeys(self._standing.values()))

    def answered(self, what: str) -> None:
        """A call worked: Discord is there, the token holds, this is permitted."""
        self._unanswered = 0
        for about in ("silence", "token", what):
            self.mend(about)

    def refused(self, what: str, problem: ChatError) -> None:
        """A call failed."""
        if isinstance(problem, Ambiguous):
            self._unanswered += 1
            if self._unanswered >= _IN_A_ROW:
                self.note("silence", f"{problem}. What is missing is caught up with when it answers again")
        elif isinstance(problem, Refusal) and problem.code == 401:
            self.note("token", str(problem))
        elif isinstance(problem, Refusal) and problem.lasts:
            self.note(what, str(problem))


def problem_of(what: str, error: BaseException, *, token: str = "") -> ChatError:
    """What a failed call means, with the words of the answer, but for the token. Everything that is not an answer of
    Discord's may still have been carried out."""
    if isinstance(error, ChatError):
        return error
    if isinstance(error, TimeoutError):
        return Ambiguous(f"{what} was not answered in time")
    if isinstance(error, aiohttp.ClientError | OSError):
        return Ambiguous(f"{what} was not answered ({type(error).__name__})")
    if isinstance(error, discord.RateLimited):
        return Busy429(error.retry_after)
    if isinstance(error, discord.LoginFailure):
        return Refusal(UNACCEPTED, 401, lasts=True)
    if isinstance(error, discord.HTTPException):
        return _said(what, error, token)
    return Ambiguous(f"the answer to {what} cannot be read ({type(error).__name__})")


def _said(what: str, error: discord.HTTPException, token: str) -> ChatError:
    code, status = error.code, error.status
    if status == 429 or code == OLD_EDITS:
        return Busy429(_EDITS if code == OLD_EDITS else _seconds(error))
    if status >= 500:
        return Ambiguous(f"{what} was answered with HTTP {status}")
    if status == 401:
        return Refusal(UNACCEPTED, 401, lasts=True)
    if code in _MESSAGE:
        return MessageGone(_MESSAGE[code])
    if code == ARCHIVED:
        return Archived("the thread is archived")
    if code in _CHANNEL:
        return ChannelGone(_CHANNEL[code])
    text = error.text.replace(token, "…") if token else error.text
    more = f": {text[:300]}" if code and text else ""
    lasts = status == 400
    advice = ". Please report this to the makers of gonogo" if lasts else ""
    return Refusal(f"{what} was refused ({code or status}){more}{advice}", code, lasts=lasts)


def _seconds(error: discord.HTTPException) -> float:
    """What a 429 without a body asks: its header, else a second."""
    try:
        return max(float(error.response.headers.get("Retry-After") or 1), 0.1)
    except ValueError:
        return 1.0
