"""Who somebody is: the name people know them by, and the policies' roles they hold, by themselves or in a user
group."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence

from adapters.slack.cache import Cache
from adapters.slack.client import Api
from adapters.slack.people import groups_of, roles_of
from bot.domain.people import Who
from bot.ports import ChatError
from checklists.policy import Person

People = Callable[[], Mapping[str, Sequence[Person]]]
"""The roles of all policies, each with those who hold it."""

_MINUTE = 60.0


class Roster:
    """Members of groups are asked for every five minutes (`usergroups.users.list` is Tier 2) and names every hour.

    While Slack cannot say who is in a group, the last list counts for half an hour; after that the group gives nobody a
    role, and the fault says so.
    """

    def __init__(self, api: Api, people: People, *, patience: float = 1.0) -> None:
        self._api, self._people = api, people
        self._members = Cache(self._ask_members, fresh=5 * _MINUTE, stale=30 * _MINUTE, patience=patience)
        self._names = Cache(self._ask_name, fresh=60 * _MINUTE, stale=24 * 60 * _MINUTE, patience=patience)

    async def who(self, user: str, handle: str = "") -> Who:
        """A person by their id. Never fails: `handle` stands in for a name that cannot be asked."""
        if self._names.knows(user):
            name, roles = await self.name(user, handle), await self.roles(user)
        else:
            name, roles = await asyncio.gather(self.name(user, handle), self.roles(user))
        return Who(chat="slack", id=user, name=name, roles=roles)

    async def roles(self, user: str) -> frozenset[str]:
        """The roles somebody holds. Groups that cannot be asked give none."""
        people = self._people()
        groups = sorted(groups_of(people))
        if all(map(self._members.knows, groups)):
            members = [await self._group(group) for group in groups]  # at once
        else:
            members = await asyncio.gather(*(self._group(group) for group in groups))
        return roles_of(user, people, dict(zip(groups, members, strict=True)))

    async def warm(self) -> None:
        """Ask for all groups, so that the first click does not wait for it."""
        await asyncio.gather(*(self._group(group) for group in groups_of(self._people())))

    async def close(self) -> None:
        """Give up what is being asked."""
        await self._members.close()
        await self._names.close()

    async def name(self, user: str, handle: str = "") -> str:
        """What people call them. Never fails: `handle`, else the id, stands in."""
        try:
            return await self._names.get(user) or handle or user
        except ChatError:
            return handle or user

    async def _group(self, group: str) -> frozenset[str]:
        about = f"group {group}"
        try:
            members = await self._members.get(group)
        except ChatError as problem:
            self._api.faults.note(
                about, f"who is in the user group {group} cannot be asked ({problem}): nobody holds its roles"
            )
            return frozenset()
        self._api.faults.mend(about)
        return members

    async def _ask_members(self, group: str) -> frozenset[str]:
        answer = await self._api.call("usergroups.users.list", usergroup=group)
        return frozenset(map(str, answer.get("users") or ()))

    async def _ask_name(self, user: str) -> str:
        answer = await self._api.call("users.info", user=user)
        known = answer.get("user") or {}
        profile = known.get("profile") or {}
        names = (profile.get("display_name"), profile.get("real_name"), known.get("real_name"), known.get("name"))
        return next((str(name) for name in names if name), "")
