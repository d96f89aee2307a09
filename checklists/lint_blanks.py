"""Lint of what a drafted policy leaves open. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from checklists.adoption.probes import FILL_IN
from checklists.lint_remark import Remark


def remarks(tree: Any) -> Iterator[Remark]:
    """Every value in which `FILL_IN` still stands. The tree is `Located.tree`, whose depth is bounded."""
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), tree)]
    while waiting:
        path, node = waiting.pop()
        if isinstance(node, dict):
            waiting += [((*path, key), value) for key, value in node.items()]
        elif isinstance(node, list):
            waiting += [((*path, index), value) for index, value in enumerate(node)]
        elif isinstance(node, str) and FILL_IN in node:
            what = path[-2] if len(path) > 1 else path[-1] if path else "it"
            message = f"{node[:80]!r}: write what {FILL_IN} stands for; until then {what} is unknown"
            yield Remark(path, "fill-in", message)
