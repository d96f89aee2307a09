"""The command line as somebody at a terminal meets it."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot.__main__ import cli
from tests.process import ROOT, Process, gonogo, new_database

ITEMS = {"services-do": 99, "ca-marketplace": 114, "petforce": 137, "maishapoa": 58, "azora": 124}
PHASE, SECTION = ["id", "title", "kind", "sections"], ["id", "title", "items"]
ITEM = ["id", "text", "line", "depth", "command", "notes", "checked"]
KINDS = {"run", "rollback", "emergency", "follow-up", "reference"}


def test_help_names_every_command_and_each_has_its_own(tmp_path: Path) -> None:
    told = gonogo("--help", folder=tmp_path)
    assert told.returncode == 0
    assert "Turns a team's Markdown deployment checklist into a live go/no-go in chat." in told.stdout
    commands = {"run": "--checklist", "web": "page", "worker": "due", "migrate": "Safe to repeat", "schema": "Schema"}
    for command, word in commands.items():
        assert re.search(rf"\b{command}\b", told.stdout), command
        own = CliRunner().invoke(cli, [command, "--help"])
        assert (own.exit_code, own.stderr) == (0, "")
        assert word in own.stdout
    of_checklists = CliRunner().invoke(cli, ["checklist", "--help"]).stdout
    for command in ("show", "lint", "adopt"):
        assert re.search(rf"\b{command}\b", of_checklists), command


@pytest.mark.slow
@pytest.mark.parametrize(("name", "items"), ITEMS.items(), ids=list(ITEMS))
def test_show_json_has_every_item_in_exactly_this_shape(name: str, items: int, tmp_path: Path) -> None:
    shown = _json(gonogo("checklist", "show", name, "--json", folder=tmp_path).stdout)
    assert list(shown) == ["name", "title", "phases"]
    assert shown["name"] == name
    found: list[dict[str, Any]] = []
    for phase in shown["phases"]:
        assert list(phase) == PHASE
        assert phase["kind"] in KINDS
        for section in phase["sections"]:
            assert list(section) == SECTION
            found += section["items"]
    assert all(list(item) == ITEM for item in found)
    assert len(found) == len({item["id"] for item in found}) == items
    lines = (ROOT / "checklists" / f"{name}.md").read_text().splitlines()
    written = [lines[item["line"] - 1] for item in found]
    assert [item["text"] in line for item, line in zip(found, written, strict=True)] == [True] * items


def test_show_reads_a_file_of_ones_own_and_says_what_it_runs_on(tmp_path: Path) -> None:
    (tmp_path / "their.md").write_text("# Theirs\n\n## First\n- [ ] One\n  - [x] Below\n\n## Rollback\n1. [ ] Back\n")
    shown = _json(gonogo("checklist", "show", "their.md", "--json", folder=tmp_path).stdout)
    items = [item for phase in shown["phases"] for section in phase["sections"] for item in section["items"]]
    assert [(item["text"], item["line"], item["depth"], item["checked"]) for item in items] == [
        ("One", 4, 1, False),
        ("Below", 5, 2, True),
        ("Back", 8, 1, False),
    ]
    told = gonogo("checklist", "show", "their.md", folder=tmp_path).stdout
    assert told.startswith("Theirs (their): 3 items\n! There is no their.yaml beside the document")
    nobody = gonogo("checklist", "show", "nobody", folder=tmp_path)
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert nobody.stderr.startswith("There is no checklist 'nobody'.")


def test_lint_says_file_line_column_code_and_fails_only_on_errors(tmp_path: Path) -> None:
    policies = {
        "clean": None,
        "zone": "timezone: Mars/Olympus\n",
        "hour": 'windows:\n  production: ["tue 10:00-25:00"]\n',
        "unknown-key": "timezone: UTC\nwatchh: []\n",
        "broken": "windows:\n  production: [tue 10:00\n",
    }
    for name, policy in policies.items():
        (tmp_path / f"{name}.md").write_text("# Theirs\n\n## First\n- [ ] One\n")
        if policy is not None:
            (tmp_path / f"{name}.yaml").write_text(policy)
    told = gonogo("checklist", "lint", *(f"{name}.md" for name in policies), "nowhere.md", folder=tmp_path)
    assert (told.returncode, told.stderr) == (1, "")
    form = r"(\S+?):(\d+):(\d+): (error|warning|note): ([a-z-]+) (\S.*)"
    found = [re.fullmatch(form, line) for line in told.stdout.splitlines()]
    assert all(found), told.stdout
    marks = {mark: {each[1] for each in found if each and each[4] == mark} for mark in ("error", "note")}
    assert marks["error"] == {"zone.yaml", "hour.yaml", "unknown-key.yaml", "broken.yaml", "nowhere.md"}
    assert "clean.md" in marks["note"]
    lines = {each[1]: (int(each[2]), each[6]) for each in found if each and each[4] == "error"}
    lines |= {each[1]: (int(each[2]), each[6]) for each in found if each and each[1] == "clean.md"}
    assert {name: line for name, (line, _) in lines.items()} == {
        "clean.md": 1,
        "zone.yaml": 1,
        "hour.yaml": 2,
        "unknown-key.yaml": 2,
        "broken.yaml": 3,
        "nowhere.md": 1,
    }
    assert "watch" in lines["unknown-key.yaml"][1]
    assert lines["nowhere.md"][1].startswith("There is no file")
    # That there is no policy is worth a line, and no error.
    assert gonogo("checklist", "lint", "clean.md", folder=tmp_path).returncode == 0


def test_the_five_documents_lint_without_an_error(tmp_path: Path) -> None:
    told = gonogo("checklist", "lint", *(str(ROOT / "checklists" / f"{name}.md") for name in ITEMS), folder=tmp_path)
    assert told.returncode == 0, told.stdout


@pytest.mark.slow
def test_adopt_drafts_a_policy_that_lints_but_for_what_the_document_does_not_say(tmp_path: Path) -> None:
    (tmp_path / "azora.md").write_bytes((ROOT / "checklists" / "azora.md").read_bytes())
    drafted = gonogo("checklist", "adopt", "azora.md", folder=tmp_path)
    assert (drafted.returncode, drafted.stderr) == (0, "")
    (tmp_path / "azora.yaml").write_text(drafted.stdout)
    told = gonogo("checklist", "lint", "azora.md", folder=tmp_path)
    errors = [line for line in told.stdout.splitlines() if ": error: " in line]
    assert (told.returncode, len(errors)) == (1, drafted.stdout.count(": FILL_IN_"))
    assert all(": error: fill-in 'FILL_IN_" in line for line in errors)
    (tmp_path / "azora.yaml").write_text(drafted.stdout.replace("FILL_IN_", "some_"))
    assert gonogo("checklist", "lint", "azora.md", folder=tmp_path).returncode == 0


@pytest.mark.slow
def test_migrate_is_safe_to_repeat(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gonogo.db'}"
    for _ in range(2):
        done = gonogo("migrate", folder=tmp_path, GONOGO_DATABASE_URL=url)
        assert (done.returncode, done.stdout, done.stderr) == (0, "The database is up to date.\n", "")


def test_schema_is_a_json_schema_for_an_editor(tmp_path: Path) -> None:
    schema = _json(gonogo("schema", folder=tmp_path).stdout)
    assert {"windows", "freezes", "phases", "items", "probes", "watch", "templates"} <= set(schema["properties"])


def test_run_without_settings_makes_its_database_here_and_says_where_the_page_is(tmp_path: Path) -> None:
    new_database(tmp_path)
    begun = time.monotonic()
    process = Process(tmp_path)
    print(f"second start: {time.monotonic() - begun:.2f} s until the address is printed")
    try:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+", process.address)
    finally:
        assert process.stop() == (0, "")
    told = gonogo("run", "--checklist", "nowhere.md", folder=tmp_path)
    assert (told.returncode, told.stderr) == (1, "There is no file nowhere.md.\n")


def test_a_checklist_that_cannot_be_used_is_said_at_the_start_and_keeps_no_other_from_running(tmp_path: Path) -> None:
    (tmp_path / "good.md").write_text("# Good\n- [ ] One\n")
    (tmp_path / "bad.md").write_text("# Bad\n- [ ] One\n")
    (tmp_path / "bad.yaml").write_text("timezone: UTC\nwatchh: []\nwindowz: []\n")
    (tmp_path / "bytes.md").write_bytes(b"# Deploy\n\x81\n")
    (tmp_path / "empty.md").write_text("# Deploy with care\n")
    said = (
        f"bad cannot be used: {tmp_path}/bad.yaml:2:1: policy-key .+ And 1 more error. `gonogo checklist lint "
        f"{tmp_path}/bad.md` says more.\n"
        f"bytes cannot be used: {tmp_path}/bytes.md:2:1: document this is not text: .+ says more.\n"
        f"empty cannot be used: {tmp_path}/empty.md:1:1: no-items it has no items to tick; .+ says more.\n"
    )
    process = Process(new_database(tmp_path).file.parent, GONOGO_CHECKLISTS=str(tmp_path), GONOGO_CHECKLIST="good")
    try:
        ends = time.monotonic() + 10
        while process.errors.count("\n") < 3 and time.monotonic() < ends:
            time.sleep(0.02)
    finally:
        code, errors = process.stop()
    assert code == 0
    assert re.fullmatch(said, errors), errors


def test_the_only_checklist_given_must_be_usable(tmp_path: Path) -> None:
    (tmp_path / "bad.md").write_text("# Bad\n- [ ] One\n")
    (tmp_path / "bad.yaml").write_text("windows:\n  production: [1\n")
    told = gonogo("run", "--checklist", "bad.md", folder=tmp_path)
    assert (told.returncode, told.stdout, told.stderr.count("\n")) == (1, "", 1)
    assert told.stderr.startswith("bad cannot be used: bad.yaml:3:1: policy-yaml ")


@pytest.mark.parametrize("command", ["adopt", "show", "lint"])
def test_a_file_that_is_not_text_is_answered_with_what_to_do(command: str, tmp_path: Path) -> None:
    (tmp_path / "bin.md").write_bytes(bytes(range(256)))
    told = CliRunner().invoke(cli, ["checklist", command, str(tmp_path / "bin.md")])
    assert (told.exit_code, type(told.exception)) == (1, SystemExit)
    assert "this is not text: byte 0x80 fits neither UTF-8 nor Windows-1252. Save the file as UTF-8." in told.output


def _json(text: str) -> dict[str, Any]:
    found = json.loads(text)
    assert isinstance(found, dict)
    return found
