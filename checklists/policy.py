"""What a machine must know besides the document: the models of `NAME.yaml`.

Every key is closed (an unknown one is an error), every quantity carries its unit, and every name of a heading or an
item is proved to exist by `gonogo checklist lint`. Durations are `timedelta`; thresholds and bands keep the words
they were written in.
"""

from __future__ import annotations

import re
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, field_validator, model_validator

from checklists.addresses import check_address, is_address
from checklists.document import PhaseKind
from checklists.policy_people import ApprovalPolicy as ApprovalPolicy
from checklists.policy_people import Override as Override
from checklists.policy_people import Person as Person
from checklists.policy_types import CLOSED, THEN_SCHEMA, At, Duration, Measured, Words, parse_then
from checklists.windows import parse_dates, parse_window


class Announcement(StrEnum):
    """What is said in the channel, once. The names are the template keys of a policy."""

    STARTING = "starting"
    """Said before T0 ("Deployment starting in 30 minutes")."""
    STARTED = "started"
    SUCCEEDED = "succeeded"
    STABLE = "stable"
    ISSUE = "issue"
    """Issue detected, investigating."""
    ROLLBACK_STARTED = "rollback_started"
    ROLLED_BACK = "rolled_back"
    CANCELLED = "cancelled"


Then = Annotated[tuple[Announcement, ...], BeforeValidator(parse_then), THEN_SCHEMA]
"""`announce succeeded`, or a list of such."""


class Model(BaseModel):
    """Frozen, and closed against unknown keys."""

    model_config = CLOSED


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
                re.compile(self.matching)
            except re.error as error:
                raise ValueError(f"matching: {self.matching!r} is not a regular expression ({error})") from None
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
    announces: Announcement | None = None
    """Ticks itself when this announcement stands in the channel; never stands in the announcement's way."""
    owner: str | None = None


class SectionPolicy(Model):
    """Keyed by a heading's words."""

    choose: Literal["all", "one"] = "all"
    """`one`: exclusive choices (Yes/No); one tick completes the section."""


SOURCES = (
    "http", "prometheus", "alertmanager", "datadog", "sentry", "cloudflare", "cloudwatch", "redis", "kubernetes",
    "github", "statuspage", "pagerduty", "fly", "command", "incidents", "all",
)  # fmt: skip
"""The source keys of a probe; it has exactly one."""


class ProbePolicy(Model):
    """Where a measure comes from. Exactly one source key. Credentials never stand here: they come from the settings.

    Some sources answer yes or no (`http` without `target`, `statuspage`, `alertmanager`, `pagerduty`, `fly`,
    `command`), the others give a number, which `unit` names and a target is held against.
    """

    say: str | None = None
    """What people call it, in cards and announcements: "Error rate", "P99". Default: the probe's name with spaces."""
    http: str | None = None
    """An address; healthy when the status is `expect` and, if given, the JSON field `json` equals `equals`."""
    expect: int = 200
    json_field: str | None = Field(default=None, alias="json")
    equals: str | None = None
    """May name `{{ version }}`; a leading `v` is ignored in the comparison."""
    timeout: Duration = timedelta(seconds=10)
    prometheus: str | None = None
    """A PromQL expression that gives one number."""
    alertmanager: str | None = None
    """Matchers, `severity="critical",service="api"`; healthy while no alert that matches fires."""
    datadog: str | None = None
    """A metrics query; its last point counts."""
    sentry: str | None = None
    """`PROJECT error_rate`, `PROJECT errors`, `PROJECT users`, `PROJECT new_issues`, or `PROJECT errors_vs_normal`
    (times the errors of the same minutes a week before), over the time since T0, at most 30 minutes."""
    cloudflare: str | None = None
    """`error_rate`, `p95_latency`, `p99_latency` or `requests` of the account's Workers, or of one: `error_rate
    gateway`."""
    cloudwatch: str | None = None
    """`NAMESPACE METRIC STATISTIC Dimension=value …`: `AWS/RDS CPUUtilization Average DBInstanceIdentifier=main`."""
    redis: str | None = None
    """`exists KEY` (0 or 1), or `memory` (share of `maxmemory` in use)."""
    kubernetes: str | None = None
    """`pods LABEL=VALUE -n NAMESPACE`: the share of the matching pods that are running and ready; `nodes`: of the
    nodes."""
    github: str | None = None
    """`approvals` of the pull request, `checks` (the share of the commit's checks that are green), `runs WORKFLOW`
    (runs in progress, our own left out), or `blocking_labels LABEL` (labels of this name on the pull request). The
    commit is the deployed version's, in the policy's `repository`."""
    statuspage: str | None = None
    """Address of an Atlassian Statuspage; healthy while it lists no unresolved incident."""
    pagerduty: str | None = None
    """`incidents SERVICE_ID`: healthy while none of the service's incidents is triggered or acknowledged."""
    fly: str | None = None
    """Name of a Fly.io app; healthy when every machine that should run does, with its checks passing."""
    command: str | None = None
    """Name of a command that the settings allow (`GONOGO_COMMANDS`); healthy when it ends with exit code 0."""
    incidents: Literal["none"] | None = None
    """`none`: healthy while no incident of the service is open."""
    all: Words | None = None
    """Names of other probes: healthy when each of them is, by its own target; unknown when one is unknown and none
    fails."""
    unit: str | None = None
    """Unit of the raw number a metrics source returns: `%`, `ratio`, `ms`, `s`, `x`, `count`."""
    target: Measured | None = None
    """What healthy means where no check says otherwise: `>= 2 count`."""
    link: str | None = None
    """Where people look: shown with the value."""

    @model_validator(mode="after")
    def _one_source(self) -> ProbePolicy:
        given = [name for name in SOURCES if getattr(self, name) is not None]
        if len(given) != 1:
            found = f"has {' and '.join(given)}" if given else "has none"
            raise ValueError(f"a probe has exactly one source, this one {found}; the sources are {', '.join(SOURCES)}")
        return self

    @property
    def source(self) -> tuple[str, str]:
        """The source key and what it says: `("http", "https://…")`."""
        name = next(name for name in SOURCES if getattr(self, name) is not None)
        return name, ", ".join(self.all) if self.all is not None else str(getattr(self, name))


class WatchEntry(Model):
    """A check, or a series of checks, after (or around) T0."""

    at: At
    name: str | None = None
    every: Duration | None = None
    during: Duration | None = Field(default=None, alias="for")
    phase: str | None = None
    """The phase whose items are the human part of this moment; it is posted when the check is due."""
    environments: Words = ()
    """Empty: every environment. Else it is not run in any other."""
    probes: Words = ()
    """Probes that must simply be healthy (health endpoints)."""
    measure: dict[str, Measured] = {}
    """Targets: met is healthy, missed is degraded at least."""
    alert: dict[str, Measured] = {}
    """Inside the band is failing."""
    then: Then = ()
    """What is announced once this check is healthy (or a person decided so) and the items due by then are done."""

    @model_validator(mode="after")
    def _series_is_whole(self) -> WatchEntry:
        if (self.every is None) != (self.during is None):
            raise ValueError("`every` and `for` go together: `every: 1m, for: 5m`")
        if (
            self.every is not None
            and self.during is not None
            and not timedelta(seconds=30) <= self.every <= self.during
        ):
            raise ValueError("`every` is at least 30s and not longer than `for`")
        return self


class Severity(Model):
    """A row of the decision matrix."""

    severity: str
    when: dict[str, Measured] = {}
    """Any one of these bands is enough. Empty: a person judges."""
    means: str | None = None
    """The row in words ("All users", "cosmetic")."""
    action: str
    within: str = ""
    """The time limit as the document writes it ("< 5 minutes", "Next deploy"); empty where it gives none."""
    limit: Duration | None = None
    """The same as a duration, where it is one."""


class RollbackPolicy(Model):
    """When and how the document says to go back."""

    when: Words = ()
    """The document's own conditions, as written."""
    alert: dict[str, Measured] = {}
    """Those that are numbers."""
    lasting: Duration | None = None
    """How long a number must stay beyond its limit."""
    mode: Literal["ask", "automatic"] = "ask"
    """What an `alert` that lasted does: it asks people, or rolls back and tells them."""
    by_pipeline: Words = ()
    """What the team's own pipeline rolls back by itself, as written ("Health checks fail"): it is followed, not
    started, from here."""
    within: Duration | None = None


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
    changelog: str | None = None
    """Path of the repository's CHANGELOG, from the policy's folder."""
    targets: dict[str, Measured] = {}
    """The document's own delivery targets ("Rollback rate < 5 %")."""
    notes: Words = ()

    @field_validator("repository")
    @classmethod
    def _owner_and_name(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}", value):
            raise ValueError(f"{value!r} is no repository; write it like owner/name")
        return value
