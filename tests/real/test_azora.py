"""The shipped azora checklist from start to stable, and back by itself, as a real Prometheus saw it (a moved clock)."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import httpx
import pytest

from adapters.probes.prometheus import PrometheusCredentials, PrometheusProbe
from bot.domain import events as e
from bot.ports import Asked
from checklists.library import load
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.conversation.teams import AZORA as WORDS
from tests.fakes.slack_team import MAIN, Team
from tests.real.azora import Surroundings, azora, azora_in, surroundings, utc
from tests.real.past import Stretch, remembering
from tests.real.servers import BASIC, MISSING, running_alertmanager
from tests.talk import untimed

pytestmark = [pytest.mark.real, pytest.mark.timeout(120)]

__all__ = ["migrated_file", "sqlite_url"]

M, H = timedelta(minutes=1), timedelta(hours=1)
POLICY = load("azora", (Path(__file__).resolve().parents[2] / "checklists",)).policy
WELL = utc("2026-11-24 10:00")
"""T0 of the deployment that nothing happens to."""
AT_ONCE, LATER = utc("2026-11-26 10:00"), utc("2026-12-01 10:00")
"""T0 of two that break: while it is looked every minute, and while it is looked every five."""
PAST = [
    Stretch(WELL - H),
    Stretch(WELL + H, seconds=0.06),
    Stretch(WELL + 3 * H, seconds=0.04, error_ratio=0.0005),
    Stretch(WELL + 25 * H, requests=False),
    Stretch(WELL + 26 * H, gone=True),
    Stretch(AT_ONCE - H),
    Stretch(AT_ONCE + 2.5 * M, error_ratio=0.2),
    Stretch(AT_ONCE + 20 * M),
    Stretch(AT_ONCE + H, gone=True),
    Stretch(LATER - H),
    Stretch(LATER + 12 * M, error_ratio=1.0),
    Stretch(LATER + 13 * M),
    Stretch(LATER + 20 * M, error_ratio=0.08),
    Stretch(LATER + 50 * M),
    Stretch(LATER + 2 * H),
]
FactT = TypeVar("FactT", bound=e.Fact)


@pytest.fixture(scope="module")
def around(
    tmp_path_factory: pytest.TempPathFactory, unavailable: Callable[[str, str], NoReturn]
) -> Iterator[Surroundings]:
    """One Prometheus that remembers all of it, an Alertmanager that nothing is sent to, and the rest in good order."""
    if MISSING:
        unavailable("prometheus", f"{' and '.join(MISSING)} not installed: make test-real installs them as root")
    folder = tmp_path_factory.mktemp("past")
    with (
        remembering(folder, PAST) as prometheus,
        running_alertmanager(folder) as alertmanager,
        surroundings(prometheus, alertmanager) as around,
    ):
        yield around


@dataclass
class Deployed:
    """A deployment right after T0."""

    team: Team

    async def facts(self, kind: type[FactT]) -> list[FactT]:
        async with self.team.app.store.read() as unit:
            return [fact for fact in await unit.events((await self.team.row()).id) if isinstance(fact, kind)]

    async def one(self, kind: type[FactT]) -> FactT:
        (found,) = await self.facts(kind)
        return found


@pytest.fixture
def deployed_at(around: Surroundings, sqlite_url: str, tmp_path: Path) -> Callable[[datetime], Any]:
    @contextlib.asynccontextmanager
    async def deployed(at: datetime) -> AsyncIterator[Deployed]:
        """People start it and tick what does not tick itself, all at that instant, up to T0."""
        folder = azora_in(tmp_path / "checklists", around)
        async with azora(sqlite_url, folder, around, lambda: at) as (team, _):
            assert f"# Started {WORDS.name}\n" in await team.types("start v1.2.0")
            await team.run_to_deployed()
            yield Deployed(team)
            assert [(call.method, call.error) for call in team.slack.calls if call.error] == []

    return deployed


async def error_rate(around: Surroundings, at: datetime) -> e.Measurement:
    """Asked as a check asks."""
    async with httpx.AsyncClient(trust_env=False) as client:
        probe = PrometheusProbe(client, PrometheusCredentials(around.prometheus, BASIC))
        return await probe.measure(
            "error_rate", POLICY.probes["error_rate"], Asked("azora", "production", "v1.2.0", at)
        )


async def passes_5_percent(around: Surroundings, start: datetime) -> datetime:
    """The first second after it at which Prometheus itself gives more than 5 %."""
    async with httpx.AsyncClient(trust_env=False) as client:
        probe = PrometheusProbe(client, PrometheusCredentials(around.prometheus, BASIC))
        asked = Asked("azora", "production", "v1.2.0", start)
        points = await probe.history(
            "error_rate", POLICY.probes["error_rate"], asked, start=start, end=start + H, step=timedelta(seconds=1)
        )
    return next(at for at, value in points if value > 0.05)


def values(runs: list[e.CheckRan], name: str) -> list[float | None]:
    """What each run measured of it."""
    return [one.measurement.value for run in runs for one in run.judged if one.measurement.name == name]


async def test_a_deployment_that_prometheus_sees_nothing_wrong_with_becomes_stable(
    deployed_at: Callable[[datetime], Any],
) -> None:
    async with deployed_at(WELL) as here:
        team: Team = here.team
        await team.move(minutes=30)
        await team.tick_all()
        assert await team.status() == "succeeded"
        await team.move(hours=2)
        await team.tick_all()
        await team.move(hours=24)
        await team.tick_all()
        assert await team.status() == "stable"
        runs: list[e.CheckRan] = await here.facts(e.CheckRan)
        assert {run.verdict for run in runs} == {e.Verdict.HEALTHY}
        assert [run.due - WELL for run in runs[-3:]] == [30 * M, 2 * H, 24 * H]
        # Each was asked as of its own time: latency and errors changed in between.
        assert [round(value or 0, 4) for value in values(runs[-3:], "p95_latency")] == [0.0488, 0.0975, 0.0488]
        assert {round(value or 0, 4) for value in values(runs, "error_rate")} == {0.0, 0.0005}
        ticked = {tick.item: tick for tick in await here.facts(e.Ticked) if tick.by.is_gonogo}
        assert len(ticked) >= 14, "what a probe is bound to ticked itself"
        wanted = [text.replace("{deployed}", f"{WELL:%Y-%m-%d %H:%M}") for text in WORDS.said[MAIN]]
        assert [untimed(text) for text in team.said(MAIN)] == [
            text.replace("{duration}", "0 seconds") for text in wanted
        ]


@pytest.mark.parametrize(
    ("t0", "breaks", "interval"), [(AT_ONCE, AT_ONCE + 2.5 * M, M), (LATER, LATER + 20 * M, 5 * M)], ids=["1m", "5m"]
)
async def test_5_percent_of_errors_roll_back_by_themselves_within_5_minutes_and_one_interval(
    around: Surroundings,
    deployed_at: Callable[[datetime], Any],
    t0: datetime,
    breaks: datetime,
    interval: timedelta,
) -> None:
    passed = await passes_5_percent(around, breaks)
    assert breaks < passed < breaks + 5 * M
    async with deployed_at(t0) as here:
        team: Team = here.team
        await team.move(hours=1)
        begun: e.RollbackStarted = await here.one(e.RollbackStarted)
        assert begun.by.is_gonogo
        assert passed + 5 * M <= begun.at <= passed + 5 * M + interval
        assert "Error rate" in begun.reason
        assert "(limit > 5%)" in begun.reason
        proposed: e.RollbackProposed = await here.one(e.RollbackProposed)
        assert proposed.at <= begun.at - M, "it is said before, so that somebody can stop it"
        # Everybody hears of it, of each thing once; and the old version is found well by the same Prometheus.
        kinds = [fact.announcement for fact in await here.facts(e.Announced)]
        assert kinds == ["starting", "started", "issue", "rollback_started", "rolled_back"]
        said = team.said(MAIN)
        assert len(said) == len(kinds)
        assert said[-1] == "Automatic rollback completed\nazora v1.2.0 → production"
        back: e.RolledBack = await here.one(e.RolledBack)
        ended = await error_rate(around, back.at)
        assert ended.value is not None
        assert ended.value < 0.001
        assert await team.status() == "rolled back"


async def test_errors_that_are_over_before_5_minutes_roll_nothing_back(
    around: Surroundings, deployed_at: Callable[[datetime], Any]
) -> None:
    """A minute of nothing but errors at T0 + 12 min is still a sixth of the five minutes before T0 + 15."""
    found = await error_rate(around, LATER + 15 * M)
    assert found.value is not None
    assert found.value > 0.05
    async with deployed_at(LATER) as here:
        await here.team.move(minutes=19.5)
        looks = [look.breach for look in await here.facts(e.Watched)]
        assert True in looks
        assert looks[-1] is False
        assert await here.facts(e.RollbackStarted) == []
        assert await here.team.status() == "deployed"


async def test_no_errors_yet_are_a_rate_of_0_and_no_traffic_is_no_data(around: Surroundings) -> None:
    found = await error_rate(around, WELL)
    assert (found.outcome, found.value) == (e.Outcome.MEASURED, 0.0)
    quiet = await error_rate(around, WELL + 25.5 * H)
    assert (quiet.outcome, quiet.value) == (e.Outcome.NO_DATA, None)
    assert "NaN" in quiet.detail
    nothing = await error_rate(around, WELL + 40 * H)
    assert (nothing.outcome, nothing.value) == (e.Outcome.NO_DATA, None)
