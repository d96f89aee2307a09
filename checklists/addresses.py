"""Addresses in a policy that are asked over the network. Pure: nothing is asked here."""

from __future__ import annotations

from urllib.parse import SplitResult, urlsplit

_SCHEMES = ("http", "https", "webcal")


def is_address(text: str) -> bool:
    """Whether this is an address and no name of a file."""
    return "://" in text


def check_address(text: str, what: str) -> SplitResult:
    """The parts of an address. Raises ValueError with what to write instead; `what` is the key it stands under.

    A user and password are refused, as credentials never stand in a policy. A secret in the path, as in the private
    address of a calendar, cannot be told from any other path.
    """
    like = f"{what}: write an address like https://example.com/events"
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{like}; this one cannot be read") from None
    if parts.scheme not in _SCHEMES or not host or port == 0 or any(ord(ch) <= 32 for ch in text):
        raise ValueError(f"{like}; {text[:80]!r} is none")
    if parts.username is not None or parts.password is not None:
        raise ValueError(f"{like}; a user and a password do not belong into a policy")
    return parts


def host_of(text: str) -> str:
    """Where an address is: what people may read of it, as the rest can be a secret."""
    return urlsplit(text).hostname or "an address"
