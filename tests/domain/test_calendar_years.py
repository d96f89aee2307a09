"""When it is open, over years and over thousands of policies, against a second reading that shares no code with it."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from bot.domain.busy import Busy
from bot.domain.calendar import SEARCHED, Opening, Rules, can_ever_open, opening, rules_for
from checklists.policy import Policy
from tests.domain.brute import DAY, MINUTE, ZONES, Brute, any_policy

INSTANT = timedelta(microseconds=1)
YEARS = range(2023, 2032)
WILD = {"Australia/Lord_Howe"}
"""The zone that the continuous check reads minute by minute: its clock changes by half an hour."""


def lively(seed: str, zone: str, start: datetime) -> tuple[Rules, Brute]:
    """Rules of several kinds of windows and freezes that open at some time and close at some."""
    for number in range(1000):
        which, brute = any_policy(random.Random(f"{seed}{zone}{number}"), zone, YEARS)
        rules = rules_for(Policy.model_validate(which), "production")
        if len(brute.windows) >= 2 and len(which["freezes"]) >= 3 and can_ever_open(rules, start):
            return rules, brute
    raise AssertionError("no such policy was drawn")


def read_every_minute(brute: Brute, start: datetime, minutes: int) -> bytearray:
    """1 for each minute in which it is open."""
    return bytearray(brute.open(start + number * MINUTE) for number in range(minutes))


def walk(rules: Rules, shown: bytearray, start: datetime) -> int:
    """From opening to opening, whose number is returned: each begins and ends at the minutes that were read, and so
    none is left out."""
    now, count = 0, 0

    def agrees(instant: datetime | None, minute: int) -> bool:
        """What lies beyond the minutes that were read is not known there."""
        if minute < 0:
            return instant is None or instant >= start + len(shown) * MINUTE
        return instant == start + minute * MINUTE

    while now >= 0:
        found = opening(rules, start + now * MINUTE)
        assert found.open == bool(shown[now]) == (not found.reasons)
        first = shown.find(1, now)
        last = shown.find(0, first) if first >= 0 else -1
        assert agrees(found.next_open, first)
        if first >= 0:
            assert agrees(found.next_close, last)
            if first > now + 1:
                assert agrees(opening(rules, start + (now + first) // 2 * MINUTE).next_open, first)
        now, count = last, count + 1
    return count


def test_two_months_with_a_change_of_the_clock_minute_by_minute() -> None:
    start = datetime(2026, 2, 1, tzinfo=UTC)
    rules, brute = lively("short", "America/Havana", start)
    shown = read_every_minute(brute, start, 60 * 1440)
    assert walk(rules, shown, start) > 5


@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "zone",
    [pytest.param(zone, marks=pytest.mark.slow if zone in WILD else pytest.mark.long) for zone in ZONES],
)
def test_five_years_minute_by_minute(zone: str) -> None:
    start = datetime(2025, 1, 1, tzinfo=UTC)
    rules, brute = lively("long", zone, start)
    shown = read_every_minute(brute, start, 5 * 365 * 1440)
    assert walk(rules, shown, start) > 50


# --- many policies ----------------------------------------------------------------------------------------------------


def some_busy(rng: random.Random, now: datetime, brute: Brute) -> list[Busy]:
    found = []
    for _ in range(rng.choice((0, 0, 1, 2))):
        start = now.replace(second=0, microsecond=0) + rng.randrange(-3000, 6000) * MINUTE
        end = start + rng.randrange(0, 4000) * MINUTE
        brute.busy.append((start, end))
        found.append(Busy(start, end, "busy", "test"))
    return found


def check(seed: str) -> Opening:
    """One policy at one moment: the answer agrees with itself and with the second reading."""
    rng = random.Random(seed)
    which, brute = any_policy(rng, rng.choice(ZONES), YEARS)
    rules = rules_for(Policy.model_validate(which), "production")
    now = datetime(2025, 1, 1, tzinfo=UTC) + rng.randrange(4 * 365 * 1440) * MINUTE
    busy = some_busy(rng, now, brute)

    def ask(at: datetime) -> Opening:
        return opening(rules, at, busy=busy)

    found = ask(now)
    told = (seed, which, now)
    assert found.open == brute.open(now) == (not found.reasons) == (found.next_open == now), told
    until = found.next_open or now + SEARCHED - 2 * DAY
    for at in minutes_between(rng, now, until):
        assert not brute.open(at), (*told, at)
    if found.next_open is not None:
        assert ask(found.next_open).open, told
        assert brute.open(found.next_open), told
        if found.next_open > now:
            assert not ask(found.next_open - INSTANT).open, told
        if found.next_close is not None:
            assert found.next_close > found.next_open, told
            assert ask(found.next_close - INSTANT).open, told
            assert not ask(found.next_close).open, told
            assert not brute.open(found.next_close), told
        for at in minutes_between(rng, found.next_open, found.next_close or now + SEARCHED - 2 * DAY):
            assert brute.open(at), (*told, at)
    return found


def minutes_between(rng: random.Random, start: datetime, end: datetime) -> list[datetime]:
    """A few whole minutes of a span, its first and last among them."""
    length = int((end - start) / MINUTE)
    if length <= 0:
        return []
    return [start + number * MINUTE for number in {0, length - 1, *(rng.randrange(length) for _ in range(10))}]


def test_five_hundred_random_policies_agree() -> None:
    found = [check(f"short {number}") for number in range(500)]
    assert 100 < sum(each.open for each in found) < 400


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "part", [pytest.param(part, marks=pytest.mark.slow if part < 3 else pytest.mark.long) for part in range(10)]
)
def test_ten_thousand_random_policies_agree(part: int) -> None:
    never = 0
    for number in range(1000):
        never += check(f"long {part} {number}").next_open is None
    assert never < 500
