"""One round in the chats: a team that deploys, a fleet that is killed, chats that misbehave; then calm, and a look."""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from tests.fakes.discord import FakeDiscord
from tests.fakes.slack import FakeSlack
from tests.faults import database, scenario
from tests.faults.checker import CATCH_UP, violations
from tests.faults.evidence import Evidence, rows, tables
from tests.faults.fleet import GAPS, Fleet, pid_behind, wait_for_gap
from tests.faults.hands import DiscordHands, Hands, SlackHands
from tests.faults.mischief import Mischief
from tests.faults.outcome import Options, Result
from tests.faults.people import Crew
from tests.faults.probes import Probes

SLACK_PEOPLE = ("UANA00001", "UBEN00001", "UEVA00001")
DISCORD_PEOPLE = ("ana", "ben", "eva")
"""The last one of each signs for QA."""
LOOKS_EVERY = 0.2
DELIVERED = 0.05
"""The share of deliveries at which the process that gets them is killed."""
GAP_WITHIN = 2.0


class Play:
    """Everything of one campaign, from `open` on."""

    def __init__(self, options: Options, folder: Path) -> None:
        self.options, self.folder, self.result = options, folder, Result()
        self.dice = random.Random(options.seed)
        self.chats = ["slack", "discord"] if options.chat == "both" else [options.chat]
        self.slack: FakeSlack | None = None
        self.discord: FakeDiscord | None = None
        self.hands: list[Hands] = []
        self._pids: dict[int, int | None] = {}
        self._over = threading.Event()
        self._watching = False

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[Play]:
        """The chats, the endpoints, the database and the fleet."""
        options, dice = self.options, self.dice
        async with contextlib.AsyncExitStack() as stack:
            self.mischief = Mischief(random.Random(dice.random()), self.result.faults, self._kill_at_work)
            self.probes = await stack.enter_async_context(Probes(random.Random(dice.random()), self.result.faults))
            environment: dict[str, str] = {}
            if "slack" in self.chats:
                self.slack = await stack.enter_async_context(FakeSlack(seed=dice.randrange(10**9)))
                environment |= self._into_slack(self.slack)
            if "discord" in self.chats:
                self.discord = await stack.enter_async_context(FakeDiscord(seed=dice.randrange(10**9)))
                environment |= self._into_discord(self.discord)
            self.db = database.make(options.db, self.folder)
            stack.callback(self.db.stop)
            eva = str(self.discord.someone("eva").id) if self.discord else ""
            lists = scenario.write(self.folder, probes=self.probes.base, slack=SLACK_PEOPLE[2], discord=eva)
            environment |= {
                "GONOGO_DATABASE_URL": self.db.url,
                "GONOGO_CHECKLISTS": str(lists),
                "GONOGO_CHECKLIST": "shop",
                "GONOGO_SLACK_PROCESSES": str(options.replicas),
            }
            roles = ["run"] * options.replicas
            if options.roles == "split":
                roles = ["web" if place % 2 == 0 else "worker" for place in range(max(2, options.replicas))]
            self.fleet = Fleet(roles, environment, random.Random(dice.random()), options.planted)
            busy = lambda: self._asked(lambda: database.busy(self.db.url), set())  # noqa: E731
            self.crew = Crew(random.Random(dice.random()), busy, options.likes)
            try:
                yield self
            finally:
                self._over.set()
                await self.mischief.stop()
                await self.crew.stop()
                await self.fleet.abandon()

    def _into_slack(self, slack: FakeSlack) -> dict[str, str]:
        for name, who in zip(("ana", "ben", "eva"), SLACK_PEOPLE, strict=True):
            slack.add_user(who, f"{name}.of.slack", name)
        slack.channels["C1"].members.update(SLACK_PEOPLE)
        slack.add_channel("api", id="C2", members=SLACK_PEOPLE)
        slack.add_channel("incidents", id="C3", members=SLACK_PEOPLE)
        self.hands.append(SlackHands(slack))
        self.mischief.into_slack(slack)
        slack.socket.route = self._routed
        return {
            "GONOGO_SLACK_API_URL": slack.api_url,
            "GONOGO_SLACK_BOT_TOKEN": slack.bot_token,
            "GONOGO_SLACK_APP_TOKEN": slack.app_token,
        }

    def _into_discord(self, discord: FakeDiscord) -> dict[str, str]:
        discord.add_channel("api")
        discord.add_channel("incidents")
        self.hands.append(DiscordHands(discord))
        self.mischief.into_discord(discord)
        dispatch = discord.dispatch

        def dispatched(name: str, data: Any) -> None:
            if name == "INTERACTION_CREATE" and discord.gateway.live:
                self._delivering(discord.gateway.live[0])
            dispatch(name, data)

        discord.dispatch = dispatched
        return {
            "GONOGO_DISCORD_API_URL": discord.api_url,
            "GONOGO_DISCORD_TOKEN": discord.token,
            "GONOGO_DISCORD_GUILD_ID": str(discord.guild_id),
        }

    def _asked(self, ask: Any, otherwise: Any) -> Any:
        """The database may be away."""
        try:
            return ask()
        except Exception:
            return otherwise

    # --- killing ---

    def _routed(self, ready: list[Any]) -> Any:
        one = self.dice.choice(ready)
        self._delivering(one)
        return one

    def _delivering(self, connection: Any) -> None:
        """Somebody's click goes to this connection: now and then its process dies of it, at once or between two
        steps."""
        if not self.mischief.on or self.dice.random() >= DELIVERED:
            return
        pid = self._pid_of(connection)
        if self.dice.random() < 0.4:
            wait = self.dice.uniform(0, 0.04)
            kill = self.fleet.kill
            asyncio.get_running_loop().call_later(
                wait, lambda: kill(self.fleet.member(pid), "a click is delivered, and not yet acknowledged")
            )
        else:
            self._watch(self.dice.choice(["a command or click is committed", "facts are committed"]), pid)

    def _pid_of(self, connection: Any) -> int | None:
        key = id(connection)
        if key not in self._pids:
            transport = connection.request.transport if connection.request is not None else None
            peer = transport.get_extra_info("peername") if transport is not None else None
            pids = [each.pid for each in self.fleet.members.values()]
            self._pids[key] = pid_behind(peer[1], pids) if peer else None
        return self._pids[key]

    def _watch(self, gap: str, pid: int | None = None) -> None:
        """Look for this moment, and kill whoever is in it."""
        if self._watching:
            return
        self._watching = True

        async def look() -> None:
            try:
                holder = await asyncio.to_thread(wait_for_gap, self.db.url, gap, GAP_WITHIN, self._over)
                if holder is not None and self.mischief.on:
                    self.fleet.kill(self.fleet.member(holder or pid), gap)
            finally:
                self._watching = False

        self.mischief._soon(0, look)

    def _kill_at_work(self, chat: str, why: str) -> None:
        """Whoever holds something of this chat just now."""
        held = (
            "SELECT held_by FROM outbox WHERE chat = ? AND held_by IS NOT NULL"
            " UNION SELECT held_by FROM mirrors WHERE chat = ? AND held_by IS NOT NULL"
        )
        found = self._asked(lambda: rows(self.db.url, held, chat, chat), [])
        pids = [int(by.partition("-")[0]) for (by,) in found]
        alive = [pid for pid in pids if pid in {each.pid for each in self.fleet.members.values()}]
        self.fleet.kill(self.fleet.member(alive[0] if alive else None), why)

    @property
    def killed(self) -> int:
        return sum(self.fleet.kills.values())

    # --- the course of it ---

    async def run(self) -> Result:
        """All of it."""
        options = self.options
        await self.fleet.start()
        await self.fleet.all_ready()
        for hands in self.hands:
            for place, who in enumerate(SLACK_PEOPLE if hands.chat == "slack" else DISCORD_PEOPLE):
                self.crew.join(hands, who, signs=place == 2)
        end, looked = time.monotonic() + options.seconds, 0
        self.mischief.on = not self.options.quiet
        while time.monotonic() < end and self.killed < options.kills:
            await self._life()
            if self.killed - looked >= options.calm_every:
                looked = self.killed
                await self.calm()
                self.mischief.on = not self.options.quiet
                self.crew.resting = False
        await self.calm()
        await self._finish()
        self._weigh()
        return self.result

    async def _life(self) -> None:
        """A while, in which some of it breaks."""
        dice, fleet = self.dice, self.fleet
        self.mischief.foul = dice.random() < self.options.foul and not self.options.quiet
        self.probes.ill = dice.choice([0, 0, 0.1, 0.5])
        end = time.monotonic() + dice.uniform(0.1, 1.6)
        if dice.random() < 0.4:
            self._watch(dice.choice(list(GAPS)))
        while time.monotonic() < end:
            await asyncio.sleep(dice.uniform(0.1, 0.4))
            if not self.options.quiet:
                await self._shake()
        there = fleet.ready
        roll = dice.random()
        if roll < 0.12 and there:
            fleet.term(dice.choice(there))
        elif roll < 0.16 and there and self.options.db == "sqlite":
            await self._full_disk(dice.choice(there))
        elif roll < 0.19 and isinstance(self.db, database.Postgres):
            await asyncio.to_thread(self.db.restart, dice, self.result.faults)
        elif roll < 0.30:
            await asyncio.sleep(dice.uniform(0, 1.2))
            fleet.kill(fleet.member(None), "any moment, starting too")
        elif there:
            fleet.kill(dice.choice(there), "any moment")

    async def _shake(self) -> None:
        if self.slack is not None and self.dice.random() < 0.25:
            await self.mischief.shake_slack(self.slack)
        if self.discord is not None and self.dice.random() < 0.12:
            await self.mischief.shake_discord(self.discord)

    async def _full_disk(self, member: Any) -> None:
        """For a while; then there is room again, or the power goes."""
        self.result.faults["disk full"] += 1
        self.fleet.fill_disk(member, full=True)
        await asyncio.sleep(self.dice.uniform(0.3, 2.0))
        if self.dice.random() < 0.5:
            self.fleet.kill(member, "the disk is full")
        else:
            self.fleet.fill_disk(member, full=False)

    # --- calm ---

    async def calm(self) -> None:
        """Nothing breaks, nobody acts; how long until everything is shown. What is wrong then is noted."""
        self.mischief.on = False
        self.probes.ill = 0
        await self.crew.rest()
        if self.discord is not None:
            self.discord.come_back()
            self.mischief.heal(self.discord.rest)
        if self.slack is not None:
            self.mischief.heal(self.slack.web)
        await self.fleet.all_ready()
        begun = time.time()
        settled = await self._settled(begun)
        self.result.calms.append(round(settled - begun, 1))
        self._look(self._evidence(begun, settled))

    async def _settled(self, begun: float) -> float:
        self._waited, told = "", False
        while left := self._asked(lambda: database.behind(self.db.url, self.chats, begun), ["the database"]):
            if time.time() - begun > self.options.settling:
                self.result.violations.append(f"2: after {self.options.settling:.0f} s of calm still {left[:5]}")
                break
            if time.time() - begun > CATCH_UP and not told:
                told = True
                self._keep("processes.txt", self.fleet.tails())
                self._keep("then.json", self._evidence(begun, time.time()).as_text())
            self._waited = f"{time.time() - begun:.1f} s for {'; '.join(left[:3])}"
            await asyncio.sleep(0.05)
        return time.time()

    async def _finish(self) -> None:
        """Everything is brought to its end by its people; then all is stopped in peace, and looked at."""
        self.crew.finishing, self.crew.resting = True, False
        for _ in range(int(self.options.finishing / LOOKS_EVERY)):
            if not self._asked(lambda: database.live(self.db.url), [()]):
                break
            await asyncio.sleep(LOOKS_EVERY)
        await self.crew.rest()
        await self.crew.stop()
        begun = time.time()
        settled = await self._settled(begun)
        await asyncio.sleep(0.5)  # what is held for a refresh of the cards is given back
        await self._freed()
        await self.fleet.stop()
        self._look(self._evidence(begun, settled, stopped=True))
        self.result.violations += self.crew.faults()

    async def _freed(self) -> None:
        """Until what those held who were killed is free: nobody can free it once all are stopped. If it is not free
        within the time in which everything is caught up with, the checker says so."""
        end = time.monotonic() + CATCH_UP
        while time.monotonic() < end:
            if not self._asked(self._left_by_the_killed, ["the database"]):
                return
            await asyncio.sleep(LOOKS_EVERY)

    def _left_by_the_killed(self) -> list[str]:
        return database.left_by_the_killed(self.db.url, {member.pid for member in self.fleet.ready})

    def _evidence(self, begun: float, settled: float, *, stopped: bool = False) -> Evidence:
        said = [each for hands in self.hands for each in hands.tell()]
        acts = [act for hands in self.hands for act in hands.acts]
        return Evidence(
            scenario=scenario.Scenario(self.chats).as_json(),
            acts=acts,
            said=said,
            tables=tables(self.db.url),
            calm=begun,
            settled=settled,
            paced=self._paced(begun),
            waited=self._waited,
            gathered=time.time(),
            up=self.fleet.up,
            stopped=stopped,
        )

    def _paced(self, since: float) -> float:
        """Slack allows 50 changes a minute, and one message a second in each channel (apis/web-api/rate-limits)."""
        if self.slack is None:
            return 0.0
        calls = [call for call in self.slack.calls if call.at >= since]
        changes = sum(call.method == "chat.update" for call in calls)
        posts = Counter(call.body.get("channel") for call in calls if call.method == "chat.postMessage")
        return max(changes * 60 / 41, max(posts.values(), default=0) * 60 / 58)

    def _look(self, found: Evidence) -> None:
        broken = violations(found)
        new = [line for line in broken if line not in self.result.violations]
        self.result.violations += new
        if new or found.stopped:
            self._keep("evidence.json", found.as_text())
        self.found = found

    def _keep(self, name: str, text: str) -> None:
        if self.options.keep is not None:
            self.options.keep.mkdir(parents=True, exist_ok=True)
            (self.options.keep / f"{self.options.seed}-{len(self.result.calms)}-{name}").write_text(text)

    def _weigh(self) -> None:
        result, found = self.result, self.found
        result.kills, result.stops, result.noise = self.fleet.kills, self.fleet.stops, self.fleet.noise
        result.violations += self.fleet.problems
        result.deployments = Counter(str(row["status"]) for row in found.tables["deployments"])
        result.acts = Counter(f"{act.chat} {'acknowledged' if act.acked else 'shown as failed'}" for act in found.acts)
        result.checks = sum(row["kind"] == "check_ran" for row in found.tables["events"])
        result.announcements = sum(row["kind"] == "announced" for row in found.tables["events"])


async def play(options: Options, folder: Path) -> Result:
    """A campaign in a folder of its own."""
    async with Play(options, folder).open() as playing:
        return await playing.run()
