"""`gonogo doctor`: whether everything Slack needs is there, and how to mend what is not. Changes nothing in Slack."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from adapters.slack.chat import SlackChat
from adapters.slack.client import Api, Me
from adapters.slack.config import SlackConfig
from adapters.slack.methods import bot_scopes
from adapters.slack.people import groups_of, holders
from adapters.slack.roles import People
from bot.ports import ChatError

SKEW = 60.0
"""Seconds the clocks may differ. From 300 on, Slack's signed requests are refused (slack_sdk,
signature/__init__.py)."""
MANIFEST = "run `gonogo slack manifest`, paste it under App Manifest at api.slack.com/apps, and reinstall the app"


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was looked at. `ok` None: it works, but is worth knowing. `mend` says what to do where it is not right."""

    ok: bool | None
    what: str
    mend: str = ""


Check = Callable[[], Awaitable[str | None]]
"""None when all is well; else how to mend it. Raising counts as not well."""


async def examine(
    config: SlackConfig,
    *,
    channels: Sequence[str],
    also: Sequence[str] = (),
    people: People,
    database: Check | None = None,
    migrations: Check | None = None,
    now: Callable[[], float] = time.time,
) -> list[Finding]:
    """Look at everything once. I must be in `channels`; where I am not in one of `also`, what is meant for it is said
    in #deployments. `now` is this machine's clock in Unix seconds."""
    api = Api(config.bot_token, base_url=config.api_url)
    await api.open()
    chat = SlackChat(api, people)
    try:
        found = [_token_shape(config)]
        try:
            me = await api.identify()
        except ChatError as problem:
            found.append(Finding(False, "Slack accepts the bot token", f"{problem}"))
        else:
            found.append(Finding(True, f"Slack accepts the bot token: @{me.name} in {me.team}"))
            found += [_scopes(me), _skew(me, now())]
            found += [await _channel(chat, channel, me) for channel in channels]
            found += [replace(each, ok=each.ok or None) for each in [await _channel(chat, name, me) for name in also]]
            found += [await _group(api, group) for group in sorted(groups_of(people()))]
            found += _handles(people)
        found += await _way_in(api, config)
    finally:
        await chat.close()
        await api.close()
    more = (("The database can be reached", database), ("Its tables are those of this release", migrations))
    return [*found, *[await _asked(what, check) for what, check in more if check is not None]]


def _token_shape(config: SlackConfig) -> Finding:
    what = "GONOGO_SLACK_BOT_TOKEN is a bot's"
    if config.bot_token.startswith("xoxb-"):
        return Finding(True, what)
    return Finding(False, what, "copy the Bot User OAuth Token (xoxb-…) from OAuth & Permissions of the app")


def _scopes(me: Me) -> Finding:
    needed = set(bot_scopes())
    if me.scopes is None:
        return Finding(None, "The granted scopes are not told by this API")
    missing, more = sorted(needed - me.scopes), sorted(me.scopes - needed)
    if missing:
        return Finding(False, f"Scopes: {', '.join(missing)} missing", MANIFEST)
    if more:
        return Finding(None, f"Scopes: all there; not needed: {', '.join(more)}", MANIFEST)
    return Finding(True, "Scopes: exactly those needed")


def _skew(me: Me, here: float) -> Finding:
    if me.clock is None:
        return Finding(None, "Slack's clock is not told by this API")
    off = here - me.clock
    if abs(off) <= SKEW:
        return Finding(True, "The clock agrees with Slack's")
    way = "ahead of" if off > 0 else "behind"
    return Finding(
        False, f"The clock is {abs(off):.0f} s {way} Slack's", "switch on time synchronisation on this machine"
    )


async def _channel(chat: SlackChat, channel: str, me: Me) -> Finding:
    try:
        if await chat.has_channel(channel):
            return Finding(True, f"I am in {channel}")
        return Finding(
            False, f"I am not in {channel}", f"make the channel if there is none, and type there: /invite @{me.name}"
        )
    except ChatError as problem:
        return Finding(False, f"Whether I am in {channel} cannot be told", str(problem))


async def _group(api: Api, group: str) -> Finding:
    try:
        members = (await api.call("usergroups.users.list", usergroup=group)).get("users") or ()
    except ChatError as problem:
        return Finding(
            False, f"The user group {group} cannot be read", f"correct it under `people` of the policy ({problem})"
        )
    if not members:
        return Finding(False, f"Nobody is in the user group {group}", "whoever holds its roles has to be put in")
    return Finding(True, f"The user group {group} has {len(members)} people")


def _handles(people: People) -> list[Finding]:
    """Roles that are mapped to something that can be shown but not called."""
    return [
        Finding(
            None,
            f"{role} is {person.slack}, which can be shown but neither called nor counted as holding the role",
            "write the id (U… or S…) into the policy: in Slack, under the profile's ⋮",
        )
        for role, several in people().items()
        for person in several
        if person.slack and not (holders(person).users or holders(person).groups)
    ]


async def _way_in(api: Api, config: SlackConfig) -> list[Finding]:
    if config.app_token:
        try:
            await api.call("apps.connections.open", app_token=config.app_token)
        except ChatError as problem:
            how = "make an app-level token with connections:write under Basic Information, and switch on Socket Mode"
            return [Finding(False, "Socket Mode can be opened", f"{how} ({problem})")]
        found = [Finding(True, "Socket Mode can be opened")]
        if config.signing_secret:
            found.append(
                Finding(None, "The signing secret is not used: with an app token, everything comes by Socket Mode")
            )
        return found
    if config.signing_secret:
        how = "its public https address must stand in the app: `gonogo slack manifest --http URL`"
        return [Finding(None, "Clicks and commands come over HTTP to /slack/events", how)]
    how = "set GONOGO_SLACK_APP_TOKEN (xapp-…, no public address needed) or GONOGO_SLACK_SIGNING_SECRET"
    return [Finding(False, "Clicks and commands have a way in", how)]


async def _asked(what: str, check: Check) -> Finding:
    try:
        mend = await check()
    except Exception as problem:
        return Finding(False, what, str(problem) or type(problem).__name__)
    return Finding(mend is None, what, mend or "")
