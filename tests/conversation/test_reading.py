"""What can be asked: status, lists, the window at a time, the checklist; and several people at once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.conversation.small import TUESDAY, folder_with
from tests.talk import Page, talking


def test_what_can_be_asked_is_answered_and_changes_nothing(tmp_path: Path) -> None:
    with talking(tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder_with(tmp_path)) as channel:
        assert channel.says("/deploy list") == "Deployments. None yet" or "No deployments yet" in channel.says(
            "/deploy list"
        )
        assert channel.says("/deploy status").startswith("No deployment is running.")
        assert channel.says('/deploy window at "sat 12:00"') == (
            "shop → production. The window is closed: Saturday. Opens Mon 30 Nov 09:00 UTC, 1 day 21 h later"
        )
        assert channel.says('/deploy window at "fri 16:55"') == (
            "shop → production. The window is open until Fri 27 Nov 17:00 UTC, 5 m after the start"
        )
        assert channel.says("/deploy checklist shop") == (
            "Shop. Before · run · 2 items. Deploy · run · 1 item. After · run · 1 item. Rollback · rollback · 1 item. "
            "Why · reference · 0 items"
        )
        (why,) = Page(channel.command("/deploy checklist shop")["card"]).actions
        assert "Because it matters." in Page(channel.click(why)["card"]).words
        assert "freeze: when nothing is deployed" in channel.says("/deploy help")
        assert channel.says("/deploy stauts") == (
            "There is no /deploy stauts. Did you mean /deploy status? /deploy help lists everything."
        )
        assert channel.says("/deploy start") == "Which version? Type /deploy start v1.2.0."
        assert channel.says("hello").startswith("The sandbox only understands commands.")
        assert channel.records.everything() == []


@pytest.mark.slow
def test_the_card_says_what_status_says_at_every_step_and_the_thread_who_did_what(tmp_path: Path) -> None:
    with talking(tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder_with(tmp_path)) as channel:
        channel.command("/deploy start v1.2.0", "sam")
        first, sign_off = channel.actions("tick")
        assert channel.click(sign_off, "ann")["text"] == (
            "You cannot do that: “QA sign-off” is for QA to tick. Ask one of them."
        )
        assert channel.card()["text"].endswith("0 of 4.")
        # Two people at once, each their own item.
        with ThreadPoolExecutor(2) as people:
            done = [people.submit(channel.click, action, who) for action, who in ((first, "olu"), (sign_off, "quinn"))]
            assert [click.result()["text"] for click in done] == [None, None]
        assert channel.card()["text"].endswith("2 of 4.")
        words = Page(channel.in_thread("Before")["html"]).words
        assert [word for word in words if re.fullmatch(r"(Olu|Quinn) \d\d:\d\d", word)] == ["Olu 10:00", "Quinn 10:00"]
        # Undone, excused with a reason, and a note: each with who.
        channel.click(first.replace("tick:", "untick:", 1), "vera")
        assert channel.card()["text"].endswith("1 of 4.")
        excuse = first.replace("tick:", "excuse:", 1)
        assert Page(channel.click(excuse)["form"]).fields == ["reason"]
        assert channel.submit(excuse, reason=" ")["text"] == "Please write a reason; it is kept with the deployment."
        channel.submit(excuse, "vera", reason="Only words changed")
        channel.submit(first.replace("tick:", "note:", 1), "pat", text="See the ticket")
        assert channel.card()["text"].endswith("2 of 4 · 1 not applicable.")
        said = " ".join(Page(channel.in_thread("Before")["html"]).words)
        assert "Vera 10:00: not applicable, Only words changed" in said
        assert "Pat 10:00: See the ticket" in said
        channel.click(channel.action("advance"))
        assert "Phase 2 of 3: Deploy" in channel.card()["text"]
        done = channel.click(first.replace("tick:", "untick:", 1))["text"]
        assert re.fullmatch(
            r"“Before” was completed at \d\d:\d\d, so “Tests pass” stays as it is. Add a note to it instead\.", done
        )
        assert channel.says("/deploy list") == (
            "Deployments. shop v1.2.0 → production · running · started by Sam 10:00 UTC"
        )
