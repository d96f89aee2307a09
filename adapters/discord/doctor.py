"""`gonogo doctor`: whether everything Discord needs is there, and how to mend what is not. Changes nothing there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import discord

from adapters.discord.client import INTENTS, Api
from adapters.discord.config import DiscordConfig
from adapters.discord.people import Holders, People, holders, server_roles
from adapters.discord.rooms import Room, Rooms
from bot.ports import ChatError

INVITE = "open what `gonogo discord invite` prints"
_PRIVILEGED = discord.Intents(members=True, presences=True, message_content=True)


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was looked at. `ok` None: it works, but is worth knowing. `mend` says what to do where it is not right."""

    ok: bool | None
    what: str
    mend: str = ""


async def examine(
    config: DiscordConfig, *, channels: Sequence[str], also: Sequence[str] = (), people: People
) -> list[Finding]:
    """Look at everything once. It must be possible to post to `channels`; what is meant for one of `also` that is not
    there is said in #deployments."""
    api = Api(config)
    rooms = Rooms(api)
    try:
        try:
            application = await api.identify()
        except ChatError as problem:
            return [Finding(False, "Discord accepts the bot token", str(problem))]
        name = api.me.name if api.me else application.name
        found = [Finding(True, f"Discord accepts the bot token: {name}"), _endpoint(application), _intents()]
        try:
            number = await api.guild()
            guild = await api.call("the server", lambda client: client.fetch_guild(number, with_counts=False))
            there = await rooms.all()
        except ChatError as problem:
            return [*found, Finding(False, "I am in the server", f"{INVITE} ({problem})")]
        found.append(Finding(True, f"I am in the server {guild.name}"))
        found += [_channel(channel, there.get(channel)) for channel in channels]
        found += [replace(each, ok=each.ok or None) for each in (_channel(name, there.get(name)) for name in also)]
        found += [_role(guild, role) for role in sorted(server_roles(people()))]
        return found + _odd(people)
    finally:
        await rooms.close()
        await api.close()


def _endpoint(application: discord.AppInfo) -> Finding:
    if not application.interactions_endpoint_url:
        return Finding(True, "Clicks and commands come over the gateway")
    how = "in the developer portal, under General Information, empty the Interactions Endpoint URL: while one is set, "
    return Finding(False, "Clicks and commands come over the gateway", how + "Discord sends none over the gateway")


def _intents() -> Finding:
    """What is asked for is in the code; said, because setting up a bot usually begins with these switches."""
    asked = INTENTS.value & _PRIVILEGED.value
    return Finding(not asked, "No privileged intent is needed: all three switches in the developer portal may stay off")


def _channel(channel: str, room: Room | None) -> Finding:
    if room is None:
        how = "make the channel, or allow the bot's role View Channel in its settings, under Permissions"
        return Finding(False, f"I cannot see {channel}", how)
    if room.lacks:
        how = f"in the settings of {channel}, under Permissions, allow these to the bot's role, or {INVITE}"
        return Finding(False, f"I may not {', '.join(room.lacks)} in {channel}", how)
    if not room.pictures:
        how = f"for pictures, allow the bot's role Attach Files in the settings of {channel}, under Permissions"
        return Finding(None, f"In {channel} the pictures of checks are said in words", how)
    return Finding(True, f"I may do in {channel} all that is needed")


def _role(guild: discord.Guild, number: int) -> Finding:
    role = guild.get_role(number)
    if role is None:
        how = "correct it under `people` of the policy: Server Settings, Roles, the role's ⋯, Copy Role ID"
        return Finding(False, f"There is no role {number} in the server", how)
    if not role.mentionable:
        how = "to be called it must be mentionable: Server Settings, Roles, Allow anyone to @mention this role"
        return Finding(None, f"@{role.name} can sign, but is not called when it is its turn", how)
    return Finding(True, f"@{role.name} is there and can be mentioned")


def _odd(people: People) -> list[Finding]:
    """Roles that are mapped to something that is neither a user nor a role."""
    return [
        Finding(
            None,
            f"{role} is {person.discord}, which is neither a user's number nor role:NUMBER, so it counts for nobody",
            "copy the number: User Settings, Advanced, Developer Mode; then right-click, Copy ID",
        )
        for role, several in people().items()
        for person in several
        if person.discord and holders(person) == Holders()
    ]
