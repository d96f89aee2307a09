"""Lint for the command line: the pairs of the given files, with what only the rules of windows can tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bot.cards.opening import say_reasons, say_when
from bot.domain.calendar import Rules, can_ever_open, opening, rules_for, to_be_read
from checklists.library import ChecklistError, document_of, names
from checklists.lint import failed, lint
from checklists.lint_remark import Remark
from checklists.policy import Policy
from checklists.policy_file import Problem
from checklists.windows import parse_when
from checklists.zones import find_zone

DRY_RUN = ("tue 11:00", "fri 16:55", "sat 12:00")
"""Moments everybody has an opinion about: the next of each is asked for every environment."""


def lint_files(files: Sequence[Path], *, now: datetime) -> tuple[list[Problem], bool]:
    """Every problem of the pairs these files belong to, each pair once, and whether any is an error. Of a folder: of
    all checklists in it.

    A file that does not exist is an error too. `now` (aware) is from when windows must open at some time.
    """
    problems: list[Problem] = []
    documents: dict[Path, None] = {}
    for file in files:
        found = [file / f"{name}.md" for name in names((file,))] if file.is_dir() else [document_of(file)]
        documents |= dict.fromkeys(found)
        if not found:
            problems.append(
                Problem(str(file), 1, 1, "no-document", "There are no checklists (NAME.md) in this folder.")
            )
    for document in documents:
        try:
            told = lint(document, now=now, further=_windows(now))
        except ChecklistError as error:
            told = [Problem(document.name, 1, 1, "no-document", str(error))]
        problems += [replace(problem, file=str(document.with_name(problem.file))) for problem in told]
    return problems, failed(problems)


def _windows(now: datetime) -> Callable[[Policy], Iterator[Remark]]:
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
            if can_ever_open(rules, now):
                yield from _never_open(rules, now)
                yield from _dry_run(rules, now, unasked=bool(to_be_read(policy, environment)))
            else:
                message = f"{environment} never opens: the freezes cover every window; change one of them"
                yield Remark(("windows", environment), "never-open", message)

    return further


def _never_open(rules: Rules, now: datetime) -> Iterator[Remark]:
    """Windows that freezes cover at every time, beside others that open."""
    for index, window in enumerate(rules.windows or ()):
        if not can_ever_open(replace(rules, windows=(window,)), now):
            message = f"{window.words!r} never opens: the freezes cover it; take it out or change one of them"
            yield Remark(("windows", rules.environment, index), "window-never-opens", message, "warning")


def _dry_run(rules: Rules, now: datetime, *, unasked: bool) -> Iterator[Remark]:
    """What would be said at some moments to come. Calendars and incidents are not asked."""
    path, but = ("windows", rules.environment), " unless a calendar or an incident closes it" if unasked else ""
    if rules.windows is None and not rules.freezes:
        yield Remark(path, "dry-run", f"{rules.environment}: open at all times{but}", "info")
        return
    for words in DRY_RUN:
        with suppress(ValueError):  # a time that the clock jumps over
            at = parse_when(words, now, rules.zone)
            found = opening(rules, at)
            said = f"open{but}" if found.open else f"closed, {say_reasons(found)}"
            yield Remark(path, "dry-run", f"{rules.environment}, {say_when(at, found.zone, now)}: {said}", "info")
