"""`GET /metrics` over the application's real server: what is counted, and who may read it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.metrics.page import MetricsPage
from bot.app import App
from bot.doors import with_doors
from bot.fronts import front_for
from bot.metering import MeteredRouter
from bot.settings import Settings
from tests.adapters.api.kit import Api, api
from tests.adapters.store_kit import migrated_file, sqlite_url

__all__ = ["api", "migrated_file", "sqlite_url"]


async def figures(api: Api) -> dict[tuple[str, ...], float]:
    """Every sample: its name, and its labels' values in the order of their names -> its value."""
    answer = await api.http.get("/metrics")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store"), answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_what_stands_and_what_was_done_can_be_watched(api: Api) -> None:
    before = await figures(api)
    assert before["gonogo_deployments", "running"] == before["gonogo_due_work", "waiting"] == 0
    assert before["gonogo_database_up",] == 1
    deployment = await api.start()
    await api.say("start v1.2.0 nowhere")
    started = await figures(api)
    assert started["gonogo_deployments", "running"] == 1
    assert started["gonogo_cards_behind", "web"] == 1, "nobody has drawn it yet"
    assert started["gonogo_acknowledgements_total", "done", "command"] == 1
    assert started["gonogo_acknowledgements_total", "refused", "command"] == 1
    await api.app.settle()
    await api.tick_all(deployment)
    await api.click(f"advance:{deployment}")
    await api.tick_all(deployment)
    await api.click(f"deployed:{deployment}")
    said = await figures(api)
    assert said["gonogo_announcements_waiting", "web"] == 1
    await api.app.settle()
    deployed = await figures(api)
    assert deployed["gonogo_cards_behind", "web"] == deployed["gonogo_announcements_waiting", "web"] == 0
    assert (deployed["gonogo_deployments", "running"], deployed["gonogo_deployments", "deployed"]) == (0, 1)
    clicks = deployed["gonogo_acknowledgements_total", "done", "click"]
    assert clicks >= 5
    assert deployed["gonogo_acknowledgement_seconds_count", "click"] == clicks
    assert 0 < deployed["gonogo_acknowledgement_seconds_sum", "click"] < 30

    await api.set_clock("2026-11-24 16:00")
    due = await figures(api)
    assert due["gonogo_due_work", "waiting"] >= 1
    assert 1_000 < due["gonogo_due_lag_seconds",] < 3_600, "the check was due half an hour after T0"
    await api.app.settle()
    checked = await figures(api)
    assert checked["gonogo_due_work", "waiting"] == checked["gonogo_due_lag_seconds",] == 0
    assert sum(value for name, value in checked.items() if name[0] == "gonogo_checks_total") == 1
    assert checked["gonogo_checks_total", "healthy"] == 1
    assert checked["gonogo_probes_total", "measured", "prometheus"] >= 1
    asked = sum(value for name, value in checked.items() if name[::2] == ("gonogo_probes_total", "prometheus"))
    assert checked["gonogo_probe_seconds_count", "prometheus"] == asked


async def test_without_its_database_it_says_so_and_what_this_process_counted(api: Api) -> None:
    await api.say("help")
    with closing(sqlite3.connect(api.settings.database_url.removeprefix("sqlite:///"))) as connection:
        connection.execute("ALTER TABLE deadlines RENAME TO away")
    found = await figures(api)
    assert found["gonogo_database_up",] == 0
    assert found["gonogo_acknowledgements_total", "done", "command"] == 1
    assert not any(name[0] in ("gonogo_deployments", "gonogo_due_work") for name in found), "no old figures"


async def test_the_format_is_the_one_that_is_asked_for(api: Api) -> None:
    answer = await api.http.get("/metrics", headers={"Accept": "application/openmetrics-text; version=1.0.0"})
    assert answer.headers["content-type"].startswith("application/openmetrics-text")
    assert answer.text.endswith("# EOF\n")


# --- who may read it --------------------------------------------------------------------------------------------------


async def test_a_token_for_metrics_reads_them_and_nothing_else(api: Api) -> None:
    text, id = await api.new_token("", "prometheus")
    far = {"Host": "gonogo.example.org"}
    read = await api.http.get("/metrics", headers={**far, "Authorization": f"Bearer {text}"})
    assert read.status_code == 200
    assert (await api.ask("GET", "/api/gate?service=shop", token=text)).status_code == 401
    pipeline = await api.http.get("/metrics", headers={**far, "Authorization": f"Bearer {api.token}"})
    assert (pipeline.status_code, "gonogo_" in pipeline.text) == (403, False)
    await api.tokens.revoke(id)
    gone = await api.http.get("/metrics", headers={**far, "Authorization": f"Bearer {text}"})
    assert (gone.status_code, gone.headers["www-authenticate"]) == (401, 'Bearer realm="gonogo"')
    assert "gonogo token add --metrics" in gone.json()["error"]


@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("127.0.0.1", {"Host": "localhost:8642"}, 200),
        ("127.0.0.1", {"Host": "gonogo.example.org"}, 401),
        ("127.0.0.1", {"Host": "localhost.example.org:8642"}, 401),
        ("127.0.0.1", {"X-Forwarded-For": "203.0.113.7"}, 401),
        ("127.0.0.1", {"Forwarded": "for=203.0.113.7"}, 401),
        ("203.0.113.7", {}, 401),
    ],
)
async def test_without_a_token_only_this_very_machine_reads_them(
    sqlite_url: str, tmp_path: Path, client: str, headers: dict[str, str], status: int
) -> None:
    settings = Settings(_env_file=None, database_url=sqlite_url, checklists=tmp_path)  # type: ignore[call-arg]
    assert await asked(settings, client, headers) == status


@pytest.mark.parametrize("listens", [{"host": "0.0.0.0"}, {"host": "10.0.0.7"}, {"sandbox_token": "x" * 20}])
async def test_where_others_are_listened_to_nobody_reads_them_without_a_token(
    sqlite_url: str, tmp_path: Path, listens: dict[str, str]
) -> None:
    settings = Settings.model_validate({"database_url": sqlite_url, "checklists": tmp_path, **listens})
    assert await asked(settings, "127.0.0.1", {}) == 401


async def asked(settings: Settings, client: str, headers: dict[str, str]) -> int:
    async with App.open(settings, front_for(settings, 8642)) as app:
        transport = httpx.ASGITransport(with_doors(app.front.asgi(), app.doors), client=(client, 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8642") as http:
            return (await http.get("/metrics", headers=headers)).status_code


# --- two in one process -----------------------------------------------------------------------------------------------


@pytest.fixture
async def another(tmp_path: Path, migrated_file: Path) -> AsyncIterator[App]:
    file = tmp_path / "another.db"
    file.write_bytes(migrated_file.read_bytes())
    settings = Settings(_env_file=None, database_url=f"sqlite:///{file}", checklists=tmp_path)  # type: ignore[call-arg]
    async with App.open(settings, front_for(settings, 8642)) as app:
        yield app


async def test_two_applications_in_one_process_count_for_themselves(api: Api, another: App) -> None:
    await api.say("help")
    assert isinstance(another.router, MeteredRouter)
    page = another.router.meters
    assert isinstance(page, MetricsPage)
    text, _ = await page.text("")
    assert 'gonogo_acknowledgements_total{how="done",kind="command"} 0.0' in text.decode()
    assert (await figures(api))["gonogo_acknowledgements_total", "done", "command"] == 1
