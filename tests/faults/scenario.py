"""What is deployed while things break: three small services, as files for gonogo and as plain facts for the checker."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from tests.faults.verify import ANNOUNCED

MARKDOWN = """\
# {title}

## Before
- [ ] Tests pass
- [ ] Backup made
- [ ] QA sign-off

## Deploy
- [ ] Traffic switched

## After
- [ ] It looks right
- [ ] Orders come in

## Rollback
- [ ] Old version is back
- [ ] Everybody knows
"""
POLICY = """\
service: {name}
timezone: UTC
windows: {{production: always}}
channels: {{deployments: "{home}", incidents: "#incidents"}}
also_in: {{issue: incidents, rolled_back: incidents, succeeded: incidents}}
phases:
  Deploy: {{deployed: true}}
  After: {{opens: T+0}}
  Rollback: {{kind: rollback}}
items:
  QA sign-off: {{role: qa}}
  Backup made: {{probe: backup}}
probes:
  health: {{say: Health, http: "{probes}/health", timeout: 2s}}
  backup: {{say: Backup, http: "{probes}/backup", timeout: 2s}}
watch:
  - {{at: T+2s, name: First check, probes: [health]}}
  - {{at: T+5s, name: Second check, probes: [health], then: announce succeeded}}
  - {{at: T+8s, name: Last check, probes: [health], then: announce stable}}
people: {{qa: {{name: QA, slack: "{slack}", discord: "{discord}"}}}}
"""
PHASES = {
    "before": ("tests-pass", "backup-made", "qa-sign-off"),
    "deploy": ("traffic-switched",),
    "after": ("it-looks-right", "orders-come-in"),
    "rollback": ("old-version-is-back", "everybody-knows"),
}
"""Ids of the phases, and of the items in each."""
CHECKS = {"t0": 2.0, "t0-2": 5.0, "t0-3": 8.0}
"""Ids of the checks, and how many seconds after T0 each is due."""
ALSO = ("issue", "rolled_back", "succeeded")
INCIDENTS = "#incidents"


@dataclass(frozen=True)
class Service:
    """One of them. `home` is the channel of its cards."""

    name: str
    home: str


SERVICES = (Service("shop", "#deployments"), Service("api", "#api"), Service("site", "#deployments"))
CHANNELS = ("#deployments", "#api", INCIDENTS)


@dataclass(frozen=True)
class Scenario:
    """What the checker has to know of the files, in its own words."""

    chats: list[str]
    phases: dict[str, list[str]] = field(default_factory=lambda: {name: list(items) for name, items in PHASES.items()})
    rollback: str = "rollback"
    announcements: list[str] = field(default_factory=lambda: list(ANNOUNCED))
    checks: dict[str, float] = field(default_factory=lambda: dict(CHECKS))
    services: dict[str, dict[str, Any]] = field(
        default_factory=lambda: {
            each.name: {"home": each.home, "also": {kind: [INCIDENTS] for kind in ALSO}} for each in SERVICES
        }
    )

    def as_json(self) -> dict[str, Any]:
        """For evidence.json."""
        return asdict(self)


def write(folder: Path, *, probes: str, slack: str, discord: str) -> Path:
    """The files; `probes` is where the health endpoints are, the other two who signs for QA in each chat."""
    lists = folder / "lists"
    lists.mkdir()
    for each in SERVICES:
        (lists / f"{each.name}.md").write_text(MARKDOWN.format(title=each.name.title()))
        said = POLICY.format(name=each.name, home=each.home, probes=probes, slack=slack, discord=discord)
        (lists / f"{each.name}.yaml").write_text(said)
    return lists
