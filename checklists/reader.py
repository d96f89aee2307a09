"""A team's Markdown document read into a Checklist.

What GitHub shows as a task-list item is an item; nothing else is, unless the policy says so (`Reading.sources`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from checklists.boxes import read_as_items
from checklists.document import Checklist, Item, Phase, PhaseKind, Section
from checklists.doubts import Doubt, find_doubts
from checklists.headings import Heading, Outline, Part, outline, word_kind
from checklists.items import Ids, loose_commands, read_items
from checklists.markdown import Block, Document, read, without_markup
from checklists.names import rule_for
from checklists.source import DocumentError, Source, load

__all__ = ["DocumentError", "Doubt", "Heading", "Reading", "doubts", "headings", "read_checklist"]

SourceName = Literal["tables", "symbols", "lists"]


@dataclass(frozen=True, slots=True)
class Reading:
    """How the policy wants a document read. Names which no heading has are ignored here; lint reports them.

    A heading is named by its title, or `Parent > Title` where several share one; a name fits every heading it fits.
    """

    split: frozenset[str] = frozenset()
    """Headings which become phases of their own."""
    kinds: Mapping[str, PhaseKind] = field(default_factory=lambda: MappingProxyType({}))
    """What a heading's part is for; a heading named here becomes a phase of its own too."""
    sources: frozenset[SourceName] = frozenset()
    """What is read as items besides task-list items: rows of tables with a box, bullets and lines which begin with a
    symbol (☐, ✅, `[]`), and the bullets of lists without any box."""


AS_WRITTEN = Reading()
"""How a document without a policy is read."""


def read_checklist(text: str | bytes, *, name: str, reading: Reading = AS_WRITTEN) -> Checklist:
    """Read a document. `name` is what it is called where it has no title of its own.

    Phases are the headings one level below the title, whatever their depth; sections those below. Characters saved
    through the wrong code page are repaired; front matter is passed over. Raises DocumentError when the bytes are no
    text, never for what the text says.
    """
    source = load(text, name)
    return _checklist(source, _document(source, reading), reading)


def headings(text: str | bytes, *, name: str, reading: Reading = AS_WRITTEN) -> tuple[Heading, ...]:
    """Every heading of a document in order, the title's included: what `Reading.split` and `Reading.kinds` can name.

    Raises DocumentError when the bytes are no text.
    """
    source = load(text, name)
    return outline(_document(source, reading), source).headings()


def doubts(text: str | bytes, *, name: str, reading: Reading = AS_WRITTEN) -> tuple[Doubt, ...]:
    """What in a document is probably not meant as it is read, in the order of its lines. For lint; none is an error.

    Raises DocumentError when the bytes are no text.
    """
    source = load(text, name)
    document = _document(source, reading)
    return find_doubts(document, _checklist(source, document, reading), source, frozenset(reading.sources))


def _checklist(source: Source, document: Document, reading: Reading) -> Checklist:
    tree = outline(document, source)
    title_path = tree.title.heading.path if tree.title and tree.title.heading else ()
    title = title_path[-1] if title_path else source.stem
    phases = _phases(_drafts(tree, reading, title), title, title_path, document, source)
    return Checklist(name=source.name, title=title, phases=phases, digest=source.digest)


def _document(source: Source, reading: Reading) -> Document:
    document = read(source)
    return read_as_items(document, source, reading.sources) if reading.sources else document


@dataclass(slots=True)
class _Draft:
    """A phase before its sections are read. Its first part is what stands directly under its heading."""

    heading: Heading | None
    kind: PhaseKind | None
    """None where neither policy nor words say: decided by whether it has items."""
    parts: list[Part]
    opening: bool = False
    """Whether it is what stands before the first phase's heading."""
    lost: bool = False
    """Whether a part of it became a phase of its own."""


_ORDERED = (None, PhaseKind.RUN)
"""The kinds whose place among the other phases matters."""


def _drafts(tree: Outline, reading: Reading, title: str) -> list[_Draft]:
    """The phases in document order: what stands before the first heading of one, then one for each such heading."""
    drafts = [_Draft(None, rule_for(reading.kinds, title), [tree.root], opening=True)]
    # Unless the policy names it, a bold line is no phase, and a `<summary>` only where there is no heading at all.
    candidates = [*tree.root.parts, *(tree.title.parts if tree.title else ())]
    form = "heading" if any(_form(part) == "heading" for part in candidates if part is not tree.title) else "summary"

    names = (*reading.split, *reading.kinds)

    def add(parts: Sequence[Part], opening: _Draft) -> None:
        for part in parts:
            if part is tree.title:
                drafts.append(_Draft(part.heading, opening.kind, [part], opening=True))
                add(part.parts, drafts[-1])
            elif _form(part) == form or (_form(part) and part.heading and part.heading.is_named(names)):
                _split(part, reading, _kind(part, reading, None), drafts, 1)
            else:
                opening.parts.extend(part.walk())

    add(tree.root.parts, drafts[0])
    return drafts


def _form(part: Part) -> str | None:
    return part.heading.form if part.heading and not part.resumed else None


def _split(part: Part, reading: Reading, kind: PhaseKind | None, drafts: list[_Draft], depth: int) -> None:
    """Make a phase of a part, and further phases of the parts below it which the policy or the clock sets apart.

    What follows such a part under the same heading becomes a phase too, so that the document's order is the order of
    the run; not so after one which is kept out of the run.
    """
    draft = _Draft(part.heading, kind, [part])
    drafts.append(draft)
    names = (*reading.split, *reading.kinds)
    behind = False

    def below(parent: Part, level: int) -> None:
        nonlocal behind
        for child in parent.parts:
            heading = None if child.resumed else child.heading
            apart = heading is not None and (
                heading.is_named(names) or (level == 2 and kind in _ORDERED and heading.has_clock)
            )
            if apart or (behind and child.heading):
                draft.lost = True
                # "Rollback plan" following something set apart is still part of what it stood in.
                own = _kind(child, reading, kind) if apart else kind
                _split(child, reading, own, drafts, level)
                behind = behind or own in _ORDERED
            else:
                draft.parts.append(child)
                below(child, level + 1)

    below(part, depth + 1)


def _kind(part: Part, reading: Reading, above: PhaseKind | None) -> PhaseKind | None:
    """The kind of a part set apart: what the policy says, else its words, else what it was part of."""
    assert part.heading is not None
    named = rule_for(reading.kinds, *part.heading.path)
    return named or word_kind(part.heading.title, has_items=part.has_task) or above


def _phases(
    drafts: Sequence[_Draft], title: str, title_path: tuple[str, ...], document: Document, source: Source
) -> tuple[Phase, ...]:
    ids = Ids()
    kept: list[tuple[_Draft, list[_Read]]] = []
    for draft in drafts:
        sections = [_read(part, title, title_path, ids, document, source) for part in draft.parts]
        sections = [section for section in sections if section.items or section.commands or section.prose]
        if sections or not (draft.lost or draft.heading is None or draft.opening):
            kept.append((draft, sections))
    phase_ids = ids.headings([_path(draft.heading, title) for draft, _ in kept])
    section_ids = iter(ids.headings([section.path for _, sections in kept for section in sections]))
    phases = []
    for phase_id, (draft, sections) in zip(phase_ids, kept, strict=True):
        alike = Counter(section.path[-1] for section in sections)
        has_items = any(section.items for section in sections)
        phases.append(
            Phase(
                id=phase_id,
                title=_path(draft.heading, title)[-1],
                line=draft.heading.line if draft.heading else 1,
                kind=draft.kind or (PhaseKind.RUN if has_items else PhaseKind.REFERENCE),
                sections=tuple(
                    Section(
                        id=next(section_ids),
                        title=" › ".join(section.path[-2:]) if alike[section.path[-1]] > 1 else section.path[-1],
                        line=section.line,
                        items=section.items,
                        commands=section.commands,
                        path=section.path,
                        prose=section.prose,
                    )
                    for section in sections
                ),
                path=_path(draft.heading, title),
            )
        )
    return tuple(phases)


@dataclass(frozen=True, slots=True)
class _Read:
    """A section before it has an id."""

    path: tuple[str, ...]
    line: int
    items: tuple[Item, ...]
    commands: tuple[str, ...]
    prose: str


def _read(part: Part, title: str, title_path: tuple[str, ...], ids: Ids, document: Document, source: Source) -> _Read:
    path = _path(part.heading, title)
    # A document's title changes with its version; its items stay the same items.
    below_title = path[len(title_path) :] if path[: len(title_path)] == title_path else path
    return _Read(
        path=path,
        line=part.heading.line if part.heading else 1,
        items=tuple(read_items(part.blocks, below_title if part.heading else (), ids, document.links, source)),
        commands=tuple(loose_commands(part.blocks)),
        prose=_prose(part, source),
    )


def _path(heading: Heading | None, title: str) -> tuple[str, ...]:
    return heading.path if heading else (title,)


def _prose(part: Part, source: Source) -> str:
    """The lines as written, without what GitHub does not show and without the rules between parts."""
    shown = [block for block in part.blocks if not _is_invisible(block)]
    while shown and shown[-1].kind == "hr":
        shown.pop()
    while shown and shown[0].kind == "hr":
        shown.pop(0)
    if not shown:
        return ""
    hidden = {line for block in part.blocks if _is_invisible(block) for line in range(block.start, block.end)}
    lines = [source.lines[line] for line in range(shown[0].start, shown[-1].end) if line not in hidden]
    return "\n".join(lines).strip("\n").rstrip()


def _is_invisible(block: Block) -> bool:
    return block.kind in ("front_matter", "definition") or (
        block.kind == "html_block" and not without_markup(block.token.content)
    )
