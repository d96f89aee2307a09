"""The five documents, each from `/deploy start` to its end, as its team hears it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversation.scenes import Team, to_rolled_back, to_stable
from tests.conversation.teams import TEAMS

pytestmark = pytest.mark.slow
all_teams = pytest.mark.parametrize("team", [pytest.param(team, id=team.checklist) for team in TEAMS])


@all_teams
def test_a_deployment_becomes_stable_across_a_stop_and_says_each_thing_once(team: Team, tmp_path: Path) -> None:
    to_stable(tmp_path, team)


@all_teams
def test_a_deployment_is_rolled_back_across_a_power_cut_and_says_each_thing_once(team: Team, tmp_path: Path) -> None:
    to_rolled_back(tmp_path, team)
