"""What every test gets: marks, reasons for skipping, Hypothesis profiles, and the two heavy fixtures."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest
import structlog
from hypothesis import settings

from tests import postgres
from tests.browser import browser, chromium, page
from tests.postgres import postgres_server, postgres_url

__all__ = ["browser", "chromium", "page", "postgres_server", "postgres_url"]

MARKS = {"postgres": "postgres_server", "browser": "chromium"}  # a mark, and the fixture that earns it

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")


@pytest.fixture(autouse=True)
def fresh_logs() -> Iterator[None]:
    """A command run inside the tests sets the logs up for its own standard error, which is closed when it ends."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def unavailable() -> Callable[[str, str], NoReturn]:
    """Skips, with the reason; or fails where GONOGO_REQUIRE=postgres,browser,prometheus,redis says it must be there."""
    required = os.environ.get("GONOGO_REQUIRE", "").split(",")

    def say(what: str, reason: str) -> NoReturn:
        if what in required:
            pytest.fail(f"{what} is required here: {reason}", pytrace=False)
        pytest.skip(reason)

    return say


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark, fixture in MARKS.items():
            if fixture in getattr(item, "fixturenames", ()):
                item.add_marker(mark)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the one process that outlives the workers; they inherit the variable
        run = Path(tempfile.mkdtemp(prefix="gonogo-tests-"))
        (run / "owner").write_text(str(os.getpid()))
        os.environ["TEST_RUN_FOLDER"] = str(run)


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput") and "TEST_RUN_FOLDER" in os.environ:
        run = Path(os.environ.pop("TEST_RUN_FOLDER"))
        postgres.stop(run)
        shutil.rmtree(run, ignore_errors=True)
