"""A process of its own begins quickly; whoever imports gonogo keeps what is usual."""

from __future__ import annotations

import gc
import subprocess
import sys

from bot import loading
from tests.process import ROOT

CODE = """
import gc
from bot import loading
usual = gc.get_threshold()
loading.begin()
assert gc.get_threshold()[0] > 100 * usual[0] and gc.isenabled()
loading.loaded()
assert gc.get_threshold() == usual and gc.get_freeze_count() > 1_000
frozen = gc.get_freeze_count()
loading.loaded()
assert gc.get_freeze_count() == frozen
"""


def test_garbage_is_looked_for_rarely_until_everything_is_loaded() -> None:
    subprocess.run([sys.executable, "-c", CODE], cwd=ROOT, check=True, timeout=20)


def test_who_imports_it_keeps_what_is_usual() -> None:
    before = gc.get_threshold(), gc.get_freeze_count()
    loading.loaded()
    assert (gc.get_threshold(), gc.get_freeze_count()) == before
