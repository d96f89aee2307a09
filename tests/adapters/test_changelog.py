"""The repository's own record of changes, as real projects write it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.changelog import LINES, LONGEST_LINE, MarkdownChangelog, changes_in

KEEP_A_CHANGELOG = """\
# Changelog

## [Unreleased]
### Added
- Not out yet

## [1.2.0] - 2026-11-20
A release about payments.

### Added
- Payments through **M-Pesa** ([#12](https://example.org/12))
- Search
  in two languages

  with a second paragraph
  - nested: `fr`
### Fixed
- [x] Timeouts

```
## [9.9.9]
- in a fence
```

## [1.2.0-rc.1] - 2026-11-10
### Added
- Candidate

## [1.1.0] - 2026-10-01
Only words here.

And more words.

## [1.0.0]

[1.2.0]: https://example.org/compare
"""


def found(version: str, text: str = KEEP_A_CHANGELOG) -> tuple[str, ...] | str:
    return changes_in(text, version, "CHANGELOG.md")


def test_items_carry_the_kind_of_change() -> None:
    assert found("v1.2.0") == (
        "Added: Payments through M-Pesa (#12)",
        "Added: Search in two languages with a second paragraph",
        "Added: nested: fr",
        "Fixed: Timeouts",
    )


def test_a_leading_v_does_not_matter() -> None:
    assert found("1.2.0") == found("v1.2.0") == found("V1.2.0", KEEP_A_CHANGELOG.replace("[1.2.0]", "v1.2.0"))


def test_a_candidate_is_not_the_release() -> None:
    assert found("1.2.0-rc.1") == ("Added: Candidate",)
    assert found("1.2.0", "## 1.2.0-rc.1\n- candidate\n") == "CHANGELOG.md has no entry for 1.2.0"


def test_part_of_a_version_is_not_the_version() -> None:
    for version in ("1.2", "2.0", "1.2.0.1", "0", "1"):
        assert found(version) == f"CHANGELOG.md has no entry for {version}"


def test_paragraphs_stand_in_where_there_are_no_lists() -> None:
    assert found("v1.1.0") == ("Only words here.", "And more words.")


def test_an_empty_entry_says_so() -> None:
    assert found("v1.0.0") == "CHANGELOG.md says nothing under v1.0.0"


def test_a_missing_entry_says_so() -> None:
    assert found("v3.0.0") == "CHANGELOG.md has no entry for v3.0.0"
    assert found("") == "CHANGELOG.md has no entry for a version without a name"


@pytest.mark.parametrize(
    "heading",
    [
        "# 1.2.0",
        "## v1.2.0",
        "## [v1.2.0](https://example.org) (2026-11-20)",
        "## **1.2.0**",
        "## Version 1.2.0",
        "## Release v1.2.0 — the big one",
        "## azora 1.2.0",
        "## azora-v1.2.0",
        "## @petforce/web@1.2.0",
        "## 1.2.0, 20 November",
        "## 1.2.0 2026-11-20",
        "## 1.2.0 🎉",
        '## 1.2.0 "Baobab"',
        "## 1.2.0 Baobab",
        "## [1.2.0] - 2026-11-20 [YANKED]",
        "## 2026-11-20, Version 1.2.0 (Current)",
        "1.2.0\n=====",
    ],
)
def test_headings_as_projects_write_them(heading: str) -> None:
    assert found("v1.2.0", f"# Changes\n\n{heading}\n\n- one\n\n## 1.1.0\n\n- old\n") == ("one",)


def test_a_version_mentioned_in_a_heading_is_no_entry() -> None:
    text = "## 1.2.0\n- new\n### Migrating from 1.1.0\n- steps\n### 1.1.0 configuration\n- keep it\n## 1.1.0\n- old\n"
    assert found("1.1.0", text) == ("old",)
    assert found("1.2.0", text) == ("new", "Migrating from 1.1.0: steps", "1.1.0 configuration: keep it")


def test_kinds_may_stand_as_high_as_their_version() -> None:
    text = "### [1.0.1](x) (2026-11-20)\n\n### Bug Fixes\n\n* a fix\n\n## [1.0.0](x)\n\n### Features\n\n* a feature\n"
    assert found("1.0.1", text) == ("Bug Fixes: a fix",)
    assert found("1.0.0", text) == ("Features: a feature",)


def test_what_follows_the_versions_is_not_part_of_the_last() -> None:
    assert found("1.0.0", "## 1.0.0\n- first\n## Older releases\n- see the archive\n") == ("first",)


def test_a_heading_that_is_quoted_or_listed_is_no_entry() -> None:
    text = "## 1.2.0\n- one\n\n> ## 1.1.0\n> - quoted\n\n- two\n\n## 1.1.0\n- old\n"
    assert found("1.1.0", text) == ("old",)
    assert found("1.2.0", text)[-1] == "two"


def test_a_name_that_is_no_number_is_found_too() -> None:
    assert found("release-42", "## release-42\n- one\n## release-41\n- two\n") == ("one",)


def test_too_many_changes_say_how_many_there_are() -> None:
    text = "## 1.2.0\n" + "".join(f"- change {i}\n" for i in range(50))
    lines = found("1.2.0", text)
    assert len(lines) == LINES
    assert lines[-2:] == ("change 18", "… and 31 more in CHANGELOG.md")


def test_a_long_change_is_cut() -> None:
    (line,) = found("1.2.0", "## 1.2.0\n- " + "long " * 200)
    assert len(line) <= LONGEST_LINE
    assert line.endswith("…")


def test_text_saved_through_the_wrong_code_page_is_repaired(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_bytes("## 1.2.0\n- Ã‰cran â‰¥ 5\n".encode())
    assert MarkdownChangelog(tmp_path)._read("CHANGELOG.md", "1.2.0") == ("Écran ≥ 5",)


async def test_a_file_is_read_from_the_folder(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/CHANGELOG.md").write_text("\ufeff" + KEEP_A_CHANGELOG.replace("\n", "\r\n"), encoding="utf-8")
    assert len(await MarkdownChangelog(tmp_path).changes("docs/CHANGELOG.md", "v1.2.0")) == 4


async def test_without_a_path_it_says_that_none_is_named(tmp_path: Path) -> None:
    for path in (None, ""):
        assert await MarkdownChangelog(tmp_path).changes(path, "v1.2.0") == "no changelog is named in the policy"


async def test_nothing_outside_the_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("## 1.2.0\n- secret\n")
    folder = tmp_path / "checklists"
    folder.mkdir()
    os.symlink(tmp_path / "secret.md", folder / "link.md")
    os.symlink(tmp_path, folder / "up")
    for path in ("../secret.md", str(tmp_path / "secret.md"), "link.md", "up/secret.md", "a/../../secret.md"):
        said = await MarkdownChangelog(folder).changes(path, "1.2.0")
        assert said == f"{path} is outside the policy's folder and is not read"


async def test_what_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    log = MarkdownChangelog(tmp_path)
    os.mkfifo(tmp_path / "pipe.md")
    (tmp_path / "folder.md").mkdir()
    for name in ("none.md", "pipe.md", "folder.md"):
        assert await log.changes(name, "1.2.0") == f"there is no {name} beside the policy"
    (tmp_path / "big.md").write_bytes(b"x" * 1_000_001)
    assert await log.changes("big.md", "1.2.0") == "big.md is larger than 1 MB and is not read"
    (tmp_path / "binary.md").write_bytes(b"\x81\x8d\xff\x90")
    assert await log.changes("binary.md", "1.2.0") == "binary.md is not text"
    assert "cannot be read" in await log.changes("nul\0.md", "1.2.0")
    os.symlink(tmp_path / "loop.md", tmp_path / "loop.md")
    assert isinstance(await log.changes("loop.md", "1.2.0"), str)


def test_a_hostile_heading_costs_no_time() -> None:
    assert "no entry" in found("1.2.0", "## " + "1.1-" * 30_000 + "1.2.0\n")
    assert "no entry" in found("1.2.0", "## " + "a-@" * 30_000 + "1.2.0\n")


@given(st.text(alphabet="# 12.v-[]()*\n`>aé", max_size=120), st.text(alphabet="v12.-", max_size=8))
def test_whatever_the_file_says_the_answer_is_lines_or_a_sentence(text: str, version: str) -> None:
    said = found(version, text)
    lines = (said,) if isinstance(said, str) else said
    assert lines
    assert all(line and "\n" not in line and len(line) <= LONGEST_LINE for line in lines)
