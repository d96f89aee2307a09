"""Windows and freezes: may it start now, why not, and when next.

Pure: the rules, an instant and what was read elsewhere go in, an answer comes out. Instants are UTC and spans half-open
[start, end). Windows are wall-clock in the policy's zone: one is open exactly while the clock on the wall there shows a
time inside it, on the night the clock changes too (`checklists.zones.instants` tells what that means for skipped and
repeated times). Several windows are a union; any freeze wins over all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.domain.busy import Busy, Code, Unreadable
from bot.domain.freezes import Freeze, compile_freeze, weekly
from bot.domain.holiday_names import calendar_of
from checklists.day_words import DAY_NAMES
from checklists.policy import FreezePolicy, Policy
from checklists.windows import Window, parse_window
from checklists.zones import ClockChange, Span, changes_between, find_zone, merged, reading, without

__all__ = [
    "SEARCHED", "Busy", "ClockChange", "Code", "Opening", "Reason", "Rules", "Unreadable",
    "can_ever_open", "next_transitions", "opening", "rules_for", "to_be_read",
]  # fmt: skip

SEARCHED = timedelta(days=400)
"""How far ahead an opening, its end and the end of a reason are looked for. Beyond it counts as never."""
_STEPS = (timedelta(days=9), timedelta(days=60), SEARCHED)
_FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Reason:
    """One cause of being closed, in the team's words. `until` is when this cause ends; None: not within
    `SEARCHED`, or nobody can tell."""

    code: Code
    text: str
    source: str
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Opening:
    """The answer for one instant.

    `next_open` is the first instant from now on at which it is open, now itself if it is; `next_close` is the end of
    that opening. None: not within `SEARCHED`. `reasons` is empty exactly when it is open. `ignored` names sources that
    could not be read and that the policy lets pass.
    """

    open: bool
    reasons: tuple[Reason, ...]
    next_open: datetime | None
    next_close: datetime | None
    zone: str
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """The windows and freezes of one environment, compiled. `windows` None: always open unless frozen."""

    zone: ZoneInfo
    environment: str
    windows: tuple[Window, ...] | None
    freezes: tuple[Freeze, ...]


def rules_for(policy: Policy, environment: str) -> Rules:
    """Compiles a policy for one environment.

    An environment without an entry under `windows` is always open, also when others have one: a document that restricts
    production says nothing about staging. Its freezes are those that name it. Raises ValueError with a sentence saying
    what to write instead, for an unknown zone (never taken as UTC) and for words nobody can read.
    """
    zone = find_zone(policy.timezone)
    listed = {name.casefold(): words for name, words in policy.windows.items()}
    words = listed.get(environment.casefold())
    windows = None if words is None else tuple(parse_window(entry) for entry in words)
    if windows == ():
        raise ValueError(f"the windows of {environment} are an empty list; write `always`, or leave {environment} out")
    if windows and any(window.always for window in windows):
        windows = None
    holidays = tuple(calendar_of(freeze.holidays) for freeze in policy.freezes if freeze.holidays)
    compiled = (compile_freeze(freeze, zone, holidays) for freeze in _freezes(policy, environment))
    return Rules(zone, environment, windows, tuple(freeze for freeze in compiled if freeze))


def to_be_read(policy: Policy, environment: str) -> tuple[FreezePolicy, ...]:
    """The freezes of an environment that have to be read first, calendars and incidents: passed as `busy`."""
    return tuple(freeze for freeze in _freezes(policy, environment) if freeze.read_elsewhere)


def _freezes(policy: Policy, environment: str) -> list[FreezePolicy]:
    name = environment.casefold()
    return [freeze for freeze in policy.freezes if name in (entry.casefold() for entry in freeze.environments)]


def opening(
    rules: Rules,
    now: datetime,
    *,
    busy: Sequence[Busy] = (),
    unreadable: Sequence[tuple[str, bool]] = (),
) -> Opening:
    """Whether a deployment may start at `now`, an aware instant; it need not be the present one.

    `busy` is what was read elsewhere: calendar events, freezes added in chat, open incidents. A `busy` without an end
    closes until further notice, from its start. `unreadable` are sources that could not be read, each with whether that
    blocks; while one blocks, nothing is known of the next opening. Raises ValueError for an instant without a zone.
    """
    now = _utc(now)
    known = [_known(entry) for entry in busy]
    blocking = [source for source, blocks in unreadable if blocks]
    ignored = tuple(source for source, blocks in unreadable if not blocks)
    reasons = _why(rules, now, known)
    reasons += [Reason(Code.UNKNOWN, f"{source} cannot be read", source, None) for source in blocking]
    start, end = (None, None) if blocking else _next(rules, now, known)
    return Opening(not reasons, tuple(reasons), start, end, rules.zone.key, ignored)


def can_ever_open(rules: Rules, now: datetime) -> bool:
    """Whether the policy alone leaves any time open within `SEARCHED` of an instant."""
    return opening(rules, now).next_open is not None


def next_transitions(zone: str, now: datetime, n: int = 2) -> tuple[ClockChange, ...]:
    """The next `n` changes of a zone's clock after an instant, within three years; empty for a zone without any.

    Raises ValueError for an unknown zone.
    """
    now = _utc(now)
    after = now + timedelta(microseconds=1)
    return tuple(changes_between(find_zone(zone), after, after + 3 * 366 * _DAY)[:n])


def _utc(at: datetime) -> datetime:
    if at.tzinfo is None:
        raise ValueError(f"{at} has no time zone; instants are UTC")
    return at.astimezone(UTC)


def _known(entry: Busy) -> Busy:
    end = _FOREVER if entry.end is None else _utc(entry.end)
    return Busy(_utc(entry.start), end, entry.what, entry.source, Code(entry.code))


def _allowed(rules: Rules, low: datetime, high: datetime) -> tuple[Span, ...]:
    if rules.windows is None:
        return ((low, high),)
    return tuple(weekly(rules.windows, rules.zone, low, high))


def _frozen(rules: Rules, low: datetime, high: datetime) -> tuple[Busy, ...]:
    return tuple(entry for freeze in rules.freezes for entry in freeze.spans(low, high))


def _next(rules: Rules, now: datetime, busy: list[Busy]) -> tuple[datetime | None, datetime | None]:
    """The first opening from `now` on. What is listed is certain only up to `high`: the end must lie before."""
    for step in _STEPS:
        high = now + step
        taken = merged((entry.start, entry.end or _FOREVER) for entry in (*_frozen(rules, now, high), *busy))
        allowed = [(max(start, now), min(end, high)) for start, end in _allowed(rules, now, high)]
        free = without(merged(allowed), taken)
        if free and free[0][1] < high:
            return free[0]
    return (free[0][0], None) if free else (None, None)


def _why(rules: Rules, now: datetime, busy: list[Busy]) -> list[Reason]:
    reasons = _frozen_by(rules, now, busy)
    if rules.windows is not None:
        for step in _STEPS:
            allowed = _allowed(rules, now, now + step)
            if any(start <= now < end for start, end in allowed):
                return reasons
            if until := next((start for start, _ in allowed if start > now), None):
                break
        source = "; ".join(window.words for window in rules.windows)
        reasons.append(Reason(Code.WINDOW, _outside(rules.windows, reading(now, rules.zone)), source, until))
    return reasons


def _frozen_by(rules: Rules, now: datetime, busy: list[Busy]) -> list[Reason]:
    """One reason per cause, in the order of the policy; adjacent spans of the same cause are one."""
    for step in _STEPS:
        high = now + step
        spans: dict[tuple[str, str, str], list[Span]] = {}
        for entry in (*busy, *_frozen(rules, now, high)):
            spans.setdefault((entry.code, entry.what, entry.source), []).append((entry.start, entry.end or _FOREVER))
        reasons = []
        for (code, what, source), found in spans.items():
            for start, end in merged(found):
                if start <= now < end:
                    reasons.append((Code(code), what, source, end))
        if all(end < high for *_, end in reasons):
            break
    return [Reason(code, what, source, end if end < high else None) for code, what, source, end in reasons]


def _outside(windows: tuple[Window, ...], clock: datetime) -> str:
    """Why no window covers this reading: the day's name, or where in the day's windows it falls."""
    midnight = clock.replace(hour=0, minute=0, second=0, microsecond=0)
    on_day = [
        (max(bounds[0], midnight), min(bounds[1], midnight + _DAY))
        for window in windows
        for day in (midnight - _DAY, midnight)
        if (bounds := window.on(day))
    ]
    spans = merged(on_day)
    after = next((end for _, end in reversed(spans) if end <= clock), None)
    before = next((start for start, _ in spans if start > clock), None)
    if after and before:
        return f"between {after:%H:%M} and {before:%H:%M}"
    if before:
        return f"before {before:%H:%M}"
    return f"after {after:%H:%M}" if after else DAY_NAMES[clock.weekday()]
