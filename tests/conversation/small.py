"""A small team's checklist, for conversations about everything but the documents."""

from __future__ import annotations

from pathlib import Path

MARKDOWN = """\
# Shop

## Before
- [ ] Tests pass
- [ ] QA sign-off

## Deploy
- [ ] Traffic switched

## After
- [ ] Shop looks right

## Rollback
- [ ] Old version is back

## Why
Because it matters.
"""
POLICY = """\
service: shop
timezone: UTC
windows:
  production: ["mon-fri 09:00-17:00"]
  staging: always
phases:
  Deploy: {deployed: true}
  After: {opens: T+0}
  Rollback: {kind: rollback}
  Why: {kind: reference}
items:
  QA sign-off: {role: qa}
probes:
  error_rate: {say: Error rate, prometheus: errors, unit: ratio}
watch:
  - at: T+30m
    name: 30-minute check
    phase: After
    measure: {error_rate: "< 1%"}
    alert: {error_rate: "> 5%"}
    then: announce succeeded
  - {at: T+2h, name: 2-hour check, measure: {error_rate: "< 1%"}}
  - {at: T+24h, name: 24-hour check, measure: {error_rate: "< 1%"}, then: announce stable}
people:
  on_call: {name: On-call}
  engineer: {name: Engineers}
  senior_engineer: {name: Senior engineers}
  qa: {name: QA}
may:
  rollback: [engineer, on_call]
  start: [engineer, senior_engineer, qa]
"""
TUESDAY = "2026-11-24 10:00"


def folder_with(base: Path, markdown: str = MARKDOWN, policy: str | None = POLICY, name: str = "shop") -> str:
    """A folder of checklists with this one; what GONOGO_CHECKLISTS is to say."""
    folder = base / "checklists"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(markdown)
    if policy is not None:
        (folder / f"{name}.yaml").write_text(policy)
    return str(folder)
