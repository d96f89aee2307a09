"""Regular expressions that people write into policies, kept to those that are quick on any text.

Python's engine tries every way to read a text, and nothing stops it in between: `(a+)+$` on forty letters would hold up
the whole process. So nothing is repeated that can itself be read in several ways, and of those ways there are few.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import Any

LONGEST = 200
"""Letters of an expression."""
LONGEST_TEXT = 200
"""Letters of a text that are looked at."""
MOST = 100_000_000
"""Steps in the worst case, roughly: 2 repetitions without end, or 8 choices between 10 words."""
_REPEATS = {"MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"}
_parser: Any = import_module("re._parser")
"""What `re` itself reads expressions with; it ships no types."""


class _Again(Exception):
    """Something is repeated that can be read in several ways."""


def check_expression(pattern: str) -> None:
    """Raises ValueError, with what to write instead, for what is no expression or might take long."""
    if len(pattern) > LONGEST:
        raise ValueError(f"a regular expression has at most {LONGEST} characters; this one has {len(pattern)}")
    shown = repr(pattern if len(pattern) <= 60 else f"{pattern[:59]}…")
    try:
        re.compile(pattern)
        ways = _ways(_parser.parse(pattern), repeated=False)
    except re.error as error:
        raise ValueError(f"{shown} is not a regular expression ({error})") from None
    except (OverflowError, RecursionError):
        raise ValueError(f"{shown} is nested too deeply, or counts too far") from None
    except _Again:
        raise ValueError(
            f"{shown} might take for ever: what is repeated must be letters or a set like [a-z], nothing with a "
            "repetition, a choice or a reference in it"
        ) from None
    if ways * LONGEST_TEXT > MOST:
        raise ValueError(
            f"{shown} might take long: write at most 2 repetitions like `.*` and few choices; neither end needs a `.*`"
        )


def found_in(pattern: str, text: str) -> bool:
    """Whether a checked expression is found in the first `LONGEST_TEXT` letters of a text, in any case."""
    return re.search(pattern, text[:LONGEST_TEXT], re.IGNORECASE) is not None


def _ways(parsed: Any, *, repeated: bool) -> int:
    """In how many ways an expression can read one text of `LONGEST_TEXT` letters, at most. Raises _Again."""
    ways = 1
    for operation, argument in parsed:
        name = str(operation)
        if name in _REPEATS:
            least, most, inner = argument
            if repeated and most != least:
                raise _Again
            ways *= _ways(inner, repeated=repeated or most > 1) * min(most - least + 1, LONGEST_TEXT)
        elif name == "BRANCH":
            if repeated:
                raise _Again
            ways *= sum(_ways(way, repeated=False) for way in argument[1])
        elif name.startswith("GROUPREF"):
            raise _Again
        elif name == "SUBPATTERN":
            ways *= _ways(argument[3], repeated=repeated)
        elif name in ("ASSERT", "ASSERT_NOT"):
            ways *= _ways(argument[1], repeated=repeated)
        elif name == "ATOMIC_GROUP":
            ways *= _ways(argument, repeated=repeated)
    return ways
