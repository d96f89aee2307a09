"""The team's document as frozen objects: checklist > phase > section > item.

Nothing here reads files, clocks or settings. The reader makes these objects; everything else only looks at them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class PhaseKind(StrEnum):
    """What a part of the document is for, which decides whether and when its items are ticked."""

    RUN = "run"
    """Ticked, in order, in every deployment."""
    ROLLBACK = "rollback"
    """Ticked only when the deployment is rolled back."""
    EMERGENCY = "emergency"
    """The abbreviated lane; kept out of an ordinary run."""
    FOLLOW_UP = "follow-up"
    """Ticked after the deployment has ended: the next day, week or month."""
    REFERENCE = "reference"
    """Can be read in chat, is never ticked."""


@dataclass(frozen=True, slots=True)
class Item:
    """One GitHub task-list item (`- [ ] text`).

    `id` is stable ASCII of at most 40 characters, unique in the file, and survives re-ordering of its neighbours: it is
    made from the titles above the item, its own text, and its ordinal among identical siblings.
    """

    id: str
    text: str
    """The item's own line as written, without marker and box."""
    label: str
    """The item's whole paragraph on one line, soft wraps joined: what people read in chat. Markdown inline syntax is
    kept."""
    line: int
    """1-based line in the document."""
    depth: int
    """1 for a top-level list item; nested lists count one more each."""
    command: str | None
    """The fences below the item, joined by a blank line, ready to copy."""
    notes: tuple[str, ...]
    """Other text below the item: plain bullets, paragraphs, `Expected: …`."""
    checked: bool
    """Whether the document itself has the box ticked."""
    optional: bool
    """Whether the words say it may not apply: "(if needed)", "(if applicable)", "(optional)"."""
    parent: str | None = None
    """Id of the task item this one is nested in, if any."""
    group: str | None = None
    """Text of the plain (untickable) bullet this item hangs under, if any."""
    owner: str | None = None
    """Owner hint found in the words: `- @ann`, `(owner: DevOps)`."""


@dataclass(frozen=True, slots=True)
class Section:
    """A heading inside a phase, or the part of a phase before its first heading (then `title` repeats the phase's)."""

    id: str
    title: str
    line: int
    items: tuple[Item, ...]
    commands: tuple[str, ...] = ()
    """Fences of the section that hang under no item, in order."""
    path: tuple[str, ...] = ()
    """Titles from the outermost to its own, by which a policy may narrow a name."""
    prose: str = ""
    """The section's own Markdown as written, without its heading: what is shown when a reference part is read."""


@dataclass(frozen=True, slots=True)
class Phase:
    """A step of the deployment: by default a heading one level below the title, with all its sections."""

    id: str
    title: str
    line: int
    kind: PhaseKind
    sections: tuple[Section, ...]
    path: tuple[str, ...] = ()
    """Titles from the outermost to its own."""

    @property
    def items(self) -> tuple[Item, ...]:
        """Every item of the phase, in document order."""
        return tuple(item for section in self.sections for item in section.items)


@dataclass(frozen=True, slots=True)
class Checklist:
    """A whole document. `digest` is the SHA-256 of the exact bytes it was read from (hexadecimal)."""

    name: str
    title: str
    phases: tuple[Phase, ...]
    digest: str = ""

    def items(self) -> Iterator[Item]:
        """Every task item of the file, those of phases kept out of a run included."""
        for phase in self.phases:
            yield from phase.items
