"""Who somebody is, and the roles they hold: by themselves, or in a user group."""

from __future__ import annotations

from collections.abc import AsyncIterator
from types import ModuleType

import pytest

from adapters.discord import cache as discord_cache
from adapters.slack import cache as slack_cache
from adapters.slack.cache import Cache
from adapters.slack.client import Api
from adapters.slack.people import first_holders
from adapters.slack.roles import Roster
from bot.ports import Ambiguous, ChatError
from checklists.policy import Person
from tests.adapters.slack.kit import PEOPLE, Held, said
from tests.fakes.slack import FakeSlack, Fault


@pytest.fixture
async def roster(api: Api) -> AsyncIterator[Roster]:
    roster = Roster(api, lambda: PEOPLE)
    yield roster
    await roster.close()


async def test_a_role_is_held_by_the_user_and_by_the_members_of_the_group(slack: FakeSlack, roster: Roster) -> None:
    assert (await roster.who("U2")).roles == {"qa"}
    assert (await roster.who("U003")).roles == {"vp_engineering"}
    assert (await roster.who("U1")).roles == {"on_call"}


async def test_a_handle_gives_nobody_the_role(api: Api) -> None:
    roster = Roster(api, lambda: {"on_call": (Person(slack="@ana"),)})
    assert await roster.roles("U1") == frozenset()


async def test_people_have_the_name_they_are_known_by(slack: FakeSlack, roster: Roster) -> None:
    assert (await roster.who("U1", "handle")).name == "ana"
    assert (await roster.who("U404", "handle")).name == "handle"
    assert (await roster.who("U405")).name == "U405"


async def test_groups_and_names_are_asked_for_once(slack: FakeSlack, roster: Roster) -> None:
    for _ in range(5):
        await roster.who("U1")
    assert len(slack.called("usergroups.users.list")) == 2
    assert len(slack.called("users.info")) == 1


async def test_a_group_nobody_can_read_gives_no_role_and_says_so(slack: FakeSlack, api: Api, roster: Roster) -> None:
    slack.scopes.remove("usergroups:read")
    who = await roster.who("U2")
    assert who.roles == frozenset()
    assert any("user group S001" in sentence for sentence in api.faults.sentences())


async def test_a_group_that_takes_too_long_does_not_hold_a_click_up(slack: FakeSlack, api: Api) -> None:
    slack.faults.script("usergroups.users.list", Fault.slow(0.4), Fault.slow(0.4))
    roster = Roster(api, lambda: PEOPLE, patience=0.05)
    assert (await roster.who("U2")).roles == frozenset()
    calls = slack.called("usergroups.users.list")
    await slack.until(lambda: all(call.status for call in calls))
    await slack.until(lambda: len(slack.called("usergroups.users.list")) == 2)
    await roster.close()


async def test_what_is_kept_is_given_at_once_while_it_is_asked_anew() -> None:
    held = Held(said("newer"))
    answers = [said("older")]

    async def ask(_: str) -> object:
        return answers.pop() if answers else await held()

    cache: Cache[object] = Cache(ask, fresh=0.0, stale=60.0, patience=1.0)
    assert await cache.get("") == said("older")
    assert await cache.get("") == said("older")
    await held.asked.wait()
    held.go.set()
    assert await cache.get("", fresh=0.0) == said("newer")
    await cache.close()


async def test_what_is_too_old_is_not_gone_by() -> None:
    answers = ["first"]

    async def ask(_: str) -> str:
        if answers:
            return answers.pop()
        raise Ambiguous("away")

    cache: Cache[str] = Cache(ask, fresh=0.0, stale=0.0, patience=1.0)
    assert await cache.get("") == "first"
    with pytest.raises(Ambiguous):
        await cache.get("")
    await cache.close()


@pytest.mark.parametrize("of", [slack_cache, discord_cache])
async def test_what_was_not_answered_is_asked_again_soon(of: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal stays one for longer."""
    monkeypatch.setattr(of, "_SOON", 0.0)
    problems: list[ChatError] = [ChatError("refused"), Ambiguous("away")]

    async def ask(_: str) -> str:
        if problems:
            raise problems.pop()
        return "found"

    cache = of.Cache(ask, fresh=60.0, stale=60.0, patience=1.0)
    with pytest.raises(Ambiguous):
        await cache.get("")
    for _ in range(3):
        with pytest.raises(ChatError, match="refused"):
            await cache.get("")
    await cache.close()


def test_of_several_policies_the_entry_that_can_be_called_counts() -> None:
    assert first_holders(PEOPLE)["on_call"].slack == "S002"
    assert first_holders({"qa": ()}) == {}
