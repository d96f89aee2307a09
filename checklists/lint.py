"""`gonogo checklist lint`: everything that can be wrong with a document and its policy, before a deployment finds
out.

Names, roles, probes, units, templates and moments are proved here. What needs calendars and the clock (a window that
can never open, an unknown holiday country) is the caller's to add, with `further`: this package knows no rules of
deployments.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from checklists import lint_blanks, lint_clock, lint_names, lint_values
from checklists.addresses import is_address
from checklists.document import Checklist
from checklists.headings import Heading
from checklists.library import ChecklistError, default_policy, document_of, nothing_to_run, reading
from checklists.lint_remark import Remark
from checklists.policy import Policy
from checklists.policy_file import Located, PolicyError, Problem, Severity, load_located
from checklists.reader import DocumentError, Reading, doubts, headings, read_checklist
from checklists.source import load as load_text

Further = Callable[[Policy], Iterable[Remark]]

#: A part of the policy that could not be read -> words in the codes of remarks that would be about its absence.
_SPEAKS_OF = {
    "probes": ("probe", "target", "unit", "alert"),
    "people": ("role",),
    "phases": ("phase", "deployed", "heading"),
    "links": ("template",),
    "channels": ("channel",),
    "items": ("announced", "probe"),
    "watch": ("announced", "probe", "target", "alert"),
}


def lint(file: Path, *, now: datetime | None = None, further: Further | None = None) -> list[Problem]:
    """Every problem of the pair this file belongs to (`x.md` or `x.yaml`), errors first in neither: in the order of
    files and lines.

    With `now` (aware) the next two changes of the clock are told, with what they do to windows. A document without a
    policy is linted alone. Never raises for what stands in the files; ChecklistError when there is no document.
    """
    document = document_of(file)
    if not document.is_file():
        raise ChecklistError(f"There is no file {document}.")
    beside = next((near for suffix in (".yaml", ".yml") if (near := document.with_suffix(suffix)).is_file()), None)
    markdown = document.read_bytes()
    if beside is None:
        return sorted([*_document_alone(markdown, document), *_empty(markdown, document, Policy())])
    problems: list[Problem] = []
    located: Located | None = None
    try:
        located = load_located(beside.read_bytes().decode("utf-8-sig"), file=beside.name)
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        problems.append(Problem(beside.name, line, 1, "policy-encoding", "not UTF-8 text; save it as UTF-8"))
    except PolicyError as error:
        problems.extend(error.problems)
        located = error.rest
    policy = located.policy if located else Policy()
    problems.extend(_doubts(markdown, document, policy))
    problems.extend(_empty(markdown, document, policy))
    if located is not None:
        try:
            remarks = list(_remarks(markdown, document, located.policy, now))
        except DocumentError:
            remarks = []
        remarks.extend(lint_blanks.remarks(located.tree))
        remarks.extend(further(located.policy) if further else ())
        silent = {word for part in located.dropped for word in _SPEAKS_OF.get(part, (part,))}
        for remark in remarks:
            if any(word in remark.code for word in silent):
                continue
            line, column = located.place(*remark.path, key=remark.on_key)
            column = 1 if remark.further_down else column
            problems.append(
                Problem(beside.name, line + remark.further_down, column, remark.code, remark.message, remark.severity)
            )
    return sorted(dict.fromkeys(problems))


def failed(problems: Sequence[Problem]) -> bool:
    """Whether the command's exit code is 1: there is an error."""
    return any(problem.severity == "error" for problem in problems)


def _read(markdown: bytes, document: Path, policy: Policy) -> tuple[Checklist, Sequence[Heading]]:
    sources = Reading(sources=frozenset(policy.items_from))
    found = headings(markdown, name=document.stem, reading=sources)
    return read_checklist(markdown, name=document.stem, reading=reading(policy, found)), found


def _empty(markdown: bytes, document: Path, policy: Policy) -> Iterator[Problem]:
    """No deployment can be started from a document without items."""
    with suppress(DocumentError):  # said already
        if message := nothing_to_run(_read(markdown, document, policy)[0]):
            yield Problem(document.name, 1, 1, "no-items", message)


def _remarks(markdown: bytes, document: Path, policy: Policy, now: datetime | None) -> Iterator[Remark]:
    checklist, found = _read(markdown, document, policy)
    yield from lint_names.remarks(policy, checklist, found)
    yield from lint_values.remarks(policy)
    yield from _files(policy, document.parent)
    yield from lint_clock.remarks(policy, now)


def _files(policy: Policy, folder: Path) -> Iterator[Remark]:
    for index, freeze in enumerate(policy.freezes):
        for key, asked in (("calendar", freeze.calendar), ("statuspage", freeze.statuspage)):
            if asked is not None and asked.startswith("http:"):
                message = "anybody on the way can change what http: says, and so open the gate; write https:"
                yield Remark(("freezes", index, key), "plain-http", message, "warning")
        if freeze.calendar is None or is_address(freeze.calendar):
            continue
        path = ("freezes", index, "calendar")
        if not _beside(freeze.calendar, folder):
            yield Remark(
                path,
                "calendar-outside",
                f"{freeze.calendar!r} is outside the policy's folder; put the calendar beside it",
            )
        elif not (folder / freeze.calendar).is_file():
            yield Remark(path, "calendar-missing", f"there is no file {freeze.calendar!r} beside the policy")
    if policy.changelog and not (folder / policy.changelog).is_file():
        message = f"there is no {policy.changelog} here: changes come from the compare view, or are said to be unknown"
        yield Remark(("changelog",), "changelog-missing", message, "info")


def _beside(name: str, folder: Path) -> bool:
    return (folder / name).resolve().is_relative_to(folder.resolve())


def _document_alone(markdown: bytes, document: Path) -> Iterator[Problem]:
    yield from _doubts(markdown, document, Policy())
    try:
        checklist = read_checklist(markdown, name=document.stem)
    except DocumentError:
        return
    for sentence in default_policy(checklist)[1]:
        yield Problem(document.name, 1, 1, "no-policy", sentence, "info")


def _doubts(markdown: bytes, document: Path, policy: Policy) -> Iterator[Problem]:
    """What the reader doubts. Items that may not apply are only told; the rest is a warning."""
    try:
        load_text(markdown, document.name)
        sources = frozenset(policy.items_from)
        for doubt in doubts(markdown, name=document.stem, reading=Reading(sources=sources)):
            severity: Severity = "info" if doubt.code == "optional" else "warning"
            yield Problem(document.name, doubt.line, doubt.column, doubt.code, doubt.message, severity)
    except DocumentError as error:
        yield Problem(document.name, error.line, error.column, "document", f"{error.message} {error.remedy}")
