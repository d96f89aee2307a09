"""Break things on purpose, and look at what is left.

`make faults` plays round after round: a team deploys with the real `gonogo`, which is killed again and again while its
chats, its database and its probes misbehave; then an independent checker reads what stands in the chats and in the
database. What comes of it is printed and written to var/faults.json; the exit code is 1 if a promise was broken.

    make faults                                      a few minutes of everything
    make faults KILLS=1000 FAULTS=10000 MINUTES=45   until so many, or until the time is up
    make faults CHAT=slack DB=postgresql REPLICAS=4  only this
    make faults SEED=7 …                             the same dice again
    make faults PLANT=skip-the-lookup                with a mistake put in, which must be found
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.faults import sandbox
from tests.faults.outcome import Options, Result
from tests.faults.play import play
from tests.process import ROOT

REPORT = ROOT / "var" / "faults.json"
ROUND = 100.0
"""Seconds of breaking in a round; bringing everything to its end and looking come on top."""
ENDING = 45.0
"""Seconds that are kept for that when the time is short."""
SHORT = (("sandbox", 8.0), ("both", 6.0))
"""For CI: what is played, and how many seconds of it; under 45 s with all that comes on top."""


@dataclass(frozen=True)
class Asked:
    """What the command line says."""

    seed: int
    minutes: float
    kills: int | None = None
    faults: int | None = None
    chat: str = "all"
    db: str = "all"
    replicas: int | None = None
    roles: str = ""
    planted: str = ""
    short: bool = False
    report: Path = REPORT


@dataclass
class Campaign:
    """The sum of its rounds."""

    asked: Asked
    rounds: list[dict[str, Any]] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    deployments: Counter[str] = field(default_factory=Counter)
    clicks: Counter[str] = field(default_factory=Counter)
    calms: list[float] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    checks: int = 0
    announcements: int = 0
    begun: float = field(default_factory=time.monotonic)

    def add(self, options: Options, result: Result) -> None:
        """One more round."""
        here = f"round {len(self.rounds) + 1} ({_named(options)}, seed {options.seed})"
        self.kills += result.kills
        self.faults += result.faults
        self.deployments += result.deployments
        self.clicks += result.acts
        self.calms += result.calms
        self.checks += result.checks
        self.announcements += result.announcements
        self.violations += [f"{here}: {line}" for line in result.violations]
        self.rounds.append(
            {
                "seed": options.seed, "played": _named(options), "kills": result.kills.total(),
                "stops": result.stops, "faults": result.faults.total(), "deployments": result.deployments.total(),
                "clicks": result.acts.total(), "checks": result.checks, "longest_calm": max(result.calms, default=0.0),
                "logged_errors": dict(result.noise), "violations": len(result.violations),
            }
        )  # fmt: skip
        print(
            f"  {here}: {result.kills.total()} kills, {result.stops} stops, {result.faults.total()} faults, "
            f"{result.deployments.total()} deployments, {result.acts.total()} clicks and commands, "
            f"{result.checks} checks; calm after {max(result.calms, default=0.0)} s at worst; "
            f"{len(result.violations)} violations",
            flush=True,
        )
        for line in result.violations[:10]:
            print(f"    {line[:600]}", flush=True)

    def write(self) -> None:
        """The report as it stands."""
        told = {
            "seed": self.asked.seed,
            "kills": self.kills.total(),
            "faults": self.faults.total(),
            "deployments": self.deployments.total(),
            "clicks": self.clicks.total(),
            "violations": self.violations,
            "checks": self.checks,
            "announcements": self.announcements,
            "seconds": round(time.monotonic() - self.begun),
            "longest_calm": max(self.calms, default=0.0),
            "kills_by_moment": dict(self.kills.most_common()),
            "faults_by_kind": dict(self.faults.most_common()),
            "deployments_by_end": dict(self.deployments.most_common()),
            "clicks_by_end": dict(self.clicks.most_common()),
            "rounds": self.rounds,
        }
        self.asked.report.parent.mkdir(exist_ok=True)
        self.asked.report.write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")

    def enough(self) -> bool:
        """Whether as much was broken as was asked for; without a wish, time alone counts."""
        asked = self.asked
        if asked.kills is None and asked.faults is None:
            return False
        return self.kills.total() >= (asked.kills or 0) and self.faults.total() >= (asked.faults or 0)


def settings(asked: Asked) -> Iterator[Options]:
    """What is played, round after round, for ever: the same for the same seed."""
    everything = [
        Options(0, 0, 0.0, chat="both", db="sqlite"),
        Options(0, 0, 0.0, chat="both", db="postgresql", replicas=4),
        Options(0, 0, 0.0, chat="sandbox", db="sqlite"),
        Options(0, 0, 0.0, chat="both", db="postgresql", replicas=4, roles="split"),
        Options(0, 0, 0.0, chat="slack", db="sqlite"),
        Options(0, 0, 0.0, chat="discord", db="postgresql", replicas=2),
    ]
    wanted = [each for each in everything if asked.db in ("all", each.db) and asked.chat in ("all", each.chat)]
    if not wanted:
        replicas = 1 if asked.db == "sqlite" or asked.chat == "sandbox" else 4
        db = "sqlite" if asked.db == "all" or asked.chat == "sandbox" else asked.db
        wanted = [Options(0, 0, 0.0, chat=asked.chat, db=db, replicas=replicas)]
    for number, each in enumerate(itertools.cycle(wanted)):
        there = each.db == "postgresql"
        yield replace(
            each,
            seed=asked.seed + number,
            replicas=asked.replicas or each.replicas if there else 1,
            roles=asked.roles or each.roles if there else "run",
            planted=asked.planted,
            keep=asked.report.parent / "faults",
        )


def campaign(asked: Asked) -> Campaign:
    """Round after round until it is enough."""
    told = Campaign(asked)
    end = told.begun + asked.minutes * 60
    for options in _short(asked) if asked.short else settings(asked):
        left = end - time.monotonic() - ENDING
        if told.enough() or (told.rounds and left < 10 and not asked.short):
            break
        many = 10**9 if asked.kills is None else max(1, asked.kills - told.kills.total())
        few = options.seconds or max(5.0, min(ROUND, left))
        told.add(options, _round(replace(options, kills=many if asked.faults is None else 10**9, seconds=few)))
        told.write()
    return told


def _short(asked: Asked) -> list[Options]:
    return [
        Options(asked.seed + number, 10**9, seconds, chat=chat, planted=asked.planted)
        for number, (chat, seconds) in enumerate(SHORT)
        if asked.chat in ("all", chat)
    ]


def _round(options: Options) -> Result:
    with tempfile.TemporaryDirectory(prefix="gonogo-faults-") as name:
        if options.chat == "sandbox":
            return sandbox.play(options, Path(name))
        return asyncio.run(play(options, Path(name)))


def _named(options: Options) -> str:
    many = f" x {options.replicas}" if options.replicas > 1 else ""
    chat = "Slack and Discord" if options.chat == "both" else options.chat
    return f"{chat} on {options.db}{many}{', web and worker' if options.roles == 'split' else ''}"


def main() -> int:
    """Play, break, look."""
    asked = _asked()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # asked to stop, it takes all processes along
    print(f"faults: seed {asked.seed}", flush=True)
    told = campaign(asked)
    found = len(told.violations)
    print(
        f"faults: {told.kills.total()} kills, {told.faults.total()} faults, {told.deployments.total()} deployments "
        f"({', '.join(f'{count} {end}' for end, count in told.deployments.most_common())}), {told.checks} checks, "
        f"{told.announcements} announcements, {told.clicks.total()} clicks and commands; calm after "
        f"{max(told.calms, default=0.0)} s at worst; {found} violation{'' if found == 1 else 's'}"
    )
    return 1 if found else 0


def _asked() -> Asked:
    env = {name: value for name in os.environ if (value := os.environ[name])}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true", help="under 45 s, for CI")
    parser.add_argument("--kills", type=int, default=env.get("KILLS"), help="until so many")
    parser.add_argument("--faults", type=int, default=env.get("FAULTS"), help="until so many")
    parser.add_argument("--minutes", type=float, default=env.get("MINUTES"), help="at most so long (default: 5)")
    parser.add_argument("--seed", type=int, default=env.get("SEED"), help="of the moments and choices")
    chats = ("all", "sandbox", "slack", "discord", "both")
    parser.add_argument("--chat", choices=chats, default=env.get("CHAT", "all"))
    parser.add_argument("--db", choices=("all", "sqlite", "postgresql"), default=env.get("DB", "all"))
    parser.add_argument("--replicas", type=int, default=env.get("REPLICAS"), help="processes on PostgreSQL")
    parser.add_argument(
        "--roles", choices=("", "run", "split"), default=env.get("ROLES", ""), help="split: web, worker"
    )
    parser.add_argument("--plant", default=env.get("PLANT", ""), help="a mistake of tests/faults/planted.py")
    parser.add_argument("--report", type=Path, default=REPORT)
    found = parser.parse_args()
    seed = found.seed if found.seed is not None else random.SystemRandom().randrange(10**6)
    minutes = found.minutes if found.minutes is not None else 60.0 if found.kills or found.faults else 5.0
    return Asked(
        seed, minutes, found.kills, found.faults, found.chat, found.db, found.replicas, found.roles, found.plant,
        found.short, found.report,
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
