"""The documentation fails the build when it drifts from the code."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import typer.main
from pydantic import BaseModel, SecretStr

from adapters.metrics.page import MetricsPage
from bot.__main__ import cli
from bot.commands import USAGES
from bot.domain.deployment import Status
from bot.front import SystemClock
from bot.meters import Figures
from bot.settings import Settings
from checklists.document import PhaseKind
from checklists.library import names
from checklists.policy import SOURCES, Announcement, FreezePolicy, ItemPolicy, PhasePolicy, Policy, WatchEntry
from checklists.templates import VARIABLES

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
POLICY = (ROOT / "docs/policy.md").read_text(encoding="utf-8")
ARCHITECTURE = (ROOT / "docs/ARCHITECTURE.md").read_text(encoding="utf-8")
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]


def test_the_readme_lists_every_command_as_help_does() -> None:
    listed = re.findall(r"^\| `([a-z]+)(?: (.*?))?` \| (.+) \|$", README.replace(r"\|", "¦"), re.MULTILINE)
    told = [(name, arguments.replace("¦", "|"), does) for name, arguments, does in listed]
    assert told == [(usage.name, usage.arguments, usage.does) for usage in USAGES]


def test_the_readme_lists_every_setting_with_its_default() -> None:
    rows = re.findall(r"^\| `GONOGO_([A-Z_]+)` \|(.*?)\|", README, re.MULTILINE)
    told = {name: default.strip() for name, default in rows}
    assert set(told) == {name.upper() for name in Settings.model_fields}
    for name, field in Settings.model_fields.items():
        if isinstance(field.default, SecretStr):
            assert told[name.upper()] == field.default.get_secret_value() == "", f"{name}: a secret has no default"
        elif isinstance(field.default, str | int):
            assert told[name.upper()] == f"`{field.default}`", name


def test_every_make_target_the_readme_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"\bmake ([a-z]+)", README)) <= targets


def test_every_gonogo_command_the_pages_name_exists() -> None:
    group = typer.main.get_command(cli)
    known = set(group.commands)  # type: ignore[attr-defined]
    for more in ("checklist", "discord", "slack", "token"):
        known |= {f"{more} {name}" for name in group.commands[more].commands}  # type: ignore[attr-defined]
    for page in PAGES:
        for first, second in re.findall(r"`(?:\.venv/bin/)?gonogo ([a-z]+)(?: ([a-z]+)\b)?", page.read_text("utf-8")):
            assert first in known, f"{page.name}: gonogo {first}"
            if first in ("checklist", "discord", "slack", "token"):
                assert f"{first} {second}" in known, f"{page.name}: gonogo {first} {second}"


def test_the_operations_page_lists_every_metric_and_no_other() -> None:
    page = MetricsPage(_nothing, SystemClock(), (), dict)
    served = {family.name for family in page.registry.collect() if family.name.startswith("gonogo_")}
    listed = re.findall(r"^\| `(gonogo_[a-z_]+)", (ROOT / "docs/operations.md").read_text("utf-8"), re.MULTILINE)
    assert {name.removesuffix("_total") for name in listed} == served


async def _nothing(now: datetime, chats: Sequence[str]) -> Figures:
    raise AssertionError("nobody scrapes")


def test_the_readme_names_every_shipped_checklist() -> None:
    assert set(re.findall(r"\(checklists/([a-z-]+)\.md\)", README)) == set(names([ROOT / "checklists"]))


def test_the_policy_page_explains_every_key_of_a_policy() -> None:
    def section(title: str) -> set[str]:
        body = POLICY.split(f"\n## {title}\n")[1].split("\n## ")[0]
        return set(re.findall(r"`([a-z_]+)", body))

    def keys(model: type[BaseModel]) -> set[str]:
        return {field.alias or name for name, field in model.model_fields.items()}

    assert keys(Policy) <= section("The whole file")
    assert keys(FreezePolicy) <= section("Freezes")
    assert keys(PhasePolicy) | {kind.value.split("-")[0] for kind in PhaseKind} <= section("Phases")
    assert keys(ItemPolicy) <= section("Items")
    assert set(SOURCES) <= section("Probes")
    assert {announcement.value for announcement in Announcement} <= section("Templates")
    assert keys(WatchEntry) <= set(re.findall(r"[a-z_]+", POLICY.split("\n## Checks\n")[1].split("\n## ")[0]))


def test_the_templates_shown_use_variables_that_exist() -> None:
    for name in re.findall(r"\{\{ ([a-z_]+)", POLICY):
        assert name in VARIABLES


def test_the_architecture_names_every_kind_of_fact_and_every_status() -> None:
    from bot.domain import events

    kinds = [fact.__name__ for fact in events.Fact.__subclasses__()]
    for kind in kinds:
        if not kind.startswith(("Freeze", "Incident")):
            assert kind in ARCHITECTURE, kind
    flat = " ".join(ARCHITECTURE.replace("*", "").split())
    assert all(status.value in flat for status in Status)


def test_every_file_the_architecture_names_exists() -> None:
    for path in re.findall(r"`((?:bot|checklists|adapters|migrations)/[\w/.]+)`", ARCHITECTURE):
        assert (ROOT / path).exists(), path


def test_every_link_inside_the_project_leads_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_the_changelog_has_the_released_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text("utf-8")
