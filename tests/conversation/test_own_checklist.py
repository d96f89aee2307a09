"""Checklists nobody has prepared for gonogo, and what happens when their files change."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conversation.small import MARKDOWN, POLICY, TUESDAY, folder_with
from tests.talk import Channel, Page, talking

DEFAULTS = (
    "There is no their.yaml beside the document, so these defaults hold:",
    "No deployment windows and no freezes: it may start at any time.",
    "The deployment itself is taken to happen in “Deploy”.",
    "Checks 30 minutes, 2 hours and 24 hours after the deployment; nothing is measured, people judge them.",
    "Everybody in the channel may start, tick and roll back.",
)


def test_a_document_without_a_policy_runs_to_stable_on_defaults_that_are_stated(tmp_path: Path) -> None:
    document = tmp_path / "their.md"
    document.write_text(MARKDOWN)
    with talking(tmp_path, "--checklist", str(document), at="2026-11-22 03:00") as channel:
        started = channel.says("/deploy start v1.2.0")
        assert started.startswith("Started their v1.2.0 → production.")
        for sentence in DEFAULTS:
            assert sentence.rstrip(".") in started
        channel.run_to_deployed()
        channel.move("30m")
        check = channel.in_thread("30-minute check")
        assert check["title"] == "❔ 30-minute check: for you to judge"
        assert "Nothing is measured here: look for yourself and decide." in check["html"]
        assert len(channel.said()) == 1
        channel.tick_all()
        for message, by in (("30-minute check", "2h"), ("2-hour check", "24h"), ("24-hour check", "")):
            (decide,) = [a for a in Page(channel.in_thread(message)["html"]).actions if a.startswith("accept:")]
            channel.submit(decide, "olu", reason="Looks right")
            if by:
                channel.move(by)
        assert "Stable since" in channel.card()["text"]
        first = [text.partition("\n")[0] for text in channel.hear(3)]
        assert first == [
            "🚀 Production Deployment Starting",
            "✅ Production Deployment Complete",
            "Deployment stable: their v1.2.0",
        ]


@pytest.mark.slow
def test_a_running_deployment_keeps_the_checklist_it_started_with(tmp_path: Path) -> None:
    folder = folder_with(tmp_path)
    (Path(folder) / "CHANGELOG.md").write_text("# Changes\n\n## v1.2.0\n- Faster checkout\n\n## v1.1.0\n- First\n")
    (Path(folder) / "shop.yaml").write_text(POLICY + "changelog: CHANGELOG.md\n")
    with talking(tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder) as channel:
        channel.command("/deploy start v1.2.0")
        ((before,),) = channel.records.rows("SELECT digest FROM deployments")
        (kept,) = channel.records.rows("SELECT markdown, policy FROM checklists WHERE digest = ?", before)
        assert kept == (MARKDOWN.encode(), (Path(folder) / "shop.yaml").read_text())
        (Path(folder) / "shop.md").write_text("# Shop\n\n## Other\n- [ ] Something else\n")
        (Path(folder) / "shop.yaml").write_text("service: shop\n")
        channel.restart()
        channel.run_to_deployed()
        channel.tick_all()
        channel.move("30m")
        channel.move("2h")
        channel.move("24h")
        assert "Stable since" in channel.card()["text"]
        assert "\nChanges:\n- Faster checkout\n" in channel.said()[1]
        assert channel.records.rows("SELECT digest FROM deployments") == [(before,)]
        # The next one has the file as it is now.
        assert "1 phase, first “Other”" in channel.says("/deploy start v1.3.0")
        assert len(channel.records.rows("SELECT DISTINCT digest FROM deployments")) == 2


@pytest.mark.slow
def test_a_document_without_items_is_turned_away(tmp_path: Path) -> None:
    document = tmp_path / "notes.md"
    document.write_text("# Notes\n\nDeploy carefully.\n\n- then rest\n")
    with talking(tmp_path, GONOGO_CHECKLIST_FILE=str(document), mistakes="notes cannot .+\n") as channel:
        assert channel.says("/deploy start v1.2.0") == (
            "notes has no items to tick. An item is a line like - [ ] Tests pass; gonogo checklist lint says more."
        )
        assert channel.records.everything() == []
        assert channel.says("/deploy checklist").startswith("Notes")


@pytest.mark.slow
def test_eight_hundred_items_are_shown_and_ticked(tmp_path: Path) -> None:
    parts = [f"## Part {p}\n" + "".join(f"- [ ] Item {p}.{i}\n" for i in range(100)) for p in range(8)]
    document = tmp_path / "long.md"
    document.write_text("# Long\n\n" + "\n".join(parts))
    with talking(tmp_path, "--checklist", str(document)) as channel:
        channel.command("/deploy start v1.2.0")
        rows = _rows(channel)
        assert rows == [f"Item 0.{i}" for i in range(100)]
        actions = channel.actions("tick")
        assert len(actions) == 100
        channel.tick(actions[0])
        channel.tick(actions[99])
        assert channel.card()["text"].endswith("2 of 800.")
        missing = channel.says("/deploy advance")
        assert missing.startswith("Not yet: “Part 0” still needs 98 items ticked or excused: • Item 0.1 ")
        assert missing.endswith("• Item 0.10 … and 88 more")


def _rows(channel: Channel) -> list[str]:
    channel.in_thread("Part 0 (4 of 4)")
    words = [word for message in channel.thread() for word in Page(message["html"]).words]
    return [word for word in words if word.startswith("Item ")]
