"""How fast it is, beside what it stands on: `make bench`, or some of it: `make bench ARGS="due ticks"`.

Each measure is a file of its own and runs in a process of its own. Both sides of every ratio are measured in turn in
one run; the ratios are what matters, the times are this machine's. Prints one table, writes var/bench.json.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.report import Line, unmeasured  # noqa: E402 the line above makes it importable

MEASURES = (
    "ticks", "load", "discord_clicks", "calls", "burst", "due", "workers", "history", "reading", "start", "long_lists",
)  # fmt: skip
REPORT = ROOT / "var" / "bench.json"
LONGEST = 900
"""Seconds for one measure."""


def main() -> None:
    """Measure, print, write. Ends with 2 for the name of a measure that there is not."""
    wanted = sys.argv[1:] or list(MEASURES)
    if unknown := set(wanted) - set(MEASURES):
        print(f"There is no measure {', '.join(sorted(unknown))}. There are: {', '.join(MEASURES)}.", file=sys.stderr)
        sys.exit(2)
    lines: list[Line] = []
    for name in wanted:
        found = _measured(name)
        lines += found
        for each in found:
            print(each, flush=True)
    busy, cores = os.getloadavg()[0], os.cpu_count() or 1
    met, missed = (sum(each.met is said for each in lines) for said in (True, False))
    absent = sum(each.value is None for each in lines)
    print(f"\n{met} met, {missed} missed, {absent} not measured; load {busy:.1f} on {cores} cores")
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(json.dumps([asdict(each) for each in lines], indent=2, ensure_ascii=False) + "\n")


def _measured(name: str) -> list[Line]:
    """What a measure found; one that fails is a line that says so."""
    command = [sys.executable, "-m", f"bench.{name}"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=LONGEST, check=True)
        return [Line(**each) for each in json.loads(done.stdout.splitlines()[-1])]
    except subprocess.TimeoutExpired:
        return [unmeasured(name, "", f"not done within {LONGEST} s")]
    except (subprocess.CalledProcessError, ValueError, IndexError) as problem:
        said = (getattr(problem, "stderr", "") or str(problem)).strip().splitlines() or [""]
        return [unmeasured(name, "", said[-1][:200])]


if __name__ == "__main__":
    main()
