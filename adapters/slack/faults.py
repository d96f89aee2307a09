"""What is wrong between gonogo and Slack right now, in sentences for people; and what Slack's refusals mean."""

from __future__ import annotations

import re

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError

from bot.ports import Ambiguous, Busy429, ChannelGone, ChatError, MessageGone, Uneditable

_IN_A_ROW = 3
"""So many calls in a row without an answer are a fault; one is the weather."""

# docs.slack.dev/reference/methods/chat.postMessage: after these the write may have happened in part.
_AMBIGUOUS = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}
_MESSAGE = {
    "message_not_found": "the message was deleted",
    "thread_not_found": "the message it hangs under was deleted",
}
_FIXED = {
    "edit_window_closed": "the workspace does not let messages this old be edited",
    "cant_update_message": "the message cannot be edited",
    "block_mismatch": "the message cannot be edited",
}
_CHANNEL = {
    "channel_not_found": "does not exist, or I am not in it",
    "not_in_channel": "I am not in it",
    "is_archived": "is archived",
    "is_inactive": "is archived",
}
_TOKEN = {"invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired", "no_permission"}
_TOKENS = re.compile(r"xox[a-z]-[\w-]+|xapp-[\w-]+")
_CODE = re.compile(r"[a-z0-9_.:-]{1,80}")
_REINSTALL = "paste what gonogo slack manifest prints into the app's settings and reinstall the app"

log = structlog.get_logger(__name__)


class Faults:
    """Each stands until what it is about works again."""

    def __init__(self) -> None:
        self._standing: dict[str, str] = {}
        self._unanswered = 0

    def note(self, about: str, sentence: str) -> None:
        """Something is wrong. `about` names it for `mend`; a newer sentence about the same replaces the older. Logged
        once."""
        if self._standing.get(about) != sentence:
            log.warning("slack.fault", about=about, problem=sentence)
        self._standing[about] = sentence

    def mend(self, about: str) -> None:
        """It works again."""
        if self._standing.pop(about, None) is not None:
            log.info("slack.mended", about=about)

    def sentences(self) -> tuple[str, ...]:
        """What is wrong now, each with how to mend it."""
        return tuple(f"Slack: {sentence}" for sentence in dict.fromkeys(self._standing.values()))

    def answered(self, method: str, *, app_token: bool = False) -> None:
        """A call worked: Slack is there, the token holds, the method is permitted."""
        self._unanswered = 0
        for about in ("silence", "app token" if app_token else "token", method):
            self.mend(about)

    def refused(self, method: str, problem: ChatError, *, app_token: bool = False) -> None:
        """A call failed."""
        if isinstance(problem, Ambiguous):
            self._unanswered += 1
            if self._unanswered >= _IN_A_ROW:
                self.note("silence", f"{problem}. What is missing is caught up with when it answers again")
        elif isinstance(problem, Refusal) and problem.code in _TOKEN:
            self.note("app token" if app_token else "token", str(problem))
        elif isinstance(problem, Refusal) and problem.lasts:
            self.note(method, str(problem))


class Refusal(ChatError):
    """Slack said no for good. `code` is Slack's word for it; `lasts` when it stays so until somebody mends it."""

    def __init__(self, sentence: str, code: str, *, lasts: bool = False) -> None:
        super().__init__(sentence)
        self.code, self.lasts = code, lasts


def problem_of(method: str, error: Exception, *, app_token: bool = False) -> ChatError:
    """What a failed call means. Everything that is not an answer in Slack's form may still have been carried out."""
    if isinstance(error, TimeoutError):
        return Ambiguous(f"{method} was not answered in time")
    if isinstance(error, aiohttp.ClientError | OSError):
        return Ambiguous(f"{method} was not answered ({type(error).__name__})")
    if not isinstance(error, SlackApiError):
        return Ambiguous(f"the answer to {method} cannot be read")
    response = error.response
    status = int(getattr(response, "status_code", None) or getattr(response, "status", None) or 0)
    data = getattr(response, "data", None)
    data = data if isinstance(data, dict) else {}
    code = str(data.get("error", ""))
    if not _CODE.fullmatch(code):
        code = ""  # none of Slack's words: somebody else answers, and may say back what was sent
    if status == 429 or code in ("ratelimited", "rate_limited"):
        return Busy429(_seconds(getattr(response, "headers", {}).get("Retry-After")))
    if status >= 500 or code in _AMBIGUOUS or not code:
        return Ambiguous(f"{method} was answered with {code or f'HTTP {status}'}")
    return _said(method, code, data, app_token=app_token)


def _said(method: str, code: str, data: dict[str, object], *, app_token: bool) -> ChatError:
    if code in _MESSAGE:
        return MessageGone(_MESSAGE[code])
    if code in _FIXED:
        return Uneditable(_FIXED[code])
    if code in _CHANNEL:
        return ChannelGone(_CHANNEL[code])
    if code in _TOKEN:
        name = "GONOGO_SLACK_APP_TOKEN" if app_token else "GONOGO_SLACK_BOT_TOKEN"
        return Refusal(f"{name} is not accepted ({code}): set the token of the installed app and start again", code)
    if code == "missing_scope":
        needed = data.get("needed") or "a scope"
        return Refusal(f"{method} needs the scope {needed}: {_REINSTALL}", code, lasts=True)
    if code == "not_allowed_token_type":
        kinds = "the bot's starts with xoxb-, the app's with xapp-"
        return Refusal(f"{method} does not take this kind of token: {kinds}", code, lasts=True)
    if code.startswith("restricted_action"):
        return Refusal("a setting of the workspace keeps me from posting there: ask an administrator", code, lasts=True)
    if code in ("msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_blocks_format"):
        return Refusal(
            f"a message was not accepted ({code}): please report this to the makers of gonogo", code, lasts=True
        )
    details = data.get("response_metadata")
    messages = details.get("messages") if isinstance(details, dict) else None
    more = f": {'; '.join(map(str, messages))}" if isinstance(messages, list) and messages else ""
    more = _TOKENS.sub("…", more)
    return Refusal(f"{method} was refused ({code}){more}", code)


def _seconds(header: object) -> float:
    try:
        return max(float(str(header)), 0.1)
    except ValueError:
        return 1.0
