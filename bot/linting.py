"""Lint for the command line: the pairs of the given files, with what only the rules of windows can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bot.domain.calendar import can_ever_open, rules_for
from checklists.library import ChecklistError, document_of
from checklists.lint import failed, lint
from checklists.lint_remark import Remark
from checklists.policy import Policy
from checklists.policy_file import Problem
from checklists.zones import find_zone


def lint_files(files: Sequence[Path], *, now: datetime) -> tuple[list[Problem], bool]:
    """Every problem of the pairs these files belong to, each pair once, and whether any is an error.

    A file that does not exist is an error too. `now` (aware) is from when windows must open at some time.
    """
    problems: list[Problem] = []
    for document in dict.fromkeys(document_of(file) for file in files):
        try:
            found = lint(document, now=now, further=_never_open(now))
        except ChecklistError as error:
            found = [Problem(document.name, 1, 1, "no-document", str(error))]
        problems += [replace(problem, file=str(document.with_name(problem.file))) for problem in found]
    return problems, failed(problems)


def _never_open(now: datetime) -> Callable[[Policy], Iterator[Remark]]:
    def further(policy: Policy) -> Iterator[Remark]:
        try:
            find_zone(policy.timezone)
        except ValueError:
            return  # said already, at the zone itself
        environments = dict.fromkeys([*policy.windows, "production"])
        for environment in environments:
            try:
                rules = rules_for(policy, environment)
            except ValueError as error:
                yield Remark(("windows", environment), "window", str(error))
                continue
            if not can_ever_open(rules, now):
                message = f"{environment} never opens: the freezes cover every window; change one of them"
                yield Remark(("windows", environment), "never-open", message)

    return further
