"""The process: what keeps it from starting, and how it ends."""

from __future__ import annotations

import signal
import socket
import threading
import time
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from tests.conversation.small import TUESDAY, folder_with
from tests.process import Process, gonogo, new_database
from tests.talk import Channel, talking


def refused(folder: Path, **environment: str) -> str:
    """The one line with which `gonogo run` declines."""
    done = gonogo("run", folder=folder, **{"GONOGO_DATABASE_URL": f"sqlite:///{folder / 'gonogo.db'}", **environment})
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    return done.stderr.strip()


def test_a_port_in_use_is_named_and_how_to_choose_another(tmp_path: Path) -> None:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert refused(tmp_path, GONOGO_PORT=str(port)) == (
            f"Port {port} on 127.0.0.1 cannot be used (Address already in use). "
            "Stop what uses it, or choose another: GONOGO_PORT=8700 make run"
        )


@pytest.mark.slow
def test_the_sandbox_channel_does_not_leave_this_machine(tmp_path: Path) -> None:
    assert refused(tmp_path, GONOGO_HOST="0.0.0.0") == (
        "The sandbox channel listens on 127.0.0.1 only, not on 0.0.0.0: anybody there could act as anybody. "
        "Set GONOGO_SANDBOX_TOKEN to what this prints: python3 -c 'import secrets; print(secrets.token_urlsafe(32))'. "
        "GONOGO_HOST alone is for Slack over HTTP."
    )


@pytest.mark.slow
def test_a_path_that_can_be_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "a-folder.db").mkdir()
    told = refused(tmp_path, GONOGO_DATABASE_URL=f"sqlite:///{tmp_path / 'a-folder.db'}")
    assert told == (
        f"The database {tmp_path / 'a-folder.db'} cannot be opened. Check that its folder exists, and that the user "
        "gonogo runs as may write to both."
    )
    told = refused(tmp_path, GONOGO_DATABASE_URL=f"sqlite:///{tmp_path / 'nowhere' / 'gonogo.db'}")
    assert told.startswith(f"{tmp_path / 'nowhere' / 'gonogo.db.lock'} cannot be made (No such file or directory).")


@pytest.mark.slow
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "gonogo.db"
    file.write_text("Minutes of the meeting\n" * 100)
    assert refused(tmp_path) == (
        f"The database {file} is not a SQLite database. Check GONOGO_DATABASE_URL, or move the file away."
    )
    assert file.read_text() == "Minutes of the meeting\n" * 100


@pytest.mark.slow
def test_a_database_of_a_newer_release_is_worked_on_where_its_tables_do(tmp_path: Path) -> None:
    records = new_database(tmp_path)
    records.change("UPDATE alembic_version SET version_num = '9999'")
    process = Process(tmp_path)
    assert httpx.get(f"{process.address}/healthz", trust_env=False).status_code == 200
    assert process.stop()[0] == 0
    assert "database.newer" in process.errors
    records.change("ALTER TABLE outbox DROP COLUMN why_later")
    assert refused(tmp_path) == (
        f"The database {tmp_path / 'gonogo.db'} was made by a newer gonogo (revision 9999), and this one cannot work "
        "on it: outbox has no why_later. Install that version or restore a backup."
    )
    assert records.rows("SELECT version_num FROM alembic_version") == [("9999",)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("PORT", "banana", "GONOGO_PORT: Input should be a valid integer"),
        pytest.param(
            "PORT", "70000", "GONOGO_PORT: Input should be less than or equal to 65535", marks=pytest.mark.slow
        ),
        ("LOG_LEVEL", "LOUD", "GONOGO_LOG_LEVEL: 'LOUD' is no level. Write DEBUG, INFO, WARNING or ERROR."),
        ("CHECKLISTS", "/nowhere", "GONOGO_CHECKLISTS: there is no folder /nowhere."),
        ("CHECKLIST", "azorra", "GONOGO_CHECKLIST: there is no checklist 'azorra' in "),
        ("CHECKLIST_FILE", "/nowhere.md", "GONOGO_CHECKLIST_FILE: there is no file /nowhere.md."),
        pytest.param(
            "DATABASE_URL",
            "mysql://x/y",
            "gonogo knows no database called 'mysql'. Write `sqlite:///",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            "DATABASE_URL",
            "sqlite://",
            "A database in memory is lost with the process. Write `sqlite:///",
            marks=pytest.mark.slow,
        ),
        ("DATABASE_URL", "my database", "The database address cannot be read. Write `sqlite:///"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named(name: str, value: str, told: str, tmp_path: Path) -> None:
    assert told in refused(tmp_path, **{f"GONOGO_{name}": value})
    assert not (tmp_path / "gonogo.db").exists()


@pytest.mark.slow
def test_a_second_process_on_the_same_file_is_turned_away_and_the_first_goes_on(tmp_path: Path) -> None:
    with talking(tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder_with(tmp_path)) as channel:
        pid = channel.process.child.pid
        assert refused(tmp_path) == (
            f"Another gonogo (pid {pid}) already runs on {tmp_path / 'gonogo.db'}. "
            "Stop it, or set GONOGO_DATABASE_URL to another database."
        )
        assert channel.says("/deploy start v1.2.0").startswith("Started shop v1.2.0")
        channel.card()


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "SIGINT"])
@pytest.mark.slow
def test_it_ends_within_five_seconds_with_pages_open(sig: signal.Signals, tmp_path: Path) -> None:
    new_database(tmp_path)
    process = Process(tmp_path)
    heard = threading.Semaphore(0)
    pages = [threading.Thread(target=_listen, args=(process.address, heard)) for _ in range(3)]
    for page in pages:
        page.start()
    for _ in pages:
        assert heard.acquire(timeout=20)
    begun = time.monotonic()
    assert process.stop(sig) == (0, "")
    assert time.monotonic() - begun < 5
    for page in pages:
        page.join(timeout=10)


def _listen(address: str, heard: threading.Semaphore) -> None:
    try:
        with httpx.stream("GET", f"{address}/events", params={"after": "0"}, timeout=30) as stream:
            for number, _ in enumerate(stream.iter_lines()):
                if number == 0:
                    heard.release()
    except httpx.TransportError:
        pass


def test_a_power_cut_right_after_an_acked_click_loses_nothing(tmp_path: Path) -> None:
    new_database(tmp_path, TUESDAY)
    channel = Channel(tmp_path, GONOGO_CHECKLISTS=folder_with(tmp_path))
    try:
        channel.command("/deploy start v1.2.0")
        channel.kill()
        channel.start()
        first, _ = channel.actions("tick")
        channel.click(first)
        channel.kill()
        channel.start()
        assert channel.card()["text"].endswith("1 of 4.")
        assert len([m for m in channel.messages() if " → " in m["title"]]) == 1
        assert len(channel.thread()) == 1
    finally:
        channel.abandon()
