"""A workflow is started by somebody's confirmation, or by a rollback by itself; and never twice."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
import stamina

from adapters.github.api import GitHub
from adapters.github.auth import TokenAuth
from adapters.github.wire import Wire
from bot.cards.card import Buttons, Code
from bot.cards.deployment import deployment_card
from bot.domain import events as e
from bot.domain.people import Who
from bot.services.dispatching import DUE, Dispatching
from bot.services.records import Records
from bot.services.views import Views
from bot.services.workflows import Dispatches
from tests.adapters.probes.conftest import TRUSTING_NOBODY
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import SHOP_POLICY, Core, a_folder, open_core, told
from tests.fakes import github as fake
from tests.fakes.vendors import Reply, Request, Vendor, vendor_server

__all__ = ["migrated_file", "sqlite_url"]

PIPELINE = """
repository: acme/shop
rollback: {mode: automatic, lasting: 2m, alert: {error_rate: "> 5%"}}
pipeline:
  deploy: {workflow: deploy.yml, inputs: {version: "{{ version }}"}}
  rollback: {workflow: rollback.yml, ref: main, inputs: {version: "{{ previous_version }}", reason: "{{ reason }}"}}
"""


@dataclass
class Shop:
    core: Core
    there: fake.GitHub
    server: Vendor
    forge: GitHub | None

    async def ready(self) -> str:
        """T0 is next."""
        id = await self.core.start()
        await self.core.tick(id, "Prepare")
        await self.core.click(f"advance:{id}")
        return id

    async def confirmed(self, id: str, purpose: str = "deploy") -> str:
        """The action of the button that does it."""
        answer = await self.core.click(f"run:{id}:{purpose}")
        assert answer.card is not None
        buttons = [block.buttons for block in answer.card.blocks if isinstance(block, Buttons)]
        return buttons[0][0].action

    async def facts(self, id: str) -> list[e.Event]:
        async with self.core.store.read() as unit:
            return [fact for fact in await unit.events(id) if fact.kind.startswith("dispatch")]

    async def outcome(self, id: str) -> str:
        return next((one.outcome for one in await self.facts(id) if isinstance(one, e.DispatchAnswered)), "")


@pytest.fixture(scope="module")
def server() -> Iterator[Vendor]:
    with vendor_server() as vendor:
        yield vendor


def wired(core: Core, forge: GitHub | None) -> GitHub | None:
    dispatching = Dispatching(
        core.store, core.clock, Records(("web",)), forge, repository=None, new_id=core.new_id, changed=core.changed
    )
    core.checks.others |= dict.fromkeys(DUE, dispatching.run_due)
    core.router.dispatches = Dispatches(
        core.store, core.clock, core.deployments, forge, repository=None, new_id=core.new_id
    )
    return forge


@pytest.fixture
async def shop(sqlite_url: str, tmp_path: Path, server: Vendor) -> AsyncIterator[Shop]:
    server.reset()
    folder = a_folder(tmp_path / "checklists")
    (folder / "shop.yaml").write_text(SHOP_POLICY + PIPELINE)
    async with open_core(sqlite_url, folder) as core, httpx.AsyncClient(verify=TRUSTING_NOBODY) as client:
        server.serve = there = fake.GitHub(server.base, now=core.clock.now)
        with stamina.set_testing(True, attempts=3):
            yield Shop(core, there, server, wired(core, GitHub(Wire(client, server.base), TokenAuth(fake.TOKEN))))


async def test_what_is_confirmed_is_shown_letter_for_letter_and_sent_so(shop: Shop) -> None:
    id = await shop.ready()
    answer = await shop.core.click(f"run:{id}:deploy")
    assert answer.card is not None
    assert Code("repository: acme/shop\nref: v1.2.0\nversion: v1.2.0") in answer.card.blocks
    assert shop.there.dispatched == []
    await shop.core.click(await shop.confirmed(id))
    await shop.core.scheduler.settle()
    assert shop.there.dispatched == [{"workflow": "deploy.yml", "ref": "v1.2.0", "inputs": {"version": "v1.2.0"}}]
    assert [fact.kind for fact in await shop.facts(id)] == ["dispatched", "dispatch_tried", "dispatch_answered"]


async def test_the_decision_is_saved_before_anything_is_sent(shop: Shop) -> None:
    id = await shop.ready()
    await shop.core.click(await shop.confirmed(id))
    assert [fact.kind for fact in await shop.facts(id)] == ["dispatched"]
    assert shop.server.asked == []


async def test_the_same_click_again_gets_the_same_answer_and_starts_nothing(shop: Shop) -> None:
    id = await shop.ready()
    action = await shop.confirmed(id)
    answers = [told(await shop.core.click(action, key="one")) for _ in range(3)]
    assert len(set(answers)) == 1
    await shop.core.scheduler.settle()
    assert len(shop.there.dispatched) == 1


async def test_what_is_not_what_was_confirmed_is_asked_again(shop: Shop) -> None:
    id = await shop.ready()
    action = await shop.confirmed(id)
    answer = await shop.core.click(action[:-8] + "00000000")
    assert told(answer).startswith("Run deploy.yml for shop v1.2.0")
    await shop.core.scheduler.settle()
    assert shop.there.dispatched == []


@pytest.mark.parametrize(
    "action", ["run:ID:nonsense", "dispatch:ID:deploy", "dispatch:ID:deploy:x:y", "dispatch:ID:", "run:none:deploy"]
)
async def test_a_button_nobody_drew_starts_nothing(shop: Shop, action: str) -> None:
    id = await shop.ready()
    await shop.core.click(action.replace("ID", id))
    await shop.core.scheduler.settle()
    assert shop.there.dispatched == []


async def test_before_t0_is_next_nothing_is_started(shop: Shop) -> None:
    id = await shop.core.start()
    assert "still needs 2 items" in told(await shop.core.click(f"run:{id}:deploy"))
    assert "is not being rolled back" in told(await shop.core.click(f"run:{id}:rollback"))
    await shop.core.deploy(id)
    assert "already marked deployed" in told(await shop.core.click(f"run:{id}:deploy"))


async def test_what_was_confirmed_and_then_cancelled_while_the_process_was_down_is_not_sent(shop: Shop) -> None:
    core, id = shop.core, await shop.ready()
    await core.click(await shop.confirmed(id))
    await core.submit(f"cancel:{id}", {"reason": "not today"})
    core.clock.later(hours=9)
    await core.time_passes()
    await core.scheduler.settle()
    await core.relay.settle()
    assert shop.server.asked == []
    assert await shop.outcome(id) == "refused"
    (told,) = [message for message in await core.channel() if "was not started for shop v1.2.0" in message.card.text]
    assert "the deployment is cancelled now" in told.card.text
    assert not [block for block in told.card.blocks if isinstance(block, Buttons)], "nothing is left to be run"


async def test_a_process_that_dies_while_it_sends_is_followed_by_one_that_looks(shop: Shop) -> None:
    id = await shop.ready()
    await shop.core.click(await shop.confirmed(id))
    arrived = asyncio.Event()
    loop = asyncio.get_running_loop()

    def slow(request: Request) -> Reply:
        answer = shop.there(request)
        loop.call_soon_threadsafe(arrived.set)
        return Reply(answer.body, answer.status, seconds=5)

    shop.server.serve = slow
    dying = asyncio.create_task(shop.core.scheduler.settle())
    await asyncio.wait_for(arrived.wait(), 5)
    for task in [begun.task for begun in shop.core.scheduler._begun.values()] + [dying]:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    assert await shop.outcome(id) == ""
    shop.server.serve = shop.there
    shop.core.clock.later(seconds=31)
    await shop.core.time_passes()
    await shop.core.scheduler.settle()
    assert len(shop.there.dispatched) == 1
    assert await shop.outcome(id) == "started"


async def test_two_processes_send_it_once(shop: Shop) -> None:
    id = await shop.ready()
    await shop.core.click(await shop.confirmed(id))
    async with shop.core.second() as other:
        wired(other, shop.forge)
        await asyncio.gather(shop.core.scheduler.settle(), other.scheduler.settle())
    assert len(shop.there.dispatched) == 1


async def test_a_process_that_was_so_slow_that_another_took_over_sends_nothing(shop: Shop) -> None:
    id = await shop.ready()
    await shop.core.click(await shop.confirmed(id))
    (slow,) = [
        one
        for one in await shop.core.store.claim_due(shop.core.clock.now(), "slow", timedelta(minutes=1))
        if one.deadline.key.startswith("call:")
    ]
    await shop.core.time_passes()
    await shop.core.scheduler.settle()
    assert len(shop.there.dispatched) == 1
    await shop.core.checks.run_due(slow)
    assert len(shop.there.dispatched) == 1


async def test_where_several_runs_might_be_it_nobody_guesses(shop: Shop) -> None:
    id = await shop.ready()
    await shop.core.click(await shop.confirmed(id))
    shop.server.always = Reply({}, 502)
    await shop.core.scheduler.settle()
    shop.server.always = None
    for _ in range(2):
        shop.there.run("deploy.yml", "v1.2.0")
    shop.core.clock.later(seconds=31)
    await shop.core.scheduler.settle()
    assert await shop.outcome(id) == "unknown"
    assert shop.there.dispatched == []


async def test_it_is_looked_for_an_hour_where_github_cannot_be_asked(shop: Shop) -> None:
    id = await shop.ready()
    await shop.core.click(await shop.confirmed(id))
    shop.server.always = Reply({}, 502)
    await shop.core.scheduler.settle()
    shop.core.clock.later(minutes=30)
    await shop.core.scheduler.settle()
    assert await shop.outcome(id) == ""
    shop.core.clock.later(minutes=31)
    await shop.core.time_passes()
    await shop.core.scheduler.settle()
    assert await shop.outcome(id) == "unknown"


async def test_a_go_does_not_wait_for_a_github_that_answers_byte_by_byte(shop: Shop) -> None:
    core = shop.core
    policy = core.folder / "shop.yaml"
    policy.write_text(policy.read_text() + "approvals: {production: {role: qa}}\n")
    quinn = Who(chat="web", id="quinn", name="quinn", roles=frozenset({"qa"}))
    id = await core.start("v1.2.0", 'shop at "today 19:00"')
    await core.say("approve", who=quinn)
    await core.scheduler.settle()
    assert "commit_known" in await core.kinds(id)
    patient = Dispatches(
        core.store, core.clock, core.deployments, shop.forge, repository=None, new_id=core.new_id, patience=0.1
    )
    shop.server.always = Reply({"sha": "0" * 40}, seconds=2)
    began = asyncio.get_running_loop().time()
    await patient.look_before_go(id)
    assert asyncio.get_running_loop().time() - began < 1
    assert "approvals_dropped" not in await core.kinds(id)


# --- rollbacks ---


async def broken(shop: Shop) -> str:
    """A second version in production that rolls back by itself."""
    core = shop.core
    await core.succeed(await core.start("v1.1.0"))
    core.clock.later(hours=1)
    id = await core.start("v1.2.0")
    await core.deploy(id)
    core.probe.values["error_rate"] = 0.5
    core.clock.later(minutes=30)  # the check finds it
    for _ in range(5):
        await core.scheduler.settle()
        core.clock.later(minutes=1)
    await core.scheduler.settle()
    assert await core.status(id) == "rolling back"
    return id


async def test_a_rollback_by_itself_runs_its_workflow_without_being_asked(shop: Shop) -> None:
    id = await broken(shop)
    (sent,) = shop.there.dispatched
    assert (sent["workflow"], sent["ref"], sent["inputs"]["version"]) == ("rollback.yml", "main", "v1.1.0")
    assert "error" in sent["inputs"]["reason"]
    assert (await shop.facts(id))[0].by.is_gonogo
    for _ in range(3):
        shop.core.clock.later(minutes=1)
        await shop.core.scheduler.settle()
    assert len(shop.there.dispatched) == 1


async def test_a_rollback_by_a_person_waits_for_a_person(shop: Shop) -> None:
    core = shop.core
    id = await core.start()
    await core.deploy(id)
    await core.submit(f"rollback:{id}", {"version": "v1.1.0", "reason": "it is slow"})
    await core.scheduler.settle()
    assert shop.there.dispatched == []
    await core.click(await shop.confirmed(id, "rollback"))
    await core.scheduler.settle()
    assert shop.there.dispatched[0]["inputs"] == {"version": "v1.1.0", "reason": "it is slow"}


async def test_a_rollback_that_does_not_know_where_to_is_told_and_not_started(shop: Shop) -> None:
    core = shop.core
    id = await core.start()
    await core.deploy(id)
    await core.submit(f"rollback:{id}", {"version": "", "reason": "it is slow"})
    said = told(await core.click(f"run:{id}:rollback"))
    assert said == "Nothing was started. version: nobody knows {{ previous_version }} yet."
    assert shop.there.dispatched == []


# --- where GitHub is not connected ---


async def test_a_rollback_by_itself_whose_workflow_cannot_be_started_is_told_with_a_call(shop: Shop) -> None:
    wired(shop.core, None)
    id = await broken(shop)
    (answer,) = [one for one in await shop.facts(id) if isinstance(one, e.DispatchAnswered)]
    assert (answer.outcome, answer.problem) == ("refused", "GitHub is not connected")
    await shop.core.relay.settle()
    said = [
        one.card for one in await shop.core.channel() if one.card.text.startswith("🔴 rollback.yml was not started")
    ]
    assert [card.mentions for card in said] == [("on_call",)]


async def labels(views: Views, id: str) -> list[str]:
    """The buttons of the card."""
    blocks = deployment_card(await views.bare(id)).blocks
    return [each.label for block in blocks if isinstance(block, Buttons) for each in block.buttons]


async def test_without_github_no_button_is_drawn_and_an_old_one_says_what_to_do(shop: Shop) -> None:
    core = shop.core
    wired(core, None)
    id = await shop.ready()
    for connected in (True, False):
        views = Views(core.store, core.clock, core.gate, github=connected)
        assert ("Run deploy.yml…" in await labels(views, id)) is connected
    assert "GitHub is not connected" in told(await core.click(f"run:{id}:deploy"))
    await core.scheduler.settle()
    assert shop.server.asked == []


@pytest.mark.parametrize(("sent", "outcome"), [(False, "refused"), (True, "unknown")])
async def test_a_start_from_when_github_was_connected_does_not_wait_for_ever(
    shop: Shop, sent: bool, outcome: str
) -> None:
    core, id = shop.core, await shop.ready()
    await core.click(await shop.confirmed(id))
    if sent:
        shop.server.always = Reply({}, 502)
        await core.scheduler.settle()
    wired(core, None)
    core.clock.later(seconds=31)
    await core.scheduler.settle()
    assert await shop.outcome(id) == outcome
    (answer,) = [one for one in await shop.facts(id) if isinstance(one, e.DispatchAnswered)]
    assert answer.problem == "GitHub is not connected any more"
