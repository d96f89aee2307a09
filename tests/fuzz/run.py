"""`make fuzz`: every target under atheris, so many inputs in all, from a seed. Writes var/fuzz.json.

A fault leaves its input in var/fuzz/TARGET/ and the way to repeat it; the run then ends with 1.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.fuzz.texts import WORDS, seeds

ROOT = Path(__file__).resolve().parents[2]
PLACE = ROOT / "var" / "fuzz"
SHARES = {
    "command": 24, "times": 22, "template": 15, "document": 10, "policy": 8, "pair": 4, "calendar": 4, "adoption": 1,
    "slack": 3, "discord": 2, "alertmanager": 1, "datadog": 1, "sentry": 1, "github": 2, "api": 2,
}  # fmt: skip
"""How many of a hundred inputs each target gets: the dear ones fewer."""
_HUNG = 25
"""Seconds after which libFuzzer itself ends an input that never returns; one second of CPU is a fault already."""


@dataclass(frozen=True)
class Result:
    target: str
    inputs: int
    slowest_ms: float
    seconds: float
    fault: str = ""


def fuzz(target: str, inputs: int, seed: int, longest: float) -> Result:
    place = PLACE / target
    corpus = place / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, content in enumerate(seeds(target)):
        (corpus / f"seed-{number}").write_bytes(content)
    words = place / "words.dict"
    words.write_text("".join(f'"{_escaped(word)}"\n' for word in WORDS))
    state, said = place / "state.json", place / "out.txt"
    state.write_text('{"inputs": 0, "slowest": 0.0}')
    began = time.monotonic()
    command = [
        sys.executable, "-m", "tests.fuzz.one", target, str(state), f"-runs={inputs}", f"-seed={seed}",
        f"-timeout={_HUNG}", f"-max_total_time={int(longest)}", "-max_len=8192", "-rss_limit_mb=2048",
        f"-dict={words}", f"-artifact_prefix={place}/", "-print_final_stats=1", str(corpus),
    ]  # fmt: skip
    with said.open("w") as out:
        done = subprocess.run(command, cwd=ROOT, stdout=out, stderr=subprocess.STDOUT, check=False, env=_environment())
    output = said.read_text(errors="replace")
    seen = json.loads(state.read_text())
    units = [
        line.rpartition(":")[2] for line in output.splitlines() if line.startswith("stat::number_of_executed_units")
    ]
    fault = "" if done.returncode == 0 else _fault(output)
    count = int(units[0]) if units else int(seen["inputs"])
    return Result(target, count, round(seen["slowest"] * 1_000, 1), round(time.monotonic() - began, 1), fault)


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode())


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("GONOGO_")}


def _fault(output: str) -> str:
    lines = [line for line in output.splitlines() if "Error" in line or "assert" in line or "ERROR" in line]
    return (lines or output.splitlines()[-3:] or ["it ended without a word"])[0][:300]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--inputs", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=random.randrange(1, 2**31))
    parser.add_argument("--minutes", type=float, default=3.0, help="the longest a target may take")
    parser.add_argument("--only", choices=SHARES, action="append")
    asked = parser.parse_args()
    chosen = {name: share for name, share in SHARES.items() if not asked.only or name in asked.only}
    print(f"seed {asked.seed}: {asked.inputs:,} inputs")
    with ThreadPoolExecutor(2) as turns:
        results = list(
            turns.map(
                lambda name: fuzz(
                    name, asked.inputs * chosen[name] // sum(chosen.values()), asked.seed, asked.minutes * 60
                ),
                chosen,
            )
        )
    for one in results:
        print(
            f"{one.target:<10} {one.inputs:>9,} inputs  slowest {one.slowest_ms:>7.1f} ms  {one.seconds:>6.1f} s  "
            f"{one.fault}"
        )
    total = sum(one.inputs for one in results)
    faults = [one for one in results if one.fault]
    told = {"seed": asked.seed, "inputs": total, "faults": len(faults), "targets": [asdict(one) for one in results]}
    (ROOT / "var" / "fuzz.json").write_text(json.dumps(told, indent=1))
    print(f"{total:,} inputs, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    raise SystemExit(main())
