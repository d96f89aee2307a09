"""What a pipeline reports over HTTP, and what people see of it."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.adapters.api.kit import QUINN, RUN, SHOP_EVENTS, Api, api, error
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import SHOP_POLICY

pytestmark = pytest.mark.slow

__all__ = ["api", "migrated_file", "sqlite_url"]


async def report(api: Api, id: str, key: str = "", **body: Any) -> httpx.Response:
    """About a deployment by its id, or the live one where that is empty."""
    path = f"/api/deployments/{id}/events" if id else "/api/deployments/events"
    return await api.ask("POST", path, body, key=key)


async def step(api: Api, id: str, name: str, **more: Any) -> httpx.Response:
    return await report(api, id, event="step", step=name, **more)


async def bound(api: Api) -> str:
    """A running deployment whose items wait for steps."""
    api.policy(SHOP_EVENTS)
    return await api.start()


async def ready(api: Api) -> str:
    """The same, with T0 next."""
    id = await bound(api)
    await api.tick_all(id)
    await api.tick_all(id, QUINN)
    await api.click(f"advance:{id}")
    return id


# --- steps ------------------------------------------------------------------------------------------------------------


async def test_a_step_ticks_its_item_and_people_read_who_reported_it_with_a_link(api: Api) -> None:
    id = await bound(api)
    answer = await step(api, id, "Tests Passed", detail="412 tests", link=RUN)
    found = answer.json()
    assert (answer.status_code, found["code"], found["ticked"]) == (200, "ticked", ["Tests pass"])
    assert (found["deployment"], found["message"]) == (id, "shop v1.2.0 → production: ticked “Tests pass”.")
    assert await api.ticked(id) == {"Tests pass"}
    shown = await api.channel()
    assert "reported by ci: 412 tests" in shown
    assert f'href="{RUN}"' in shown.replace("\\", "")
    standing = (await api.ask("GET", f"/api/deployments/{id}")).json()
    assert (standing["ticked"], standing["steps"]) == (1, ["tests passed", "deployed", "smoke tests passed"])


async def test_a_step_comes_early_and_ticks_when_its_phase_opens(api: Api) -> None:
    id = await bound(api)
    answer = await step(api, id, "smoke tests passed", link=RUN)
    assert (answer.status_code, answer.json()["code"], answer.json()["ticked"]) == (200, "remembered", [])
    assert "when the phase opens" in answer.json()["message"]
    assert await api.ticked(id) == set()
    await api.tick_all(id)
    await api.tick_all(id, QUINN)
    await api.click(f"advance:{id}")
    await report(api, id, event="deployed")
    await api.click(f"advance:{id}")
    assert "Errors are low" in await api.ticked(id)


async def test_a_step_reported_twice_is_known_already(api: Api) -> None:
    id = await bound(api)
    await step(api, id, "tests passed", link=RUN)
    before = (await api.state(id)).revision
    again = await step(api, id, "tests passed", link=f"{RUN}/again")
    assert (again.status_code, again.json()["code"]) == (200, "already")
    assert (await api.state(id)).revision == before


async def test_an_unknown_step_is_never_silently_dropped(api: Api) -> None:
    id = await bound(api)
    answer = await step(api, id, "test passed")
    found = error(answer)
    assert (answer.status_code, found["code"], found["field"]) == (422, "unknown_step", "step")
    for known in ("tests passed", "deployed", "smoke tests passed"):
        assert f"“{known}”" in found["message"]
    assert "did you mean 'tests passed'" in found["message"]
    assert "backup made" not in found["message"], "a sign-off is nothing to report"


async def test_a_sign_off_is_never_ticked_whatever_is_reported(api: Api) -> None:
    id = await bound(api)
    api.token, _ = await api.new_token("shop", "qa")
    for name in ("backup made", "Backup made", "Prepare > Backup made"):
        answer = await step(api, id, name)
        assert (answer.status_code, error(answer)["code"]) == (403, "not_entitled"), name
        assert "QA" in error(answer)["message"]
    assert await api.ticked(id) == set()


async def test_only_the_policy_says_which_chat_people_are_pipelines(api: Api) -> None:
    api.policy(SHOP_POLICY + "may: {tick: [engineer]}\n")
    id = await api.start()
    answer = await step(api, id, "Tests pass")
    assert (answer.status_code, error(answer)["code"]) == (403, "not_entitled")


# --- deployed ---------------------------------------------------------------------------------------------------------


async def test_deployed_sets_t0_once_and_its_announcement_is_made(api: Api) -> None:
    id = await ready(api)
    answer = await report(api, id, event="deployed", link=RUN)
    assert (answer.status_code, answer.json()["code"], answer.json()["ticked"]) == (
        200,
        "deployed",
        ["Traffic switched"],
    )
    state = await api.state(id)
    assert (state.status.value, state.deployed_by and state.deployed_by.name) == ("deployed", "ci")
    again = await report(api, id, event="deployed")
    assert (again.status_code, again.json()["code"]) == (200, "already")
    assert (await api.state(id)).t0 == state.t0


async def test_deployed_too_early_is_refused_in_the_words_people_read(api: Api) -> None:
    id = await bound(api)
    answer = await report(api, id, event="deployed")
    found = error(answer)
    person = await api.click(f"deployed:{id}")
    assert person.card is not None
    assert (answer.status_code, found["code"], found["message"]) == (409, "missing_items", person.card.text)
    assert "Tests pass" in found["message"]
    assert (await api.state(id)).t0 is None


async def test_what_has_ended_hears_nothing_more(api: Api) -> None:
    id = await bound(api)
    await api.app.router.submit(f"cancel:{id}", {"reason": "not today"}, who=QUINN, key="c", channel="#deployments")
    for body in ({"event": "deployed"}, {"event": "failed"}, {"event": "step", "step": "tests passed"}):
        answer = await report(api, id, **body)
        assert (answer.status_code, error(answer)["code"]) == (409, "ended"), body


# --- failed -----------------------------------------------------------------------------------------------------------


async def test_a_failure_stands_on_the_card_and_is_told_once_and_cancels_nothing(api: Api) -> None:
    id = await bound(api)
    body = {"event": "failed", "step": "image pushed", "detail": "no space left", "link": RUN}
    answers = [await report(api, id, **body) for _ in range(3)]
    assert [answer.json()["code"] for answer in answers] == ["failed", "already", "already"]
    assert "Nothing is cancelled" in answers[0].json()["message"]
    shown = await api.channel()
    assert shown.count("The pipeline of shop v1.2.0 → production reports a failure") == 1
    assert "The pipeline failed" in shown
    assert f'href="{RUN}"' in shown.replace("\\", "")
    assert (await api.state(id)).status.value == "running"
    standing = (await api.ask("GET", f"/api/deployments/{id}")).json()
    assert [(one["step"], one["detail"], one["link"]) for one in standing["failures"]] == [
        ("image pushed", "no space left", RUN)
    ]


async def test_a_failure_is_gone_from_the_card_when_the_step_is_reported_done(api: Api) -> None:
    id = await bound(api)
    await report(api, id, event="failed", step="tests passed", detail="3 of 412")
    assert "The pipeline failed" in await api.channel()
    await step(api, id, "tests passed")
    assert "The pipeline failed" not in await api.channel()
    assert (await api.ask("GET", f"/api/deployments/{id}")).json()["failures"] == []


async def test_what_a_pipeline_writes_is_text_and_nothing_else(api: Api) -> None:
    id = await bound(api)
    evil = "<!channel> @everyone **x** [y](https://evil.example.com) <script>alert(1)</script> `z`"
    await report(api, id, event="failed", step=evil[:300], detail=evil, link=f"{RUN}?a=)]%22%3E<b>")
    await step(api, id, "tests passed", detail=evil)
    shown = (await api.channel()).replace("\\", "")
    assert "<script>" not in shown
    assert 'href="https://evil.example.com' not in shown
    assert "<b>" not in shown
    assert "&lt;script&gt;" in shown


# --- which one is meant -----------------------------------------------------------------------------------------------


async def test_without_an_id_the_live_deployment_is_meant(api: Api) -> None:
    id = await bound(api)
    for body in ({}, {"service": "shop"}, {"service": "SHOP", "environment": "Production"}, {"version": "v1.2.0"}):
        answer = await report(api, "", event="step", step="tests passed", **body)
        assert (answer.status_code, answer.json()["deployment"]) == (200, id), body
    for body in ({"environment": "staging"}, {"version": "v9"}):
        answer = await report(api, "", event="step", step="tests passed", **body)
        assert (answer.status_code, error(answer)["code"]) == (404, "unknown_deployment"), body
        assert "POST /api/deployments" in error(answer)["message"]


async def test_the_one_that_runs_goes_before_those_that_wait_and_of_two_waiting_ones_the_version_says_which(
    api: Api,
) -> None:
    await api.say('schedule v2 shop "2026-11-25 10:00"')
    await api.say('schedule v3 shop "2026-11-26 10:00"')
    answer = await report(api, "", event="failed")
    assert (answer.status_code, error(answer)["code"], error(answer)["field"]) == (409, "several", "version")
    assert "v2" in error(answer)["message"]
    assert "v3" in error(answer)["message"]
    assert (await report(api, "", event="failed", version="v3")).status_code == 200
    running = await api.start("v1.2.0")
    assert (await report(api, "", event="failed", detail="x")).json()["deployment"] == running


async def test_of_an_id_that_is_nobodys_it_says_so(api: Api) -> None:
    answer = await step(api, "nothing", "tests passed")
    assert (answer.status_code, error(answer)["code"]) == (404, "unknown_deployment")


# --- deliveries -------------------------------------------------------------------------------------------------------


async def test_a_replayed_key_changes_nothing_and_is_answered_alike(api: Api) -> None:
    id = await bound(api)
    first = await report(api, id, "k1", event="step", step="tests passed")
    before = (await api.state(id)).revision
    answers = await asyncio.gather(*(report(api, id, "k1", event="step", step="tests passed") for _ in range(4)))
    assert {answer.text for answer in answers} == {first.text}
    assert (await api.state(id)).revision == before
    other = await report(api, id, "k1", event="failed")
    assert (other.status_code, error(other)["code"], error(other)["field"]) == (422, "key_reused", "Idempotency-Key")


async def test_a_replayed_key_is_answered_alike_also_when_the_deployment_has_ended_since(api: Api) -> None:
    id = await bound(api)
    first = await report(api, "", "k1", event="step", step="tests passed")
    await api.app.router.submit(f"cancel:{id}", {"reason": "not today"}, who=QUINN, key="c", channel="#deployments")
    again = await report(api, "", "k1", event="step", step="tests passed")
    assert (again.status_code, again.text) == (200, first.text)
    assert (await report(api, "", "k2", event="step", step="tests passed")).status_code == 404


async def test_a_key_belongs_to_its_token_and_its_deployment(api: Api) -> None:
    id = await bound(api)
    await report(api, id, "k1", event="step", step="tests passed")
    staging = await api.start("v1.2.0", "shop staging")
    mine = await report(api, staging if staging != id else "", "k1", event="failed")
    assert mine.status_code == 200
    api.token, _ = await api.new_token("shop", "second")
    assert (await report(api, id, "k1", event="failed")).status_code == 200


async def test_many_reports_at_once_all_count(api: Api) -> None:
    id = await bound(api)
    steps = ["tests passed", "smoke tests passed"] * 5
    answers = await asyncio.gather(*(step(api, id, name) for name in steps))
    assert {answer.status_code for answer in answers} == {200}
    codes = sorted(answer.json()["code"] for answer in answers)
    assert codes == ["already"] * 8 + ["remembered", "ticked"]
