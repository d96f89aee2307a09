"""Lint of names: every heading and item in the policy exists, means one thing, and fits what is asked of it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from checklists.document import Checklist, Item, PhaseKind, Section
from checklists.headings import Heading
from checklists.lint_remark import Remark
from checklists.names import did_you_mean, headings_named, match
from checklists.policy import Policy


def remarks(policy: Policy, checklist: Checklist, headings: Sequence[Heading]) -> Iterator[Remark]:
    """Everything the document contradicts."""
    for key in policy.phases:
        yield from _heading(key, ("phases", key), headings, on_key=True)
    for key in policy.sections:
        yield from _heading(key, ("sections", key), headings, on_key=True)
    for index, entry in enumerate(policy.watch):
        if entry.phase is not None:
            yield from _watched(entry.phase, ("watch", index, "phase"), policy, checklist, headings)
    for name, override in policy.overrides.items():
        for skipped in override.skips:
            yield from _heading(skipped, ("overrides", name, "skips"), headings)
        if override.instead is not None:
            yield from _instead(override.instead, ("overrides", name, "instead"), checklist, headings)
    yield from _deployed(policy, checklist, headings)
    yield from _order(policy, checklist, headings)
    yield from _items(policy, checklist)


def _heading(
    key: str, path: tuple[str | int, ...], headings: Sequence[Heading], *, on_key: bool = False
) -> Iterator[Remark]:
    found = headings_named(key, [heading.path for heading in headings])
    if not found:
        hint = did_you_mean(key.split(" > ")[-1], [heading.title for heading in headings])
        yield Remark(path, "unknown-heading", f"no heading is called {key!r}{hint}", on_key=on_key)
    elif len(found) > 1:
        ways = " or ".join(repr(" > ".join(way[-2:])) for way in found[:4])
        yield Remark(
            path, "ambiguous-heading", f"{len(found)} headings are called {key!r}; write {ways}", on_key=on_key
        )


def _line(key: str, headings: Sequence[Heading]) -> int | None:
    found = headings_named(key, [heading.path for heading in headings])
    return next((heading.line for heading in headings if heading.path in found), None)


def _watched(
    key: str, path: tuple[str | int, ...], policy: Policy, checklist: Checklist, headings: Sequence[Heading]
) -> Iterator[Remark]:
    problems = list(_heading(key, path, headings))
    yield from problems
    if problems:
        return
    phase = next((phase for phase in checklist.phases if phase.line == _line(key, headings)), None)
    if phase is None:
        yield Remark(
            path, "no-phase", f"{key!r} is a section of a phase; name it under `phases` to make it a phase of its own"
        )
    elif phase.kind is not PhaseKind.RUN:
        yield Remark(
            path, "no-phase", f"{key!r} is kept out of the run ({phase.kind}); a check opens only phases that are run"
        )


def _instead(
    key: str, path: tuple[str | int, ...], checklist: Checklist, headings: Sequence[Heading]
) -> Iterator[Remark]:
    problems = list(_heading(key, path, headings))
    yield from problems
    phase = next((phase for phase in checklist.phases if phase.line == _line(key, headings)), None)
    if not problems and (phase is None or phase.kind is not PhaseKind.EMERGENCY):
        yield Remark(
            path, "not-emergency", f"{key!r} is run instead of the rest; give it `kind: emergency` under `phases`"
        )


def _deployed(policy: Policy, checklist: Checklist, headings: Sequence[Heading]) -> Iterator[Remark]:
    marked = [key for key, rule in policy.phases.items() if rule.deployed]
    if not marked:
        message = "no phase says `deployed: true`, so where T0 happens is guessed; mark the one that deploys production"
        yield Remark(("phases",), "no-deployed", message, "warning", on_key=True)
    for key in marked[1:]:
        message = f"T0 happens once, and {marked[0]!r} is already marked `deployed: true`"
        yield Remark(("phases", key, "deployed"), "many-deployed", message)
    for key in marked[:1]:
        phase = next((phase for phase in checklist.phases if phase.line == _line(key, headings)), None)
        if phase is not None and (phase.kind is not PhaseKind.RUN or not phase.items):
            message = f"{key!r} has no items that are run, so nobody would come to the Deployed button"
            yield Remark(("phases", key, "deployed"), "deployed-empty", message)


def _order(policy: Policy, checklist: Checklist, headings: Sequence[Heading]) -> Iterator[Remark]:
    """Moments fall backwards against the document's order."""
    by_line = {_line(key, headings): (key, rule.opens) for key, rule in policy.phases.items() if rule.opens is not None}
    before = None
    for phase in checklist.phases:
        if phase.kind is not PhaseKind.RUN or phase.line not in by_line:
            continue
        key, opens = by_line[phase.line]
        if opens is not None and before is not None and opens < before[1]:
            message = f"opens {opens}, and the phase before it, {before[0]!r}, opens {before[1]}"
            yield Remark(("phases", key, "opens"), "opens-backwards", message, "warning")
        if opens is not None:
            before = (key, opens)


def _items(policy: Policy, checklist: Checklist) -> Iterator[Remark]:
    placed = [(section, item) for phase in checklist.phases for section in phase.sections for item in section.items]
    labels = [item.label for _, item in placed]
    for key, rule in policy.items.items():
        path = ("items", key)
        bound = [(section, item) for section, item in placed if names_item(key, section, item)]
        if not bound:
            hint = did_you_mean(key.split(" > ", 1)[-1] if " > " in key else key, labels)
            yield Remark(path, "unknown-item", f"no item says {key!r}{hint}", on_key=True)
        elif len(bound) > 1:
            lines = ", ".join(str(item.line) for _, item in bound)
            ways = " or ".join(
                repr(f"{(section.path or (section.title,))[-1]} > {item.text}") for section, item in bound[:2]
            )
            message = (
                f"{key!r} is said by {len(bound)} items (lines {lines}) and binds them all; to bind one, write {ways}"
            )
            yield Remark(path, "many-items", message, "warning" if rule.role else "info", on_key=True)


def names_item(key: str, section: Section, item: Item) -> bool:
    """Whether a key of `items` means this item, which stands in this section."""
    above = section.path or (section.title,)
    return bool(match(key, *above, item.text) or match(key, *above, item.label))
