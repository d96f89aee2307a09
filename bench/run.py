"""How fast a tick is, through the whole path, and what the length of a checklist and of a history cost.

`make bench`. Both sides of every ratio are measured in turn in one process; the ratios are what matters, the times are
this machine's. A tick is one HTTP post: the rules, the commit to the disk (fsync) and the answer. It counts until the
card and the items in the channel show it. Writes var/bench.json.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.talk import ROOT, Channel, Page, new_database

SHORT, LONG = 40, 800
BLOCKS, BLOCK = 4, 9
HISTORY = 300


def main() -> None:
    """Measure, print, write."""
    with tempfile.TemporaryDirectory(prefix="gonogo-bench-") as made:
        folder = Path(made)
        new_database(folder, "2026-11-24 10:00")
        (folder / "lists").mkdir()
        for name, items in (("list", SHORT), ("list", LONG), ("fresh", LONG)):
            lines = "".join(f"- [ ] Item {number}\n" for number in range(items))
            (folder / "lists" / f"{name}{items}.md").write_text(f"# List\n\n## All\n{lines}")
        channel = Channel(folder, GONOGO_CHECKLISTS=str(folder / "lists"))
        try:
            result = _measure(channel)
        finally:
            channel.abandon()
    for line in result:
        print(f"bench: {line}")
    report = ROOT / "var" / "bench.json"
    report.parent.mkdir(exist_ok=True)
    report.write_text(json.dumps(result, indent=2, ensure_ascii=False) + "\n")


def _measure(channel: Channel) -> list[str]:
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
    young, old = median(asked["fresh"]), median(asked["list"])
    each = {items: median(found) / BLOCK for items, found in took.items()}
    return [
        f"a tick until it is seen, of {SHORT} items: {_ms(each[SHORT])} ({1 / each[SHORT]:.0f}/s), of {LONG}: "
        f"{_ms(each[LONG])} ({1 / each[LONG]:.0f}/s): ratio {each[LONG] / each[SHORT]:.1f}",
        f"status of {LONG} items, no tick: {_ms(young)}, after {HISTORY} ticks: {_ms(old)}: ratio {old / young:.2f}",
    ]


def _start(channel: Channel, items: int, name: str = "list") -> list[str]:
    """Start a deployment and wait until it stands in the channel; its ticks."""
    channel.command(f"/deploy start v1.0.0 {name}{items} --yes")
    channel.until(lambda: True if _shown(channel) else None, seconds=30)
    page = Page(channel.command(f"/deploy items {name}{items} --yes")["card"])
    return [action for action in dict.fromkeys(page.actions) if action.startswith("tick:")]


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


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f} ms"


if __name__ == "__main__":
    main()
