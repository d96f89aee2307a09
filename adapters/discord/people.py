"""Roles of the policy as Discord knows them: users, server roles, or only words. The roles somebody has come with every
click."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import discord

from adapters.discord.layout import target
from bot.domain.people import Who
from checklists.policy import Person

People = Callable[[], Mapping[str, Sequence[Person]]]
"""The roles of all policies, each with those who hold it."""


@dataclass(frozen=True, slots=True)
class Holders:
    """Discord numbers that hold a role of the policy: users and server roles."""

    users: frozenset[int] = frozenset()
    roles: frozenset[int] = frozenset()


def holders(person: Person | None) -> Holders:
    """Who a role is mapped to. Anything that is no number maps to nobody."""
    match target(person):
        case True, number:
            return Holders(roles=frozenset({number}))
        case False, number:
            return Holders(users=frozenset({number}))
    return Holders()


def roles_of(user: int, has: Collection[int], people: Mapping[str, Sequence[Person]]) -> frozenset[str]:
    """The policies' roles somebody holds who has these server roles."""

    def one_of(named: Holders) -> bool:
        return user in named.users or not named.roles.isdisjoint(has)

    return frozenset(role for role, several in people.items() if any(one_of(holders(person)) for person in several))


def who(user: discord.User | discord.Member, people: Mapping[str, Sequence[Person]]) -> Who:
    """Who did this, by what came with it: nobody is asked."""
    has = {role.id for role in user.roles} if isinstance(user, discord.Member) else set()
    return Who(chat="discord", id=str(user.id), name=user.display_name, roles=roles_of(user.id, has, people))


def first_holders(people: Mapping[str, Sequence[Person]]) -> dict[str, Person]:
    """Whom a role calls: of several policies' entries, the first that can be called."""
    return {
        role: next((person for person in several if holders(person) != Holders()), several[0])
        for role, several in people.items()
        if several
    }


def server_roles(people: Mapping[str, Sequence[Person]]) -> frozenset[int]:
    """Every server role that some role of a policy is mapped to."""
    return frozenset(role for several in people.values() for person in several for role in holders(person).roles)
