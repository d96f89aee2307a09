"""What the length of a checklist costs a tick, and what its own history costs a status, through a real process.

A tick is one HTTP post to the sandbox channel; it counts until the card and the items in the channel show it. There is
no goal for either.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench.report import Line, middle, say
from tests.talk import Channel, Page, new_database

SHORT, LONG = 40, 800
BLOCKS, BLOCK = 4, 9
HISTORY = 300


def measure() -> list[Line]:
    """A short list and a long one, in turn."""
    with tempfile.TemporaryDirectory(prefix="gonogo-bench-") as made:
        folder = Path(made)
        new_database(folder, "2026-11-24 10:00")
        (folder / "lists").mkdir()
        for name, items in (("list", SHORT), ("list", LONG), ("fresh", LONG)):
            lines = "".join(f"- [ ] Item {number}\n" for number in range(items))
            (folder / "lists" / f"{name}{items}.md").write_text(f"# List\n\n## All\n{lines}")
        channel = Channel(folder, GONOGO_CHECKLISTS=str(folder / "lists"))
        try:
            return _measure(channel)
        finally:
            channel.abandon()


def _measure(channel: Channel) -> list[Line]:
    short, long = (_start(channel, items) for items in (SHORT, LONG))
    took: dict[int, list[float]] = {SHORT: [], LONG: []}
    for block in range(BLOCKS):  # in turn: what else the machine does hits both
        part = slice(block * BLOCK, (block + 1) * BLOCK)
        took[SHORT].append(_timed(_tick, channel, short[part]))
        took[LONG].append(_timed(_tick, channel, long[part]))
    _start(channel, LONG, "fresh")
    _tick(channel, long[BLOCKS * BLOCK : HISTORY])
    # The same question about as long a checklist; only the facts that are added up are more.
    asked: dict[str, list[float]] = {"fresh": [], "list": []}
    for _ in range(20):
        for name, found in asked.items():
            found.append(_timed(channel.status, f"{name}{LONG}"))
    young, old = middle(asked["fresh"]), middle(asked["list"])
    each = {items: middle(found) / BLOCK for items, found in took.items()}
    ratio, slower = each[LONG] / each[SHORT], old / young
    return [
        Line(
            f"a tick until it is seen, of {LONG} items ÷ of {SHORT}", round(ratio, 2), "", None,
            f"{each[LONG] * 1000:.1f} ms, {each[SHORT] * 1000:.1f} ms",
        ),
        Line(
            f"`status` of {LONG} items after {HISTORY} ticks ÷ after none", round(slower, 2), "", None,
            f"{old * 1000:.1f} ms, {young * 1000:.1f} ms",
        ),
    ]  # fmt: skip


def _start(channel: Channel, items: int, name: str = "list") -> list[str]:
    """Start a deployment and wait until it stands in the channel; its ticks."""
    channel.command(f"/deploy start v1.0.0 {name}{items} --yes")
    channel.until(lambda: True if _shown(channel) else None, seconds=30)
    page = Page(channel.command(f"/deploy items {name}{items}")["card"])
    ticks = [action for action in dict.fromkeys(page.actions) if action.startswith("tick:")]
    assert len(ticks) == items, f"{len(ticks)} of {items} items can be ticked"
    return ticks


def _tick(channel: Channel, actions: list[str]) -> None:
    """Tick these, and wait until the channel shows it."""
    for action in actions:
        channel.click(action)
    channel.until(lambda: True if _shown(channel) else None, seconds=30)


def _shown(channel: Channel) -> bool:
    behind = "LEFT JOIN mirrors ON deployment = id WHERE shown IS NULL OR shown < revision"
    return channel.records.rows(f"SELECT count(*) FROM deployments {behind}") == [(0,)]


def _timed(work: Callable[..., object], *arguments: object) -> float:
    begun = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - begun


if __name__ == "__main__":
    say(measure())
