"""Reports of pipelines over a real store: found, decided, saved once, answered alike."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.domain.people import Who
from bot.services.pipeline import Pipeline, Report
from bot.services.records import Records, UnknownDeployment
from tests.adapters.store_kit import migrated_database, migrated_file, sqlite_url, url
from tests.core_kit import Core, a_folder, open_core

__all__ = ["migrated_database", "migrated_file", "sqlite_url", "url"]

CI = Who(chat="api", id="t1", name="ci", roles=frozenset({"pipeline"}))
RUN = "https://ci.example.com/runs/42"


def with_policy(folder: Path, more: str, name: str = "shop") -> None:
    """Say more in a policy."""
    file = folder / f"{name}.yaml"
    file.write_text(file.read_text() + more)


@pytest.fixture
async def core(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Core]:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        yield core


def pipeline(core: Core, repository: str | None = None) -> Pipeline:
    return Pipeline(core.store, core.clock, core.gate, Records(("web",)), repository=repository, changed=core.changed)


async def marked(core: Core, id: str) -> set[str]:
    """The words of the ticked items."""
    view = await core.views.bare(id)
    return {task.item.label for step in view.plan.steps for task in step.tasks if task.id in view.state.marks}


# --- a report ---------------------------------------------------------------------------------------------------------


async def test_a_report_ticks_wakes_the_relay_and_says_what_it_did(core: Core) -> None:
    id = await core.start()
    core.bell.clear()
    reply = await pipeline(core).report(id, Report("tests pass", link=RUN), who=CI, key="k")
    assert (reply.accepted, reply.code, reply.ticked, reply.deployment) == (True, "ticked", ("Tests pass",), id)
    assert reply.message == "shop v1.2.0 → production: ticked “Tests pass”."
    assert core.bell.is_set()


async def test_the_same_key_again_changes_nothing_and_gets_the_same_reply(core: Core) -> None:
    id = await core.start()
    first = await pipeline(core).report(id, Report("tests pass"), who=CI, key="k")
    before = (await core.rows())[0].revision
    assert await pipeline(core).report(id, Report("tests pass"), who=CI, key="k") == first
    assert (await core.rows())[0].revision == before


async def test_a_key_with_another_report_is_refused(core: Core) -> None:
    id = await core.start()
    await pipeline(core).report(id, Report("tests pass"), who=CI, key="k")
    reply = await pipeline(core).report(id, Report("backup made"), who=CI, key="k")
    assert (reply.accepted, reply.code) == (False, "key_reused")
    assert await marked(core, id) == {"Tests pass"}


async def test_a_no_is_kept_too(core: Core) -> None:
    id = await core.start()
    first = await pipeline(core).report(id, Report("deployed"), who=CI, key="k")
    assert (first.accepted, first.code) == (False, "missing_items")
    await core.tick(id, "Prepare")
    await core.click(f"advance:{id}")
    assert await pipeline(core).report(id, Report("deployed"), who=CI, key="k") == first
    assert (await pipeline(core).report(id, Report("deployed"), who=CI, key="l")).code == "deployed"


async def test_what_keeps_t0_from_being_set_is_told_once_where_nobody_reads_the_reply(core: Core) -> None:
    id = await core.start()
    for key in ("k", "k", "l"):
        reply = await pipeline(core).report(id, Report("deployed", link=RUN), who=CI, key=key, unread=True)
        assert reply.code == "missing_items"
    await core.relay.settle()
    (told,) = [text for text in await core.texts() if text.startswith("⚠️ GitHub says that shop v1.2.0")]
    assert "still needs 2 items ticked or excused: • Tests pass • Backup made" in told
    assert "GitHub says it is deployed since" in (await core.texts())[0]
    await core.deploy(id)
    assert (await core.views.bare(id)).state.said_deployed is None


async def test_a_pipeline_that_reads_its_reply_is_not_talked_about(core: Core) -> None:
    id = await core.start()
    await pipeline(core).report(id, Report("deployed"), who=CI, key="k")
    assert "said_deployed" not in await core.kinds(id)


async def test_a_reply_that_an_older_release_has_kept_is_still_the_answer(core: Core) -> None:
    id = await core.start()
    first = await pipeline(core).report(id, Report("tests pass"), who=CI, key="k")
    await core.sql("""UPDATE deliveries SET answer = REPLACE(answer, ', "run": ""', '') WHERE key = 'k'""")
    async with core.store.read() as unit:
        assert '"run"' not in (await unit.delivered("k") or "")
    assert await pipeline(core).report(id, Report("tests pass"), who=CI, key="k") == first


async def test_an_unknown_step_is_answered_with_those_there_are(core: Core) -> None:
    id = await core.start()
    reply = await pipeline(core).report(id, Report("imge pushed"), who=CI, key="k")
    assert (reply.accepted, reply.code) == (False, "unknown_step")
    assert "no step “imge pushed”" in reply.message


async def test_an_unknown_step_leaves_nothing_behind_and_may_come_again_mended(core: Core) -> None:
    id = await core.start()
    await pipeline(core).report(id, Report("imge pushed"), who=CI, key="k")
    async with core.store.read() as unit:
        assert await unit.delivered("k") is None
    assert (await pipeline(core).report(id, Report("tests pass"), who=CI, key="k")).accepted


async def test_of_an_unknown_deployment_nothing_is_kept(core: Core) -> None:
    with pytest.raises(UnknownDeployment):
        await pipeline(core).report("nothing", Report("deployed"), who=CI, key="k")
    async with core.store.read() as unit:
        assert await unit.delivered("k") is None


async def test_reports_and_clicks_at_the_same_moment_all_count(url: str, tmp_path: Path) -> None:
    async with open_core(url, a_folder(tmp_path / "checklists")) as core, core.second() as other:
        id = await core.start()
        replies = await asyncio.gather(
            pipeline(core).report(id, Report("tests pass"), who=CI, key="a"),
            pipeline(other).report(id, Report("backup made"), who=CI, key="b"),
            pipeline(other).report(id, Report("tests pass"), who=CI, key="a"),
            pipeline(core).report(id, Report("traffic switched"), who=CI, key="c"),
        )
        assert all(reply.accepted for reply in replies)
        assert replies[0] == replies[2]
        assert await marked(core, id) == {"Tests pass", "Backup made"}
        assert len((await core.views.bare(id)).state.reports) == 1


# --- T0 and the window ------------------------------------------------------------------------------------------------


async def ready(core: Core, more: str) -> str:
    """A run that started in its window, of a policy that has one, ready for T0; the window is closed by now."""
    with_policy(core.folder, f'windows: {{production: ["tue 10:00-16:00"]}}\n{more}')
    id = await core.start()
    await core.tick(id, "Prepare")
    await core.click(f"advance:{id}")
    core.clock.at += timedelta(hours=6)
    return id


async def test_a_run_that_may_finish_does_so_after_its_window(core: Core) -> None:
    id = await ready(core, "")
    assert (await pipeline(core).report(id, Report("deployed"), who=CI, key="k")).accepted


async def test_one_that_may_not_is_told_why_in_the_words_a_person_is_told(core: Core) -> None:
    id = await ready(core, "run_may_finish: false\n")
    reply = await pipeline(core).report(id, Report("deployed"), who=CI, key="k")
    person = await core.click(f"deployed:{id}")
    assert person.card is not None
    assert (reply.accepted, reply.code, reply.message) == (False, "closed", person.card.text)
    assert await core.status(id) == "running"


# --- which deployment is meant ----------------------------------------------------------------------------------------


async def test_live_ones_are_found_by_service_environment_version_and_repository(core: Core) -> None:
    with_policy(core.folder, "repository: acme/shop\n")
    shop = await core.start()
    core.clock.at = core.clock.at.replace(hour=16)
    pet = await core.start("v2", "pet")
    found = pipeline(core, "acme/others")

    async def ids(**by: str) -> list[str]:
        return [row.id for row in await found.live(**by)]

    assert await ids() == [pet, shop]
    assert await ids(service="PET.store") == [pet]
    assert await ids(version="v1.2.0") == [shop]
    assert await ids(version="V1.2.0") == []
    assert await ids(environment="Production") == [pet, shop]
    assert await ids(environment="staging") == []
    assert await ids(repository="Acme/Shop") == [shop]
    assert await ids(repository="acme/others") == [pet], "the policy names none: the setting's counts"
    assert await ids(repository="acme/shop", service="pet.store") == []
    assert [row.id for row in await pipeline(core).live(repository="acme/others")] == []


async def test_the_repository_is_the_one_of_the_policy_it_started_with(core: Core) -> None:
    id = await core.start()
    with_policy(core.folder, "repository: acme/shop\n")
    assert await pipeline(core).live(repository="acme/shop") == []
    assert [row.id for row in await pipeline(core, "acme/shop").live(repository="acme/shop")] == [id]


async def test_what_has_ended_is_not_live(core: Core) -> None:
    id = await core.start()
    await core.submit(f"cancel:{id}", {"reason": "not today"})
    assert await core.status(id) == "cancelled"
    assert await pipeline(core).live() == []


async def test_a_deployment_that_another_release_has_written_does_not_hide_the_others(core: Core) -> None:
    readable = await core.start()
    newer = await core.start("v9", "shop staging")
    body = '{"kind": "started_otherwise", "at": "2026-11-24T15:00:00Z"}'
    await core.sql("UPDATE events SET body = :body WHERE deployment = :id AND seq = 1", body=body, id=newer)
    assert [row.id for row in await pipeline(core, "acme/shop").live(repository="acme/shop")] == [readable]
