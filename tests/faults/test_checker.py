"""The checker finds each kind of harm, and nothing where there is none; it shares no code with what it checks."""

from __future__ import annotations

import asyncio
import copy
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.checker import plain, violations
from tests.faults.evidence import Act, Evidence, Row
from tests.faults.outcome import Options
from tests.faults.play import Play
from tests.faults.replay import story
from tests.process import ROOT

ANN = {"chat": "slack", "id": "U1", "name": "ann", "roles": []}


def test_it_loads_none_of_the_code_it_checks() -> None:
    ours = "[name for name in sys.modules if name.partition('.')[0] in ('bot', 'adapters', 'checklists')]"
    code = f"import sys; import tests.faults.checker; print({ours})"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def facts(*rows: tuple[str, str, Row]) -> list[str]:
    """Kind, second, and what else it holds."""
    return [json.dumps({"kind": kind, "at": f"2026-11-24T10:00:{at}Z", "by": ANN, **more}) for kind, at, more in rows]


def test_the_facts_are_told_again_by_other_code() -> None:
    told = story(
        "d1",
        facts(
            ("started", "00", {"service": "shop", "version": "v1"}),
            ("phase_opened", "00", {"phase": "before"}),
            ("ticked", "01", {"item": "tests-pass-0123abcd", "value": ""}),
            ("phase_done", "02", {"phase": "before"}),
            ("deployed", "03", {}),
        ),
    )
    assert (told.status, told.live, told.holds_lock()) == ("deployed", True, True)
    assert (told.marked, told.done) == ({"tests-pass": "ticked"}, ["before"])


def test_an_item_was_ticked_while_a_click_was_on_its_way_or_was_not() -> None:
    told = story(
        "d1",
        facts(
            ("started", "00", {"service": "shop", "version": "v1"}),
            ("ticked", "10", {"item": "a", "value": ""}),
            ("unticked", "20", {"item": "a"}),
        ),
    )
    start = 1795514400.0
    assert [told.had("a", start + sent, start + sent + 2) for sent in (5, 9, 15, 19, 25)] == [
        False, True, True, True, False,
    ]  # fmt: skip


# --- harm ------------------------------------------------------------------------------------------------------------


def _fact(left: Evidence, kind: str) -> Row:
    return next(row for row in left.tables["events"] if row["kind"] == kind)


def _again(left: Evidence, kind: str) -> None:
    row = _fact(left, kind)
    last = max(each["seq"] for each in left.tables["events"] if each["deployment"] == row["deployment"])
    left.tables["events"].append({**row, "seq": last + 1})


def _gone(left: Evidence, kind: str) -> None:
    left.tables["events"].remove(_fact(left, kind))


def _lost_delivery(left: Evidence) -> None:
    keys = {act.key for act in left.acts if act.acked and act.verb == "tick"}
    left.tables["deliveries"] = [row for row in left.tables["deliveries"] if row["key"] not in keys]


def _without_an_end(left: Evidence) -> None:
    act = next(act for act in left.acts if act.verb == "tick")
    act.acked, act.failed = False, ""


def _silence(left: Evidence) -> None:
    left.said.remove(next(said for said in left.said if ":succeeded:" in said.key))


def _echo(left: Evidence) -> None:
    left.said.append(copy.deepcopy(next(said for said in left.said if ":succeeded:" in said.key)))


def _other_words(left: Evidence) -> None:
    next(said for said in left.said if ":succeeded:" in said.key).text = "All is lost"


def _stranger(left: Evidence) -> None:
    left.said.append(copy.deepcopy(left.said[0]))
    left.said[-1].key = "d0:card"


def _stale(left: Evidence) -> None:
    card = next(said for said in left.said if said.key.endswith(":card"))
    card.text = "shop v1 deployed, 6 of 6"


def _slow(left: Evidence) -> None:
    left.settled = left.calm + left.paced + 11


def _on_time(left: Evidence) -> None:
    row = _fact(left, "check_ran")
    fact = json.loads(row["body"])
    row["body"] = json.dumps(fact | {"at": fact["at"].replace("T", "T", 1), "late_seconds": 3600})


def _other_end(left: Evidence) -> None:
    left.tables["deployments"][0]["status"] = "running"


def _held(left: Evidence) -> None:
    left.tables["deadlines"][0] |= {"held_by": "1-a:b", "held_until": int((left.gathered + 60) * 1_000_000)}


def _undone(left: Evidence) -> None:
    left.tables["deadlines"][0] |= {"done_at": None, "due": 0}


def _locked(left: Evidence) -> None:
    left.tables["deployments"][0]["locked"] = True


def _behind(left: Evidence) -> None:
    left.tables["mirrors"][0]["shown"] -= 1


def _unknown_start(left: Evidence) -> None:
    row = left.tables["deliveries"][0]
    left.acts.append(Act("slack", "U1", "start", version="v0", key=row["key"], acked=True, told="Started shop v0"))


HARM: dict[str, Callable[[Evidence], None]] = {
    "was acknowledged and is not in the database": _lost_delivery,
    "was neither acknowledged nor shown as failed": _without_an_end,
    "was acknowledged, and there is no such deployment": _unknown_start,
    "was ticked twice in a row": lambda left: _again(left, "ticked"),
    "has 2 facts deployed": lambda left: _again(left, "deployed"),
    "was completed 2 times": lambda left: _again(left, "phase_done"),
    "stands 0 times": _silence,
    "stands 2 times": _echo,
    "does not say": _other_words,
    "the card does not say 'stable since'": _stale,
    "nobody knows of": _stranger,
    "s of calm until all was shown and said": _slow,
    "was decided 2 times": lambda left: _again(left, "announced"),
    "has 2 verdicts": lambda left: _again(left, "check_ran"),
    "has no verdict": lambda left: _gone(left, "check_ran"),
    "after its time and says": _on_time,
    "are numbered": lambda left: _gone(left, "phase_opened"),
    "its facts say": _other_end,
    "is still held": _held,
    "was due and is not done": _undone,
    "and locked is True": _locked,
    "shows revision": _behind,
}


@pytest.mark.long
@pytest.mark.timeout(240)
def test_every_kind_of_harm_is_found_and_nothing_where_there_is_none(tmp_path: Path) -> None:
    async def played() -> tuple[list[str], Evidence]:
        async with Play(Options(seed=3, kills=8, seconds=20, chat="slack", quiet=True), tmp_path).open() as play:
            result = await play.run()
            return result.violations, play.found

    found, evidence = asyncio.run(played())
    assert found == []
    assert violations(evidence) == []
    missed = []
    for sign, harm in HARM.items():
        broken = copy.deepcopy(evidence)
        harm(broken)
        if not any(plain(sign) in plain(line) for line in violations(broken)):
            missed.append(sign)
    assert missed == []
