from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

import checklists
from checklists.document import Checklist, PhaseKind
from checklists.reader import read_checklist
from tests.checklists.reading import phase, titles

HOME = Path(checklists.__file__).parent


def document(name: str) -> Checklist:
    return read_checklist((HOME / f"{name}.md").read_bytes(), name=name)


@pytest.mark.parametrize(
    ("name", "count", "depth", "ids"),
    [
        ("services-do", 99, 2, "16c68078165e5db2"),
        ("ca-marketplace", 114, 2, "421167d6e3fbbd16"),
        ("petforce", 137, 2, "ad7474f3b59204c3"),
        ("maishapoa", 58, 1, "4805a9c2807caf40"),
        ("azora", 124, 1, "f4ff834e15487587"),
    ],
)
def test_each_document_keeps_its_items_and_their_ids(name: str, count: int, depth: int, ids: str) -> None:
    found = list(document(name).items())
    assert len(found) == count
    assert max(item.depth for item in found) == depth
    # A running deployment refers to its items by these: a change here breaks it.
    assert hashlib.sha256("\n".join(item.id for item in found).encode()).hexdigest()[:16] == ids


@pytest.mark.parametrize(
    ("name", "run", "kept_out"),
    [
        ("services-do", 78, {PhaseKind.ROLLBACK: 7, PhaseKind.EMERGENCY: 14, PhaseKind.REFERENCE: 0}),
        ("ca-marketplace", 86, {PhaseKind.ROLLBACK: 3, PhaseKind.EMERGENCY: 11, PhaseKind.REFERENCE: 14}),
        ("petforce", 126, {PhaseKind.ROLLBACK: 4, PhaseKind.FOLLOW_UP: 7, PhaseKind.REFERENCE: 0}),
        ("maishapoa", 58, {PhaseKind.ROLLBACK: 0, PhaseKind.REFERENCE: 0}),
        ("azora", 102, {PhaseKind.ROLLBACK: 7, PhaseKind.FOLLOW_UP: 15, PhaseKind.REFERENCE: 0}),
    ],
)
def test_what_is_run_and_what_is_kept_out_of_it(name: str, run: int, kept_out: dict[PhaseKind, int]) -> None:
    found: dict[PhaseKind, int] = {}
    for part in document(name).phases:
        found[part.kind] = found.get(part.kind, 0) + len(part.items)
    assert found == {PhaseKind.RUN: run, **kept_out}


def test_the_clock_phases_of_azora_stand_on_their_own_in_the_documents_order() -> None:
    assert [title for title in titles(document("azora")) if "(T" in title] == [
        "Phase 1: Pre-Deployment (T-30 minutes)",
        "Phase 2: Build & Push (T-20 minutes)",
        "Phase 3: Deploy to Green (T-10 minutes)",
        "Phase 4: Traffic Switch (T+0 minutes)",
        "Phase 5: Monitoring (T+5 to T+30 minutes)",
        "Immediate (T+30 minutes)",
        "Short-term (T+2 hours)",
        "Long-term (T+24 hours)",
    ]
    assert "Deployment Execution" not in titles(document("azora"))


def test_a_label_like_checklist_hides_no_heading() -> None:
    (section,) = phase(document("azora"), "Phase 4: Traffic Switch (T+0 minutes)").sections
    assert [item.text for item in section.items] == [
        "Green pods healthy",
        "Traffic switched",
        "Error rate normal",
        "Requests flowing",
    ]
    assert section.commands[0].startswith(
        "# 1. Verify green is healthy\nkubectl get pods -n production -l slot=green\n"
    )


def test_the_rollback_plan_before_a_deployment_is_part_of_the_run() -> None:
    before = phase(document("petforce"), "Pre-Deployment (1-2 days before)")
    assert before.kind is PhaseKind.RUN
    assert "Rollback Plan" in [section.title for section in before.sections]


def test_items_of_one_petforce_section_read_whole() -> None:
    day = phase(document("petforce"), "Day of Deployment")
    backups = next(section for section in day.sections if section.title == "Backups")
    assert backups.items[1].command == (
        "aws rds create-db-snapshot \\\n"
        "  --db-instance-identifier petforce-production \\\n"
        "  --db-snapshot-identifier pre-deploy-$(date +%Y%m%d-%H%M%S)"
    )
    steps = phase(document("petforce"), "Rollback Procedure (If Needed)").items
    assert {item.group for item in steps} == {"**Verify**:"}


def test_mis_decoded_characters_are_repaired_in_items_and_commands() -> None:
    coverage = next(item for item in document("services-do").items() if "coverage" in item.text)
    assert coverage.text == "Test coverage ≥ 80%"
    announced = next(item for item in document("petforce").items() if item.text.startswith("Deployment announcement"))
    assert announced.command is not None
    assert announced.command.startswith("🚀 Production Deployment Starting\n")


@pytest.mark.parametrize("name", ["services-do", "ca-marketplace", "petforce", "maishapoa", "azora"])
def test_the_documents_stand_here_already_repaired(name: str) -> None:
    raw = (HOME / f"{name}.md").read_bytes()
    lines = raw.decode().split("\n")
    for item in document(name).items():
        assert item.text in lines[item.line - 1]
    assert not re.search("â[€œ‰†]|ðŸ", raw.decode())
