"""The shipped azora checklist on the real clock: a live service turns bad, Prometheus sees it, and azora goes back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from adapters.probes.prometheus import PrometheusCredentials, PrometheusProbe
from adapters.web.clock import real_time
from bot.domain import events as e
from bot.domain.watch import LOOK_EVERY
from bot.ports import Asked
from bot.scheduler import EVERY
from checklists.library import load
from checklists.policy import ProbePolicy
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.fakes.slack_team import MAIN, Team
from tests.real.azora import azora, azora_in, ringing, surroundings
from tests.real.conftest import now
from tests.real.servers import BASIC, Watch

pytestmark = [pytest.mark.real, pytest.mark.timeout(240)]

__all__ = ["migrated_file", "sqlite_url"]

LASTING, SERIES = timedelta(seconds=20), timedelta(seconds=30)
"""Instead of the document's 5 minutes and 1 minute: the shortest that a policy takes for a series of checks is 30 s."""
SHORT = (
    (r"\[5m\]", "[10s]"),
    (r"every: 1m\n    for: 5m", f"every: {SERIES.seconds}s\n    for: 5m"),
    (r"lasting: 5m", f"lasting: {LASTING.seconds}s"),
)
A_MOMENT = timedelta(seconds=2)
"""What the work itself may take: to ask, to save, to post."""


async def passed_5_percent(watched: Watch, probe: ProbePolicy, start: datetime) -> datetime:
    """The first second at which Prometheus itself gives more than 5 %."""
    async with httpx.AsyncClient(trust_env=False) as client:
        source = PrometheusProbe(client, PrometheusCredentials(watched.prometheus, BASIC))
        asked = Asked("azora", "production", "v1.2.0", start)
        points = await source.history("error_rate", probe, asked, start=start, end=now(), step=timedelta(seconds=1))
    return next(at for at, value in points if value > 0.05)


async def test_a_service_that_turns_bad_is_rolled_back_in_time(watched: Watch, sqlite_url: str, tmp_path: Path) -> None:
    with surroundings(watched.prometheus, watched.alertmanager) as around:
        folder = azora_in(tmp_path / "checklists", around, *SHORT)
        async with azora(sqlite_url, folder, around, real_time) as (team, app):
            await team.types("start v1.2.0 --yes")
            await team.run_to_deployed()
            async with ringing(app):
                await team.slack.until(
                    lambda: "After the switch check: healthy" in read(team), within=60, what="a check"
                )
                broken = now()
                watched.service.breaks()
                announced = "Rolling back azora from"
                await team.slack.until(
                    lambda: any(announced in text for text in team.said(MAIN)), within=180, what="a rollback"
                )
                heard = now()
                async with app.store.read() as unit:
                    facts = await unit.events((await team.row()).id)
                (begun,) = [fact for fact in facts if isinstance(fact, e.RollbackStarted)]
                passed = await passed_5_percent(watched, load("azora", (folder,)).policy.probes["error_rate"], broken)
                assert passed - broken < timedelta(seconds=10)
                assert begun.by.is_gonogo
                # The next look is the next check of the series, or a minute after the last one, whichever comes first.
                interval = min(SERIES, LOOK_EVERY) + EVERY + A_MOMENT
                assert passed + LASTING <= begun.at <= passed + LASTING + interval, (broken, passed, begun)
                assert heard - begun.at < EVERY
                assert [text for text in team.said(MAIN) if announced in text] == [team.said(MAIN)[-1]], "said once"


def read(team: Team) -> str:
    """All of the thread."""
    return "\n".join(team.reads(message) for message in team.thread())
