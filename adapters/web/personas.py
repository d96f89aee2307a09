"""Who one can be in the sandbox: one person for every role that the checklists' policies ask for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain.people import Who
from checklists.policy import Person


@dataclass(frozen=True, slots=True)
class Persona:
    """Somebody to play. `title` is what the page says beside the name."""

    id: str
    name: str
    title: str
    roles: tuple[str, ...]

    @property
    def who(self) -> Who:
        """The person as the core knows them."""
        return Who(chat="web", id=self.id, name=self.name, roles=frozenset(self.roles))


PERSONAS = (
    Persona("ann", "Ann", "engineer", ("engineer",)),
    Persona("sam", "Sam", "senior engineer", ("senior_engineer",)),
    Persona("quinn", "Quinn", "QA", ("qa",)),
    Persona("pat", "Pat", "product owner", ("product_owner",)),
    Persona("theo", "Theo", "tech lead", ("tech_lead",)),
    Persona("olu", "Olu", "on-call", ("on_call",)),
    Persona("vera", "Vera", "VP Engineering", ("vp_engineering",)),
)


def find_persona(persona: str) -> Persona | None:
    """The persona of this id."""
    return next((known for known in PERSONAS if known.id == persona), None)


class Cast:
    """`bot.ports.Roster` of the sandbox: everybody who can be played."""

    async def holders(self, role: str, people: Mapping[str, Person]) -> frozenset[tuple[str, str]] | None:
        """Those who say so themselves, and those the policy names."""
        named = people[role].web if role in people else ()
        return frozenset(("web", known.id) for known in PERSONAS if role in known.roles or known.id in named)
