"""A checklist as it is read, for the terminal and for programs."""

from __future__ import annotations

from typing import Any

from bot.cards.words import count, plain
from checklists.document import Checklist, Item
from checklists.library import Loaded


def outline_json(checklist: Checklist) -> dict[str, Any]:
    """Every task item of the file, those of phases kept out of a run too."""
    return {
        "name": checklist.name,
        "title": checklist.title,
        "phases": [
            {
                "id": phase.id,
                "title": phase.title,
                "kind": phase.kind.value,
                "sections": [
                    {"id": section.id, "title": section.title, "items": [_item(item) for item in section.items]}
                    for section in phase.sections
                ],
            }
            for phase in checklist.phases
        ],
    }


def outline(loaded: Loaded) -> str:
    """The same to read: kind and size of each phase, its sections and items; the defaults, if there is no policy."""
    checklist = loaded.checklist
    lines = [f"{plain(checklist.title)} ({checklist.name}): {count(sum(1 for _ in checklist.items()), 'item')}"]
    lines += [f"! {sentence}" for sentence in loaded.stated]
    for phase in checklist.phases:
        lines.append(f"\n{plain(phase.title)} [{phase.kind.value}] {count(len(phase.items), 'item')}")
        for section in phase.sections:
            if section.items and section.title != phase.title:
                lines.append(f"  {plain(section.title)}")
            lines += [f"  {'  ' * item.depth}☐ {plain(item.label) or '(no words)'}" for item in section.items]
    return "\n".join(lines)


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "text": item.text,
        "line": item.line,
        "depth": item.depth,
        "command": item.command,
        "notes": list(item.notes),
        "checked": item.checked,
    }
