"""Who may start when: windows, freezes, plans, and one at a time."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from tests.conversation.small import TUESDAY, folder_with
from tests.talk import Channel, Page, talking

IDENTIFIER = re.compile(r"\b[0-9a-f]{8}\b")


@pytest.mark.slow
def test_a_freeze_refuses_a_start_with_its_reason_until_it_is_lifted(tmp_path: Path) -> None:
    with talking(tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder_with(tmp_path)) as channel:
        assert channel.says("/deploy freeze list").startswith("No freezes")
        added = channel.says('/deploy freeze add "24 nov - 26 nov" year-end sales', "vera")
        assert added.startswith("Freeze added. ")
        assert channel.says("/deploy start v1.2.0") == (
            "shop v1.2.0 → production cannot start: closed: year-end sales. Opens Fri 27 Nov 09:00 UTC, in 2 days 22 h."
        )
        assert channel.says("/deploy window").endswith(
            "The window is closed: year-end sales. Opens Fri 27 Nov 09:00 UTC, in 2 days 22 h"
        )
        assert channel.says("/deploy window shop staging").endswith("The window is open at all times")
        (freeze,) = IDENTIFIER.findall(channel.says("/deploy freeze list"))
        told = channel.until(lambda: next((m["text"] for m in channel.messages() if m["text"][0] == "🧊"), None))
        assert told.startswith("🧊 Vera added a freeze: ")
        turned = channel.until(lambda: next((m["text"] for m in channel.messages() if m["text"][0] == "✋"), None))
        assert turned == "✋ Ann was turned away from starting shop v1.2.0 → production: year-end sales"
        assert "year-end sales" in told
        assert channel.says("/deploy freeze remove 00000000") == (
            "There is no freeze 00000000. /deploy freeze list shows those that stand."
        )
        assert channel.says(f"/deploy freeze remove {freeze}") == "Freeze removed"
        assert channel.says("/deploy freeze list").startswith("No freezes")
        assert channel.says("/deploy start v1.2.0").startswith("Started shop v1.2.0 → production.")
        assert len(channel.records.rows("SELECT 1 FROM calendar_events WHERE kind LIKE 'freeze%'")) == 2


@pytest.mark.slow
def test_a_second_start_is_told_whose_runs_and_what_it_can_do(tmp_path: Path) -> None:
    with talking(tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder_with(tmp_path)) as channel:
        channel.command("/deploy start v1.2.0", "sam")
        before = channel.records.everything()
        told = channel.says("/deploy start v1.3.0", "quinn")
        assert told.startswith("shop v1.2.0 is already being deployed to production, started by Sam 10:0")
        assert "join it in its thread, wait for its success" in told
        assert "or end it with /deploy rollback shop or /deploy cancel shop" in told
        assert channel.records.everything() == before
        # Another environment is another matter, and so is who may start at all.
        assert channel.says("/deploy start v1.3.0 staging", "quinn").startswith("Started shop v1.3.0 → staging")
        assert channel.says("/deploy start v1.4.0", "pat") == (
            "You cannot do that: it is for engineer or senior engineer or QA. Ask one of them."
        )
        # Given up, the way is free; who gave up, and why, is said where it was.
        assert Page(channel.command("/deploy cancel production")["form"]).fields == ["reason"]
        channel.command("/deploy cancel production the migration is missing", "sam")
        channel.until(lambda: True if "Cancelled by Sam" in channel.messages()[0]["text"] else None)
        assert "the migration is missing" in channel.messages()[0]["text"]
        assert channel.says("/deploy start v1.3.0 production").startswith("Started shop v1.3.0 → production")


@pytest.mark.slow
def test_a_planned_start_opens_each_phase_at_its_time(tmp_path: Path) -> None:
    with talking(tmp_path, at="2026-11-20 16:30", GONOGO_CHECKLIST="azora") as channel:
        told = channel.says('/deploy start v1.2.0 at "tue 10:00"')
        assert "Planned for Tue 24 Nov 10:00; go or no-go is asked then." in told
        planned = datetime.fromisoformat("2026-11-24T10:00:00+00:00")
        wanted = {
            "Deployment Day Checks (2 hours before)": timedelta(hours=-2),
            "Phase 1: Pre-Deployment (T-30 minutes)": timedelta(minutes=-30),
            "Phase 2: Build & Push (T-20 minutes)": timedelta(minutes=-20),
            "Phase 3: Deploy to Green (T-10 minutes)": timedelta(minutes=-10),
            "Phase 4: Traffic Switch (T+0 minutes)": timedelta(0),
        }
        assert channel.in_thread("48 hours before")
        for title, offset in wanted.items():
            assert not [m for m in channel.thread() if m["title"].startswith(title)], title
            seen = _to_due(channel, planned + offset)
            assert seen == planned + offset, title
            assert channel.in_thread(title)
            channel.tick_all()
            channel.click(channel.action("advance"))
        asked = channel.until(lambda: next((m for m in channel.messages() if m["text"].startswith("🚦")), None))
        assert asked["text"].startswith("🚦 Go or no-go? azora v1.2.0 → production: its time has come")
        assert not channel.actions("deployed")
        channel.click(channel.actions("go")[0])
        # The phase that announces it says how long there still is.
        assert re.fullmatch("Deployment starting in (30|29) minutes\n.+ → production", channel.said()[0])
        assert channel.actions("deployed")


def _to_due(channel: Channel, due: datetime) -> datetime:
    """Move to the next event until that time; when the last phase was opened."""
    for _ in range(4):
        opened = [fact for fact in channel.records.facts("phase_opened") if fact.get("due")]
        if opened and datetime.fromisoformat(opened[-1]["due"]) >= due:
            late = datetime.fromisoformat(opened[-1]["at"]) - due
            assert timedelta(0) <= late < timedelta(seconds=20)
            return datetime.fromisoformat(opened[-1]["due"])
        channel.move("next")
    raise AssertionError("it does not become due")


@pytest.mark.slow
def test_a_newer_deployment_takes_over_the_watch_of_the_older(tmp_path: Path) -> None:
    with talking(tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder_with(tmp_path)) as channel:
        channel.command("/deploy start v1.2.0")
        channel.run_to_deployed()
        channel.tick_all()
        channel.move("30m")
        assert channel.said()[-1].startswith("✅ Production Deployment Complete")
        assert channel.says("/deploy start v1.3.0", "sam").startswith("Started shop v1.3.0 → production")
        assert channel.status().startswith("shop v1.3.0 → production. Phase 1 of 3")
        for _ in range(2):
            for action in _of_newest(channel, "tick"):
                channel.tick(action)
            if ready := _of_newest(channel, "deployed"):
                channel.click(ready[0])
                break
            channel.click(_of_newest(channel, "advance")[0])
        old = channel.until(lambda: m if "Superseded" in (m := channel.messages()[0])["text"] else None)
        assert re.search(r"Superseded at (?:\w{3} \d+ \w{3} )?\d\d:\d\d by v1\.3\.0, which is watched now", old["text"])
        channel.move("24h")
        ran = [fact["check"] for fact in channel.records.facts("check_ran", "v1.2.0")]
        assert ran == ["t30"]
        assert "Deployment stable: shop v1.2.0" not in channel.said()
        # A rollback offers the version that was there before.
        form = Page(channel.click(_of_newest(channel, "rollback")[0])["form"])
        assert form.values["version"] == "v1.2.0"


def _of_newest(channel: Channel, verb: str) -> list[str]:
    """The buttons of a kind under the newest deployment's card and in its thread."""
    (newest,) = channel.records.rows("SELECT id FROM deployments ORDER BY started_at DESC LIMIT 1")[0]
    revision = "SELECT revision = shown FROM deployments JOIN mirrors ON deployment = id WHERE id = ?"
    channel.until(lambda: True if channel.records.rows(revision, newest) == [(1,)] else None)
    pages = [Page(message["html"]) for message in (channel.root(), *channel.thread())]
    return [a for page in pages for a in dict.fromkeys(page.actions) if a.startswith(f"{verb}:{newest}")]
