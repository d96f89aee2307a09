"""The rules of the house that no linter knows. CONTRIBUTING.md says why."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("bot", "checklists", "adapters", "migrations")
LONGEST = 400  # lines

# Time is an argument: nothing here may ask what time it is.
CLOCKLESS = ("bot/domain", "bot/cards", "bot/services", "checklists")
CLOCKS = {
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "time.time",
    "time.time_ns",
    "time.monotonic",
    "time.monotonic_ns",
    "time.perf_counter",
    "time.localtime",
    "time.gmtime",
}
# Nor may a rule toss a coin or make up an identifier.
CHANCELESS = ("bot/domain", "bot/cards", "checklists")
CHANCE = {"random", "secrets", "uuid"}

# Written in pieces, so that this file may be read like any other.
REGISTRIES = ("pypi" + ".org", "python" + "hosted.org", "npmjs" + ".", "crates" + ".io", "rubygems" + ".org")
MACHINE_PATH = re.compile(r"(?<![\w.~/-])/(?:" + "home|Users|root|work" + r")/\w|\b[A-Z]:\\(?:Users|Windows)\b")
SKIPPED_FOLDERS = {"node_modules", "var", "build", "dist"}
TEXT = {".py", ".md", ".yaml", ".toml", ".txt", ".ini", ".html", ".css", ".js", ".json", ".ics", ".mako"}


def project_files() -> Iterator[Path]:
    """Every text file of the project; environments and caches start with a dot."""
    for folder, folders, files in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        folders[:] = [
            name
            for name in folders
            if name in {".ci", ".github"} or not (name.startswith(".") or name in SKIPPED_FOLDERS or "egg-info" in name)
        ]
        for name in sorted(files):
            if Path(name).suffix in TEXT or name in {"Makefile", "Procfile"} or here.parts[:1] == (".ci",):
                yield here / name


def python_files(*folders: str) -> list[Path]:
    return [
        file
        for file in project_files()
        if file.suffix == ".py" and (not folders or any(file.is_relative_to(folder) for folder in folders))
    ]


def read(file: Path) -> str:
    return (ROOT / file).read_text(encoding="utf-8")


@cache
def names_used(source: str) -> tuple[tuple[int, str], ...]:
    """Each dotted name with its line, as the imports really mean it: `import time as t; t.time` is time.time."""
    return tuple(_names_used(source))


def _names_used(source: str) -> Iterator[tuple[int, str]]:
    tree = ast.parse(source)
    meaning: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                meaning[name.asname or name.name.split(".")[0]] = name.name if name.asname else name.name.split(".")[0]
                yield node.lineno, name.name
        elif isinstance(node, ast.ImportFrom) and node.module:
            for name in node.names:
                meaning[name.asname or name.name] = f"{node.module}.{name.name}"
                yield node.lineno, f"{node.module}.{name.name}"
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            first, *rest = ast.unparse(node).split(".")
            yield node.lineno, ".".join([meaning.get(first, first), *rest])


def clock_readings(source: str) -> list[str]:
    found = ((line, re.sub(r"^datetime\.(?=date\b|datetime\b)", "", name)) for line, name in names_used(source))
    return [f"{line}: {name}" for line, name in found if name in CLOCKS]


def test_rules_never_read_the_clock() -> None:
    readings = [f"{file}:{use}" for file in python_files(*CLOCKLESS) for use in clock_readings(read(file))]
    assert readings == [], "take `now` as an argument"


@pytest.mark.parametrize(
    "source",
    [
        "import datetime\ndatetime.datetime.now()",
        "from datetime import datetime as dt\ndt.now()",
        "import datetime as d\nd.date.today()",
        "from time import monotonic",
        "import time as t\nt.time()",
    ],
)
def test_a_clock_is_found_under_any_name(source: str) -> None:
    assert clock_readings(source)


def test_a_method_of_our_own_called_now_is_no_clock() -> None:
    assert clock_readings("def due(clock):\n    return clock.now()") == []


def test_rules_leave_nothing_to_chance() -> None:
    chances = [
        f"{file}:{line}: {name}"
        for file in python_files(*CHANCELESS)
        for line, name in names_used(read(file))
        if name.split(".")[0] in CHANCE
    ]
    assert chances == [], "identifiers are made outside and handed in"


def test_only_settings_reads_the_environment() -> None:
    readers = [
        f"{file}:{line}: {name}"
        for file in python_files(*PACKAGES)
        if file != Path("bot/settings.py")
        for line, name in names_used(read(file))
        if name in {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
    ]
    assert readers == [], "add a setting to bot/settings.py"


def test_init_files_hold_only_a_docstring() -> None:
    def is_docstring(body: list[ast.stmt]) -> bool:
        if len(body) != 1 or not isinstance(body[0], ast.Expr):
            return False
        return isinstance(body[0].value, ast.Constant) and isinstance(body[0].value.value, str)

    inits = [file for file in python_files() if file.name == "__init__.py"]
    wrong = [str(file) for file in inits if not is_docstring(ast.parse(read(file)).body)]
    assert wrong == [], "say what the package is, and nothing else"


def test_files_stay_short() -> None:
    lengths = {str(file): len(read(file).splitlines()) for file in python_files()}
    assert {file: lines for file, lines in lengths.items() if lines > LONGEST} == {}


def test_no_file_names_a_registry_or_somebodys_machine() -> None:
    found = [
        f"{file}:{number}: {line.strip()}"
        for file in project_files()
        for number, line in enumerate(read(file).splitlines(), 1)
        if any(host in line for host in REGISTRIES) or MACHINE_PATH.search(line)
    ]
    assert found == []
