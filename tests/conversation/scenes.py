"""The two conversations every team has with gonogo: one that ends stable, one that is rolled back."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.talk import MAIN, Channel, Page, talking, untimed

FRIDAY = "2026-11-20 16:30"
"""UTC. Closed for every team that has windows."""
_DAY = r"\w{3} \d{1,2} \w{3} \d\d:\d\d"
"""An ended deployment's card is drawn no more, so it names the day."""
_AFTER = {
    "{t0}": timedelta(0),
    "{t0+5m}": timedelta(minutes=5),
    "{t0+30m}": timedelta(minutes=30),
    "{t0+2h}": timedelta(hours=2),
    "{t0+5h}": timedelta(hours=5),
}


@dataclass(frozen=True)
class Team:
    """What a team must hear, letter for letter.

    Words in braces are filled in from the recorded facts: `{t0+2h}`, `{deployed}`, `{duration}`.
    """

    checklist: str
    name: str
    """Service, version and environment, as cards say it."""
    closed: str
    """Why a start on that Friday is refused, and when it opens; empty: it is open."""
    open_at: str
    """UTC, inside the window."""
    started: str
    """The answer to a start at the opening."""
    early: str
    """The answer to who wants to go on with two items of the first phase open."""
    signed: dict[str, int]
    """How many items who ticked up to T0, besides Ann: those of their roles."""
    deployed: str
    """The card after T0."""
    half_hour: str
    """The 30-minute check."""
    checks: tuple[str, ...]
    """Every check that ran, by name, in the order in which they stand in the thread."""
    stable: str
    """The card in the end."""
    said: dict[str, tuple[str, ...]]
    """Channel -> announcements of the deployment that ends stable."""
    issue: str
    rolled_back: str
    """The card in the end."""
    rollback_list: tuple[str, ...]
    """The message with the rollback list: its title, and words that stand in it."""
    said_back: dict[str, tuple[str, ...]]
    """Channel -> announcements of the deployment that is rolled back."""
    home: str = MAIN
    zone: str = "UTC"
    until_issue: str = "5m"
    others: tuple[str, ...] = field(default=("#announcements", "#engineering", "#incidents", "#qa"))


def to_stable(folder: Path, team: Team) -> None:
    """Friday to stable, stopped and started again in the middle."""
    with talking(folder, at=FRIDAY, home=team.home, GONOGO_CHECKLIST=team.checklist) as channel:
        if team.closed:
            assert channel.says("/deploy start v1.2.0") == f"{team.name} cannot start: closed: {team.closed}."
            assert channel.records.everything() == []
            channel.move("next")
        if not team.closed:
            # On a Friday the day after is a weekend: who starts nevertheless says so.
            asked = channel.command("/deploy start v1.2.0")["form"]
            assert "The 24-hour check falls on a weekend: Sat 21 Nov" in " ".join(Page(asked).words)
            assert channel.records.everything() == []
        mind = "" if team.closed else ". Please mind: The 24-hour check falls on a weekend: Sat 21 Nov 17:00 UTC"
        assert channel.says("/deploy start v1.2.0 --yes") == f"Started {team.name}. {team.started}{mind}"
        _too_early(channel, team)
        for _ in range(2):
            channel.tick_all()
            channel.click(channel.action("advance"))
        channel.move("30m")
        before, thread = channel.card(), len(channel.thread())
        channel.restart()
        after = channel.card()
        assert (after["id"], untimed(after["text"])) == (before["id"], untimed(before["text"]))
        assert len(channel.thread()) == thread
        channel.run_to_deployed()
        people = {who: list(channel.ticked_by.values()).count(who) for who in set(channel.ticked_by.values()) - {"ann"}}
        assert people == team.signed
        channel.until(lambda: True if _measured(channel) else None)
        assert channel.card()["text"] == f"{team.name}. {_filled(team.deployed, channel, team)}"
        for by in ("30m", "2h", "24h"):
            channel.move(by)
            channel.tick_all()
        end = re.sub(rf"since {_DAY}", "since …", channel.card()["text"])
        assert end == f"{team.name}. Stable since …: all checks passed. {team.stable}"
        checks = channel.checks()
        assert [text.removeprefix(f"{team.name}, ").partition(".")[0] for text in checks] == list(team.checks)
        assert f"{team.name}, {team.half_hour}" in checks
        _announced(channel, team.said, team)
        _every_verdict_once(channel)


def to_rolled_back(folder: Path, team: Team) -> None:
    """Failing health after T0, announced; the rollback, with a power cut right after it was decided."""
    with talking(folder, at=team.open_at, home=team.home, GONOGO_CHECKLIST=team.checklist) as channel:
        channel.command("/deploy start v1.2.0 --yes")
        channel.run_to_deployed()
        channel.card()
        channel.until(lambda: _measured(channel) or None)
        assert not [text for text in channel.said() if "Issue" in text]
        channel.health("failing")
        channel.move(team.until_issue)
        channel.until(lambda: True if team.issue in channel.said() else None)
        assert "Not healthy" in channel.card()["text"]
        form = channel.click(channel.action("rollback"), "olu")["form"]
        assert Page(form).fields == ["version", "reason", "next_steps"]
        answer = channel.submit(
            channel.action("rollback"), "olu", version="v1.1.0", reason="Error rate at 7%", next_steps="Fix the query"
        )
        assert answer["text"].startswith(f"{team.name}. Rolling back to v1.1.0 since ")
        assert ", decided by Olu: Error rate at 7%" in answer["text"]
        channel.kill()
        channel.start()
        channel.health("healthy")
        channel.until(lambda: True if "Rolling back to v1.1.0" in channel.root()["text"] else None)
        title, *words = team.rollback_list
        listed = channel.in_thread(title)["html"]
        assert [word for word in words if word not in listed] == []
        channel.tick_all()
        form = channel.click(channel.action("rolledback"), "olu")["form"]
        assert Page(form).fields == ["status"]
        channel.submit(channel.action("rolledback"), "olu", status="System stable")
        channel.until(lambda: True if "Rolled back" in channel.root()["text"] else None)
        end, recoveries = re.subn(r", [\dhms ]+ after the issue was found", "", channel.card()["text"])
        assert recoveries == 1
        assert re.sub(rf"at {_DAY}", "at …", end) == f"{team.name}. {team.rolled_back}"
        _announced(channel, team.said_back, team)
        channel.move("24h")  # nothing more is checked, said or posted
        _announced(channel, team.said_back, team)
        _every_verdict_once(channel)


def _too_early(channel: Channel, team: Team) -> None:
    # What ticks itself is ticked by now or never: the card's own revision says when.
    *first, one, other = channel.until(lambda: channel.actions("tick") if _measured(channel) else None)
    for action in first:
        channel.tick(action)
    assert channel.click(channel.action("advance"))["text"] == team.early
    channel.tick(one)
    channel.tick(other)
    channel.click(channel.action("advance"))


def _measured(channel: Channel) -> bool:
    """Whether all that is due by now has been asked."""
    waiting = "SELECT count(*) FROM deadlines WHERE done_at IS NULL AND due <= ?"
    return channel.records.rows(waiting, channel.records.now()) == [(0,)]


def _announced(channel: Channel, wanted: dict[str, tuple[str, ...]], team: Team) -> None:
    """Every announcement stands in its channel once, word for word and in order; nothing else is announced."""
    for where in dict.fromkeys([MAIN, *wanted, *team.others]):
        expected = [_filled(text, channel, team) for text in wanted.get(where, ())]
        assert [untimed(text) for text in channel.hear(len(expected), where)] == expected, where


def _every_verdict_once(channel: Channel) -> None:
    ran = [(fact["check"], fact["due"]) for fact in channel.records.facts("check_ran")]
    assert len(ran) == len(set(ran)) > 0


def _filled(text: str, channel: Channel, team: Team) -> str:
    """With the times that were recorded: T0, and how long it took from the first announcement (or the start) to it."""
    deployed = channel.records.at("deployed").astimezone(ZoneInfo(team.zone))
    for words, after in _AFTER.items():
        text = text.replace(words, f"{deployed + after:%H:%M}")
    spoken = [
        datetime.fromisoformat(fact["at"])
        for fact in channel.records.facts("announced")
        if fact["announcement"] in ("starting", "started")
    ]
    took = deployed - min([at for at in spoken if at <= deployed] or [channel.records.at("started")])
    return text.replace("{deployed}", f"{deployed:%Y-%m-%d %H:%M}").replace("{duration}", _spelled(took))


def _spelled(span: timedelta) -> str:
    seconds = round(span.total_seconds())
    number, unit = (seconds // 60, "minute") if seconds >= 60 else (seconds, "second")
    return f"{number} {unit}{'' if number == 1 else 's'}"
