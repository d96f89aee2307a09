"""Past decisions told again: from what was kept when they were made, never from how things stand now."""

from __future__ import annotations

from bot.cards import replies, whys
from bot.cards.card import Answer
from bot.cards.view import View
from bot.domain.calendar_facts import TurnedAway
from bot.ports import Clock, DeploymentRow, Store
from bot.services.completion import is_of
from bot.services.records import load


class Whys:
    """Reads only."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def why(self, service: str, environment: str, word: str, rows: list[DeploymentRow]) -> Answer:
        """Of a deployment or a denial by its id (`word`), else of the newest of either that the names fit."""
        async with self._store.read() as unit:
            denials = [fact for fact in await unit.denials() if isinstance(fact, TurnedAway)]
            if word:
                named = [denial for denial in denials if denial.id == word.strip("`")]
                row = await unit.row(word.strip("`"))
            else:
                here = [row for row in rows if not service or is_of(row, service)]
                services = {row.service for row in here} | {service}
                row = max(
                    (row for row in here if environment in ("", row.environment)),
                    key=lambda row: row.started_at, default=None,
                )  # fmt: skip
                named = [
                    denial
                    for denial in denials
                    if (not service or denial.service in services) and environment in ("", denial.environment)
                ][-1:]
            now = self._clock.now()
            if named and (row is None or named[-1].at > row.started_at):
                return whys.denial(named[-1], now)
            if row is not None:
                facts = await unit.events(row.id)
                return whys.deployment(View(*await load(unit, row.id), now), facts)
        return replies.nothing_to_explain(word)
