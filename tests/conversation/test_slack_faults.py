"""What goes wrong in Slack does not stop a deployment, is told, and is caught up with when it is mended."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from adapters.slack import cache, chat
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_screen import pressables
from tests.fakes.slack_team import MAIN, Team, beside, key_of, shop, team
from tests.fakes.slack_things import BOT_USER

__all__ = ["migrated_file", "sqlite_url"]

TUESDAY = "2026-11-24 10:00"


@pytest.fixture
async def here(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Team]:
    """A team; what Slack refused is asked anew at once."""
    monkeypatch.setattr(cache, "_AGAIN", 0.0)
    monkeypatch.setattr(chat, "_MISSED", 0.0)
    async with team(sqlite_url, shop(tmp_path), "shop", TUESDAY) as here:
        yield here


def leave(slack: FakeSlack) -> None:
    slack.channels["C1"].members.discard(BOT_USER)


def come(slack: FakeSlack) -> None:
    slack.channels["C1"].members.add(BOT_USER)


def archive(slack: FakeSlack) -> None:
    slack.channels["C1"].archived = True


def unarchive(slack: FakeSlack) -> None:
    slack.channels["C1"].archived = False


def unscope(slack: FakeSlack) -> None:
    slack.scopes.discard("chat:write")


def rescope(slack: FakeSlack) -> None:
    slack.scopes.add("chat:write")


@pytest.mark.parametrize(
    ("break_it", "mend_it", "told"),
    [
        (archive, unarchive, "Slack: #deployments is archived: unarchive it, or name another channel in the policy"),
        (unscope, rescope, "needs the scope chat:write: paste what gonogo slack manifest prints"),
        (FakeSlack.revoke, FakeSlack.restore, "Slack: GONOGO_SLACK_BOT_TOKEN is not accepted (token_revoked)"),
    ],
)
async def test_the_deployment_goes_on_and_slack_catches_up(
    here: Team, break_it: Callable[[FakeSlack], None], mend_it: Callable[[FakeSlack], None], told: str
) -> None:
    await here.types("start v1.2.0")
    card, phase = here.card(), here.thread()[0].snapshot()
    with capture_logs() as logs:
        break_it(here.slack)
        item = next(each.value for each in pressables(phase.blocks) if each.label == "Tick") or ""
        await here.press(phase, item)
        await here.press(phase, item.replace("tick", "excuse"))  # a form that may not open
        assert told in (await here.types("status")).replace("\u200b", "")
    assert [each["log_level"] for each in logs if each["event"] == "slack.fault"] != []
    assert await here.item(item), "what is acknowledged is done"
    mend_it(here.slack)
    await here.time_passes()
    await here.time_passes()
    assert "✅ Tests pass" in here.reads(here.thread()[0])
    assert here.card().ts == card.ts
    assert "Slack:" not in await here.types("status")
    keys = [key_of(message) for message in here.slack.posted["C1"].values()]
    assert len(keys) == len(set(keys))


async def test_a_start_in_a_workspace_that_has_not_invited_the_bot_stands_once_it_has(here: Team) -> None:
    leave(here.slack)
    assert "Started shop v1.2.0" in await here.types("start v1.2.0")
    assert here.slack.messages(MAIN) == []
    assert "invite me with /invite @gonogo" in await here.types("status")
    come(here.slack)
    await here.time_passes()
    assert "Phase 1 of 3" in here.reads(here.card())
    assert len(here.slack.posted["C1"]) == 2
    await here.tick_all()
    leave(here.slack)
    await here.press(here.card(), "Next phase")
    assert len(here.slack.posted["C1"]) == 2
    assert "invite me with /invite @gonogo" in await here.types("status")
    come(here.slack)
    await here.time_passes()
    assert len(here.slack.posted["C1"]) == 4, "the next phase, and what is announced when it opens"
    assert "Slack:" not in await here.types("status")


async def test_replicas_behind_a_balancer_do_each_thing_once(sqlite_url: str, tmp_path: Path) -> None:
    async with team(sqlite_url, shop(tmp_path), "shop", TUESDAY, http=True) as one, beside(one) as two:
        one.slack.deliver_to = [one.app.front.asgi(), two.app.front.asgi()]
        await one.types("start v1.2.0")
        await two.app.settle()
        for each in (one, two):
            await each.tick_all()
            await each.press(each.card(), "Next phase" if each is one else "Deployed")
        await one.tick_all()
        await two.move(minutes=30)
        await one.app.settle()
        assert await one.status() == "succeeded"
        keys = [key_of(message) for message in one.slack.posted["C1"].values()]
        assert len(keys) == len(set(keys))
        assert [text.splitlines()[0] for text in one.said(MAIN)] == [
            "🚀 Production Deployment Starting", "✅ Production Deployment Complete",
        ]  # fmt: skip
