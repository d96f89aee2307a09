"""Who holds a role, as far as it can be told without asking anybody."""

from __future__ import annotations

from collections.abc import Mapping

from checklists.policy import Person


class Named:
    """`bot.ports.Roster` from the policy alone: a role whose people are single users can be counted, one that is a
    group or a role of the chat cannot, and one nobody is mapped to is held by nobody."""

    def __init__(self, chats: tuple[str, ...]) -> None:
        self._chats = chats

    async def holders(self, role: str, people: Mapping[str, Person]) -> frozenset[tuple[str, str]] | None:
        """Chat and id of everybody who holds the role; None where a group or a role of the chat holds it."""
        person = people.get(role)
        found: set[tuple[str, str]] = set()
        for chat in self._chats:
            held = {"slack": person.slack, "discord": person.discord}.get(chat) if person is not None else None
            if held is None:
                continue
            if (chat == "slack" and held.startswith("U")) or (chat == "discord" and held.isdecimal()):
                found.add((chat, held))
            elif not held.startswith("@"):
                return None
        return frozenset(found)
