"""What `/deploy help` says."""

from __future__ import annotations

from collections.abc import Sequence

from bot.cards.card import Answer, Card, Text


def help_answer(usages: Sequence[tuple[str, str, str]], checklists: Sequence[str], default: str | None) -> Answer:
    """Every sub-command in one line, and what stands behind `/deploy start` here.

    `usages`: name, arguments, what it does.
    """
    lines = [f"`/deploy {' '.join((name, arguments)).strip()}` · {does}" for name, arguments, does in usages]
    if default:
        others = ", ".join(name for name in checklists if name != default)
        lines.append(f"Without a service, `{default}` is meant." + (f" There are also: {others}." if others else ""))
    text = "What /deploy can do: " + "; ".join(f"{name}: {does}" for name, _, does in usages)
    return Answer(card=Card(title="/deploy", text=text, blocks=tuple(Text(line) for line in lines)))
