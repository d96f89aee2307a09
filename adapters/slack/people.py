"""Roles of the policy as Slack knows them: users, user groups, or only words. Who is in a group is asked elsewhere."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from adapters.slack.limits import Room
from adapters.slack.mrkdwn import literal
from checklists.policy import Person

_USER = re.compile(r"[UW][A-Z0-9]{2,30}")
_GROUP = re.compile(r"S[A-Z0-9]{2,30}")
_ROLES = {"qa": "QA", "on_call": "on-call", "vp_engineering": "VP Engineering"}


@dataclass(frozen=True, slots=True)
class Holders:
    """Slack ids that hold a role: users (`U…`, `W…`) and user groups (`S…`)."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


def holders(person: Person | None) -> Holders:
    """Who a role is mapped to. An `@handle`, or nothing, maps to nobody."""
    named = (person.slack or "").strip() if person else ""
    if _USER.fullmatch(named):
        return Holders(users=frozenset({named}))
    return Holders(groups=frozenset({named})) if _GROUP.fullmatch(named) else Holders()


def groups_of(people: Mapping[str, Sequence[Person]]) -> frozenset[str]:
    """Every user group that some role is mapped to: those whose members have to be known."""
    return frozenset(group for several in people.values() for person in several for group in holders(person).groups)


def roles_of(
    user: str, people: Mapping[str, Sequence[Person]], members: Mapping[str, Collection[str]]
) -> frozenset[str]:
    """The roles a user holds, given the members of the user groups. A group nobody knows the members of has none."""

    def one_of(named: Holders) -> bool:
        return user in named.users or any(user in members.get(group, ()) for group in named.groups)

    return frozenset(role for role, several in people.items() if any(one_of(holders(person)) for person in several))


def first_holders(people: Mapping[str, Sequence[Person]]) -> dict[str, Person]:
    """Whom a role calls: of several policies' entries, the first that can be called."""
    return {
        role: next((person for person in several if holders(person) != Holders()), several[0])
        for role, several in people.items()
        if several
    }


def mention(role: str, person: Person | None) -> str:
    """mrkdwn that calls whoever holds a role: `<@U…>`, `<!subteam^S…>`; in words where it is mapped to nobody."""
    named = holders(person)
    for user in named.users:
        return f"<@{user}>"
    for group in named.groups:
        return f"<!subteam^{group}>"
    words = (person.name if person else None) or _ROLES.get(role, role.replace("_", " "))
    handle = (person.slack or "").strip() if person else ""
    return literal(f"{words} ({handle})" if handle.startswith("@") else words, Room(120, 400)) or "somebody"
