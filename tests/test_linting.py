"""What lint tells of windows and of the clock, as the command prints it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

import checklists
from bot.linting import lint_files
from checklists.library import names
from checklists.policy_file import Problem

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
SHIPPED = Path(checklists.__file__).parent


def told(folder: Path, policy: str, *codes: str) -> list[str]:
    """The lines with these codes, from the mark on."""
    (folder / "shop.md").write_text("# Shop\n\n## Deploy\n- [ ] Run it\n")
    (folder / "shop.yaml").write_text(policy)
    problems, _ = lint_files([folder / "shop.md"], now=NOW)
    lines = [problem.marked.replace(f"{folder}/", "") for problem in problems if problem.code in codes]
    return [line.removeprefix("shop.yaml:") for line in lines]


def test_a_dry_run_says_what_people_would_be_told(tmp_path: Path) -> None:
    policy = """
timezone: America/New_York
windows: {production: [tue-thu 10:00-16:00], preview: always}
freezes: [{weekly: "fri 12:00-24:00", why: Friday afternoon}, {incidents: true}]
"""
    assert told(tmp_path, policy, "dry-run") == [
        "3:23: note: dry-run production, Fri 20 Nov 16:55 EST: closed, Friday afternoon",
        "3:23: note: dry-run production, Sat 21 Nov 12:00 EST: closed, Saturday",
        "3:23: note: dry-run production, Tue 24 Nov 11:00 EST: open unless a calendar or an incident closes it",
        "3:55: note: dry-run preview: open at all times",
    ]


def test_a_window_that_never_opens_is_told_beside_one_that_does(tmp_path: Path) -> None:
    policy = """
windows: {production: [tue 10:00-16:00, "fri 13:00-16:00"]}
freezes: [{weekly: "fri 12:00-24:00"}]
"""
    assert told(tmp_path, policy, "window-never-opens", "never-open") == [
        "2:41: warning: window-never-opens 'fri 13:00-16:00' never opens: "
        "the freezes cover it; take it out or change one of them"
    ]


def test_an_environment_that_never_opens_is_an_error(tmp_path: Path) -> None:
    policy = 'windows: {production: ["fri 13:00-16:00"]}\nfreezes: [{weekly: "fri 12:00-24:00"}]\n'
    assert told(tmp_path, policy, "window-never-opens", "never-open", "dry-run") == [
        "1:23: error: never-open production never opens: the freezes cover every window; change one of them"
    ]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("sun 02:00-02:45", ["warning: clock-night on 14 March 2027 the clock goes from 02:00 to 03:00: "
                             "'sun 02:00-02:45' does not happen then; move it by an hour if it should"]),
        ("daily 02:30-04:00", ["note: clock-night on 14 March 2027 the clock goes from 02:00 to 03:00: "
                               "'daily 02:30-04:00' is 30 m shorter then"]),
        ("sun 00:00-01:15", ["note: clock-night on 07 November 2027 the clock goes from 02:00 to 01:00: "
                             "of 'sun 00:00-01:15' 15 m comes twice"]),
        ("sat 22:00-02:30", ["note: clock-night on 07 November 2027 the clock goes from 02:00 to 01:00: "
                             "of 'sat 22:00-02:30' 1 h comes twice",
                             "note: clock-night on 14 March 2027 the clock goes from 02:00 to 03:00: "
                             "'sat 22:00-02:30' is 30 m shorter then"]),
        ("tue-thu 10:00-16:00", []),
        ("sat-sun", []),
        ("mon 01:00-03:00", []),
    ],
)  # fmt: skip
def test_a_window_on_the_night_the_clock_changes_is_told(tmp_path: Path, words: str, says: list[str]) -> None:
    policy = f'timezone: America/New_York\nwindows: {{production: ["{words}", "tue 12:00-13:00"]}}\n'
    assert [line.split(": ", 1)[1] for line in told(tmp_path, policy, "clock-night")] == says


def test_a_weekly_freeze_on_that_night_is_told_too(tmp_path: Path) -> None:
    policy = 'timezone: America/New_York\nfreezes: [{weekly: "sun 02:00-03:00"}]\n'
    [gone] = told(tmp_path, policy, "clock-night")
    assert gone.startswith("2:20: warning: clock-night on 14 March 2027")


def test_a_clock_that_never_changes_is_said(tmp_path: Path) -> None:
    policy = "timezone: Asia/Kathmandu\n"
    assert told(tmp_path, policy, "clock-change") == [
        "1:11: note: clock-change the clock in Asia/Kathmandu does not change"
    ]


def test_a_folder_is_linted_whole_and_one_without_checklists_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        (tmp_path / f"{name}.md").write_text("# Theirs\n- [ ] One\n")
    problems, failed = lint_files([Path(), Path("b.md")], now=NOW)
    assert {problem.file for problem in problems} == {"a.md", "b.md"}
    assert not failed
    (tmp_path / "none").mkdir()
    assert lint_files([Path("none")], now=NOW) == (
        [Problem("none", 1, 1, "no-document", "There are no checklists (NAME.md) in this folder.")],
        True,
    )


def test_what_adopt_leaves_open_is_an_error(tmp_path: Path) -> None:
    policy = (
        "probes:\n  errors: {prometheus: FILL_IN_errors, unit: ratio}\nnotes: [FILL_IN]  # FILL_IN here is no value\n"
    )
    assert told(tmp_path, policy, "fill-in") == [
        "2:24: error: fill-in 'FILL_IN_errors': write what FILL_IN stands for; until then errors is unknown",
        "3:9: error: fill-in 'FILL_IN': write what FILL_IN stands for; until then notes is unknown",
    ]


def test_an_address_is_no_missing_file_and_https_is_asked_for(tmp_path: Path) -> None:
    policy = """
freezes:
  - {calendar: "https://example.com/a.ics"}
  - {calendar: "http://example.com/a.ics"}
  - {statuspage: "http://status.example.com"}
"""
    lines = told(tmp_path, policy, "calendar-missing", "calendar-outside", "plain-http")
    assert [line.split(" ")[:3] for line in lines] == [
        ["4:16:", "warning:", "plain-http"],
        ["5:18:", "warning:", "plain-http"],
    ]


@pytest.mark.parametrize("name", names([SHIPPED]))
def test_every_shipped_checklist_gets_a_dry_run_and_its_clock(name: str) -> None:
    problems, failed = lint_files([SHIPPED / f"{name}.md"], now=NOW)
    assert not failed
    assert {"dry-run", "clock-change"} <= {problem.code for problem in problems}
    assert [problem.marked for problem in problems if problem.code == "clock-night"] == []
