"""`make audit`: whether any dependency has a known hole. Where it cannot find out it says so: silence is no answer."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

REQUIREMENTS = Path(__file__).parents[2] / "requirements.txt"
LIMIT = 120
"""Seconds."""


def audit(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Ask pip-audit, which asks the advisory service. Raises TimeoutExpired."""
    command = [
        sys.executable,
        "-m",
        "pip_audit",
        "--requirement",
        str(REQUIREMENTS),
        "--disable-pip",
        "--require-hashes",
    ]
    command += ["--format", "json", "--progress-spinner", "off", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=LIMIT, check=False)


def judge(answer: str, error: str) -> tuple[int, list[str]]:
    """What pip-audit said, as an exit code and lines. 0 and `skipped: …` where nothing could be asked; 1 for a hole,
    and where only a part could be asked."""
    try:
        found = json.loads(answer)["dependencies"]
        holes = [(one["name"], one["version"], hole) for one in found for hole in one.get("vulns", ())]
        unknown = [str(one["name"]) for one in found if "skip_reason" in one]
    except (ValueError, KeyError, TypeError):
        last = (error.strip().splitlines() or ["it said nothing"])[-1]
        return 0, [f"skipped: the advisory service could not be asked ({last[:200]})"]
    if not found or len(unknown) == len(found):
        return 0, ["skipped: the advisory service that is reached from here knows none of the dependencies"]
    lines = [f"{name} {version}: {hole['id']}, mended in {_mended(hole)}" for name, version, hole in holes]
    if unknown:
        lines.append(f"not known to the advisory service: {', '.join(unknown)}")
    lines.append(f"{len(found) - len(unknown)} of {len(found)} dependencies asked about, {len(holes)} known holes")
    return (1 if holes or unknown else 0), lines


def _mended(hole: dict[str, Sequence[str]]) -> str:
    return ", ".join(hole.get("fix_versions", ())) or "no version yet"


def main() -> int:
    """Ask and say."""
    try:
        done = audit(*sys.argv[1:])
    except subprocess.TimeoutExpired:
        print(f"skipped: the advisory service did not answer within {LIMIT} s")
        return 0
    code, lines = judge(done.stdout, done.stderr)
    print("\n".join(lines))
    return code


if __name__ == "__main__":
    sys.exit(main())
