"""Asking for many measures at once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from bot.services import measuring
from bot.services.measuring import measure_all
from checklists.policy import ProbePolicy

ASKED = Asked("azora", "production", "v1.2.0", datetime(2026, 11, 20, 14, 30, tzinfo=UTC))
POLICIES = {"known": ProbePolicy(datadog="avg:x")}


class Source:
    """Counts how many ask it at the same time; breaks or hangs by name."""

    def __init__(self) -> None:
        self.now = self.most = 0
        self.asked: list[tuple[str, bool]] = []

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        self.asked.append((name, probe is not None))
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            await asyncio.sleep(0.001 if name != "hangs" else 60)
        finally:
            self.now -= 1
        if name == "breaks":
            raise RuntimeError("contract")
        return Measurement(name="other" if name == "misnamed" else name, outcome=Outcome.NO_DATA)


async def test_each_name_is_asked_once_in_order() -> None:
    source = Source()
    found = await measure_all(source, ["b", "known", "b", "a"], POLICIES, ASKED)
    assert [measurement.name for measurement in found] == ["b", "known", "a"]
    assert sorted(source.asked) == [("a", False), ("b", False), ("known", True)]


async def test_nothing_to_ask_is_nothing() -> None:
    assert await measure_all(Source(), [], {}, ASKED) == []


async def test_only_so_many_are_asked_at_once() -> None:
    source = Source()
    await measure_all(source, [f"m{i}" for i in range(20)], {}, ASKED, at_once=3)
    assert source.most == 3


async def test_a_source_that_breaks_does_not_take_the_others_with_it() -> None:
    found = await measure_all(Source(), ["a", "breaks", "b"], {}, ASKED)
    assert [measurement.outcome for measurement in found] == [Outcome.NO_DATA, Outcome.ERROR, Outcome.NO_DATA]
    assert found[1].detail == "the source broke: RuntimeError"


async def test_a_source_that_hangs_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(measuring, "GRACE", -measuring.WITHOUT_POLICY * 0.99)
    found = await measure_all(Source(), ["hangs"], {}, ASKED)
    assert found[0].outcome is Outcome.ERROR
    assert found[0].detail.startswith("no answer within")


async def test_an_answer_is_kept_under_the_name_that_was_asked() -> None:
    assert (await measure_all(Source(), ["misnamed"], {}, ASKED))[0].name == "misnamed"


async def test_cancelling_passes_through() -> None:
    source = Source()
    task = asyncio.create_task(measure_all(source, ["hangs"], {}, ASKED))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert source.now == 0
