"""The gate and a start, asked by a pipeline: the answers a person and `gonogo gate` get, and no way past any rule."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from bot import gating
from tests.adapters.api.kit import QUINN, Api, api, error
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import PET_POLICY, SHOP_POLICY

pytestmark = pytest.mark.slow

__all__ = ["api", "migrated_file", "sqlite_url"]

SATURDAY = "2026-11-28 15:00"
INSIDE, OUTSIDE = "2026-11-24T11:00", "2026-11-27T11:00"
"""Of the pet store's window, by its own clock."""


async def gonogo_gate(api: Api, at: str = "", environment: str = "production", name: str = "pet") -> dict[str, Any]:
    """What `gonogo gate --json` prints."""
    found, _, _ = await gating.gate(api.settings, name, environment, at=at)
    answer: dict[str, Any] = json.loads(gating.as_json(found))
    return answer


async def pet(api: Api) -> None:
    """From now on the pipeline is the pet store's."""
    api.token, _ = await api.new_token("pet.store", "petci")


# --- the gate ---------------------------------------------------------------------------------------------------------


async def test_the_gate_answers_as_gonogo_gate_does_about_what_it_was_asked(api: Api) -> None:
    await pet(api)
    for at in (INSIDE, OUTSIDE, "2026-11-24T16:00:00+01:00", "fri 16:55"):
        answer = await api.ask("GET", "/api/gate", params={"at": at})
        found = answer.json()
        about = {name: found.pop(name) for name in ("service", "environment", "at")}
        assert (answer.status_code, found) == (200, await gonogo_gate(api, at))
        assert (about["service"], about["environment"]) == ("pet.store", "production")
        assert about["at"].endswith("-05:00"), "in the checklist's zone"
    assert (await api.ask("GET", "/api/gate", params={"at": INSIDE})).json()["open"] is True


async def test_without_a_time_it_is_asked_about_now(api: Api) -> None:
    await pet(api)
    await api.set_clock(SATURDAY)
    found = (await api.ask("GET", "/api/gate")).json()
    assert found["at"].startswith("2026-11-28T10:00:")
    assert (found["open"], [reason["code"] for reason in found["reasons"]]) == (False, ["window"])
    elsewhere = (await api.ask("GET", "/api/gate", params={"environment": "PreProd"})).json()
    assert (elsewhere["open"], elsewhere["environment"]) == (True, "preprod")


async def test_a_lock_and_a_running_deployment_close_it(api: Api) -> None:
    await api.say("lock shop production stocktaking")
    found = (await api.ask("GET", "/api/gate")).json()
    assert (found["open"], [reason["code"] for reason in found["reasons"]]) == (False, ["lock"])
    assert "stocktaking" in found["reasons"][0]["text"]
    await api.say("unlock shop production done")
    assert (await api.ask("GET", "/api/gate")).json()["open"] is True
    await api.start()
    assert (await api.ask("GET", "/api/gate")).json()["open"] is False


async def test_a_question_nobody_can_answer_names_its_field(api: Api) -> None:
    for params, field in (
        ({"environment": "moon"}, "environment"),
        ({"at": "whenever"}, "at"),
        ({"at": "2026-13-01"}, "at"),
        ({"at": "9999-01-01"}, "at"),
    ):
        answer = await api.ask("GET", "/api/gate", params=params)
        assert (answer.status_code, error(answer)["field"]) == (422, field), params
    assert "staging" in error(await api.ask("GET", "/api/gate", params={"environment": "moon"}))["message"]


async def test_a_checklist_that_is_gone_or_spoiled_is_said(api: Api) -> None:
    start = {"version": "v1"}
    api.policy("phases: [", "shop")
    for answer in (await api.ask("GET", "/api/gate"), await api.ask("POST", "/api/deployments", start)):
        assert (answer.status_code, error(answer)["code"]) == (409, "checklist_unusable")
        assert "gonogo checklist lint" in error(answer)["message"]
    for name in ("shop.md", "shop.yaml"):
        (api.folder / name).unlink()
    for answer in (await api.ask("GET", "/api/gate"), await api.ask("POST", "/api/deployments", start)):
        assert (answer.status_code, error(answer)["code"]) == (404, "unknown_service")


# --- a start ----------------------------------------------------------------------------------------------------------


async def test_a_pipeline_starts_a_deployment_that_people_see(api: Api) -> None:
    answer = await api.ask("POST", "/api/deployments", {"version": "v1.2.0", "note": "the Friday train"})
    found = answer.json()
    assert (answer.status_code, found["status"], found["started_by"]) == (201, "running", "ci")
    assert (found["service"], found["environment"], found["version"]) == ("shop", "production", "v1.2.0")
    assert (found["phase"], found["ticked"], found["total"]) == ({"title": "Prepare", "number": 1, "of": 3}, 0, 4)
    started = (await api.state(found["id"])).started
    assert (started.by.chat, started.by.id, started.note) == ("api", "t1", "the Friday train")
    assert "shop v1.2.0" in await api.channel()


async def test_the_same_version_again_is_the_deployment_that_is_live(api: Api) -> None:
    first = (await api.ask("POST", "/api/deployments", {"version": "v1.2.0"})).json()
    again = await api.ask("POST", "/api/deployments", {"version": "v1.2.0", "environment": "Production"})
    assert (again.status_code, again.json()["id"]) == (200, first["id"])
    by_person = await api.ask("POST", "/api/deployments", {"version": "v1.2.0", "environment": "staging"})
    assert by_person.status_code == 201, "another environment is another deployment"


async def test_a_version_that_is_being_rolled_back_is_not_the_one_that_is_live(api: Api) -> None:
    id = await api.start()
    await api.say("rollback shop v1.1.0 errors")
    assert (await api.state(id)).status.value == "rolling back"
    answer = await api.ask("POST", "/api/deployments", {"version": "v1.2.0"})
    assert (answer.status_code, error(answer)["code"]) == (409, "locked")


async def test_of_many_at_once_one_starts(api: Api) -> None:
    body = {"version": "v1.2.0"}
    answers = await asyncio.gather(*(api.ask("POST", "/api/deployments", body) for _ in range(6)))
    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [201]
    assert len({answer.json()["id"] for answer in answers}) == 1


async def test_the_same_key_again_is_answered_with_what_it_started(api: Api) -> None:
    body = {"version": "v1.2.0"}
    first = await api.ask("POST", "/api/deployments", body, key="run-1")
    id = first.json()["id"]
    await api.app.router.submit(
        f"cancel:{id}", {"reason": "not today"}, who=QUINN, key="cancel", channel="#deployments"
    )
    again = await api.ask("POST", "/api/deployments", body, key="run-1")
    assert (first.status_code, again.status_code) == (201, 200)
    assert (again.json()["id"], again.json()["status"]) == (id, "cancelled")
    new = await api.ask("POST", "/api/deployments", body, key="run-2")
    assert (new.status_code, new.json()["id"] != id) == (201, True)


async def test_a_key_belongs_to_one_order_and_one_token(api: Api) -> None:
    await api.ask("POST", "/api/deployments", {"version": "v1.2.0"}, key="run-1")
    other = await api.ask("POST", "/api/deployments", {"version": "v1.3.0"}, key="run-1")
    assert (other.status_code, error(other)["code"], error(other)["field"]) == (422, "key_reused", "Idempotency-Key")
    await pet(api)
    mine = await api.ask("POST", "/api/deployments", {"version": "v1.3.0"}, key="run-1")
    assert mine.status_code == 201


async def test_outside_the_window_the_gates_own_reasons_are_given_and_nothing_starts(api: Api) -> None:
    await pet(api)
    await api.set_clock(SATURDAY)
    answer = await api.ask("POST", "/api/deployments", {"version": "v1"}, key="run-1")
    found = error(answer)
    assert (answer.status_code, found["code"]) == (409, "closed")
    assert found["gate"] == await gonogo_gate(api)
    assert "pet.store v1 → production" in found["message"]
    async with api.app.store.read() as unit:
        assert await unit.rows() == []
    again = await api.ask("POST", "/api/deployments", {"version": "v1"}, key="run-1")
    assert error(again) == found


async def test_a_freeze_closes_it_for_pipelines_as_for_people(api: Api) -> None:
    await api.say("freeze add today stocktaking")
    found = error(await api.ask("POST", "/api/deployments", {"version": "v1"}))
    assert [reason["code"] for reason in found["gate"]["reasons"]] == ["freeze"]
    assert "stocktaking" in found["message"]


async def test_a_lock_or_another_version_that_runs_is_said_as_such(api: Api) -> None:
    await api.start("v1.1.0")
    running = await api.ask("POST", "/api/deployments", {"version": "v1.2.0"})
    assert (running.status_code, error(running)["code"]) == (409, "locked")
    assert "v1.1.0" in error(running)["message"]
    await pet(api)
    await api.say("lock pet production stocktaking")
    locked = await api.ask("POST", "/api/deployments", {"version": "v1.2.0"})
    assert (locked.status_code, error(locked)["code"]) == (409, "locked")
    assert "stocktaking" in error(locked)["message"]


async def test_open_waits_for_the_window(api: Api) -> None:
    await pet(api)
    await api.set_clock(SATURDAY)
    answer = await api.ask("POST", "/api/deployments", {"version": "v1", "when": "open"})
    assert (answer.status_code, answer.json()["status"]) == (201, "waiting")
    assert answer.json()["planned_at"] == "2026-12-01T10:00:00-05:00"
    outside = await api.ask("POST", "/api/deployments", {"version": "v2", "when": "2026-11-29 12:00"})
    assert (outside.status_code, error(outside)["code"]) == (409, "closed")


async def test_who_may_start_is_the_policys_to_say(api: Api) -> None:
    api.policy(SHOP_POLICY + "may: {start: [lead]}\n")
    answer = await api.ask("POST", "/api/deployments", {"version": "v1.2.0"})
    assert (answer.status_code, error(answer)["code"]) == (403, "not_entitled")
    assert "may: {start: [pipeline]}" in error(answer)["message"]
    api.policy(SHOP_POLICY + "may: {start: [lead, pipeline]}\n")
    assert (await api.ask("POST", "/api/deployments", {"version": "v1.2.0"})).status_code == 201


async def test_what_needs_an_approval_waits_for_people(api: Api) -> None:
    api.policy(SHOP_POLICY + "approvals: {production: {role: qa}}\npeople: {qa: {name: Quinn}}\n")
    found = (await api.ask("POST", "/api/deployments", {"version": "v1.2.0"})).json()
    assert found["status"] == "waiting"
    assert (await api.ask("POST", f"/api/deployments/{found['id']}/events", {"event": "deployed"})).status_code == 409
    await api.click(f"approve:{found['id']}", QUINN)
    state = await api.state(found["id"])
    assert [approval.by.name for approval in state.approved.values()] == ["Quinn"]


async def test_no_name_of_a_role_gives_a_token_more(api: Api) -> None:
    """A freeze that a lead may pass holds a token that is called so."""
    api.policy(PET_POLICY.replace("may: {freeze: [lead]}", "may: {override: [lead, pipeline], freeze: [lead]}"), "pet")
    api.token, _ = await api.new_token("pet.store", "lead")
    await api.set_clock(SATURDAY)
    for more in ({}, {"note": "--override"}, {"version": "v1 --override"}, {"when": "now"}):
        answer = await api.ask("POST", "/api/deployments", {"version": "v1", **more})
        assert answer.status_code in (409, 422), more
    async with api.app.store.read() as unit:
        assert await unit.rows() == []


# --- where it stands --------------------------------------------------------------------------------------------------


async def test_it_is_told_where_a_deployment_stands(api: Api) -> None:
    id = await api.start()
    await api.tick_all(id)
    await api.click(f"advance:{id}")
    await api.click(f"deployed:{id}")
    found = (await api.ask("GET", f"/api/deployments/{id}")).json()
    assert (found["status"], found["ticked"], found["total"]) == ("deployed", 2, 4)
    assert found["deployed_at"].startswith("2026-11-24T15:00:")
    assert found["next_due"]["at"].startswith("2026-11-24T15:30:")
    assert [said["name"] for said in found["announcements"]] == ["started"]
    assert "v1.2.0" in found["announcements"][0]["text"]
    gone = await api.ask("GET", "/api/deployments/nothing")
    assert (gone.status_code, error(gone)["code"]) == (404, "unknown_deployment")
