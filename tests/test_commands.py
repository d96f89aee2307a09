"""What people type behind /deploy, and what it means."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.cards.words import plain
from bot.commands import LONGEST, USAGES, Command, Mistake, Usage, parse_command

SERVICES = ("azora", "petforce", "services-do", "ca-marketplace", "maishapoa")
ENVIRONMENTS = ("staging", "production")


def parse(text: str) -> Command:
    """What is meant, without the words it came from."""
    return dataclasses.replace(parse_command(text, services=SERVICES, environments=ENVIRONMENTS), words=())


def mistake(text: str) -> str:
    with pytest.raises(Mistake) as said:
        parse(text)
    return str(said.value)


def a(name: str, **fields: str) -> Command:
    return Command(name, **fields)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("start v1.2.0", a("start", version="v1.2.0")),
        ("start v1.2.0 azora", a("start", version="v1.2.0", service="azora")),
        ("start v1.2.0 azora staging", a("start", version="v1.2.0", service="azora", environment="staging")),
        ("start v1.2.0 staging azora", a("start", version="v1.2.0", service="azora", environment="staging")),
        ("start azora v1.2.0", a("start", version="v1.2.0", service="azora")),
        ("start staging azora v1.2.0", a("start", version="v1.2.0", service="azora", environment="staging")),
        ("START v1.2.0 Azora STAGING", a("start", version="v1.2.0", service="azora", environment="staging")),
        ("start v1.2.0 petfrce", a("start", version="v1.2.0", service="petfrce")),
        ("start v1.2.0 petfrce staging", a("start", version="v1.2.0", service="petfrce", environment="staging")),
        ('start v1.2.0 at "tue 10:00"', a("start", version="v1.2.0", when="tue 10:00")),
        ("start v1.2.0 at tue 10:00", a("start", version="v1.2.0", when="tue 10:00")),
        ("start v1.2.0 azora at “tue 10:00”", a("start", version="v1.2.0", service="azora", when="tue 10:00")),
        ("start v1.2.0 at ‘tue 10:00’", a("start", version="v1.2.0", when="tue 10:00")),
        ("start v1.2.0 at '24 nov 10:00'", a("start", version="v1.2.0", when="24 nov 10:00")),
        ("start <!channel>", a("start", version="<!channel>")),
        ("start @everyone", a("start", version="@everyone")),
        ("start *v1*", a("start", version="*v1*")),
        ("status", a("status")),
        ("status azora", a("status", service="azora")),
        ("status azora staging", a("status", service="azora", environment="staging")),
        ("status services.do", a("status", service="services.do")),
        ("items petforce", a("items", service="petforce")),
        ("advance", a("advance")),
        ("advance staging", a("advance", environment="staging")),
        ("deployed azora", a("deployed", service="azora")),
        ("rollback", a("rollback")),
        ("rollback azora", a("rollback", service="azora")),
        ("rollback v1.1.0 it is slow", a("rollback", version="v1.1.0", text="it is slow")),
        ("rollback azora v1.1.0 slow", a("rollback", service="azora", version="v1.1.0", text="slow")),
        ("rollback azora staging slow", a("rollback", service="azora", environment="staging", text="slow")),
        ("rollback to release-12 because", a("rollback", version="release-12", text="because")),
        ("rollback to main because", a("rollback", version="main", text="because")),
        ("rollback a1b2c3d broken login", a("rollback", version="a1b2c3d", text="broken login")),
        ("rollback release-12 broken", a("rollback", version="release-12", text="broken")),
        ("rollback v1.2.0-rc.1 slow", a("rollback", version="v1.2.0-rc.1", text="slow")),
        ("rollback v2 slow", a("rollback", version="v2", text="slow")),
        ("rollback hotfix/1.2 slow", a("rollback", version="hotfix/1.2", text="slow")),
        ("rollback 2026.11.24 broken", a("rollback", version="2026.11.24", text="broken")),
        ("rollback 5xx on checkout", a("rollback", text="5xx on checkout")),
        ("rollback 500s everywhere", a("rollback", text="500s everywhere")),
        ("rollback 404-errors on login", a("rollback", text="404-errors on login")),
        ("rollback p95 is 3 s", a("rollback", text="p95 is 3 s")),
        ("rollback p95-latency is high", a("rollback", text="p95-latency is high")),
        ("rollback it’s slow — sorry", a("rollback", text="it’s slow — sorry")),
        ("rollback it's slow", a("rollback", text="it's slow")),
        ("cancel", a("cancel")),
        ("cancel wrong version", a("cancel", text="wrong version")),
        ("cancel azora wrong version", a("cancel", service="azora", text="wrong version")),
        ("list", a("list")),
        ("window", a("window")),
        ("window azora", a("window", service="azora")),
        ("window staging azora", a("window", service="azora", environment="staging")),
        ('window azora at "fri 16:55"', a("window", service="azora", when="fri 16:55")),
        ("window at fri 16:55", a("window", when="fri 16:55")),
        ("freeze", a("freeze", sub="list")),
        ("freeze list", a("freeze", sub="list")),
        ("freeze add", a("freeze", sub="ask")),
        ('freeze add "1 dec - 3 jan" sales', a("freeze", sub="add", when="1 dec - 3 jan", text="sales")),
        ("freeze add “1 dec – 3 jan” sales", a("freeze", sub="add", when="1 dec - 3 jan", text="sales")),
        ("freeze add '1 dec — 3 jan' sales", a("freeze", sub="add", when="1 dec - 3 jan", text="sales")),
        ("freeze add today azora audit", a("freeze", sub="add", when="today", service="azora", text="audit")),
        ("freeze remove f1", a("freeze", sub="remove", text="f1")),
        ("lock azora the move for 2h", a("lock", service="azora", text="the move", when="2h")),
        ("lock azora for 2h", a("lock", service="azora", when="2h")),
        ('lock azora until "fri 18:00"', a("lock", service="azora", when="fri 18:00")),
        ("lock azora for an hour", a("lock", service="azora", when="an hour")),
        ("lock azora until monday", a("lock", service="azora", when="monday")),
        ("lock azora for maintenance", a("lock", service="azora", text="for maintenance")),
        ("incident", a("incident", sub="list")),
        ("incident open checkout is down", a("incident", sub="open", text="checkout is down")),
        ("incident open azora pods crash", a("incident", sub="open", service="azora", text="pods crash")),
        ("incident close i1", a("incident", sub="close", text="i1")),
        ("checklist", a("checklist")),
        ("checklist azora", a("checklist", service="azora")),
        ("checklist other", a("checklist", text="other")),
        ("help", a("help")),
        ("", a("help")),
        ("   \n ", a("help")),
        ('""', a("help")),
    ],
)
def test_what_is_meant(text: str, meant: Command) -> None:
    assert parse(text) == meant


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("start", "Which version? Type `/deploy start v1.2.0`."),
        ("start azora", "Which version? Type `/deploy start v1.2.0`."),
        ("start v1.2.0 at", 'Say when after `at`: `at "tue 10:00"` or `at "2026-11-24 10:00"`.'),
        ("stat v1", "There is no `/deploy stat`. Did you mean `/deploy start`? `/deploy help` lists everything."),
        ("rolback", "There is no `/deploy rolback`. Did you mean `/deploy rollback`? `/deploy help` lists everything."),
        ("xyzzy", "There is no `/deploy xyzzy`. `/deploy help` lists everything."),
        ("*bold*", "There is no `/deploy *bold*`. `/deploy help` lists everything."),
        ("`x` y", "There is no `/deploy 'x'`. `/deploy help` lists everything."),
        ("advance azora please now", "`/deploy advance` takes a service and an environment; `please now` is neither."),
        ("freeze ad x", "`/deploy freeze` knows `add`, `list` and `remove`, not `ad`."),
        ("freeze remove", "Which freeze? `/deploy freeze list` shows their ids."),
        ('freeze add "1 dec - 3 jan"', 'Why? Type `/deploy freeze add "1 dec - 3 jan" year-end sales`.'),
        ("incident begin x", "`/deploy incident` knows `open`, `list` and `close`, not `begin`."),
        ("incident open azora", "What is the incident? Type `/deploy incident open checkout is down`."),
        ("incident close", "Which incident? `/deploy incident list` shows their ids."),
    ],
)
def test_a_mistake_says_what_to_type(text: str, said: str) -> None:
    assert mistake(text) == said


@pytest.mark.parametrize("name", ["rollback", "cancel"])
def test_a_service_spelled_wrongly_does_not_become_the_reason_of_another_deployment(name: str) -> None:
    assert f"Did you mean `/deploy {name} petforce`?" in mistake(f"{name} petfroce v1.1.0 it is slow")


def test_a_command_of_five_thousand_characters_is_one_sentence() -> None:
    assert mistake("start " + "v" * 5_000) == (
        "That command has 5,006 characters, and no command needs more than 2,000."
    )


def test_a_quote_that_is_not_closed_is_a_letter() -> None:
    assert parse('rollback v1.1.0 the "new" login "hangs').text == 'the "new" login "hangs'


@pytest.mark.parametrize("usage", USAGES, ids=lambda usage: usage.name)
def test_every_usage_is_understood_as_it_is_shown(usage: Usage) -> None:
    first = usage.arguments.split(" | ")[0].replace("[", "").replace("]", "").replace("service", "azora")
    text = (
        f"{usage.name} {first}".replace("environment", "staging").replace("VERSION", "v1.2.0").replace("name", "azora")
    )
    assert parse(text).name == usage.name


WORDS = st.sampled_from(
    [
        *(usage.name for usage in USAGES),
        *SERVICES,
        *ENVIRONMENTS,
        "at",
        "to",
        "add",
        "open",
        "remove",
        "v1.2.0",
        '"',
        "'",
        "`",
        "“",
    ]
)


@given(
    st.one_of(
        st.text(max_size=LONGEST + 20), st.lists(st.one_of(WORDS, st.text(max_size=12)), max_size=12).map(" ".join)
    )
)
def test_whatever_is_typed_is_a_command_or_a_mistake_of_one_sentence(text: str) -> None:
    try:
        command = parse(text)
    except Mistake as said:
        sentence = str(said)
        assert 0 < len(sentence) < 400
        assert "\n" not in sentence
        assert sentence.count("`") % 2 == 0, "a code span is left open"
        assert plain(sentence)
    else:
        assert command.name in {usage.name for usage in USAGES}
