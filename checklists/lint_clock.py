"""Lint of the policy's clock: its zone, the next nights on which it changes, and the windows of those nights. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from checklists.lint_remark import Remark
from checklists.policy import Policy
from checklists.quantities import say_duration
from checklists.windows import Window, parse_window
from checklists.zones import ClockChange, changes_between, find_zone

_LOOK_AHEAD = timedelta(days=366)
_SHOWN = 2
_DAY = timedelta(days=1)

Path = tuple[str | int, ...]


def remarks(policy: Policy, now: datetime | None) -> Iterator[Remark]:
    """An unknown zone; with `now` (aware) the next two changes of the clock, and what they do to windows."""
    try:
        zone = find_zone(policy.timezone)
    except ValueError as error:
        yield Remark(("timezone",), "unknown-zone", str(error))
        return
    if now is None:
        return
    changes = changes_between(zone, now.astimezone(UTC), now.astimezone(UTC) + _LOOK_AHEAD)[:_SHOWN]
    if not changes:
        yield Remark(("timezone",), "clock-change", f"the clock in {policy.timezone} does not change", "info")
    for change in changes:
        hours = (change.after - change.before) / timedelta(hours=1)
        day = change.at.astimezone(zone)
        message = f"the clock in {policy.timezone} changes by {hours:+g} h on {day:%d %B %Y}; windows follow it"
        yield Remark(("timezone",), "clock-change", message, "info")
        for path, window in _stretches(policy):
            yield from _night(path, window, change)


def _stretches(policy: Policy) -> Iterator[tuple[Path, Window]]:
    """What opens or closes at a time of day; words nobody can read are told elsewhere."""
    listed: list[tuple[Path, str]] = [
        (("windows", name, index), words) for name, each in policy.windows.items() for index, words in enumerate(each)
    ]
    listed += [(("freezes", index, "weekly"), f.weekly) for index, f in enumerate(policy.freezes) if f.weekly]
    for path, words in listed:
        with suppress(ValueError):
            window = parse_window(words)
            if not window.whole_days:
                yield path, window


def _night(path: Path, window: Window, change: ClockChange) -> Iterator[Remark]:
    """Whether the window falls into the readings that are skipped, or that come twice."""
    was, becomes = (change.at.replace(tzinfo=None) + offset for offset in (change.before, change.after))
    low, high = min(was, becomes), max(was, becomes)
    for day in (low - _DAY, low):
        if (bounds := window.on(day.date())) is None:
            continue
        within = min(bounds[1], high) - max(bounds[0], low)
        if within <= timedelta(0):
            continue
        night = f"on {low:%d %B %Y} the clock goes from {was:%H:%M} to {becomes:%H:%M}"
        if becomes < was:
            said = f"{night}: of {window.words!r} {say_duration(within)} comes twice"
            yield Remark(path, "clock-night", said, "info")
        elif within == bounds[1] - bounds[0]:
            said = f"{night}: {window.words!r} does not happen then; move it by an hour if it should"
            yield Remark(path, "clock-night", said, "warning")
        else:
            said = f"{night}: {window.words!r} is {say_duration(within)} shorter then"
            yield Remark(path, "clock-night", said, "info")
