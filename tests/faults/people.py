"""Several people at once, who do the next sensible thing, and now and then another one."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from tests.faults.hands import Hands, Offer
from tests.faults.scenario import SERVICES

FORMS = {"accept": "reason", "rollback": "reason", "cancel": "reason", "rolledback": "status", "note": "text"}
"""Verbs that open a form, and its field for words."""
AT_ONCE = ("tick", "untick", "advance", "deployed", "acknowledge", "again", "measure")


class Crew:
    """The people of all chats. `finishing`: nothing new is begun, and everything is brought to its end."""

    def __init__(self, dice: random.Random, busy: Callable[[], set[str]], likes: str = "") -> None:
        """`busy` gives the services that somebody is deploying; `likes` is what they do more often than they would."""
        self._dice, self._busy, self._likes = dice, busy, likes
        self.finishing = False
        self.resting = False
        self._leaving = False
        self._acting = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._numbers = iter(range(1, 10**9))
        self._tasks: list[asyncio.Task[None]] = []

    def join(self, hands: Hands, who: str, *, signs: bool) -> None:
        """Somebody at a chat begins; `signs` for QA."""
        self._tasks.append(asyncio.create_task(self._live(hands, who, random.Random(self._dice.random()), signs)))

    async def rest(self) -> None:
        """Nobody begins anything more, and what was begun has ended."""
        self.resting = True
        await self._idle.wait()

    async def stop(self) -> None:
        """All leave, each after what they have begun."""
        self._leaving = True
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def faults(self) -> list[str]:
        """Who left by a mistake of their own."""
        ended = [task for task in self._tasks if task.done() and not task.cancelled()]
        return [f"a person fell: {task.exception()!r}" for task in ended if task.exception() is not None]

    async def _live(self, hands: Hands, who: str, dice: random.Random, signs: bool) -> None:
        while not self._leaving:
            await asyncio.sleep(dice.uniform(0.1, 0.8))
            if not self.resting:
                self._begin(1)
                try:
                    await self._turn(hands, who, dice, signs)
                finally:
                    self._begin(-1)

    def _begin(self, more: int) -> None:
        self._acting += more
        (self._idle.clear if self._acting else self._idle.set)()

    async def _turn(self, hands: Hands, who: str, dice: random.Random, signs: bool) -> None:
        offers = hands.offers()
        free = [each.name for each in SERVICES if each.name not in self._busy()]
        if not self.finishing:
            if (free and dice.random() < 0.3) or dice.random() < 0.02:
                service = dice.choice(free or [each.name for each in SERVICES])
                return await hands.start(who, f"v1.{next(self._numbers)}.0", service)
            if dice.random() < 0.04:
                return await hands.status(who, dice.choice(SERVICES).name)
        by_deployment: dict[str, list[Offer]] = {}
        for offer in offers:
            by_deployment.setdefault(offer.deployment, []).append(offer)
        chosen = self._choose(list(by_deployment.values()), dice, signs)
        if chosen is None:
            return None
        if chosen.verb in AT_ONCE:
            return await hands.press(who, chosen)
        token = f"because-{next(self._numbers)}."
        return await hands.fill(who, chosen, {FORMS[chosen.verb]: f"It is so {token}"}, token)

    def _choose(self, places: list[list[Offer]], dice: random.Random, signs: bool) -> Offer | None:
        dice.shuffle(places)
        for offers in places:
            here = {verb: [each for each in offers if each.verb == verb] for verb in {each.verb for each in offers}}
            if found := self._next(here, dice, signs):
                return found
        return None

    def _next(self, here: dict[str, list[Offer]], dice: random.Random, signs: bool) -> Offer | None:
        if not self.finishing:
            for verb, share in (
                ("rollback", 0.015),
                ("cancel", 0.01),
                ("untick", 0.04),
                ("note", 0.04),
                ("measure", 0.1),
            ):
                if verb in here and dice.random() < (0.3 if verb == self._likes else share):
                    return dice.choice(here[verb])
        ticks = [each for each in here.get("tick", ()) if signs or "qa" not in each.item]
        if ticks and ("rolledback" not in here or dice.random() < 0.7):
            return dice.choice(ticks)
        if "rolledback" in here:
            return here["rolledback"][0]
        if "again" in here and dice.random() < 0.4:
            return dice.choice(here["again"])
        if "accept" in here:
            return dice.choice(here["accept"])
        if "acknowledge" in here and dice.random() < 0.1:
            return here["acknowledge"][0]
        if here.get("tick"):
            return None  # it waits for QA
        for verb in ("deployed", "advance"):
            if verb in here:
                return here[verb][0]
        return None
