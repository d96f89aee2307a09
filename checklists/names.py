"""How a key of the policy names a heading or an item of the document. Pure.

A key is the words themselves (`Team notified`), narrowed by headings above them (`Rollback Checklist > Team
notified`), or, with a `> ` before it, the whole way from the top (`> Deployment Checklist > Rollback Procedures`).
Case, runs of spaces and the Markdown marks for bold and code do not matter. Words may themselves hold ` > ` ("Success
rate > 99.9%"): the whole key is tried as words before it is taken apart.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import TypeVar

T = TypeVar("T")

_MARKS = re.compile(r"\*\*|__|`")


@lru_cache(maxsize=8192)
def fold(words: str) -> str:
    """Words as they are compared."""
    return " ".join(_MARKS.sub("", words).split()).casefold()


def match(key: str, *path: str) -> int:
    """How well a key names the last of `path` (titles from the outermost to its own): 0 not at all, 1 plainly, 2
    narrowed, 3 wholly."""
    if key.startswith("> "):
        return 3 if fold(key[2:]) == fold(" > ".join(path)) else 0
    own, above = fold(path[-1]), [fold(title) for title in path[:-1]]
    if fold(key) == own:
        return 1
    pieces = key.split(" > ")
    for cut in range(1, len(pieces)):
        if fold(" > ".join(pieces[cut:])) == own and _in_order([fold(piece) for piece in pieces[:cut]], above):
            return 2
    return 0


def rule_for(rules: Mapping[str, T], *path: str) -> T | None:
    """The rule whose key names the last of `path`; a narrowed key beats a plain one. None when no key does."""
    best = max(rules, key=lambda key: match(key, *path), default=None)
    return rules[best] if best is not None and match(best, *path) else None


def whole(path: Iterable[str]) -> str:
    """The key that names this heading and no other."""
    return "> " + " > ".join(path)


def headings_named(key: str, paths: Iterable[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The headings a key of `phases` or `sections` means, of all the document's headings as paths from the title
    down.

    `Parent > Heading` narrows with the titles directly above. A plain name means the heading highest up that bears
    it, so that a section of the same name elsewhere is no matter; more than one answer is an ambiguous name.
    """
    paths = list(paths)
    if key.startswith("> "):
        return [path for path in paths if match(key, *path)]
    pieces = [fold(piece) for piece in key.split(" > ")]
    found = [path for path in paths if fold(path[-1]) == fold(key)]
    narrowed = not found
    if narrowed:
        found = [
            path for path in paths if len(pieces) > 1 and [fold(title) for title in path[-len(pieces) :]] == pieces
        ]
    highest = min((len(path) for path in found), default=0)
    return [path for path in found if narrowed or len(path) == highest]


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant, if one is near enough."""
    by_fold = {fold(name): name for name in known}
    found = difflib.get_close_matches(fold(word), by_fold, n=1, cutoff=0.6)
    return by_fold[found[0]] if found else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean 'x'?`, or nothing: the tail of an error sentence."""
    found = nearest(word, known)
    return f"; did you mean {found!r}?" if found else ""


def _in_order(wanted: list[str], titles: list[str]) -> bool:
    rest = iter(titles)
    return all(piece in rest for piece in wanted)
