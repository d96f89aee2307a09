"""What a policy says of measuring: probes, checks, the decision matrix and the rollback."""

from __future__ import annotations

import math
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from checklists.monitors import parse_monitors
from checklists.policy_types import At, Duration, Measured, Model, Then, Words
from checklists.spellings import names_version, spellings

SOURCES = (
    "http", "prometheus", "alertmanager", "datadog", "sentry", "cloudflare", "cloudwatch", "redis", "kubernetes",
    "github", "statuspage", "pagerduty", "fly", "command", "incidents", "all", "baseline",
)  # fmt: skip
"""The source keys of a probe; it has exactly one."""
_KNOW_PAST = frozenset({"prometheus", "datadog", "sentry", "cloudflare", "cloudwatch"})
"""Sources that can be asked what was so at an earlier instant."""


class ProbePolicy(Model):
    """Where a measure comes from. Exactly one source key. Credentials never stand here: they come from the settings.

    Some sources answer yes or no (`http` without `target`, `statuspage`, `alertmanager`, `pagerduty`, `fly`, `command`,
    monitors of `datadog`, a rollout of `kubernetes`, some of `github`). The others give a number, which `unit` names
    and a target is held against.
    """

    say: str | None = None
    """What people call it, in cards and announcements: "Error rate", "P99". Default: the probe's name with spaces."""
    http: str | None = None
    """An address; healthy when the status is `expect` and, if given, the JSON field `json` equals `equals`."""
    expect: int = 200
    json_field: str | None = Field(default=None, alias="json")
    equals: str | None = None
    """May name `{{ version }}`; a leading `v` is ignored in the comparison."""
    percentile: float | None = Field(default=None, gt=0, le=99.5)
    """Asks `samples` times, one after the other, all within `timeout`: of so many answers in a hundred the slowest."""
    samples: int = Field(default=20, ge=2, le=200)
    timeout: Duration = timedelta(seconds=10)
    prometheus: str | None = None
    """A PromQL expression that gives one number."""
    alertmanager: str | None = None
    """Matchers, `severity="critical",service="api"`; healthy while no alert that matches fires."""
    datadog: str | None = None
    """A metrics query, whose last point counts. Or yes or no: `monitor NUMBER` (its state is OK), or `monitors
    TAG,TAG` (that of each monitor with all of these tags is)."""
    sentry: str | None = None
    """`PROJECT error_rate`, `PROJECT errors`, `PROJECT users`, `PROJECT new_issues`, or `PROJECT errors_vs_normal`
    (times the errors of the same minutes a week before), over the time since T0, at most 30 minutes."""
    release: str | None = None
    """What Sentry calls the deployed release, `shop@{{ version }}`: only that one counts. A leading `v` is ignored.
    Without it all releases count, the old one too while it still serves."""
    cloudflare: str | None = None
    """`error_rate`, `p95_latency`, `p99_latency` or `requests` of the account's Workers, or of one: `error_rate
    gateway`."""
    cloudwatch: str | None = None
    """`NAMESPACE METRIC STATISTIC Dimension=value …`: `AWS/RDS CPUUtilization Average DBInstanceIdentifier=main`."""
    redis: str | None = None
    """`exists KEY` (0 or 1), or `memory` (share of `maxmemory` in use)."""
    kubernetes: str | None = None
    """`pods LABEL=VALUE -n NAMESPACE`: the share of the matching pods that are running and ready; `nodes`: of the
    nodes. Or yes or no: `rollout NAME -n NAMESPACE`, whether that Deployment is rolled out."""
    github: str | None = None
    """`approvals` of the pull request, `checks` (the share of the commit's checks that are green), `runs WORKFLOW`
    (runs in progress, our own left out), or `blocking_labels LABEL` (labels of this name on the pull request); or yes
    or no: `tag` (there is one for the version), `workflow WORKFLOW` (its newest run has succeeded),
    `environment_approval WORKFLOW ENVIRONMENT` (that run is approved for this environment of GitHub). The commit is the
    deployed version's, in the policy's `repository`."""
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
    baseline: str | None = None
    """Name of another probe: how many times its value of the time `before` T0 it now has, in `x`. The stretch in which
    another deployment of the service was under way is left out; without a past it is unknown."""
    before: Duration = timedelta(hours=1)
    """How long before T0 a baseline begins."""
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
        if self.datadog is not None:
            parse_monitors(self.datadog)
        if self.release is not None:
            self._release_can_be_told(self.release)
        if self.percentile is not None or "samples" in self.model_fields_set:
            self._percentile_can_be_told()
        return self

    def _percentile_can_be_told(self) -> None:
        if self.percentile is None:
            raise ValueError("`samples` are for a `percentile`: `percentile: 95, samples: 20`")
        if self.http is None or self.json_field is not None or self.equals is not None:
            raise ValueError("`percentile` is of how long an address takes to answer: only for `http`, without a field")
        least = math.ceil(round(100 / (100 - self.percentile), 6))
        if self.samples < least:
            raise ValueError(
                f"the {self.percentile:g}th percentile is told by {least} answers at least: `samples: {least}`"
            )

    def _release_can_be_told(self, release: str) -> None:
        if self.sentry is None:
            raise ValueError("`release` is Sentry's name of the deployed release: only for a `sentry` probe")
        if self.sentry.split()[-1:] == ["errors_vs_normal"]:
            raise ValueError(
                "errors_vs_normal compares with the week before, when this release was not there: leave out `release`"
            )
        if not names_version(release):
            raise ValueError("`release` says what Sentry calls each version: `shop@{{ version }}`")
        try:
            spellings(release, "1.2.0")
        except ValueError as error:
            raise ValueError(f"`release` {error}") from None

    @property
    def source(self) -> tuple[str, str]:
        """The source key and what it says: `("http", "https://…")`."""
        name = next(name for name in SOURCES if getattr(self, name) is not None)
        return name, ", ".join(self.all) if self.all is not None else str(getattr(self, name))

    @property
    def yes_no(self) -> bool:
        """Whether a source that answers with numbers is asked for a yes or no."""
        if self.datadog is not None:
            return parse_monitors(self.datadog) is not None
        if self.kubernetes is not None:
            return self.kubernetes.split(" ")[0] == "rollout"
        return self.github is not None and self.github.split(" ")[0] in ("tag", "workflow", "environment_approval")

    @property
    def knows_past(self) -> bool:
        """Whether it can be asked as of an earlier instant. The others are measured when they are asked, which a check
        that runs late has to say. A baseline is as what it compares, which needs a past."""
        return self.baseline is not None or (self.source[0] in _KNOW_PAST and not self.yes_no)


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
    minimum: dict[str, Measured] = {}
    """Evidence there must be before anything is called healthy: `requests: "> 100 count"`. Short of it, the check is
    inconclusive: too little traffic says nothing."""
    critical: Words = ()
    """The measures that can fail the check. Any other that is in its `alert` only degrades it. Empty: every one can."""
    failures: int = Field(default=1, ge=1, le=10)
    """How many times in a row it must be failing before that is its verdict; it is asked again every `again`."""
    inconclusive: int = Field(default=1, ge=1, le=10)
    """The same for a result that is inconclusive for want of data or traffic."""
    errors: int = Field(default=1, ge=1, le=10)
    """The same for a source that could not be asked: an error, or a refusal."""
    again: Duration = timedelta(minutes=1)
    """How long until a result that does not decide yet is asked for again."""
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
        if not timedelta(seconds=10) <= self.again <= timedelta(hours=1):
            raise ValueError("`again` is between 10s and 1h")
        if strange := [name for name in self.critical if name not in {*self.probes, *self.measure, *self.alert}]:
            raise ValueError(f"critical names {', '.join(strange)}, which this check does not measure")
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
