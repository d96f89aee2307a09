"""Checks without data, late ones, and those a person decides about."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.conversation.small import TUESDAY, folder_with
from tests.talk import Channel, Page, talking


@pytest.fixture
def deployed(tmp_path: Path) -> Iterator[Channel]:
    """The small team's deployment right after T0, everything but the checks done."""
    with talking(tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder_with(tmp_path)) as channel:
        channel.command("/deploy start v1.2.0")
        channel.run_to_deployed()
        channel.tick_all()
        yield channel


def button(channel: Channel, message: str, verb: str) -> str:
    """The one button of a kind under the latest message in the thread with this title."""
    (found,) = [a for a in Page(channel.in_thread(message)["html"]).actions if a.startswith(f"{verb}:")]
    return found


def announced(channel: Channel) -> list[str]:
    """The kinds of announcements so far."""
    return [fact["announcement"] for fact in channel.records.facts("announced")]


@pytest.mark.slow
def test_no_data_is_inconclusive_and_no_success_until_it_is_healthy_or_a_person_decides(deployed: Channel) -> None:
    deployed.health("no data")
    deployed.move("30m")
    inconclusive = deployed.in_thread("30-minute check: inconclusive")
    assert "No data is not success. Look for yourself, then decide with a reason, or ask again." in inconclusive["html"]
    assert announced(deployed) == ["started"]
    # Asked again while there still is none, it is the same.
    deployed.click(button(deployed, "30-minute check", "again"))
    assert announced(deployed) == ["started"]
    # Asked again when there is some, it counts.
    deployed.health("healthy")
    again = button(deployed, "30-minute check", "again")
    deployed.click(again)
    deployed.until(lambda: True if len(deployed.said()) == 2 else None)
    assert deployed.said()[1].startswith("✅ Production Deployment Complete\n\nService: shop\nVersion: v1.2.0\n")
    assert deployed.in_thread("30-minute check")["title"] == "✅ 30-minute check: healthy"
    assert deployed.click(again)["text"].startswith("That check is settled")
    # The next one is decided by a person, with a reason.
    deployed.health("no data")
    deployed.move("2h")
    accept = button(deployed, "2-hour check: inconclusive", "accept")
    assert Page(deployed.click(accept)["form"]).fields == ["reason"]
    assert deployed.submit(accept, reason="  ")["text"] == "Please write a reason; it is kept with the deployment."
    deployed.submit(accept, "olu", reason="The metrics provider is down; orders come in")
    decided = deployed.until(
        lambda: m if "decided" in (m := deployed.in_thread("2-hour check: inconclusive"))["html"] else None
    )
    assert "Olu decided to go on: The metrics provider is down; orders come in" in Page(decided["html"]).words
    assert deployed.submit(accept, "sam", reason="Me too")["text"] == "That check is settled by Olu."
    # An inconclusive last check ends nothing.
    deployed.move("24h")
    assert "Stable" not in deployed.card()["text"]
    assert announced(deployed) == ["started", "succeeded"]
    deployed.submit(button(deployed, "24-hour check", "accept"), reason="Orders come in")
    deployed.until(lambda: True if len(deployed.said()) == 3 else None)
    assert deployed.said()[2] == "Deployment stable: shop v1.2.0"
    assert "Stable since" in deployed.card()["text"]


@pytest.mark.slow
def test_a_check_that_runs_late_says_how_late_and_asks_as_of_its_time(deployed: Channel) -> None:
    deployed.stop()
    deployed.records.shift_clock(timedelta(minutes=77))
    # Since five minutes the service fails; at the check's time it did not.
    since = (deployed.records.at("deployed") + timedelta(minutes=72)).isoformat()
    change = json.dumps([{"health": "failing", "since": since}])
    deployed.records.change("INSERT INTO sandbox_settings (key, value) VALUES ('service_health', ?)", change)
    deployed.start()
    check = deployed.until(lambda: next((m for m in deployed.thread() if "30-minute check" in m["title"]), None))
    assert check["title"] == "✅ 30-minute check: healthy"
    due = deployed.records.at("deployed") + timedelta(minutes=30)
    assert f"Ran 47 m late: due {due:%H:%M}, asked as of then." in Page(check["html"]).words
    (ran,) = deployed.records.facts("check_ran")
    assert 47 * 60 <= ran["late_seconds"] < 48 * 60


def test_a_failing_check_calls_for_a_decision_and_announces_the_issue_once(deployed: Channel) -> None:
    deployed.health("failing")
    deployed.move("30m")
    deployed.move("2h")
    issue = "⚠️ Issue detected in production. Investigating...\nshop v1.2.0: Error rate 7.2%"
    deployed.until(lambda: True if issue in deployed.said() else None)
    assert deployed.said().count(issue) == 1
    assert announced(deployed) == ["started", "issue"]
    verbs = [a.partition(":")[0] for a in Page(deployed.in_thread("30-minute check: failing")["html"]).actions]
    assert verbs == ["again", "accept", "rollback"]
