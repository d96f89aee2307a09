"""A mistake that is put into gonogo is found by playing with it."""

from __future__ import annotations

import asyncio
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from tests.faults.outcome import Options
from tests.faults.planted import MISTAKES
from tests.faults.play import play

pytestmark = [pytest.mark.long, pytest.mark.timeout(240)]

ASKED = Options(seed=6, kills=4, seconds=20, chat="slack", quiet=True, finishing=12, settling=25)
WITH = {
    "ack-first": replace(ASKED, quiet=False, seconds=30, kills=40),
    "do-repeats": replace(ASKED, quiet=False, kills=10, likes="note"),
    "skip-the-lookup": replace(ASKED, quiet=False, seconds=40, kills=40, foul=1.0),
    "double-rollback": replace(ASKED, likes="rollback"),
    "drop-leases": replace(ASKED, kills=8, db="postgresql", replicas=3),
}
"""What it takes to show, where it is more than a few kills."""


@pytest.mark.parametrize("name", MISTAKES)
def test_it_is_found(name: str) -> None:
    asked = replace(WITH.get(name, ASKED), planted=name)
    with tempfile.TemporaryDirectory(prefix="gonogo-faults-") as folder:  # PostgreSQL's own user may enter it
        found = asyncio.run(play(asked, Path(folder))).violations
    _, sign = MISTAKES[name]
    assert any(sign in line for line in found), found
