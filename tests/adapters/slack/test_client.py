"""The Web API as gonogo uses it: pacing, and what failures mean."""

from __future__ import annotations

import asyncio
import contextlib

import pytest

from adapters.slack.client import Api, Pace
from adapters.slack.faults import Refusal
from bot.ports import Ambiguous, Busy429, ChatError
from tests.fakes.slack import FakeSlack, Fault


async def test_a_burst_goes_out_at_once_and_the_rest_is_asked_to_wait() -> None:
    pace = Pace(50, 10, patience=0.0)
    for _ in range(10):
        await pace.turn("")
    with pytest.raises(Busy429) as busy:
        await pace.turn("")
    assert busy.value.retry_after == pytest.approx(60 / 41, abs=0.1)


async def test_no_minute_sees_more_calls_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, now, sent = asyncio.get_running_loop(), 1_000.0, []
    monkeypatch.setattr(loop, "time", lambda: now)
    pace = Pace(50, 10, patience=0.0)
    while now < 1_200:
        with contextlib.suppress(Busy429):
            await pace.turn("")
            sent.append(now)
        now += 0.05
    assert max(sum(start <= at < start + 60 for at in sent) for start in sent) <= 50
    assert len(sent) > 130


async def test_channels_do_not_wait_for_each_other() -> None:
    pace = Pace(60, 1, patience=0.0)
    await pace.turn("C1")
    await pace.turn("C2")
    with pytest.raises(Busy429):
        await pace.turn("C1")


@pytest.mark.slow
async def test_under_slacks_published_limits_a_burst_of_posts_arrives_whole(slack: FakeSlack, api: Api) -> None:
    slack.limits.as_published()
    for number in range(4):
        await api.call("chat.postMessage", channel="C1", text=str(number))
    assert [each.text for each in slack.messages("C1")] == ["0", "1", "2", "3"]


async def test_a_method_that_is_not_in_the_table_cannot_be_called(api: Api) -> None:
    with pytest.raises(KeyError):
        await api.call("conversations.kick", channel="C1")


async def test_nothing_is_ever_sent_twice_by_itself(slack: FakeSlack, api: Api) -> None:
    for fault in (Fault.drop(), Fault.drop(stored=True), Fault.status(503), Fault.status(500, stored=True)):
        slack.faults.script("chat.*", fault)
        before = len(slack.calls)
        with pytest.raises(Ambiguous):
            await api.call("chat.postMessage", channel="C1", text="hello")
        assert len(slack.calls) == before + 1


async def test_nobody_there_is_no_answer() -> None:
    api = Api("xoxb-1", base_url="http://127.0.0.1:9/api/", timeout=1.0)
    await api.open()
    try:
        with pytest.raises(Ambiguous):
            await api.call("auth.test")
    finally:
        await api.close()


async def test_it_knows_who_it_is_and_what_it_may(slack: FakeSlack, api: Api) -> None:
    me = await api.identify()
    assert (me.name, me.user_id, me.team_id) == ("gonogo", "UBOT", "T0001")
    assert me.scopes == slack.scopes
    assert me.clock is not None


async def test_a_response_url_that_is_used_up_is_an_error_and_not_a_crash(slack: FakeSlack, api: Api) -> None:
    url = slack.response_url("U1", "C1")
    for _ in range(5):
        await api.respond(url, {"text": "hello"})
    with pytest.raises(ChatError):
        await api.respond(url, {"text": "hello"})


async def test_an_unknown_refusal_keeps_slacks_word_for_it(slack: FakeSlack, api: Api) -> None:
    with pytest.raises(Refusal) as refusal:
        await api.call("views.open", trigger_id="never", view={"type": "modal"})
    assert refusal.value.code == "invalid_trigger_id"
    assert "views.open" in str(refusal.value)
