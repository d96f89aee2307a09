"""SECURITY.md is true: every row names tests, and these exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "SECURITY.md").read_text("utf-8")
ROWS = [line for line in TEXT.splitlines() if line.startswith("| ") and not line.startswith(("| ---", "| who |"))]
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


@cache
def defined_in(file: Path) -> frozenset[str]:
    nodes = ast.parse(file.read_text("utf-8")).body
    return frozenset(node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[2].strip()[:40])
def test_every_row_names_tests_that_exist(row: str) -> None:
    _, who, tries, stops, proof, _ = row.split("|")
    assert all(cell.strip() for cell in (who, tries, stops))
    named = NAMED.findall(proof)
    assert named
    assert NAMED.sub("", proof).strip() == "", "a test is named like `tests/FILE.py::test_NAME`"
    assert [f"{file}::{test}" for file, test in named if test not in defined_in(ROOT / file)] == []


def test_there_are_rows_and_a_way_to_report() -> None:
    assert len(ROWS) > 15
    assert "Report a vulnerability" in TEXT
