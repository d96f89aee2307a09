"""200 clicks within 2 seconds on one card: how often it is edited, and that the last state is the one it shows.

A person ticks and unticks the items of a list of 20 as fast as they can. Slack is the loopback one of the tests, which
refuses what Slack refuses. The card and its list are two messages; the one edited more often counts.
"""

from __future__ import annotations

import asyncio
import itertools
import re
import tempfile
from collections import Counter
from pathlib import Path

from bench.clicks import Clicker
from bench.report import Line, line, run
from bench.team import slack_team
from tests.fakes.slack import FakeSlack

CLICKS, SECONDS, ITEMS = 200, 2.0, 20
_QUIET = 6.0
"""Seconds without a call after which nothing more is expected: longer than any wait for Slack's limits."""


async def measure() -> list[Line]:
    """The updates of one card."""
    async with FakeSlack() as slack:
        with tempfile.TemporaryDirectory(prefix="gonogo-bench-") as made:
            folder = Path(made)
            database = f"sqlite:///{folder / 'gonogo.db'}"
            base, token = slack.base, slack.bot_token
            async with slack_team(folder, database, base, deployments=1, items=ITEMS, token=token) as team:
                await _quiet(slack)
                ticks = list(itertools.islice(team.ticks, ITEMS))
                on_and_off = [action for tick in ticks for action in (tick, f"un{tick}")]
                # Nine rounds of on and off for each item, and in the end the first ten are ticked.
                actions = [*itertools.islice(itertools.cycle(on_and_off), CLICKS - 10), *ticks[5:15]]
                before = _edits(slack)
                async with Clicker(team.url, actions) as clicker:
                    await clicker.steadily(CLICKS / SECONDS, SECONDS)
                await _quiet(slack)
                updates = max((_edits(slack) - before).values(), default=0)
                shown = set(_ticked(slack))
    wanted = {f"Item {number}" for number in _left(actions, ticks)}
    note = "the last state is shown" if shown == wanted else f"shown {sorted(shown)}, wanted {sorted(wanted)}"
    found = line("200 clicks in 2 s on one card: chat updates sent", updates, "≤", 4, note=note)
    return [found if shown == wanted else Line(found.what, found.value, found.goal, False, note)]


def _edits(slack: FakeSlack) -> Counter[str]:
    """How often each message was edited."""
    return Counter(str(call.body["ts"]) for call in slack.called("chat.update"))


def _left(actions: list[str], ticks: list[str]) -> set[int]:
    """Which items are ticked after all that."""
    state: set[int] = set()
    for action in actions:
        number = ticks.index(action.removeprefix("un"))
        if action.startswith("un"):
            state.discard(number)
        else:
            state.add(number)
    return state


def _ticked(slack: FakeSlack) -> list[str]:
    said = "\n".join(slack.text(message) for messages in slack.posted.values() for message in messages.values())
    return re.findall(r"✅ (Item \d+)", said)


async def _quiet(slack: FakeSlack) -> None:
    """Until the bot has said nothing for a while."""
    loop = asyncio.get_running_loop()
    seen, since = len(slack.calls), loop.time()
    while loop.time() - since < _QUIET:
        await asyncio.sleep(0.2)
        if len(slack.calls) != seen:
            seen, since = len(slack.calls), loop.time()


if __name__ == "__main__":
    run(measure)
