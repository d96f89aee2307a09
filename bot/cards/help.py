"""What `/deploy help` says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot.cards.card import Answer, Card, Text


def help_answer(
    usages: Sequence[tuple[str, str, str]],
    checklists: Sequence[str],
    default: str | None,
    lanes: Mapping[str, Sequence[str]],
) -> Answer:
    """Every sub-command in one line, and what stands behind `/deploy start` here.

    `usages`: name, arguments, what it does. `lanes`: those of each checklist that has any.
    """
    lines = [f"`/deploy {' '.join((name, arguments)).strip()}` · {does}" for name, arguments, does in usages]
    if default:
        others = ", ".join(name for name in checklists if name != default)
        lines.append(
            f"Without a service, what starts, plans, locks or asks about a window means `{default}`; every other "
            "command means the deployment that runs." + (f" There are also: {others}." if others else "")
        )
    ways = [f"{name} {' '.join(f'`--{lane}`' for lane in those)}" for name, those in lanes.items()]
    lines.append(f"A LANE is one of the policy's `overrides`: {'; '.join(ways) or 'no checklist has any'}.")
    text = "What /deploy can do: " + "; ".join(f"{name}: {does}" for name, _, does in usages)
    return Answer(card=Card(title="/deploy", text=text, blocks=tuple(Text(line) for line in lines)))
