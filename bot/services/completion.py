"""Ways to go on with a half-typed command."""

from __future__ import annotations

from bot.cards.card import Option
from bot.commands import USAGES
from bot.domain.deployment import Status
from bot.ports import DeploymentRow, Store
from bot.services.checklists import Checklists
from bot.services.deployments import good_versions
from bot.services.gate import standing_freezes, standing_incidents

MOST = 25
_RECENT = 50
_SUBS = {
    "freeze": {"add": "nothing is deployed for a while", "list": "freezes that stand", "remove": "lift one"},
    "incident": {"open": "something is wrong now", "list": "incidents that are open", "close": "it is over"},
}
_ABOUT_RUNNING = {"status", "items", "advance", "deployed", "rollback", "cancel", "approve", "go", "why"}
_ABOUT_A_PLACE = {"lock", "unlock", "queue"}

_ENDED: dict[str, tuple[str, ...]] = {Status.STABLE: ("status", "rollback")}
"""What can be said about a deployment that has ended."""

Offers = dict[str, str]
"""Words that can come next, best first, and what each is."""


async def recent(store: Store) -> list[DeploymentRow]:
    """Deployments, all that are live first, then those that ended last; newest first."""
    async with store.read() as unit:
        return [*await unit.rows(live=True, limit=4 * _RECENT), *await unit.rows(live=False, limit=_RECENT)]


def is_of(row: DeploymentRow, name: str) -> bool:
    """Whether a deployment is meant by the name of a service or of a checklist."""
    return name.casefold() in (row.service.casefold(), row.checklist.casefold())


class Completion:
    """Knows what can come next."""

    def __init__(self, store: Store, checklists: Checklists) -> None:
        self._store, self._checklists = store, checklists

    async def complete(self, text: str) -> list[Option]:
        """Best first; `value` replaces the text."""
        *before, last = text.lstrip().split(" ")
        offers = await self._offers([word.casefold() for word in before if word])
        typed = last.casefold()
        return [
            Option(" ".join([*before, word, ""]), f"{word} · {what}" if what else word)
            for word, what in offers.items()
            if word.casefold().startswith(typed)
        ][:MOST]

    async def _offers(self, words: list[str]) -> Offers:
        if not words:
            return {usage.name: f"{usage.arguments} · {usage.does}".lstrip(" ·") for usage in USAGES}
        name, *said = words
        if name in _SUBS:
            return _SUBS[name] if not said else await self._about_the_calendar(name, *said)
        if name == "checklist" and not said:
            return dict.fromkeys(await self._checklists.names(), "")
        if name in ("start", "schedule") and not said:
            return {}  # the version, which nobody else can know
        if name in ("start", "window", "schedule"):
            return await self._where_to(said)
        if name in _ABOUT_A_PLACE and len(said) < 2:
            return {word: what for word, what in (await self._where_to(said)).items() if word != "at"}
        return await self._running(name, said) if name in _ABOUT_RUNNING else {}

    async def _about_the_calendar(self, name: str, sub: str, *said: str) -> Offers:
        async with self._store.read() as unit:
            facts = await unit.calendar() if not said else []
        if sub == "remove":
            return {freeze.id: freeze.reason for freeze in standing_freezes(facts)}
        if sub == "close":
            return {incident.id: incident.reason for incident in standing_incidents(facts)}
        dates = " ".join(said)
        at_service = not said if sub == "open" else dates.count('"') == 2 and dates.endswith('"')
        return dict.fromkeys(await self._checklists.names(), "only this one") if at_service else {}

    async def _where_to(self, said: list[str]) -> Offers:
        """A checklist, an environment, a time: each once, in any order."""
        if "at" in said:
            return {}
        names, environments = await self._checklists.names(), await self._checklists.environments()
        offers: Offers = {}
        if not any(name.casefold() in said for name in names):
            offers |= dict.fromkeys(names, "checklist")
        if not any(environment.casefold() in said for environment in environments):
            offers |= dict.fromkeys(environments, "environment")
        return offers | {"at": "a time, like fri 16:55 or in 2h"}

    async def _running(self, name: str, said: list[str]) -> Offers:
        """A service with deployments, then its environments; for a rollback the versions it can go back to."""
        rows = [row for row in await recent(self._store) if row.live or name in _ENDED.get(row.status, ())]
        if not said:
            services = {row.service: f"{row.version} → {row.environment}, {row.status}" for row in reversed(rows)}
            return dict(reversed(services.items()))
        service, *more = said
        rows = [row for row in rows if is_of(row, service)]
        offers = {} if more else {row.environment: "environment" for row in rows}
        if name == "rollback" and rows and len(more) < 2:
            environment = more[0] if more else rows[0].environment.casefold()
            row = next((row for row in rows if row.environment.casefold() == environment), None)
            if row is not None:
                async with self._store.read() as unit:
                    versions = await good_versions(unit, row.service, row.environment)
                offers = {version: "go back to it" for version in versions if version != row.version} | offers
        return offers
