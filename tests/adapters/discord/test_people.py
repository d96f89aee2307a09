"""Who holds which role of a policy, by what comes with a click."""

from __future__ import annotations

import pytest

from adapters.discord.people import Holders, first_holders, holders, roles_of, server_roles
from checklists.policy import Person
from tests.adapters.discord.kit import ANA, PEOPLE, QA, SRE


@pytest.mark.parametrize(
    "odd", ["@oncall", "role:", "role:abc", "12", "", "ana", "<@1700000000000000001>", f"Role:{QA}"]
)
def test_what_is_no_number_maps_to_nobody(odd: str) -> None:
    assert holders(Person(discord=odd)) == Holders()


def test_a_user_and_a_server_role_are_told_apart() -> None:
    assert holders(Person(discord=str(ANA))) == Holders(users=frozenset({ANA}))
    assert holders(Person(discord=f"role:{QA}")) == Holders(roles=frozenset({QA}))
    assert holders(None) == Holders()


def test_a_role_is_held_by_whoever_has_the_servers_role_or_is_the_user() -> None:
    assert roles_of(ANA, [], PEOPLE) == {"vp_engineering"}
    assert roles_of(1, [QA, SRE], PEOPLE) == {"qa", "on_call"}
    assert roles_of(QA, [ANA], PEOPLE) == frozenset(), "a role's number is nobody's, and the other way round"


def test_of_several_policies_the_first_that_can_be_called_is() -> None:
    assert first_holders(PEOPLE)["on_call"].discord == f"role:{SRE}"
    assert server_roles(PEOPLE) == {QA, SRE}
