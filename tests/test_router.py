"""Every command, click and form: what is answered, what is done, and that a repeat does it once."""

from __future__ import annotations

import asyncio
import shutil
import uuid
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.commands import USAGES
from bot.ports import StoreError
from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import ANN, BEN, HERE, Core, a_folder, open_core, told

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        yield core


@pytest.fixture
async def either(url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(url, a_folder(tmp_path / "checklists")) as core:
        yield core


async def first_task(core: Core, deployment: str) -> str:
    return (await core.views.bare(deployment)).plan.steps[0].tasks[0].id


# --- a repeat -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "start v2 shop staging", "cancel shop not now", "rollback shop v1 errors", "advance shop", "deployed shop",
        'freeze add "today" sale', "incident open checkout is down", "freeze remove f1", "incident close i1",
    ],
)  # fmt: skip
async def test_a_command_delivered_twice_is_done_once_and_answered_alike(core: Core, command: str) -> None:
    await core.start()
    first = await core.say(command, key="same")
    rows, wanted = await core.rows(), await core.kinds("d1")
    assert await core.say(command, key="same") == first
    assert (await core.rows(), await core.kinds("d1")) == (rows, wanted)


@pytest.mark.parametrize("verb", ["tick", "untick", "advance", "deployed", "measure"])
async def test_a_click_delivered_twenty_times_at_once_is_done_once(either: Core, verb: str) -> None:
    deployment = await either.start()
    item = await first_task(either, deployment)
    action = f"{verb}:{deployment}:{item}"
    answers = await asyncio.gather(*(either.click(action, key="same") for _ in range(20)))
    assert len({told(answer) for answer in answers}) == 1
    kinds = await either.kinds(deployment)
    assert kinds.count("ticked") == (1 if verb == "tick" else 0)


async def test_a_start_delivered_twenty_times_at_once_starts_one(either: Core) -> None:
    answers = await asyncio.gather(*(either.say("start v1.2.0 shop", key="same") for _ in range(20)))
    assert {told(answer).split(".")[0] for answer in answers} == {"Started shop v1"}
    assert len(await either.rows()) == 1


async def test_a_freeze_delivered_twenty_times_at_once_is_one(either: Core) -> None:
    answers = await asyncio.gather(*(either.say('freeze add "today" sale', key="same") for _ in range(20)))
    assert len({told(answer) for answer in answers}) == 1
    assert told(await either.say("freeze list")).count("sale") == 1


async def test_twenty_people_ticking_at_once_all_get_through(either: Core) -> None:
    deployment = await either.start()
    item = await first_task(either, deployment)
    note = [either.submit(f"note:{deployment}:{item}", {"text": f"n{number}"}) for number in range(20)]
    assert {told(answer) for answer in await asyncio.gather(*note)} == {""}
    assert (await either.kinds(deployment)).count("noted") == 20


async def test_two_starts_at_once_one_wins_and_the_other_is_told_who(either: Core) -> None:
    both = [either.say("start v1.2.0 shop"), either.say("start v1.3.0 shop", who=BEN)]
    answers = sorted(told(answer) for answer in await asyncio.gather(*both))
    assert answers[0].startswith("Started shop")
    assert "is already being deployed to production, started by" in answers[1]
    assert len(await either.rows()) == 1


async def test_a_refusal_is_the_answer_of_that_delivery_only(core: Core) -> None:
    deployment = await core.start()
    refused = await core.click(f"advance:{deployment}", key="early")
    assert "still needs 2 items" in told(refused)
    await core.tick(deployment, "Prepare")
    assert await core.click(f"advance:{deployment}", key="early") == refused
    assert "phase_done" not in await core.kinds(deployment)
    assert told(await core.click(f"advance:{deployment}", key="later")) == ""
    assert "phase_done" in await core.kinds(deployment)


async def test_a_refused_start_may_succeed_later(core: Core) -> None:
    await core.start()
    refused = await core.say("start v2 shop", key="early")
    assert "already being deployed" in told(refused)
    await core.say("cancel shop not now")
    assert await core.say("start v2 shop", key="early") == refused
    assert told(await core.say("start v2 shop", key="later")).startswith("Started")


async def test_an_item_is_measured_once_for_a_delivery(core: Core) -> None:
    deployment = await core.start()
    await core.deploy(deployment)
    core.probe.values["error_rate"] = None
    core.clock.later(minutes=30)
    await core.scheduler.settle()
    [task] = (await core.views.bare(deployment)).plan.steps[2].tasks
    refused = await core.click(f"measure:{deployment}:{task.id}", key="same")
    assert "is not measured healthy now" in told(refused)
    core.probe.values["error_rate"] = 0.0
    core.probe.asked.clear()
    assert await core.click(f"measure:{deployment}:{task.id}", key="same") == refused
    assert core.probe.asked == []
    assert told(await core.click(f"measure:{deployment}:{task.id}")) == ""
    assert task.id in (await core.views.bare(deployment)).state.marks


async def test_a_database_that_fails_passes_through(core: Core) -> None:
    deployment = await core.start()
    await core.sql("ALTER TABLE deliveries RENAME TO elsewhere")
    with pytest.raises(StoreError):
        await core.click(f"tick:{deployment}:x")
    with pytest.raises(StoreError):
        await core.say("start v2 shop staging")


# --- which deployment is meant --------------------------------------------------------------------------------------


async def test_a_service_is_found_by_its_checklists_name_too(core: Core) -> None:
    await core.start("v1", "pet preprod")
    assert "pet.store v1 → preprod" in told(await core.say("status pet"))
    assert "pet.store v1 → preprod" in told(await core.say("status pet.store"))
    assert "pet.store v1 → preprod" in told(await core.say("status pet preprod"))


async def test_a_service_that_does_not_run_is_not_taken_for_a_reason(core: Core) -> None:
    await core.start("v1", "pet preprod")
    await core.say("cancel pet never mind")
    deployment = await core.start()
    answer = await core.say("rollback pet.store everything is broken")
    assert "No deployment of pet.store is running" in told(answer).replace("\\", "")
    assert await core.status(deployment) == "running"


async def test_of_several_the_asker_has_to_name_one(core: Core) -> None:
    await core.start()
    await core.start("v1", "pet preprod")
    answer = told(await core.say("advance"))
    assert "Say which" in answer
    assert "/deploy advance shop production" in answer
    assert "/deploy advance pet.store preprod" in answer


async def test_one_that_is_only_watched_is_not_in_the_way(core: Core) -> None:
    await core.succeed(await core.start("v1"))
    newer = await core.start("v2")
    await core.say("cancel nobody needs it")
    assert await core.status(newer) == "cancelled"


async def test_nothing_runs(core: Core) -> None:
    for command in ("items", "advance", "deployed", "rollback", "cancel", "status", "status shop"):
        assert "running" in told(await core.say(command)), command


async def test_what_is_stable_can_be_rolled_back_although_something_newer_was_cancelled(core: Core) -> None:
    deployment = await core.start("v1")
    await core.succeed(deployment)
    core.clock.later(hours=24)
    await core.scheduler.settle()
    assert await core.status(deployment) == "stable"
    await core.start("v2")
    await core.say("cancel shop not now")
    await core.say("rollback shop v0.9 it leaks")
    assert await core.status(deployment) == "rolling back"


async def test_running_ones_are_listed_first_however_old(core: Core) -> None:
    await core.start("v-old", "pet preprod")
    for number in range(21):
        core.clock.later(minutes=1)
        await core.start(f"v{number}")
        await core.say("cancel shop not now")
    listed = await core.say("list")
    assert listed.card is not None
    assert "v\\-old" in listed.card.blocks[0].markdown  # type: ignore[union-attr]


# --- starting -------------------------------------------------------------------------------------------------------


async def test_a_misspelt_environment_never_starts_production(core: Core) -> None:
    for words in ("shop stg", "stg shop", "shop prodution please", 'shop "a note"'):
        answer = told(await core.say(f"start v1.2.0 {words}"))
        assert "What is" in answer or "no checklist" in answer, words
    assert await core.rows() == []


async def test_an_environment_of_a_policy_is_known(core: Core) -> None:
    await core.say("start v1.2.0 pet preprod")
    [row] = await core.rows()
    assert (row.service, row.environment) == ("pet.store", "preprod")


async def test_an_environment_of_another_checklist_is_refused(core: Core) -> None:
    assert "no environment “preprod”" in told(await core.say("start v1.2.0 shop preprod"))


async def test_a_planned_start_says_when(core: Core) -> None:
    assert "Planned for tomorrow 16:00" in told(await core.say('start v1.2.0 shop at "tomorrow 16:00"'))


async def test_a_planned_start_is_held_against_the_window_of_its_time(core: Core) -> None:
    assert "closed" in told(await core.say('start v1 pet at "fri 12:00"'))
    assert told(await core.say('start v1 pet at "thu 12:00"')).startswith("Planned")


async def test_one_document_is_not_started_under_another_name(sqlite_url: str, tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "checklists")
    async with open_core(sqlite_url, folder) as core:
        core.checklists._file = folder / "shop.md"
        assert "no checklist 'stg'" in told(await core.say("start v1 stg"))
        assert told(await core.say("start v1 shop")).startswith("Started")


# --- rolling back ---------------------------------------------------------------------------------------------------


async def test_a_rollback_without_a_reason_asks_for_one_and_offers_versions(core: Core) -> None:
    await core.succeed(await core.start("v1.1.0"))
    await core.start("v1.2.0")
    answer = await core.say("rollback shop")
    assert answer.form is not None
    version = answer.form.fields[0]
    assert (version.value, [option.value for option in version.options]) == ("v1.1.0", ["v1.1.0"])


async def test_a_rollback_with_a_reason_is_begun_at_once(core: Core) -> None:
    await core.succeed(await core.start("v1.1.0"))
    deployment = await core.start("v1.2.0")
    await core.say("rollback shop checkout is slow")
    state = (await core.views.bare(deployment)).state
    assert state.rollback is not None
    assert (state.rollback.to_version, state.rollback.reason) == ("v1.1.0", "checkout is slow")


async def test_a_rollback_needs_no_calendar_window_or_readable_policy_file(core: Core) -> None:
    deployment = await core.start("v1", "pet production")
    (core.folder / "events.ics").unlink()
    (core.folder / "pet.yaml").write_text("windows: [")
    await core.say("incident open checkout is down")
    core.clock.later(days=4)
    form = await core.click(f"rollback:{deployment}")
    assert form.form is not None
    await core.submit(form.form.action, {"version": "v0", "reason": "it burns"})
    assert await core.status(deployment) == "rolling back"


# --- buttons of other times -----------------------------------------------------------------------------------------


async def test_a_button_or_form_nobody_knows_is_answered(core: Core) -> None:
    deployment = await core.start()
    assert "older release" in told(await core.click(f"launch:{deployment}"))
    assert "older release" in told(await core.click("launch:unknown"))
    assert "older release" in told(await core.submit(f"launch:{deployment}", {}))
    assert "not in this database" in told(await core.click("tick:unknown:x"))
    assert "no such item" in told(await core.click(f"excuse:{deployment}:unknown"))


VERBS = [
    "tick", "untick", "advance", "deployed", "measure", "again", "read", "rollback", "rolledback", "cancel", "accept",
    "excuse", "note", "start", "freeze", "",
]  # fmt: skip
PARTS = st.one_of(
    st.sampled_from(["d1", "t30", "t30:0", "0", "9" * 5_000, "shop", "\0", "\ud800", "", ":"]), st.text(max_size=20)
)
ACTIONS = st.one_of(
    st.text(max_size=60), st.builds(lambda *parts: ":".join(parts), st.sampled_from(VERBS), PARTS, PARTS)
)
COMMANDS = st.one_of(
    st.text(max_size=60),
    st.builds(lambda name, *words: " ".join([name, *words]), st.sampled_from([u.name for u in USAGES]), PARTS, PARTS),
)


@given(st.lists(st.tuples(st.sampled_from(["click", "submit", "command", "complete"]), ACTIONS, COMMANDS), max_size=12))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_comes_in_is_answered(migrated_file: Path, tmp_path: Path, sent: list[tuple[str, str, str]]) -> None:
    async def go() -> None:
        url = f"sqlite:///{shutil.copy(migrated_file, tmp_path / f'{uuid.uuid4().hex}.db')}"
        async with open_core(url, a_folder(tmp_path / "checklists")) as core:
            await core.start()
            for kind, action, command in sent:
                match kind:
                    case "click":
                        await core.click(action)
                    case "submit":
                        await core.submit(action, {"reason": command, "version": action, "\ud800": "\ud800"})
                    case "command":
                        await core.say(command)
                    case _:
                        assert len(await core.router.complete(command, who=ANN)) <= 25

    asyncio.run(go())


# --- completion -----------------------------------------------------------------------------------------------------


async def offers(core: Core, text: str) -> list[str]:
    found = await core.router.complete(text, who=ANN)
    assert all(option.value.endswith(" ") and option.label for option in found)
    return [option.value.rstrip() for option in found]


async def test_the_names_of_commands_are_offered(core: Core) -> None:
    assert await offers(core, "") == [usage.name for usage in USAGES]
    assert await offers(core, "st") == ["start", "status"]
    assert await offers(core, "ROLL") == ["rollback"]
    assert await offers(core, "nonsense") == []


async def test_a_start_is_offered_what_is_still_missing(core: Core) -> None:
    assert await offers(core, "start ") == []
    assert await offers(core, "start v1.2.0 sh") == ["start v1.2.0 shop"]
    everything = ["pet", "shop", "production", "preprod", "staging", "at"]
    assert await offers(core, "start v1 ") == [f"start v1 {word}" for word in everything]
    assert await offers(core, "start v1 shop s") == ["start v1 shop staging"]
    assert await offers(core, "start v1 shop staging ") == ["start v1 shop staging at"]
    assert await offers(core, "start v1 shop at ") == []


async def test_what_runs_is_offered_to_commands_about_it(core: Core) -> None:
    assert await offers(core, "advance ") == []
    await core.start()
    await core.start("v1", "pet preprod")
    assert set(await offers(core, "advance ")) == {"advance pet.store", "advance shop"}
    assert await offers(core, "status p") == ["status pet.store"]
    assert await offers(core, "cancel shop ") == ["cancel shop production"]


async def test_a_rollback_is_offered_services_and_previous_versions(core: Core) -> None:
    await core.succeed(await core.start("v1.0.0"))
    await core.succeed(await core.start("v1.1.0"))
    await core.start("v1.2.0")
    assert await offers(core, "rollback ") == ["rollback shop"]
    assert await offers(core, "rollback shop ") == [
        "rollback shop v1.1.0", "rollback shop v1.0.0", "rollback shop production",
    ]  # fmt: skip
    assert await offers(core, "rollback shop production v1.0") == ["rollback shop production v1.0.0"]
    assert await offers(core, "rollback shop v1.1.0 too ") == []


async def test_freezes_and_incidents_are_offered_by_id(core: Core) -> None:
    assert await offers(core, "freeze ") == ["freeze add", "freeze list", "freeze remove"]
    await core.say('freeze add "today" sale')
    await core.say("incident open checkout is down")
    assert await offers(core, "freeze remove ") == ["freeze remove d1"]
    assert await offers(core, "incident close ") == ["incident close d2"]
    assert await offers(core, 'freeze add "1 dec - 3 jan" s') == ['freeze add "1 dec - 3 jan" shop']
    assert await offers(core, 'freeze add "1 dec ') == []
    assert await offers(core, "incident open ") == ["incident open pet", "incident open shop"]


async def test_every_offer_can_be_gone_on_with(core: Core) -> None:
    await core.start()
    for usage in USAGES:
        for option in await core.router.complete(f"{usage.name} ", who=ANN):
            assert option.value.startswith(f"{usage.name} ")


async def test_the_channel_of_a_command_does_not_matter(core: Core) -> None:
    answer = await core.router.command("start v1 shop", who=ANN, key="k", channel="#elsewhere")
    assert told(answer).startswith("Started")
    await core.relay.settle()
    assert len(await core.channel(HERE)) == 1
