"""One target under atheris: `python -m tests.fuzz.one TARGET -runs=N -seed=S`. Ends at the first fault."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["checklists", "bot", "adapters"]):
    from tests.fuzz import texts

    if sys.argv[1] in texts.TARGETS:
        TARGETS = texts.TARGETS
    elif sys.argv[1] in ("slack", "discord"):
        from tests.fuzz.payloads import TARGETS
    else:
        from tests.fuzz.doors import TARGETS

LONGEST = 1.0
"""Seconds of CPU one input may take."""


def main() -> None:
    name, state = sys.argv[1], Path(sys.argv[2])
    target = TARGETS[name]
    seen = {"inputs": 0, "slowest": 0.0}

    def one(data: bytes) -> None:
        choices = atheris.FuzzedDataProvider(data)
        began = time.process_time()
        target(choices)
        took = time.process_time() - began
        seen["inputs"] += 1
        seen["slowest"] = max(seen["slowest"], took)
        if seen["inputs"] % 50 == 0 or took > LONGEST:
            state.write_text(json.dumps(seen))
        assert took <= LONGEST, f"one input took {took:.2f} s"

    atheris.Setup([sys.argv[0], *sys.argv[3:]], one)
    atheris.Fuzz()


main()
