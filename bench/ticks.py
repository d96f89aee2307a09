"""A tick, from Slack's signed request to the acknowledgement: how many each second, and how long one takes.

Every acknowledged tick is durable: its delivery, its fact and the wanted revision are committed (SQLite with
synchronous=FULL, PostgreSQL with synchronous_commit=on). Beside it stand, in turn, in processes of their own: an empty
Bolt whose only listener acknowledges, as it is by default; the floor, which is HTTP, the signature and a commit shared
by many; and opsdroid, which answers every click with a message and keeps nothing. All get the same requests.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from pathlib import Path

from bench.clicks import Clicker
from bench.opsdroid import Unavailable, opsdroid
from bench.postgres import postgres
from bench.report import Line, line, middle, over, percentile, run, unmeasured
from bench.serving import server
from bench.team import EVENTS, slack_team

IN_FLIGHT, ROUNDS = 16, 5
PER_ROUND, SINGLY = 160, 40
DEPLOYMENTS, ITEMS = 20, 100
NOTHING = "tick:d1:i1"


async def measure() -> list[Line]:
    """All sides, in turn."""
    rates: dict[str, list[float]] = {}
    singly: dict[str, list[float]] = {}
    missing: dict[str, str] = {}
    async with contextlib.AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="gonogo-bench-")))
        api = stack.enter_context(server("bench.servers.slack_api"))
        nothing = itertools.cycle([NOTHING])
        sides: dict[str, Clicker] = {}

        def add(name: str, clicker: Clicker) -> None:
            sides[name] = clicker

        (folder / "sqlite").mkdir()
        on_sqlite = await stack.enter_async_context(
            slack_team(folder / "sqlite", f"sqlite:///{folder}/gonogo.db", api, deployments=DEPLOYMENTS, items=ITEMS)
        )
        add("SQLite", on_sqlite.clicks())
        try:
            address = stack.enter_context(postgres())
        except (RuntimeError, OSError) as reason:
            missing["PostgreSQL"] = str(reason)
        else:
            (folder / "postgres").mkdir()
            on_postgres = await stack.enter_async_context(
                slack_team(folder / "postgres", address, api, deployments=DEPLOYMENTS, items=ITEMS)
            )
            add("PostgreSQL", on_postgres.clicks())
        bolt = stack.enter_context(server("bench.servers.bolt", f"{api}/api/"))
        add("Bolt", Clicker(f"{bolt}{EVENTS}", nothing))
        floor = stack.enter_context(server("bench.servers.floor", str(folder / "floor.db")))
        add("floor", Clicker(f"{floor}{EVENTS}", nothing))
        for clicker in sides.values():
            await stack.enter_async_context(clicker)
        for number in range(ROUNDS + 1):
            for name, clicker in sides.items():
                rate, one = await clicker.burst(PER_ROUND, IN_FLIGHT), await clicker.singly(SINGLY)
                if number:  # the first round warms up
                    rates.setdefault(name, []).append(rate)
                    singly.setdefault(name, []).extend(one)
        try:
            answers = await stack.enter_async_context(opsdroid(folder))
        except Unavailable as reason:
            missing["opsdroid"] = str(reason)
        else:
            async with on_sqlite.clicks() as again:
                for number in range(3):
                    rate, theirs = await again.burst(PER_ROUND // 2, IN_FLIGHT), await answers(PER_ROUND, IN_FLIGHT)
                    if number:
                        rates.setdefault("beside opsdroid", []).append(rate)
                        rates.setdefault("opsdroid", []).append(theirs)
    return _lines(rates, singly, missing)


def _lines(rates: dict[str, list[float]], singly: dict[str, list[float]], missing: dict[str, str]) -> list[Line]:
    ours, rate = rates["SQLite"], {name: middle(found) for name, found in rates.items()}

    def times(name: str, percent: int) -> float:
        return percentile(singly[name], percent)

    def said(percent: int) -> str:
        return f"{times('SQLite', percent) * 1000:.1f} ms, {times('Bolt', percent) * 1000:.1f} ms"

    lines = [
        line(
            "durable ticks/s, 16 in flight, SQLite FULL ÷ an empty Bolt ack in its default mode",
            over(ours, rates["Bolt"]), "≥", 2, note=f"{middle(ours):.0f}/s, {rate['Bolt']:.0f}/s",
        ),
        line(
            "… ÷ the floor: bare ASGI, HMAC, group commit", over(ours, rates["floor"]), "≥", 0.25,
            note=f"{rate['floor']:.0f}/s",
        ),
    ]  # fmt: skip
    what = "… on PostgreSQL with synchronous_commit=on ÷ the same on SQLite"
    if "PostgreSQL" in rate:
        lines.append(line(what, over(rates["PostgreSQL"], ours), "≥", 0.8, note=f"{rate['PostgreSQL']:.0f}/s"))
    else:
        lines.append(unmeasured(what, "≥ 0.8", missing["PostgreSQL"]))
    what = "… ÷ what opsdroid answers with nothing stored"
    if "opsdroid" in rate:
        beside = rate["beside opsdroid"]
        note = f"{beside:.0f}/s, {rate['opsdroid']:.0f}/s"
        lines.append(line(what, over(rates["beside opsdroid"], rates["opsdroid"]), "≥", 2, note=note))
    else:
        lines.append(unmeasured(what, "≥ 2", missing["opsdroid"]))
    p50, p99 = (times("SQLite", percent) / times("Bolt", percent) for percent in (50, 99))
    return [
        *lines,
        line("ack p50, one click at a time ÷ an empty Bolt ack in its default mode", p50, "≤", 0.15, note=said(50)),
        line("ack p99, one click at a time ÷ an empty Bolt ack in its default mode", p99, "≤", 0.4, note=said(99)),
    ]


if __name__ == "__main__":
    run(measure)
