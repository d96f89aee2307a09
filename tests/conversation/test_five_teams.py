"""The five documents, each from `/deploy start` to its end, as its team hears it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversation.scenes import Team, to_rolled_back, to_stable
from tests.conversation.teams import TEAMS

pytestmark = pytest.mark.slow


def played(*checked: str) -> pytest.MarkDecorator:
    """All five; the continuous check plays those whose course has what the others' has not."""
    marks = {team.checklist: () if team.checklist in checked else pytest.mark.long for team in TEAMS}
    return pytest.mark.parametrize(
        "team", [pytest.param(team, id=team.checklist, marks=marks[team.checklist]) for team in TEAMS]
    )


@played("azora", "ca-marketplace")
def test_a_deployment_becomes_stable_across_a_stop_and_says_each_thing_once(team: Team, tmp_path: Path) -> None:
    to_stable(tmp_path, team)


@played("azora", "maishapoa")
def test_a_deployment_is_rolled_back_across_a_power_cut_and_says_each_thing_once(team: Team, tmp_path: Path) -> None:
    to_rolled_back(tmp_path, team)
