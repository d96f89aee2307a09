"""Who may do what. Pure: the roles arrive with the person, the policy says what they allow."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from checklists.policy import Policy

Act = Literal["start", "tick", "rollback", "decide", "freeze", "cancel", "override", "unlock"]


class Who(BaseModel):
    """A person as a chat knows them, or gonogo itself. `roles` are role names of policies (`qa`, `on_call`)."""

    model_config = ConfigDict(frozen=True)

    chat: str
    id: str
    name: str
    roles: frozenset[str] = frozenset()

    @property
    def is_gonogo(self) -> bool:
        """Whether this is the bot itself, for what happens by the clock."""
        return self.chat == "gonogo"


GONOGO = Who(chat="gonogo", id="gonogo", name="gonogo")


def may(policy: Policy, act: Act, who: Who) -> bool:
    """Whether the policy lets this person do it. An act the policy does not name is open to everybody in the channel,
    but for `override` (starting in spite of a window or freeze), which then is nobody's."""
    allowed = policy.may.get(act, ())
    if act == "override" and not allowed:
        return False
    return who.is_gonogo or not allowed or bool(who.roles & set(allowed))


def holds(who: Who, role: str | None) -> bool:
    """Whether the person may tick an item that belongs to this role; no role means anybody."""
    return role is None or who.is_gonogo or role in who.roles
