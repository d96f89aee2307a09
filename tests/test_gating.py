"""`gonogo gate`: the same answer as the chat's, for a pipeline."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import cli
from bot.domain.errors import Unwell
from bot.domain.people import Who
from bot.gating import as_json, gate, moment_of
from bot.settings import Settings
from tests.adapters.probes.service import raw_server
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import TUESDAY, Core, a_folder, open_core, told
from tests.process import gonogo

__all__ = ["migrated_file", "sqlite_url"]

LEAD = Who(chat="web", id="u9", name="lee", roles=frozenset({"lead"}))
NEW_YORK = ZoneInfo("America/New_York")
MOMENTS = (
    "2026-11-24 10:00", "2026-11-24 15:59", "2026-11-24 16:00", "2026-11-25 09:59", "2026-11-25 10:00",
    "2026-11-26 12:00", "2026-11-27 16:55", "2026-11-28 12:00", "2026-11-30 11:00", "2026-12-01 11:00",
    "2027-03-14 03:30", "2027-03-16 10:00", "2027-11-02 15:00",
)  # fmt: skip


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        yield core


def settings(core: Core) -> Settings:
    return Settings(database_url=core.url, checklists=core.folder)


async def asked(core: Core, name: str = "pet", environment: str = "production", at: str = "") -> dict[str, Any]:
    found, _, left_out = await gate(settings(core), name, environment, at=at, now=core.clock.now())
    assert left_out == []
    answer = json.loads(as_json(found))
    assert list(answer) == ["open", "reasons", "next_open", "next_close", "zone"]
    return dict(answer)


async def test_a_start_the_window_and_the_command_line_give_the_same_answer(core: Core) -> None:
    await core.say('freeze add "25 nov 12:00 - 26 nov 11:00" pet vet is in', who=LEAD)
    core.clock.later(hours=-1)
    for moment in MOMENTS:
        found, line, _ = await gate(settings(core), "pet", "production", at=moment, now=core.clock.now())
        window = told(await core.say(f'window pet at "{moment}"'))
        said = line.removeprefix("pet.store → production: ").rstrip(".")
        assert said in window
        started = told(await core.say(f'start v1 pet at "{moment}"'))
        if found.open:
            assert started.startswith(("Started", "Planned")), (moment, started)
            await core.say("cancel pet not now")
        else:
            assert said in started, (moment, started)
    assert len(MOMENTS) == 13


async def test_what_is_said_in_chat_closes_it(core: Core) -> None:
    assert (await asked(core))["open"] is True
    await core.say("incident open pet checkout is down")
    answer = await asked(core, environment="Production")
    assert answer == {
        "open": False,
        "reasons": [
            {
                "code": "incident",
                "text": "active incident: checkout is down",
                "source": "/deploy incident",
                "until": None,
            }
        ],
        "next_open": None,
        "next_close": None,
        "zone": "America/New_York",
    }
    assert (await asked(core, environment="preprod"))["open"] is True
    assert (await asked(core, "shop"))["open"] is True


async def test_instants_carry_the_offset_of_the_checklists_zone(core: Core) -> None:
    answer = await asked(core, at="2026-11-27T16:55")
    assert (answer["next_open"], answer["next_close"]) == ("2026-12-01T10:00:00-05:00", "2026-12-01T16:00:00-05:00")
    assert [(r["code"], r["text"], r["until"]) for r in answer["reasons"]] == [
        ("window", "Friday", "2026-12-01T10:00:00-05:00")
    ]


async def test_the_sandbox_s_own_time_counts_without_a_moment(core: Core) -> None:
    await core.sql(
        "INSERT INTO sandbox_settings (key, value) VALUES ('clock_offset', :offset)",
        offset=str(int((datetime(2040, 1, 3, 17, tzinfo=UTC) - datetime.now(UTC)).total_seconds() * 1_000_000)),
    )
    found, line, _ = await gate(settings(core), "pet", "production")
    assert found.open, "3 January 2040 is a Tuesday, and 17:00 UTC is noon"
    assert "Tue 3 Jan 16:00 EST" in line


async def test_a_service_is_found_by_its_name_too(core: Core) -> None:
    assert (await asked(core, "pet.store")) == (await asked(core, "pet"))
    assert (await asked(core, str(core.folder / "pet.md"))) == (await asked(core, "pet"))


async def test_a_misspelt_environment_is_an_error_and_not_always_open(core: Core) -> None:
    with pytest.raises(Unwell, match=r"no environment “prodution”; there are production, preprod, staging"):
        await gate(settings(core), "pet", "prodution")


async def test_a_calendar_that_cannot_be_read_is_named(core: Core) -> None:
    (core.folder / "events.ics").unlink()
    answer = await asked(core)
    assert [(r["code"], r["text"]) for r in answer["reasons"]] == [("unknown", "events.ics cannot be read")]


async def test_a_provider_s_status_page_is_asked_and_its_silence_blocks(core: Core) -> None:
    answers = [b'{"incidents": [{"name": "Workers are down", "created_at": "2026-11-24T14:00:00Z"}]}', b"no json"]

    async def page(number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(answers[number])}\r\nConnection: close\r\n\r\n"
        writer.write(head.encode() + answers[number])
        await writer.drain()

    async with raw_server(page) as (where, connections):
        freeze = f'{{statuspage: "http://{where}", why: the provider has trouble}}'
        (core.folder / "pet.yaml").write_text(f"service: pet.store\nfreezes: [{freeze}]\n")
        down, silent = await asked(core), await asked(core)
    assert [r["text"] for r in down["reasons"]] == ["the provider has trouble: Workers are down"]
    assert [(r["code"], r["text"]) for r in silent["reasons"]] == [
        ("unknown", "the status page 127.0.0.1 cannot be read")
    ]
    assert len(connections) == 2


# --- which moment -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "instant"),
    [
        ("2026-11-27T16:55", "2026-11-27T21:55+00:00"),
        ("2026-11-27 16:55:30", "2026-11-27T21:55:30+00:00"),
        ("2026-11-27T16:55+01:00", "2026-11-27T15:55+00:00"),
        ("2026-11-27T16:55Z", "2026-11-27T16:55+00:00"),
        ("2020-02-29T10:00", "2020-02-29T15:00+00:00"),
        ("2026-11-01T01:30", "2026-11-01T05:30+00:00"),
        ("2026-11-01T01:30-05:00", "2026-11-01T06:30+00:00"),
        ("2026-11-27", "2026-11-27T05:00+00:00"),
        ("fri 16:55", "2026-11-27T21:55+00:00"),
    ],
)
def test_a_time_without_an_offset_is_in_the_checklists_zone(words: str, instant: str) -> None:
    assert moment_of(words, TUESDAY, NEW_YORK) == datetime.fromisoformat(instant)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("2026-03-08T02:30", "does not exist in America/New_York, the clock jumps over it; write 2026-03-08 03:00"),
        ("0001-01-01T00:00", "too far away"),
        ("9999-12-31T23:59+00:00", "too far away"),
        ("soon", "write it like"),
    ],
)
def test_a_moment_nobody_can_mean_is_an_error(words: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        moment_of(words, TUESDAY, NEW_YORK)


# --- the command ------------------------------------------------------------------------------------------------------


def run(folder: Path, *arguments: str, **environment: str) -> Result:
    env = {"GONOGO_CHECKLISTS": str(folder), "GONOGO_DATABASE_URL": f"sqlite:///{folder}/none.db", **environment}
    return CliRunner().invoke(cli, ["gate", *arguments], env=env)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["pet", "--at", "2026-11-24T12:00"], 0),
        (["pet", "--at", "2026-11-27T12:00"], 1),
        (["pet", "--at", "2026-11-27T12:00", "--environment", "staging"], 0),
        (["pet", "--at", "2026-11-27T12:00", "--json"], 1),
        (["nobody"], 2),
        (["pet", "--environment", "prod"], 2),
        (["pet", "--at", "never"], 2),
        (["broken"], 2),
        (["pet", "--jsn"], 2),
        ([], 2),
    ],
)
def test_the_exit_code_is_0_open_1_closed_2_error(tmp_path: Path, arguments: list[str], code: int) -> None:
    folder = a_folder(tmp_path)
    (folder / "broken.md").write_text("# Broken\n\n- [ ] One\n")
    (folder / "broken.yaml").write_text("windows: {production: [someday]}\n")
    done = run(folder, *arguments)
    assert done.exit_code == code, done.output
    assert (done.stdout == "") == (code == 2)
    if "--json" in arguments:
        assert json.loads(done.stdout)["open"] is False


@pytest.mark.parametrize(
    "wrong", [{"GONOGO_LOG_LEVEL": "loud"}, {"GONOGO_PORT": "many"}, {"GONOGO_DATABASE_URL": "oracle://x/y"}]
)
def test_wrong_settings_are_an_error_and_not_closed(tmp_path: Path, wrong: dict[str, str]) -> None:
    done = run(a_folder(tmp_path), "pet", "--at", "2026-11-24T12:00", **wrong)
    assert (done.exit_code, done.stdout) == (2, "")
    assert next(iter(wrong)) in done.stderr


def test_a_database_of_another_release_is_an_error_and_a_missing_one_is_told(tmp_path: Path) -> None:
    folder = a_folder(tmp_path)
    done = run(folder, "pet", "--at", "2026-11-24T12:00")
    assert done.exit_code == 0
    assert "none.db: freezes and incidents said in chat are not looked at." in done.stderr
    assert not (folder / "none.db").exists()
    (folder / "none.db").touch()
    done = run(folder, "pet", "--at", "2026-11-24T12:00")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "gonogo migrate" in done.stderr


def test_a_pipeline_gets_an_answer_from_a_shipped_checklist(tmp_path: Path) -> None:
    done = gonogo("gate", "services-do", "--environment", "production", "--at", "2026-11-27T16:55", folder=tmp_path)
    assert (done.returncode, done.stdout) == (
        1,
        "services.do → production: closed: Friday afternoon. Opens Tue 1 Dec 10:00 UTC, 3 days 17 h later.\n",
    )
