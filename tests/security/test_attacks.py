"""What somebody who writes a checklist, a policy, a template or a calendar may try. They are data: nothing of them is
run, nothing outside their folder is read, and no size or depth of them holds up the process."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from adapters.calendars.ics import IcsCalendars
from adapters.changelog import MarkdownChangelog
from adapters.probes.command import CommandProbe
from bot.domain.calendar import Unreadable
from bot.domain.events import Outcome
from bot.ports import Asked
from bot.settings import Settings
from checklists.library import ChecklistError, from_texts, load, names
from checklists.policy import FreezePolicy, ProbePolicy
from checklists.policy_file import PolicyError
from checklists.reader import DocumentError, read_checklist
from checklists.templates import TemplateError, render
from checklists.zones import find_zone

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ASKED = Asked("shop", "production", "v1; touch owned-by-a-version", NOON)
DOCUMENT = "# Shop\n\n## Deploy\n- [ ] One\n"
CANARY = "what stands outside"


@contextlib.contextmanager
def within(seconds: float) -> Iterator[None]:
    """It takes less processor time than this."""
    begun = time.thread_time()
    yield
    assert time.thread_time() - begun < seconds


# --- templates --------------------------------------------------------------------------------------------------------

WALKS = [
    "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ version.__class__ }}", "{{ version['__class__'] }}",
    "{{ version|attr('__class__') }}", "{{ links.__init__.__globals__ }}", "{{ links['__class__'] }}",
    "{{ self._TemplateReference__context }}", "{{ self.__init__ }}", "{{ cycler.__init__.__globals__.os }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}", "{{ namespace.__init__ }}", "{{ config }}", "{{ request }}",
    "{{ range(10**9)|list }}", "{{ version.format(x=1) }}", "{{ '{0.__class__}'.format(version) }}",
    "{{ '%s' % version }}", "{{ version * 10**9 }}", "{{ 9**9**9 }}", "{{ version ~ version }}", "{{ version() }}",
    "{% include '/etc/passwd' %}", "{% import 'os' as os %}", "{% from 'os' import system %}",
    "{% extends '/etc/passwd' %}", "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{% set x = version %}{{ x }}",
    "{% for a in metrics %}{% for b in metrics %}{{ b }}{% endfor %}{% endfor %}" * 40,
    "{% for x in [1,2,3].__class__ %}{% endfor %}", "{% block b %}{{ super() }}{% endblock %}", "{% raw %}{% endraw",
    "{% filter upper %}x{% endfilter %}", "{% call version() %}{% endcall %}", "{% do version %}", "{% debug %}",
    "{{ metrics[0].__class__ }}", "{{ metrics|map(attribute='__class__')|list }}", "{{ version|pprint }}",
    "{{ version|tojson }}", "{{ version|safe|string|list|batch(1) }}", "{% if version.__class__ %}x{% endif %}",
    "{% for c in version %}{{ loop.__init__ }}{% endfor %}", "{{ loop.previtem }}", "{{ caller }}", "{{ 1 if 1 }}",
]  # fmt: skip
VALUES = {"version": "v1", "metrics": [{"name": "e", "value": "1"}], "links": {"a": "b"}, "changes": ["x"]}


@pytest.mark.parametrize("template", WALKS)
def test_a_template_walks_nowhere(template: str) -> None:
    said = ""
    with within(2), contextlib.suppress(TemplateError):
        said = render(template, VALUES)
    assert len(said) <= 4_000
    for forbidden in ("class", "object", "built-in", "root:", "0x", "uid=", "<", "module"):
        assert forbidden not in said, said


@pytest.mark.parametrize("value", ["{{ 7*7 }}", "{% include '/etc/passwd' %}", "{{ version.__class__ }}", "${7*7}"])
def test_what_a_value_says_is_not_read_as_a_template(value: str) -> None:
    assert render("{{ version }}", {"version": value}) == value


def test_a_template_and_a_value_without_end_are_cut() -> None:
    with within(2):
        assert len(render("{{ changes }}", {"changes": ["x" * 5_000] * 500})) <= 4_000
        with pytest.raises(TemplateError):
            render("{% if version %}" * 5_000, VALUES)
        with pytest.raises(TemplateError):
            render("x" * 100_000, VALUES)


# --- policies ---------------------------------------------------------------------------------------------------------

BOMB = "a: &a [1,2,3,4,5,6,7,8,9]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n" for before, name in pairwise("abcdefghi")
)
POLICIES = [
    "!!python/object/apply:os.system ['touch owned']", "x: !!python/name:os.system ", "- !!python/module:os",
    "service: !!python/object/new:subprocess.Popen [['touch','owned']]", "service: !include /etc/passwd",
    "service: !!binary aGk=", "a: &a [*a]", "a: &a {b: *a}",
    BOMB, "a: " + "[" * 5_000, "a: " + "{a: " * 5_000, "- " * 20_000, "? " * 20_000, "a: " + "x" * 300_000,
    "service: a\nservice: b", "%YAML 9.9\n---\na: 1", "--- a\n--- b\n", "\x00",
    "[]", "7", "service: {__class__: x}", "__proto__: {a: 1}", "service: 1e999999",
]  # fmt: skip


@pytest.mark.parametrize("policy", POLICIES, ids=[str(n) for n in range(len(POLICIES))])
def test_a_policy_is_data_and_bounded(policy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with within(5), pytest.raises(PolicyError) as refused:
        from_texts("shop", DOCUMENT, policy)
    assert all(str(problem) for problem in refused.value.problems)
    assert list(tmp_path.iterdir()) == [], "nothing was run"


@pytest.mark.parametrize("pattern", ["(a+)+$", "(.*)*x", "(a|aa)+$", "x*y*z*w*", "a?" * 60 + "a" * 60, "("])
def test_an_expression_that_never_ends_is_refused(pattern: str) -> None:
    with within(2), pytest.raises(PolicyError, match=r"matching|regular expression"):
        from_texts("shop", DOCUMENT, f"freezes:\n  - {{calendar: a.ics, matching: '{pattern}'}}\n")


# --- documents --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        "- " * 3_000 + "x", "> " * 3_000 + "x", "  " * 3_000 + "- [ ] x", "# a\n" + "- [ ] x\n" * 20_000, "[" * 20_000,
        "*" * 20_000, "`" * 20_000, "![" * 5_000, "<" * 20_000, "&#x" * 10_000, "\\" * 20_000, "|" * 5_000 + "\n|-|\n",
        "# a\n## b\n- [ ] [x](javascript:alert(1))\n- [ ] <script>alert(1)</script>\n", "\x00" * 1_000, "\ufeff" * 99,
        "# " + "x" * 100_000, "```\n" * 5_000, "[a]: b\n" * 5_000, "~~a" * 5_000, "- [ ] " + "**a" * 5_000,
    ],
    ids=[str(n) for n in range(20)],
)  # fmt: skip
def test_a_document_of_any_shape_is_read_or_refused_in_time(document: str) -> None:
    with within(10), contextlib.suppress(DocumentError):
        read_checklist(document, name="shop")


# --- files ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of checklists, beside what must not be read."""
    folder = tmp_path / "lists"
    folder.mkdir()
    (folder / "shop.md").write_text(DOCUMENT)
    (tmp_path / "outside.md").write_text(f"# Out\n\n## A\n- [ ] {CANARY}\n")
    (tmp_path / "outside.ics").write_text("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")
    (tmp_path / "CHANGELOG.md").write_text(f"# Changelog\n\n## 1.2.0\n- {CANARY}\n")
    return folder


PATHS = [
    "../outside", "../outside.md", "..", ".", "/etc/passwd", "~/x", "a/../../outside", "shop\x00", "shop/../shop",
    "%2e%2e/outside", "..\\outside", "\uff0e\uff0e/outside",
]  # fmt: skip


@pytest.mark.parametrize("name", PATHS)
def test_a_name_leads_nowhere_outside_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(ChecklistError) as refused:
        load(name, (folder,))
    assert CANARY not in str(refused.value)


@pytest.mark.parametrize("name", ["../outside.ics", "/etc/hostname", "link.ics", "sub/../../outside.ics"])
async def test_a_calendar_beside_the_policy_is_inside_the_folder(folder: Path, name: str) -> None:
    (folder / "link.ics").symlink_to(folder.parent / "outside.ics")
    (folder / "sub").mkdir()
    freeze = FreezePolicy.model_construct(calendar=name)
    with pytest.raises(Unreadable, match="no such file beside the policy"):
        await IcsCalendars(folder).busy(freeze, start=NOON, end=NOON + timedelta(days=1), zone="UTC")


@pytest.mark.parametrize("name", ["../CHANGELOG.md", "/etc/hostname", "link.md"])
async def test_a_changelog_is_inside_the_folder(folder: Path, name: str) -> None:
    (folder / "link.md").symlink_to(folder.parent / "CHANGELOG.md")
    assert CANARY not in str(await _changes(folder, name))


async def _changes(folder: Path, name: str) -> object:
    try:
        return await MarkdownChangelog(folder).changes(name, "v1.2.0")
    except Exception as refused:
        return refused


def test_what_lies_in_the_folder_and_is_no_checklist_is_not_one(folder: Path) -> None:
    (folder / "pipe.md").touch()
    os.remove(folder / "pipe.md")
    os.mkfifo(folder / "pipe.md")
    (folder / "deep.md").mkdir()
    (folder / "evil.md").symlink_to(folder.parent / "outside.md")
    with within(2):
        found = names((folder,))
    assert "shop" in found
    assert "pipe" not in found
    assert "deep" not in found
    for name in ("pipe", "deep"):
        with within(2), pytest.raises(ChecklistError):
            load(name, (folder,))


_SIXTY = ",".join(map(str, range(60)))


@pytest.mark.parametrize("zone", ["../../etc/passwd", "/etc/localtime", "UTC\x00", "x" * 10_000, "", "Europe"])
def test_a_zone_is_no_path(zone: str) -> None:
    with pytest.raises(ValueError, match="zone"):
        find_zone(zone)


# --- calendars --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "event",
    [
        "RRULE:FREQ=SECONDLY", "RRULE:FREQ=YEARLY;BYHOUR=1,2,3;BYMINUTE=" + _SIXTY + ";BYSECOND=" + _SIXTY,
        "RRULE:FREQ=HOURLY\r\nX-LONG-AGO:1", "RRULE:FREQ=MINUTELY;COUNT=999999999", "RRULE:FREQ=DAILY;INTERVAL=0",
        "RRULE:FREQ=YEARLY;BYDAY=" + ",".join(["MO"] * 5_000), "RDATE:" + ",".join(["20261124T120000Z"] * 20_000),
        "DURATION:P99999999999D", "SUMMARY:" + "a" * 500_000,
    ],
    ids=[
        "every second", "every second said otherwise", "every hour since long ago", "every minute", "no interval",
        "many days", "many dates", "for ever", "long name",
    ],
)  # fmt: skip
async def test_a_calendar_of_any_shape_is_read_or_refused_in_time(folder: Path, event: str) -> None:
    year = "0001" if "LONG-AGO" in event else "2026"
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", "BEGIN:VEVENT", "UID:1", f"DTSTART:{year}1124T120000Z"]
    lines += [event, "END:VEVENT", "END:VCALENDAR", ""]
    (folder / "team.ics").write_text("\r\n".join(lines))
    freeze = FreezePolicy.model_validate({"calendar": "team.ics", "matching": "a*a*b"})
    begun = time.monotonic()
    with contextlib.suppress(Unreadable):
        await IcsCalendars(folder).busy(freeze, start=NOON, end=NOON + timedelta(days=30), zone="UTC")
    assert time.monotonic() - begun < 20


# --- commands ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["smoke", "touch owned", "/bin/sh", "sh -c 'touch owned'", "$(touch owned)", ""])
async def test_no_command_runs_unless_the_settings_list_it(command: str, tmp_path: Path) -> None:
    assert Settings(_env_file=None).commands == {}  # type: ignore[call-arg]
    policy = ProbePolicy.model_construct(command=command, timeout=timedelta(seconds=2), link=None)
    for allowed in ({}, {"else": ("/bin/true",)}):
        found = await CommandProbe(allowed).measure("x", policy, ASKED)
        assert found.outcome is Outcome.REFUSED


async def test_what_a_person_typed_is_no_part_of_a_command(tmp_path: Path) -> None:
    policy = ProbePolicy.model_validate({"command": "say", "timeout": "5s"})
    allowed = {"say": ("/bin/sh", "-c", 'echo "$GONOGO_VERSION"')}
    found = await CommandProbe(allowed).measure("x", policy, ASKED)
    assert found.detail == "v1; touch owned-by-a-version", "it comes as a variable, and is not run"
    assert not Path("owned-by-a-version").exists()
