"""`gonogo token`, as somebody at a terminal meets it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.__main__ import cli
from bot.tokening import LONGEST_NAME
from tests.core_kit import a_folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty place with the shop's checklists."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GONOGO_CHECKLISTS", str(a_folder(tmp_path / "checklists")))
    monkeypatch.setenv("GONOGO_CHECKLIST", "shop")
    monkeypatch.delenv("GONOGO_DATABASE_URL", raising=False)
    return tmp_path


def token(*arguments: str) -> Result:
    return CliRunner().invoke(cli, ["token", *arguments])


def test_the_first_token_makes_the_database_and_is_the_only_line_of_the_output(here: Path) -> None:
    made = token("add", "PET", "--name", " my   pipeline ")
    assert made.exit_code == 0, made.output
    assert made.stdout.startswith("gng_")
    assert made.stdout.count("\n") == 1
    assert "for pet.store" in made.stderr
    assert (here / "var/gonogo.db").exists()
    [line] = token("list").stdout.splitlines()
    assert "  pet.store  my pipeline  made " in line
    assert line.endswith(", never used")


def test_every_token_is_another_one(here: Path) -> None:
    texts = {token("add", "shop").stdout.strip() for _ in range(3)}
    ids = {line.split()[0] for line in token("list").stdout.splitlines()}
    assert (len(texts), len(ids)) == (3, 3)
    assert not any(text in token("list").output for text in texts)


def test_a_service_nobody_has_gets_none(here: Path) -> None:
    refused = token("add", "shopp")
    assert refused.exit_code == 1
    assert refused.stdout == ""
    assert refused.stderr == "There is no service 'shopp'; did you mean 'shop'? There are: pet.store, shop.\n"
    assert not (here / "var").exists()


@pytest.mark.parametrize("name", ["", "  ", "a\u0007b", "x" * (LONGEST_NAME + 1)])
def test_a_name_can_be_read(here: Path, name: str) -> None:
    refused = token("add", "shop", "--name", name)
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr.startswith("--name: write 1 to 60 characters")


def test_a_token_for_metrics_is_for_no_service(here: Path) -> None:
    made = token("add", "--metrics", "--name", "prometheus")
    assert (made.exit_code, made.stdout[:4]) == (0, "gng_")
    assert "for /metrics. Keep it as a secret" in made.stderr
    assert "  /metrics  prometheus  made " in token("list").stdout
    for neither_nor in (("add",), ("add", "shop", "--metrics")):
        refused = token(*neither_nor)
        assert (refused.exit_code, refused.stdout) == (1, "")
        assert refused.stderr == "Name the service it works for, or write --metrics: `gonogo token add azora`.\n"


def test_revoking_says_what_became_of_it(here: Path) -> None:
    token("add", "shop")
    id = token("list").stdout.split()[0]
    assert token("revoke", "nothing").exit_code == 1
    done = token("revoke", id)
    assert (done.exit_code, done.stdout) == (0, f"Token {id} works no longer.\n")
    assert ", revoked 20" in token("list").stdout


def test_without_a_database_there_is_nothing_to_list(here: Path) -> None:
    refused = token("list")
    assert refused.exit_code == 1
    assert "gonogo migrate" in refused.stderr
    assert not (here / "var").exists()
