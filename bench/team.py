"""A real `gonogo run` that hears Slack over HTTP, and many deployments in it whose items can be ticked."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

import httpx

from adapters.store.store import SqlStore
from bench.clicks import CHANNEL, SECRET, TEAM, USER, Clicker, signed
from bot.services.records import load
from tests.process import Process

EVENTS = "/slack/events"


@dataclass
class Team:
    """`ticks` are the ticks of all items of its first phase, the deployments in turn."""

    process: Process
    url: str
    deployments: list[str]
    ticks: Iterator[str]

    def clicks(self) -> Clicker:
        """Ticks one after the other."""
        return Clicker(self.url, self.ticks)


def write_checklists(folder: Path, count: int, items: int) -> None:
    """So many services, each with a list of so many items."""
    folder.mkdir(exist_ok=True)
    lines = "".join(f"- [ ] Item {number}\n" for number in range(items))
    for number in range(count):
        (folder / f"s{number}.md").write_text(f"# Service\n\n## All\n{lines}\n## Switch\n- [ ] Traffic switched\n")
        (folder / f"s{number}.yaml").write_text(f"service: s{number}\nphases: {{Switch: {{deployed: true}}}}\n")


@contextlib.asynccontextmanager
async def slack_team(
    folder: Path, database: str, api: str, *, deployments: int, items: int, token: str = "xoxb-bench"
) -> AsyncIterator[Team]:
    """Started, with all of them running. The start migrates the database. `api` is where Slack's Web API is."""
    write_checklists(folder / "checklists", deployments, items)
    process = Process(
        folder,
        GONOGO_CHECKLISTS=str(folder / "checklists"),
        GONOGO_DATABASE_URL=database,
        GONOGO_SLACK_API_URL=f"{api}/api/",
        GONOGO_SLACK_BOT_TOKEN=token,
        GONOGO_SLACK_SIGNING_SECRET=SECRET,
    )
    try:
        url = f"{process.address}{EVENTS}"
        async with httpx.AsyncClient(trust_env=False, timeout=60) as client:
            for number in range(deployments):
                body = _command(f"start v1.0.0 s{number} --yes", number)
                (await client.post(url, content=body, headers=signed(body))).raise_for_status()
        ids, ticks = await ticks_of(database, deployments)
        yield Team(process, url, ids, iter(ticks))
    finally:
        process.child.kill()
        process.child.communicate()


def _command(text: str, number: int) -> bytes:
    return urlencode(
        {
            "command": "/deploy", "text": text, "team_id": TEAM, "user_id": USER, "user_name": "ana",
            "channel_id": CHANNEL, "channel_name": "deployments", "trigger_id": f"start.{number}",
            "response_url": "http://127.0.0.1:9/response",
        }
    ).encode()  # fmt: skip


async def ticks_of(database: str, count: int) -> tuple[list[str], list[str]]:
    """The ids of so many running deployments, and the ticks of all their items, the deployments in turn."""
    store = await SqlStore.open(database)
    try:
        async with store.read() as unit:
            ids = [row.id for row in await unit.rows(live=True, limit=count)]
            plans = [(id, (await load(unit, id))[0]) for id in ids]
    finally:
        await store.close()
    assert len(ids) == count, f"{len(ids)} of {count} were started"
    lists = [[f"tick:{id}:{task.id}" for task in plan.steps[0].tasks] for id, plan in plans]
    return ids, [action for row in zip(*lists, strict=True) for action in row]
