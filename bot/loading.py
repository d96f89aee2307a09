"""How a process of its own begins and ends quickly.

Libraries leave hundreds of thousands of objects that live as long as the process. To look among them for garbage again
and again while they are made costs a quarter of a start, and once more when the process ends.
"""

from __future__ import annotations

import atexit
import gc

_USUAL, _WHILE_LOADING = gc.get_threshold(), 200_000


def begin() -> None:
    """From here on garbage is looked for rarely, and at the very end not at all. Only for the console script: whoever
    imports gonogo keeps what is usual there."""
    gc.set_threshold(_WHILE_LOADING)
    atexit.register(gc.freeze)


def loaded() -> None:
    """What is there by now stays, and is looked through no more; garbage is looked for as usual again."""
    if gc.get_threshold()[0] == _WHILE_LOADING:
        gc.freeze()
        gc.set_threshold(*_USUAL)
