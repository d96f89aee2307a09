"""What a machine must know besides the document: the models of `NAME.yaml`.

Every key is closed (an unknown one is an error), every quantity carries its unit, and every name of a heading or an
item is proved to exist by `gonogo checklist lint`. Durations are `timedelta`; thresholds and bands keep the words
they were written in.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Literal

from pydantic import Field, field_validator, model_validator

from checklists.addresses import check_address, is_address
from checklists.document import PhaseKind
from checklists.expressions import check_expression
from checklists.policy_people import ApprovalPolicy as ApprovalPolicy
from checklists.policy_people import Override as Override
from checklists.policy_people import Person as Person
from checklists.policy_pipeline import AlertPolicy as AlertPolicy
from checklists.policy_pipeline import PipelinePolicy as PipelinePolicy
from checklists.policy_pipeline import Workflow as Workflow
from checklists.policy_types import Announcement as Announcement
from checklists.policy_types import At, Duration, Measured, Model, Words
from checklists.policy_watch import SOURCES as SOURCES
from checklists.policy_watch import ProbePolicy as ProbePolicy
from checklists.policy_watch import RollbackPolicy as RollbackPolicy
from checklists.policy_watch import Severity as Severity
from checklists.policy_watch import WatchEntry as WatchEntry
from checklists.windows import parse_dates, parse_window


class Holidays(Model):
    """Public holidays of a country, from the `holidays` library. `only` keeps names that contain one of these words,
    `without` drops them; `also` adds named days of other countries' calendars as `XX: [names]`."""

    country: str
    """`US`, `IN`: a two-letter code."""
    subdivision: str | None = None
    categories: tuple[str, ...] = ()
    """Default: public holidays. The library has more for some countries (`optional`, `bank`, `government`, …)."""
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    also: dict[str, tuple[str, ...]] = {}


class Edge(Model):
    """The last `last` and first `first` days of a period. Business days are Monday to Friday less the policy's
    holidays; counted in these, the freeze runs through the weekends between them."""

    last: int = Field(default=0, ge=0, le=31)
    first: int = Field(default=0, ge=0, le=31)
    business: bool = False


class FreezePolicy(Model):
    """When nothing is deployed. Exactly one of the sources; `environments` limits it (default: production only)."""

    why: str | None = None
    """What people read when it turns them away: "Friday afternoon"."""
    environments: Words = ("production",)
    weekly: str | None = None
    """`fri 12:00-24:00`, `sat-sun`: in the words of a window."""
    dates: str | None = None
    """`2026-12-20 - 2027-01-03`, both days included, or two ISO local times."""
    rrule: str | None = None
    """RFC 5545 recurrence, `DTSTART;…` included; each occurrence lasts `lasts`."""
    lasts: Duration | None = None
    holidays: Holidays | None = None
    month_end: Edge | None = None
    quarter_end: Edge | None = None
    calendar: str | None = None
    """An ICS file beside the policy, or the https address of one; the events whose summary matches `matching` count,
    `buffer` widens each on both sides."""
    matching: str | None = None
    buffer: Duration | None = None
    incidents: bool = False
    """While an incident of the service is open. If incidents cannot be read, `unknown` decides."""
    statuspage: str | None = None
    """The address of a provider's Atlassian Statuspage: while it lists an unresolved incident."""
    pagerduty: str | None = None
    """The id of a PagerDuty service, `PABC123`: while one of its incidents is triggered or acknowledged."""
    unknown: Literal["block", "allow"] = "block"
    """What a source that cannot be read means."""

    @model_validator(mode="after")
    def _one_source(self) -> FreezePolicy:
        sources = (
            "weekly", "dates", "rrule", "holidays", "month_end", "quarter_end", "calendar", "statuspage", "pagerduty",
        )  # fmt: skip
        given = [name for name in sources if getattr(self, name) is not None] + ["incidents"] * self.incidents
        if len(given) != 1:
            found = f"this one has {' and '.join(given)}, write an entry for each" if given else "this one has none"
            raise ValueError(f"a freeze has exactly one of {', '.join(sources)} or incidents: true; {found}")
        if (self.rrule is None) != (self.lasts is None):
            raise ValueError("rrule and lasts belong together; write for example `lasts: 8h` beside the rrule")
        if self.calendar is None and (self.matching is not None or self.buffer is not None):
            raise ValueError("matching and buffer belong to a calendar; write `calendar: events.ics` beside them")
        if self.matching is not None:
            try:
                check_expression(self.matching)
            except ValueError as error:
                raise ValueError(f"matching: {error}") from None
        if self.weekly is not None:
            parse_window(self.weekly)
        if self.dates is not None:
            parse_dates(self.dates)
        if self.calendar is not None and is_address(self.calendar):
            check_address(self.calendar, "calendar")
        if self.statuspage is not None:
            check_address(self.statuspage, "statuspage")
        if self.pagerduty is not None and not re.fullmatch(r"[A-Z0-9]{5,20}", self.pagerduty):
            raise ValueError(f"pagerduty: {self.pagerduty!r} is no id of a service; copy it from the service's address")
        return self

    @property
    def read_elsewhere(self) -> bool:
        """Whether it has to be read first: a calendar, a status page, incidents."""
        return self.incidents or any(source is not None for source in (self.calendar, self.statuspage, self.pagerduty))


class PhasePolicy(Model):
    """Keyed by a heading's words (`Heading`, or `Parent > Heading`). A heading named here is a phase of its own."""

    kind: PhaseKind | None = None
    opens: At | None = None
    """When it is due relative to T0; it is posted then by itself. Before T0 it counts from the planned time."""
    deployed: bool = False
    """T0 happens in this phase: here stands the Deployed button. One phase has it."""
    deployed_in: Words = ()
    """Environments in which T0 happens here instead, where a run leaves the phases of production out."""
    environments: Words = ()
    """Empty: every environment. Else the phase is left out of a run in any other."""
    expected: Duration | None = None
    """How long it takes, as the document says."""


class ItemPolicy(Model):
    """Keyed by an item's words (`Text`, or `Heading > Text` to narrow); a key that matches several items binds them
    all."""

    role: str | None = None
    """Only who holds this role may tick it: a sign-off."""
    optional: bool | None = None
    """May be left open. Default: what the item's own words say."""
    probe: str | None = None
    """Ticks itself when this probe is healthy: it meets `target` here, else the probe's own, else the one a check
    holds it to."""
    target: Measured | None = None
    """The item's own threshold ("Disk space ≥ 30% free")."""
    due: At | None = None
    """Not expected before this moment: until then it holds no announcement up."""
    event: str | None = None
    """Ticks itself when the pipeline reports this: a step by the name it reports it with (`image pushed`), or of GitHub
    `workflow deploy.yml succeeded`, `release published`, `deployed`."""
    announces: Announcement | None = None
    """Ticks itself when this announcement stands in the channel; never stands in the announcement's way."""
    owner: str | None = None


class SectionPolicy(Model):
    """Keyed by a heading's words."""

    choose: Literal["all", "one"] = "all"
    """`one`: exclusive choices (Yes/No); one tick completes the section."""


class Policy(Model):
    """All of `NAME.yaml`. `Policy()` is the stated default for a document without one."""

    service: str | None = None
    """How the deployed thing is called; default the file's name."""
    timezone: str = "UTC"
    channels: dict[str, str] = {"deployments": "#deployments"}
    also_in: dict[Announcement, Words] = {}
    """Channels (keys of `channels`) an announcement is posted in besides `deployments`."""
    expected: Duration | None = None
    """How long a deployment takes until T0: the ETA that is announced."""
    windows: dict[str, Words] = {}
    """Per environment, in words: `tue-thu 10:00-16:00`, or `always`. No entry: always open."""
    freezes: tuple[FreezePolicy, ...] = ()
    advice: Words = ()
    """What the document asks of the start and no calendar knows ("low traffic periods"): said at the start, never
    enforced."""
    run_may_finish: bool = True
    """A run permitted at its start may finish after the window has closed."""
    items_from: tuple[Literal["tables", "symbols", "lists"], ...] = ()
    phases: dict[str, PhasePolicy] = {}
    sections: dict[str, SectionPolicy] = {}
    items: dict[str, ItemPolicy] = {}
    probes: dict[str, ProbePolicy] = {}
    measured_in: Words = ()
    """The environments that the probes speak of. Empty: every one. In any other nothing is measured: people tick."""
    watch: tuple[WatchEntry, ...] = ()
    matrix: tuple[Severity, ...] = ()
    rollback: RollbackPolicy = RollbackPolicy()
    overrides: dict[str, Override] = {}
    approvals: dict[str, ApprovalPolicy] = {}
    """Per environment: what has to be approved before a deployment may go there."""
    may: dict[Literal["start", "tick", "rollback", "decide", "freeze", "cancel", "override", "unlock"], Words] = {}
    """Roles that may do it. No entry: everybody in the channel; for `override` (starting in spite of a window or
    freeze, with a reason) nobody."""
    people: dict[str, Person] = {}
    escalation: tuple[str, ...] = ()
    """Roles, in order: the next is told when the one before has not acknowledged an alert within
    `acknowledge_within`."""
    acknowledge_within: Duration = timedelta(minutes=5)
    templates: dict[Announcement, str] = {}
    links: dict[str, str] = {}
    """`monitoring`, `dashboards`, `status_page`, `runbooks`…: shown on the card, named in templates as `links.NAME`."""
    repository: str | None = None
    """`owner/name` on GitHub: where the `github` probes look. Default: the settings' `GONOGO_GITHUB_REPOSITORY`."""
    pipeline: PipelinePolicy = PipelinePolicy()
    alerts: tuple[AlertPolicy, ...] = ()
    """Alerts that come in by webhook and are attached to the running deployment."""
    lock_webhook: str | None = None
    """The https address that is told when a deployment takes the lock of its service and when it is free: the team's
    own "deployment in progress" flag. Signed with `GONOGO_WEBHOOK_SECRET`."""
    changelog: str | None = None
    """Path of the repository's CHANGELOG, from the policy's folder."""
    targets: dict[str, Measured] = {}
    """The document's own delivery targets ("Rollback rate < 5 %")."""
    notes: Words = ()

    @field_validator("lock_webhook")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None:
            check_address(value, "lock_webhook")
        return value

    @field_validator("repository")
    @classmethod
    def _owner_and_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}", value):
            raise ValueError(f"{value!r} is no repository; write it like owner/name")
        return value
