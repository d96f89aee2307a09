"""`/deploy` as Discord is given it, and back to the text that the core reads."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.discord import commands
from adapters.discord.commands import SUBS, Kind, Sub, Typed, Unusable
from bot.commands import USAGES, Command, Mistake, parse_command

SERVICES, ENVIRONMENTS = ("shop", "azora"), ("production", "staging")


def sub(*words: str) -> Sub:
    return next(each for each in SUBS if each.words == words)


def read(words: str, **values: str) -> Command:
    text = commands.text_of(Typed(sub(*words.split()), values))
    return parse_command(text, services=SERVICES, environments=ENVIRONMENTS)


def drawn(options: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for option in options:
        yield option
        yield from drawn(option.get("options") or [])


def test_every_sub_command_has_one_on_discord_and_no_other() -> None:
    assert [*dict.fromkeys(each.words[0] for each in SUBS)] == [*dict.fromkeys(usage.name for usage in USAGES)]
    spelled = {name: arguments for usage in USAGES for name, arguments in [(usage.name, usage.arguments)]}
    for group in ("freeze", "incident"):
        subs = [each.words[1] for each in SUBS if each.words[0] == group]
        assert [alternative.split()[0] for alternative in spelled[group].split(" | ")] == subs


def test_discord_takes_the_definition() -> None:
    [command] = commands.payload()
    for each in drawn([command]):
        assert 1 <= len(each["name"]) <= 32
        assert each["name"] == each["name"].lower()
        assert 1 <= len(each["description"]) <= 100, each["name"]
        assert len(each.get("options") or []) <= 25
        needed = [option.get("required", False) for option in each.get("options") or []]
        assert needed == sorted(needed, reverse=True), f"{each['name']}: required options come first"
    assert sum(len(each["name"] + each["description"]) for each in drawn([command])) <= 8_000


def test_a_definition_is_the_same_with_what_discord_adds_and_not_when_a_word_differs() -> None:
    told = copy.deepcopy(commands.payload())
    told[0] |= {"id": "1", "version": "2", "application_id": "3", "default_member_permissions": None, "nsfw": False}
    for option in drawn(told[0]["options"]):
        option.setdefault("required", False)
        option.setdefault("name_localizations", None)
    assert commands.same(told)
    told[0]["options"][0]["description"] = "Something else"
    assert not commands.same(told)
    assert not commands.same([])
    assert not commands.same([*commands.payload(), *commands.payload()])


def test_options_become_the_command_they_mean() -> None:
    assert read("start", version="v1.2.0", service="shop", environment="staging", at="tue 10:00") == Command(
        "start", version="v1.2.0", service="shop", environment="staging", when="tue 10:00"
    )
    urgent = read("start", version="v1", lane="Emergency", reason="checkout is down")
    assert (urgent.lane, urgent.reason) == ("emergency", "checkout is down")
    assert read("schedule", version="v1", at="tue 10:00").when == "tue 10:00"
    back = read("rollback", service="shop", version="v1.1.0", reason="v9 is slow")
    assert (back.version, back.text) == ("v1.1.0", "v9 is slow")
    assert read("freeze add", when="1 dec – 3 jan", service="shop", reason="sales").when == "1 dec - 3 jan"
    assert read("freeze add").sub == "ask"
    assert read("freeze remove", id="f1").text == "f1"
    opened = read("incident open", reason="checkout is down", service="shop")
    assert (opened.sub, opened.service, opened.text) == ("open", "shop", "checkout is down")
    assert read("window", environment="staging", at="fri 16:55").environment == "staging"
    held = read("lock", reason="the database is moved", service="shop", until="2h", take_over="yes")
    assert (held.service, held.text, held.when, held.confirmed) == ("shop", "the database is moved", "2h", True)
    assert not read("lock", reason="until further notice").when
    assert read("unlock", service="shop", environment="staging", reason="done").text.strip() == "done"
    assert read("queue", environment="staging").environment == "staging"
    assert read("why", service="shop").service == "shop"
    assert read("checklist", name="azora").service == "azora"


@pytest.mark.parametrize("reason", ["production", "--yes", "--emergency now", "v1.1.0", "at", "to", "-", "—yes"])
def test_a_reason_is_never_taken_for_anything_else(reason: str) -> None:
    for name in ("cancel", "rollback"):
        found = read(name, reason=reason)
        assert (found.service, found.environment, found.version) == ("", "", "")
        assert found.text.strip() == reason.replace("—", "—")
    found = read("start", version="v1", lane="hotfix", reason=reason)
    assert (found.lane, found.reason.strip(), found.confirmed, found.when) == ("hotfix", reason, False, "")


@given(st.text(max_size=80), st.text(max_size=80))
def test_whatever_is_typed_stays_in_its_option(version: str, reason: str) -> None:
    """Quotes, dashes, line ends: a value is one value."""
    flat = " ".join(version.split())
    if not flat or not reason.strip():
        return
    try:
        found = read("rollback", service="shop", environment="staging", version=flat, reason=reason.strip())
    except Mistake:
        return
    assert (found.service, found.environment) == ("shop", "staging")
    assert found.lane == ""
    assert not found.confirmed


def test_a_reason_without_a_lane_and_a_freeze_without_a_time_are_told() -> None:
    with pytest.raises(Unusable, match="lane"):
        commands.text_of(Typed(sub("start"), {"version": "v1", "reason": "urgent"}))
    with pytest.raises(Unusable, match="when"):
        commands.text_of(Typed(sub("freeze", "add"), {"reason": "sales"}))
    with pytest.raises(Unusable, match="overrides"):
        commands.text_of(Typed(sub("start"), {"version": "v1", "lane": "--"}))
    with pytest.raises(Unusable, match="older release"):
        commands.typed({"options": [{"type": 1, "name": "gone"}]})


def test_everything_that_is_chosen_from_is_offered() -> None:
    free = {Kind.AT, Kind.TIME, Kind.LANE, Kind.REASON, Kind.TEXT, Kind.UNTIL, Kind.TAKE}
    for each in SUBS:
        for option in each.options:
            assert bool(option.offers) == (option.kind not in free | {Kind.ITEM} and option.name != "version") or (
                option.kind is Kind.TO
            ), (each.words, option.name)
