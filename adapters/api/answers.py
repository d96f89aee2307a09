"""What a program gets back."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from bot.domain.busy import Code


class Answer(BaseModel):
    """What every answer has in common: it is made from what the desk says, field by field."""

    model_config = ConfigDict(from_attributes=True, extra="forbid")


class ReasonOut(Answer):
    """One reason why it is closed."""

    code: str = Field(description=", ".join(f"`{code.value}`" for code in Code))
    text: str = Field(description="As people read it.")
    source: str = Field(description="Which rule says so: of the policy, or what was said in chat.")
    until: datetime | None = Field(description="When it is over, where that is known.")


class GateOut(Answer):
    """What `gonogo gate --json` prints."""

    open: bool = Field(description="A deployment may start.")
    reasons: list[ReasonOut] = Field(description="Why not, if it is closed.")
    next_open: datetime | None = Field(description="When it opens, if it is closed and that is known.")
    next_close: datetime | None = Field(description="When it closes, if it is open and ever does.")
    zone: str = Field(description="The checklist's time zone.")


class GateAnswerOut(GateOut):
    """The gate's answer, about what it was asked."""

    service: str
    environment: str
    at: datetime = Field(description="The moment that was asked about.")


class PlaceOut(Answer):
    """The current phase."""

    title: str
    number: int
    of: int


class ComingOut(Answer):
    """What is due next, by itself."""

    at: datetime
    what: str


class SaidOut(Answer):
    """An announcement, letter for letter."""

    name: str
    at: datetime
    text: str


class FailureOut(Answer):
    """What was reported as failed, and not as done since."""

    step: str
    detail: str
    link: str
    at: datetime


class DeploymentOut(Answer):
    """Where a deployment stands."""

    id: str
    service: str
    environment: str
    version: str
    checklist: str
    status: str = Field(
        description="`waiting`, `running`, `deployed`, `succeeded`, `stable`, `rolling back`, `rolled back`, "
        "`cancelled` or `superseded`."
    )
    started_at: datetime
    started_by: str
    planned_at: datetime | None = Field(description="T0 as it was planned.")
    deployed_at: datetime | None = Field(description="T0.")
    ended_at: datetime | None
    phase: PlaceOut | None = Field(description="The current one.")
    ticked: int
    not_applicable: int
    total: int = Field(description="Items that count: required ones, and others that somebody has marked.")
    next_due: ComingOut | None = Field(description="What comes next by itself.")
    announcements: list[SaidOut] = Field(description="What was announced, letter for letter.")
    failures: list[FailureOut] = Field(description="What was reported as failed, and not as done since.")
    steps: list[str] = Field(description="The steps that items of this checklist wait for.")
    links: dict[str, str] = Field(description="Those of the policy: name and address.")


class StartedOut(DeploymentOut):
    """The deployment, and what is to be minded."""

    message: str


class EventOut(Answer):
    """What became of a report."""

    deployment: str
    code: str = Field(
        description="`ticked`, `remembered` (ticked when its phase opens), `deployed`, `failed` (the team is told) or "
        "`already`."
    )
    message: str
    ticked: list[str] = Field(description="The items that it ticked.")


class Problem(Answer):
    """What was wrong, and what to do now."""

    code: str
    message: str
    field: str | None = Field(None, description="The field that is wrong.")
    gate: GateOut | None = Field(None, description="With `closed` and `locked`: the gate's own answer.")


class ProblemOut(Answer):
    """Nothing was changed."""

    error: Problem


def problem(code: str, message: str, *, field: str = "", gate: dict[str, Any] | None = None) -> dict[str, Any]:
    """The body of an error."""
    known = None if gate is None else GateOut.model_validate(gate)
    body = Problem(code=code, message=message, field=field or None, gate=known)
    unsaid = {name for name in ("field", "gate") if getattr(body, name) is None}
    return {"error": body.model_dump(mode="json", exclude=unsaid)}
