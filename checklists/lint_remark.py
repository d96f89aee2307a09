"""What a lint rule says, before it is known where that stands."""

from __future__ import annotations

from dataclasses import dataclass

from checklists.policy_file import Severity


@dataclass(frozen=True, slots=True)
class Remark:
    """`path` is the way to the value in the policy: `("watch", 0, "phase")`. `on_key` points at the key instead of
    its value."""

    path: tuple[str | int, ...]
    code: str
    message: str
    severity: Severity = "error"
    on_key: bool = False
    further_down: int = 0
    """Lines below that place, for the lines of a template."""
