"""Public holidays by country, with the ones a policy wants. Names and dates are those of the `holidays` library."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

import holidays

from checklists.policy import Holidays

#: Years in which a policy's words are looked for before they are called misspelt.
_SAMPLE = range(2020, 2031)


@dataclass(frozen=True, slots=True)
class Calendar:
    """The chosen holidays of a country, and of others in `also`. Hashable: answers are kept per year."""

    country: str
    subdivision: str | None = None
    categories: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    also: tuple[Calendar, ...] = ()

    def knows(self, year: int) -> bool:
        """Whether the library has this year for every country asked for, or at least all the names in `only`."""
        return _year(self, year)[0]

    def days(self, year: int) -> Mapping[date, str]:
        """Day -> the names of its holidays, for one year; of a year that is not known perhaps some, perhaps none."""
        return _year(self, year)[1]


def calendar_of(wanted: Holidays) -> Calendar:
    """The calendar a policy asks for.

    Raises ValueError for an unknown country, subdivision or category, and for a word no holiday's name contains, as a
    misspelt holiday would otherwise never freeze anything.
    """
    also = tuple(Calendar(country, only=tuple(names)) for country, names in wanted.also.items())
    calendar = Calendar(wanted.country, wanted.subdivision, wanted.categories, wanted.only, wanted.without, also)
    for part in (calendar, *also):
        _check(part)
    return calendar


def _check(calendar: Calendar) -> None:
    countries = holidays.list_supported_countries(include_aliases=True)
    if calendar.country not in countries:
        raise ValueError(
            f"there is no holiday calendar for {calendar.country!r}; write a two-letter country code like US, IN or DE"
        )
    if calendar.subdivision is not None and calendar.subdivision not in countries[calendar.country]:
        known = ", ".join(countries[calendar.country]) or "none"
        raise ValueError(f"{calendar.country} has no holidays for {calendar.subdivision!r}; it has: {known}")
    supported = _kind(calendar.country).supported_categories
    for category in calendar.categories:
        if category not in supported:
            raise ValueError(
                f"{calendar.country} has no holidays called {category!r}; it has: {', '.join(sorted(supported))}"
            )
    names = _names(Calendar(calendar.country, calendar.subdivision, calendar.categories))
    for word in (*calendar.only, *calendar.without):
        if not any(_says(name, word) for name in names):
            near = get_close_matches(word, names, n=1, cutoff=0.4)
            elsewhere = _elsewhere(calendar, word)
            hint = f"; did you mean {near[0]!r}?" if near and not elsewhere else elsewhere
            raise ValueError(f"no holiday of {calendar.country} is called {word!r}{hint}")


def _elsewhere(calendar: Calendar, word: str) -> str:
    for category in sorted(_kind(calendar.country).supported_categories):
        if any(_says(name, word) for name in _names(Calendar(calendar.country, calendar.subdivision, (category,)))):
            return f" among the public ones; add `categories: [public, {category}]`"
    return ""


@lru_cache(maxsize=128)
def _names(calendar: Calendar) -> tuple[str, ...]:
    found: dict[str, None] = {}
    for year in _SAMPLE:
        for text in calendar.days(year).values():
            found |= dict.fromkeys(text.split(", "))
    return tuple(found)


def _says(name: str, word: str) -> bool:
    """Whole words, in any case: "Eid" is in "Eid al-Fitr" and not in "Heide". All apostrophes are the same."""
    plain = word.replace("’", "'").strip()
    return re.search(rf"(?<!\w){re.escape(plain)}(?!\w)", name.replace("’", "'"), re.IGNORECASE) is not None


def _kind(country: str) -> type[holidays.HolidayBase]:
    return type(holidays.country_holidays(country))


def _library(calendar: Calendar, year: int) -> tuple[bool, list[tuple[date, str]]]:
    """Whether the library knows the whole year, and its days with each name. Names are English where it has them."""
    kind = _kind(calendar.country)
    if not kind.start_year <= year <= kind.end_year:
        return False, []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = holidays.country_holidays(
            calendar.country,
            subdiv=calendar.subdivision,
            years=year,
            language="en_US" if "en_US" in kind.supported_languages else kind.default_language,
            categories=calendar.categories or None,
        )
    # It warns where it has only part of a year, as for Hindu holidays after 2035.
    partly = any(issubclass(warning.category, UserWarning) for warning in caught)
    return not partly, [(day, name) for day, text in found.items() for name in text.split("; ")]


@lru_cache(maxsize=1024)
def _year(calendar: Calendar, year: int) -> tuple[bool, Mapping[date, str]]:
    known, entries = _library(calendar, year)
    wanted = [(day, name) for day, name in entries if _wanted(calendar, name)]
    if calendar.only and not known:
        known = all(any(_says(name, word) for _, name in wanted) for word in calendar.only)
    for other in calendar.also:
        known = known and other.knows(year)
        wanted += other.days(year).items()
    found: dict[date, list[str]] = {}
    for day, name in sorted(wanted, key=lambda entry: entry[0]):
        found.setdefault(day, []).append(name)
    return known, {day: ", ".join(dict.fromkeys(names)) for day, names in found.items()}


def _wanted(calendar: Calendar, name: str) -> bool:
    if calendar.only and not any(_says(name, word) for word in calendar.only):
        return False
    return not any(_says(name, word) for word in calendar.without)
