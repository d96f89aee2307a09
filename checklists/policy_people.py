"""What a policy says of people: overrides and approvals, and who holds which role."""

from __future__ import annotations

from pydantic import BaseModel, Field

from checklists.policy_types import CLOSED, Duration, Words


class ApprovalPolicy(BaseModel):
    """So many different people of a role have to approve; nobody approves what they asked for themselves."""

    model_config = CLOSED

    role: str
    count: int = Field(default=1, ge=1, le=10)
    expires: Duration | None = None
    """An approval older than this no longer counts."""


class Override(BaseModel):
    """A way around the ordinary run that the document allows, with its price. Keyed by its name in `/deploy start …
    --NAME`."""

    model_config = CLOSED

    what: str
    """What it is for, in the document's words."""
    role: str | None = None
    """Who must approve it. Nobody approves their own. None: no approval is asked for."""
    reason: bool = True
    """A written reason is asked for and kept."""
    closed_windows: bool = False
    """May start outside the windows and inside a freeze."""
    skips: Words = ()
    """Phases or sections (by heading) that may be left out."""
    instead: str | None = None
    """The heading of the abbreviated checklist that is run in place of the ordinary one."""
    review_after: bool = False
    """What was skipped must be reviewed after the deployment: it comes back as a follow-up."""
    watch_at_least: Duration | None = None
    """How long it is watched at the least."""
    post_mortem: Duration | None = None
    """The post-mortem is due this long after T0."""


class Person(BaseModel):
    """A role of the document and who holds it on each chat. A role nobody is mapped to is shown in words."""

    model_config = CLOSED

    name: str | None = None
    """As the document calls them: "On-call Engineer"."""
    contact: str | None = None
    availability: str | None = None
    slack: str | None = None
    """`U…` a user, `S…` a user group, or `@handle`, which is shown but cannot be mentioned or counted as holding the
    role."""
    discord: str | None = None
    """A user's number, or `role:NUMBER`."""
    web: Words = ()
    """Personas of the sandbox that hold the role besides those that say so themselves."""
