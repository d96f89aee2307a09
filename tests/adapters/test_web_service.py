"""The simulated service: what the five teams' probes hear of it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from adapters.probes.simulated import SimulatedMetrics
from adapters.web.service import Health, measure
from bot.ports import Asked
from checklists.library import load, names
from checklists.policy import ProbePolicy
from checklists.quantities import Band, to_base
from tests.fakes.sandbox import NOW, Room, open_room

FOLDER = Path(__file__).parents[2] / "checklists"
YES_NO = {"statuspage", "alertmanager", "fly"}
SET_BY_PEOPLE = {("deployment_flag", "= 1 count")}  # a service in the sandbox has no flag that somebody could set
POLICIES = {name: load(name, [FOLDER]).policy for name in names([FOLDER])}


@pytest.fixture
async def room(tmp_path: Path):
    async with open_room(tmp_path / "sandbox.db") as room:
        yield room


def client(room: Room) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(room.app), base_url="http://127.0.0.1:8600")


def wanted(policy) -> list[tuple[str, Band]]:
    """Every target a measure of this policy is held against, wherever it is written."""
    found = [(name, probe.target) for name, probe in policy.probes.items() if probe.target]
    found += [(item.probe, item.target) for item in policy.items.values() if item.probe and item.target]
    found += [(name, band) for entry in policy.watch for name, band in entry.measure.items()]
    return [(name, band) for name, band in found if not (probe := policy.probes.get(name)) or not probe.http]


@pytest.mark.parametrize("name", POLICIES)
def test_every_target_is_met_when_healthy(name: str) -> None:
    policy = POLICIES[name]
    missed = {}
    for measured, band in wanted(policy):
        if (measured, band.words) in SET_BY_PEOPLE:
            continue
        value = measure(measured, Health.HEALTHY)
        if value is None or to_base(*value)[0] != band.dimension or not band.holds(to_base(*value)[1]):
            missed[measured] = (value, band.words)
    assert missed == {}


@pytest.mark.parametrize("name", POLICIES)
def test_sources_that_say_yes_or_no_are_answered_so(name: str) -> None:
    asked = [measured for measured, probe in POLICIES[name].probes.items() if probe.source[0] in YES_NO]
    assert {measured: measure(measured, Health.HEALTHY) for measured in asked} == dict.fromkeys(asked, (1, "ok"))
    assert {measured: measure(measured, Health.FAILING) for measured in asked} == dict.fromkeys(asked, (0, "ok"))


@pytest.mark.parametrize("name", POLICIES)
def test_every_check_fails_when_the_service_fails(name: str) -> None:
    for entry in POLICIES[name].watch:
        if not entry.measure:
            continue
        met = []
        for measured, band in entry.measure.items():
            value = measure(measured, Health.FAILING)
            met.append(value is not None and band.holds(to_base(*value)[1]))
        assert not all(met), entry.name


def test_a_slow_service_is_slow_and_errs_a_little() -> None:
    assert measure("p95_latency", Health.SLOW) == (488, "ms")
    assert measure("error_rate", Health.SLOW) == (1.4, "%")


def test_nothing_is_known_without_data_or_of_an_unknown_measure() -> None:
    assert measure("error_rate", Health.NO_DATA) is None
    assert measure("moon_phase", Health.HEALTHY) is None


async def test_endpoints_follow_the_health(room: Room) -> None:
    async with client(room) as http:
        for path in ("/service/health", "/service/health/ready", "/service/", "/service/monitoring/health/db"):
            answer = await http.get(path)
            assert (answer.status_code, answer.json()["status"]) == (200, "ok")
        await room.service.set_health(Health.SLOW)
        assert (await http.get("/service/health")).status_code == 200
        await room.service.set_health(Health.FAILING)
        assert (await http.get("/service/health")).status_code == 503
        await room.service.set_health(Health.NO_DATA)
        assert (await http.get("/service/health")).status_code == 200


async def test_the_version_is_the_deployed_one(room: Room) -> None:
    async with client(room) as http:
        assert (await http.get("/service/monitoring/version")).json()["version"] == "unknown"
        room.core.version = "v1.2.0"
        first = (await http.get("/service/monitoring/version")).json()
        assert first["version"] == "v1.2.0"
        assert first == (await http.get("/service/monitoring/version")).json()


async def test_metrics_answer_as_of_the_instant_asked_for(room: Room) -> None:
    async def rate(at) -> float:
        answer = await http.get("/service/metrics", params={"name": "error_rate", "as_of": at.isoformat()})
        return answer.json()["value"]

    async with client(room) as http:
        await room.time.move(timedelta(minutes=30))
        await room.service.set_health(Health.FAILING)
        await room.time.move(timedelta(minutes=30))
        await room.service.set_health(Health.HEALTHY)
        assert await rate(NOW + timedelta(minutes=29)) == 0.05
        assert await rate(NOW + timedelta(minutes=45)) == 7.2
        assert await rate(NOW + timedelta(minutes=60)) == 0.05
        now = await http.get("/service/metrics", params={"name": "error_rate"})
        assert now.json() == {"value": 0.05, "unit": "%"}


async def test_no_data_is_no_content_and_a_bad_instant_is_refused(room: Room) -> None:
    async with client(room) as http:
        assert (await http.get("/service/metrics", params={"name": "moon_phase"})).status_code == 204
        await room.service.set_health(Health.NO_DATA)
        assert (await http.get("/service/metrics", params={"name": "error_rate"})).status_code == 204
        assert (await http.get("/service/metrics", params={"name": "x", "as_of": "noon"})).status_code == 400


async def test_monitoring_knows_the_past_as_it_was(room: Room) -> None:
    await room.service.set_health(Health.SLOW)
    room.clock._real.later(minutes=10)  # type: ignore[attr-defined]
    await room.service.set_health(Health.NO_DATA)
    room.clock._real.later(minutes=10)  # type: ignore[attr-defined]
    await room.service.set_health(Health.HEALTHY)
    async with client(room) as http:
        probe = SimulatedMetrics(http, "http://127.0.0.1:8600/service")
        span = {"start": NOW - timedelta(minutes=10), "end": NOW + timedelta(minutes=20), "step": timedelta(minutes=5)}
        found = await probe.history(
            "error_rate", ProbePolicy(datadog="x"), Asked("azora", "production", "v1", NOW), **span
        )
    minutes = [(at - NOW) / timedelta(minutes=1) for at, _ in found]
    assert list(zip(minutes, [round(value, 6) for _, value in found], strict=True)) == [
        (-10, 0.0005), (-5, 0.0005), (0, 0.014), (5, 0.014), (20, 0.0005),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "query",
    ["", "start=x&end=y&step=1", "start=2026-11-24&end=2026-11-25&step=1", "start=2026-11-24&end=2026-11-24&step=nan"],
)
async def test_a_past_that_cannot_be_told_is_refused(room: Room, query: str) -> None:
    async with client(room) as http:
        answer = await http.get(f"/service/metrics/past?name=error_rate&{query}")
    assert answer.status_code == 400
    assert "1000 steps" in answer.json()["error"]
