"""The look after the power cuts finds what it is there to find."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.conversation.small import TUESDAY, folder_with
from tests.faults.verify import KNOWN, Acked, behind, violations
from tests.process import Records
from tests.talk import talking

HARM = {
    "the acked delivery": "DELETE FROM deliveries",
    "the acked tick of": "UPDATE events SET kind = 'unticked' WHERE kind = 'ticked'",
    "was ticked 2 times": "INSERT INTO events SELECT deployment, seq + 100, kind, at, body FROM events"
    " WHERE kind = 'ticked'",
    "facts, numbered": "DELETE FROM events WHERE seq = 3",
    "was decided 2 times": "INSERT INTO events SELECT deployment, seq + 100, kind, at, body FROM events"
    " WHERE kind = 'announced'",
    "stands 0 times": "DELETE FROM sandbox_messages",
    "stands 2 times": "INSERT INTO sandbox_messages (channel, thread, key, card, revision, change, posted_at)"
    " SELECT channel, thread, key, card, revision, change + 1000, posted_at FROM sandbox_messages",
    "is noted as posted and does not stand": "UPDATE posted_cards SET message = NULL",
    "has 2 verdicts": "INSERT INTO events SELECT deployment, seq + 100, kind, at, body FROM events"
    " WHERE kind = 'check_ran'",
    "is done without a verdict": "DELETE FROM events WHERE kind = 'check_ran'",
    "is still held": "UPDATE deadlines SET held_by = 'somebody', held_until = 1",
}


@pytest.mark.slow
def test_every_kind_of_harm_is_found_and_nothing_where_there_is_none(tmp_path: Path) -> None:
    acked = Acked()
    with talking(tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder_with(tmp_path)) as channel:
        channel.command("/deploy start v1.2.0 --yes")
        first, _ = channel.actions("tick")
        channel.click(first, key="the-first-click")
        acked.keys["the-first-click"] = channel.records.now()
        acked.keys["another-of-long-ago"] = channel.records.now() - KNOWN - 1
        acked.ticks.add((first.split(":")[1], first.split(":")[2]))
        channel.run_to_deployed()
        channel.tick_all()
        channel.move("30m")
        channel.until(lambda: None if behind(channel.records) else True)
    assert violations(Records(tmp_path), acked) == []
    missed = []
    for number, (sign, statement) in enumerate(HARM.items()):
        broken = tmp_path / str(number)
        broken.mkdir()
        shutil.copy(tmp_path / "gonogo.db", broken)
        Records(broken).change(statement)
        if not any(sign in line for line in violations(Records(broken), acked)):
            missed.append(sign)
    assert missed == []
