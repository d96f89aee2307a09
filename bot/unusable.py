"""What is wrong with the checklists a process starts with: said at its start, not first to who wants to deploy."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from checklists.library import ChecklistError, document_of, load, names, nothing_to_run
from checklists.policy_file import PolicyError, Problem
from checklists.reader import DocumentError


def why_unusable(file: Path) -> str:
    """Why no deployment can start from the pair of this file (the document or its policy), with the place of the first
    error and the command that shows them all, in one line. Empty: one can. Reads the files; never raises for what
    stands in them."""
    document = document_of(file)
    try:
        empty = nothing_to_run(load(document, ()).checklist)
        found = [Problem(str(document), 1, 1, "no-items", empty)] if empty else []
    except DocumentError as error:
        found = [Problem(str(document), error.line, error.column, "document", f"{error.message} {error.remedy}")]
    except PolicyError as error:
        yml = document.with_suffix(".yml")
        beside = yml if yml.is_file() and not yml.with_suffix(".yaml").is_file() else yml.with_suffix(".yaml")
        found = [replace(problem, file=str(beside)) for problem in error.problems]
    except ChecklistError as error:
        return f"{document.stem} cannot be used: {error} `gonogo checklist lint {document}` says more."
    if not found:
        return ""
    others = len(found) - 1
    more = f" And {others} more error{'' if others == 1 else 's'}." if others else ""
    first = " ".join(str(found[0]).split()).rstrip(".")
    return f"{document.stem} cannot be used: {first}.{more} `gonogo checklist lint {document}` says more."


@contextlib.contextmanager
def looking(folder: Path, file: Path | None, tell: Callable[[str], None]) -> Iterator[Callable[[], None]]:
    """Gives what begins the look: at the `file`, else at every checklist of the folder, beside what the process does,
    which shall not wait for it (a long policy takes 0.1 s). `tell` gets a line for each that cannot be used, in that
    thread. At the end of the block the look ends, after the checklist it is at."""
    stopped = threading.Event()

    def look() -> None:
        files: Sequence[Path] = [file] if file is not None else [folder / f"{name}.md" for name in names((folder,))]
        for each in files:
            if stopped.is_set():
                return
            if problem := why_unusable(each):
                tell(problem)

    thread = threading.Thread(target=look, name="looking")
    try:
        yield thread.start
    finally:
        stopped.set()
        if thread.ident is not None:
            thread.join()
