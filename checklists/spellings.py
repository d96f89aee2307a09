"""A name that the deployed version is part of: `{{ version }}`, `app@{{ version }}`. Pure."""

from __future__ import annotations

import re

_VERSION = re.compile(r"\{\{\s*version\s*\}\}")
_LEADING_V = re.compile(r"^v(?=\d)", re.IGNORECASE)


def without_v(version: str) -> str:
    """`v1.2.0` and `1.2.0` are one version: without the `v`."""
    return _LEADING_V.sub("", version.strip())


def names_version(template: str) -> bool:
    """Whether the version stands in it."""
    return _VERSION.search(template) is not None


def spellings(template: str, version: str) -> tuple[str, ...]:
    """The name for this version, as it is written first, then with or without its `v`; one where the version makes no
    difference. Raises ValueError where the template names anything else."""
    if "{{" in _VERSION.sub("", template):
        raise ValueError("can name {{ version }} and nothing else")
    bare = without_v(version)
    # Split and joined, as a version may hold what a pattern reads as its own.
    parts = _VERSION.split(template)
    return tuple(dict.fromkeys(text.join(parts).strip() for text in (version.strip(), bare, f"v{bare}")))
