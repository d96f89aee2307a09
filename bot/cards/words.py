"""Small words that every card uses: times, people, plain text. Times are in the policy's zone."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.cards.card import escape
from bot.domain.people import Who
from checklists.markdown import words
from checklists.zones import find_zone

LONGEST_TITLE = 140


def plain(markdown: str) -> str:
    """Inline Markdown as people read it, without its marks."""
    return words(markdown)


def short(text: str, limit: int) -> str:
    """Plain text on one line, cut at `limit` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= limit else flat[: limit - 1].rstrip() + "…"


def title(markdown: str) -> str:
    """A heading of the document as the title of a card."""
    return short(plain(markdown), LONGEST_TITLE)


def code(text: str, *, limit: int = 60) -> str:
    """What a person typed, as a code span it cannot break out of."""
    return f"`{short(text.replace('`', chr(39)), limit) or ' '}`"


def clock(at: datetime, zone: str, now: datetime | None = None) -> str:
    """The wall clock: "10:04", with the day when it is not today's: "Tue 24 Nov 10:04", and with the year when it is
    not this one: "Mon 4 Jan 2027 00:00". Without `now` the day is always said, the year never."""
    local = at.astimezone(find_zone(zone))
    here = now.astimezone(local.tzinfo) if now is not None else None
    if here is not None and local.date() == here.date():
        return f"{local:%H:%M}"
    if here is not None and local.date() == (here + timedelta(days=1)).date():
        return f"tomorrow {local:%H:%M}"
    year = f" {local.year}" if here is not None and local.year != here.year else ""
    return f"{local:%a} {local.day} {local:%b}{year} {local:%H:%M}"


def zone_letters(at: datetime, zone: str) -> str:
    """What the clocks of a zone are called at an instant: "EST"; "UTC+05:45" where there are no letters for it."""
    name = at.astimezone(find_zone(zone)).tzname() or zone
    return f"UTC{name[:3]}:{name[3:]}".rstrip(":") if name[:1] in "+-" else name


def place(service: str, environment: str) -> str:
    """A service as one names it behind a command: production is what is meant without a word."""
    return service if environment == "production" else f"{service} {environment}"


def person(who: Who) -> str:
    """A person's name, safe in Markdown."""
    return "gonogo" if who.is_gonogo else escape(who.name, limit=60)


def role_words(role: str) -> str:
    """`product_owner` as people say it: "product owner"."""
    return {"qa": "QA", "on_call": "on-call", "vp_engineering": "VP Engineering"}.get(role, role.replace("_", " "))


def roles_words(roles: tuple[str, ...]) -> str:
    """Several roles: "QA or tech lead"."""
    return " or ".join(role_words(role) for role in roles)


def count(number: int, noun: str) -> str:
    """`1 item`, `3 items`."""
    return f"{number} {noun}" + ("" if number == 1 else "s")
