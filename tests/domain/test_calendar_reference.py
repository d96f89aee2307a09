"""When it is open, for random rules in zones with awkward clocks, against looking at the wall clock every minute."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.domain.calendar import Busy, opening, rules_for
from checklists.policy import Policy
from checklists.windows import Window, parse_window
from checklists.zones import changes_between

MICROSECOND = timedelta(microseconds=1)
MINUTE = timedelta(minutes=1)
ZONES = [
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Asia/Kathmandu",
    "America/New_York",
    "Europe/Berlin",
    "Africa/Casablanca",
    "Africa/Cairo",
    "America/Havana",
]
CLOCKS = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.sampled_from([0, 0, 15, 30, 59]))
DAYS = st.lists(
    st.sampled_from(["mon", "tue", "wed", "thu", "fri", "sat", "sun", "tue-thu", "fri-mon"]), min_size=1, max_size=3
)


@st.composite
def window_words(draw: st.DrawFn) -> str:
    days = ",".join(draw(DAYS))
    if draw(st.integers(0, 5)) == 0:
        return days
    start, end = draw(CLOCKS), draw(st.one_of(CLOCKS, st.just("24:00"), st.just("03:00")))
    assume(start != end)
    return f"{days} {start}-{end}"


@st.composite
def nows(draw: st.DrawFn, zone: str) -> datetime:
    """Half of them within a day and a half of a change of the clock or of a year."""
    year = draw(st.integers(2011, 2032))
    start = datetime(year, 1, 1, tzinfo=UTC)
    changes = [start, *(change.at for change in changes_between(ZoneInfo(zone), start, start.replace(year=year + 1)))]
    if draw(st.booleans()):
        return draw(st.sampled_from(changes)) + MINUTE * draw(st.integers(-2200, 2200))
    return start + MINUTE * draw(st.integers(0, 366 * 1440)) + timedelta(microseconds=draw(st.integers(0, 59_999_999)))


@st.composite
def questions(draw: st.DrawFn) -> tuple[Policy, datetime, tuple[Busy, ...]]:
    zone = draw(st.sampled_from(ZONES))
    freezes: list[dict[str, object]] = [{"weekly": words} for words in draw(st.lists(window_words(), max_size=2))]
    last, first = draw(st.sampled_from([(0, 0), (2, 0), (0, 1), (1, 2)]))
    if last or first:
        freezes.append({"month_end": {"last": last, "first": first}})
    windows = draw(st.lists(window_words(), max_size=3))
    which = Policy.model_validate(
        {"timezone": zone, "windows": {"production": windows} if windows else {}, "freezes": freezes}
    )
    now = draw(nows(zone))
    spans = st.tuples(st.integers(-3000, 6000), st.one_of(st.none(), st.integers(0, 4000)))
    base = now.replace(second=0, microsecond=0)
    busy = [
        Busy(base + MINUTE * begin, None if length is None else base + MINUTE * (begin + length), "busy", "test")
        for begin, length in draw(st.lists(spans, max_size=2))
    ]
    return which, now, tuple(busy)


def shows(window: Window, shown: datetime) -> bool:
    minute, day = shown.hour * 60 + shown.minute, shown.weekday()
    if not window.wraps:
        return day in window.days and window.start <= minute < window.end
    return (day in window.days and minute >= window.start) or ((day - 1) % 7 in window.days and minute < window.end)


class Reference:
    """The rules, told by looking at the clock on the wall once."""

    def __init__(self, which: Policy, busy: tuple[Busy, ...]) -> None:
        self.zone, self.busy = ZoneInfo(which.timezone), busy
        self.windows = [parse_window(words) for words in which.windows.get("production", ("always",))]
        self.weekly = [parse_window(freeze.weekly) for freeze in which.freezes if freeze.weekly]
        self.edges = [freeze.month_end for freeze in which.freezes if freeze.month_end]

    def open(self, now: datetime) -> bool:
        shown = now.astimezone(self.zone)
        if not any(shows(window, shown) for window in self.windows) or any(shows(w, shown) for w in self.weekly):
            return False
        if any(entry.start <= now and (entry.end is None or now < entry.end) for entry in self.busy):
            return False
        length = monthrange(shown.year, shown.month)[1]
        return not any(shown.day > length - edge.last or shown.day <= edge.first for edge in self.edges)

    def minutes(self, now: datetime) -> Iterator[datetime]:
        yield now
        whole = now.replace(second=0, microsecond=0)
        yield from (whole + MINUTE * number for number in range(1, 3 * 1440))


@settings(max_examples=150)
@given(questions())
def test_opening_agrees_with_looking_at_every_minute(question: tuple[Policy, datetime, tuple[Busy, ...]]) -> None:
    which, now, busy = question
    found, reference = opening(rules_for(which, "production"), now, busy=busy), Reference(which, busy)
    assert found.open == reference.open(now)
    assert found.open == (not found.reasons)
    minutes = list(reference.minutes(now))
    first = next((minute for minute in minutes if reference.open(minute)), None)
    if first is None:
        assert found.next_open is None or found.next_open > minutes[-1]
        return
    assert found.next_open == first
    last = next((minute for minute in minutes if minute > first and not reference.open(minute)), None)
    if last is None:
        assert found.next_close is None or found.next_close > minutes[-1]
    else:
        assert found.next_close == last


@settings(max_examples=150)
@given(questions())
def test_the_named_instants_are_right_to_the_microsecond(
    question: tuple[Policy, datetime, tuple[Busy, ...]],
) -> None:
    which, now, busy = question
    rules = rules_for(which, "production")
    found = opening(rules, now, busy=busy)
    if found.next_open is not None:
        assert opening(rules, found.next_open, busy=busy).open
        assert found.next_open == now or not opening(rules, found.next_open - MICROSECOND, busy=busy).open
    if found.next_close is not None:
        assert found.next_open is not None
        assert found.next_close > found.next_open >= now
        assert not opening(rules, found.next_close, busy=busy).open
        assert opening(rules, found.next_close - MICROSECOND, busy=busy).open
    for reason in found.reasons:
        if reason.until is not None:
            before, after = (opening(rules, t, busy=busy).reasons for t in (reason.until - MICROSECOND, reason.until))
            assert [r.until for r in before if r.source == reason.source and r.code == reason.code] == [reason.until]
            assert reason.until not in [r.until for r in after]
