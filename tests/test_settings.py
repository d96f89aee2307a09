"""The settings: a name that is none is said, not passed over."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from pydantic import ValidationError
from typer.testing import CliRunner

from bot.__main__ import cli
from bot.settings import NOT_OURS, Settings, UnknownSetting
from tests.process import ROOT, gonogo

SECRET = "xoxb-planted-in-a-typo"
WRITTEN = re.compile(r"\bGONOGO_([A-Z][A-Z_]*[A-Z])\b")


def test_a_mistyped_setting_stops_run_and_doctor_and_names_the_one_that_was_meant(tmp_path: Path) -> None:
    wrong = {"GONOGO_SLACK_BOT_TOKN": SECRET, "gonogo_prot": "8700", "GONOGO_XYZZY": "1"}
    told = gonogo("run", folder=tmp_path, **wrong)
    assert (told.returncode, told.stdout) == (1, "")
    assert told.stderr.splitlines() == [
        "The settings cannot be used:",
        "GONOGO_PROT in the environment is no setting: did you mean GONOGO_PORT? Correct the name, or take it away.",
        "GONOGO_SLACK_BOT_TOKN in the environment is no setting: did you mean GONOGO_SLACK_BOT_TOKEN? Correct the "
        "name, or take it away.",
        "GONOGO_XYZZY in the environment is no setting: correct the name, or take it away.",
        "README.md lists them all, under Settings.",
    ]
    assert list(tmp_path.iterdir()) == [], "nothing was begun"
    doctor = CliRunner().invoke(cli, ["doctor"], env=wrong)
    assert (doctor.exit_code, doctor.stderr) == (1, told.stderr)


def test_a_mistyped_setting_in_the_env_file_is_found_too_and_its_value_is_not_said(tmp_path: Path) -> None:
    file = tmp_path / "settings.env"
    file.write_text(f"OTHER=1\nGONOGO_GITHUB_TOKN={SECRET}\nGONOGO_PORT=8700\n")
    with pytest.raises(UnknownSetting, match=r"GONOGO_GITHUB_TOKN in \.env .* GONOGO_GITHUB_TOKEN\?") as caught:
        Settings(_env_file=file)  # type: ignore[call-arg]
    assert SECRET not in str(caught.value) + repr(caught.value)
    file.write_text("OTHER=1\nGONOGO_PORT=8700\n")
    assert Settings(_env_file=file).port == 8700  # type: ignore[call-arg]


def test_what_kubernetes_writes_for_a_service_of_that_name_is_no_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    links = {
        "GONOGO_SERVICE_HOST": "10.0.0.1",
        "GONOGO_SERVICE_PORT_HTTP": "8642",
        "GONOGO_PORT_8642_TCP_ADDR": "10.0.0.1",
        "GONOGO_DB_SERVICE_PORT": "5432",
        "GONOGO_DB_PORT": "tcp://10.0.0.2:5432",
        "GONOGO_DB_PORT_5432_TCP": "tcp://10.0.0.2:5432",
    }
    for name, value in links.items():
        monkeypatch.setenv(name, value)
    assert Settings(_env_file=None).port == 8642  # type: ignore[call-arg]
    monkeypatch.setenv("GONOGO_PORT", "tcp://10.0.0.1:8642")
    with pytest.raises(ValidationError, match=r"Kubernetes has set it.*enableServiceLinks"):
        Settings(_env_file=None)  # type: ignore[call-arg]
    monkeypatch.setenv("GONOGO_DB_PORT", "5432")
    with pytest.raises(UnknownSetting, match="GONOGO_DB_PORT in the environment"):
        Settings(_env_file=None)  # type: ignore[call-arg]


def test_every_name_that_is_written_anywhere_is_a_setting_or_known_to_be_none() -> None:
    pages = [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *map(ROOT.joinpath, ("Makefile", "Procfile", ".ci/run")),
    ]
    sources = [
        file
        for folder in ("bot", "adapters", "checklists", "bench", "tests")
        for file in (ROOT / folder).rglob("*")
        if file.suffix in (".py", ".yaml", ".md") and file != Path(__file__).resolve()
    ]
    known = {name.upper() for name in Settings.model_fields} | NOT_OURS
    written = {name for file in (*pages, *sources) for name in WRITTEN.findall(file.read_text("utf-8"))}
    assert written - known == set()
    assert written >= NOT_OURS, "what nobody writes any more needs no exception"
