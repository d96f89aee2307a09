"""What can go wrong between gonogo and GitHub, in words that may be shown."""

from __future__ import annotations

from bot.forge import ForgeError


class NoAnswer(ForgeError):
    """No, or no usable answer. `sent`: the request may have arrived all the same."""

    def __init__(self, sentence: str, *, sent: bool) -> None:
        super().__init__(sentence)
        self.sent = sent


class SaidNo(ForgeError):
    """GitHub answered with a status that is no success. `words` are its own, on one line; `date` is its clock, in
    seconds since 1970."""

    def __init__(self, status: int, words: str, *, mend: str = "", date: float | None = None) -> None:
        why = f": {words}" if words else ""
        super().__init__(f"GitHub answered HTTP {status}{why}" + (f"; {mend}" if mend else ""))
        self.status, self.words, self.date = status, words, date


class Limited(ForgeError):
    """GitHub wants to be left alone for a while. Nothing was done."""


class Unusable(ValueError):
    """The settings for GitHub cannot be used; the sentence says which and how to mend it."""


def short(text: object, longest: int = 160) -> str:
    """GitHub's words on one line, printable and cut."""
    flat = " ".join("".join(ch if ch.isprintable() else " " for ch in str(text)).split())
    return flat if len(flat) <= longest else flat[: longest - 1] + "…"
