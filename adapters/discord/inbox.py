"""What people do in Discord, handed to the core: commands, completions, clicks, forms. Commit, then answer.

One dispatcher reads every interaction by its `custom_id`; discord.py's own views are not used, so that a button or a
form from before a restart works like any other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping
from typing import Any

import aiohttp
import discord
import structlog
from discord import InteractionType
from discord.app_commands import Choice

from adapters.discord import commands, modals
from adapters.discord.answers import AGAIN, Answers, Interaction
from adapters.discord.commands import Typed, Unusable
from adapters.discord.dialogue import DiscordDialogue, not_done
from adapters.discord.people import People, who
from adapters.discord.rows import MORE, action_of
from adapters.discord.shapes import fits
from bot.cards.card import Answer, Card, ItemRow
from bot.cards.sections import OPEN, OPEN_ALL, SHOW, section_of, whole_item
from bot.cards.words import plain
from bot.domain.people import Who
from bot.ports import StoreError

_CHOICES, _CHOICE = 25, 100
_COMPLETING = 2.0
_ANSWERING = 10.0

log = structlog.get_logger(__name__)


class Inbox:
    """The dispatcher. Discord delivers an interaction once, or to several sessions of the same bot: its id is the
    delivery's key, so that it is done once."""

    def __init__(self, dialogue: DiscordDialogue, people: People, answers: Answers, guild: int | None = None) -> None:
        self._dialogue, self._people, self._answers, self._guild = dialogue, people, answers, guild

    async def take(self, interaction: Interaction) -> None:
        """One interaction, to its end. One that has not the shape that is read is left without an answer, which Discord
        shows as failed."""
        if not fits(interaction):
            return
        try:
            await self._take(interaction)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as problem:
            log.warning("discord.interaction", problem=str(problem) or type(problem).__name__)

    async def _take(self, interaction: Interaction) -> None:
        data: Mapping[str, Any] = interaction.data or {}
        elsewhere = interaction.guild_id is None or (self._guild is not None and interaction.guild_id != self._guild)
        if interaction.type is InteractionType.autocomplete:
            await self._complete(interaction, {} if elsewhere else data)
            return
        if elsewhere:
            await self._answers.to(interaction, _just(not_done("Deployments are run in their own server's channels.")))
            return
        match interaction.type:
            case InteractionType.application_command:
                await self._command(interaction, data)
            case InteractionType.component:
                await self._click(interaction, data)
            case InteractionType.modal_submit:
                values = modals.values(data.get("components") or [])
                action = str(data.get("custom_id") or "")
                submitted = self._dialogue.submit(action, values, **self._of(interaction))
                await self._answers.to(interaction, _asked(submitted), values=values)

    # --- commands ---

    async def _command(self, interaction: Interaction, data: Mapping[str, Any]) -> None:
        try:
            said = commands.typed(data)
            text = commands.text_of(said)
        except Unusable as problem:
            await self._answers.to(interaction, _just(not_done(str(problem))))
            return
        if item := said.values.get("item"):
            await self._show(interaction, SHOW, item)
            return
        await self._answers.to(interaction, _asked(self._dialogue.command(text, **self._of(interaction))))

    async def _complete(self, interaction: Interaction, data: Mapping[str, Any]) -> None:
        """Offers for the option being typed; none is an answer, too."""
        choices: list[Choice[str]] = []
        try:
            async with asyncio.timeout(_COMPLETING):
                choices = await self._choices(commands.typed(data), who(interaction.user, self._people()))
        except (TimeoutError, StoreError, Unusable) as problem:
            log.info("discord.complete", problem=str(problem) or "it took too long")
        await interaction.response.autocomplete(choices[:_CHOICES])

    async def _choices(self, said: Typed, person: Who) -> list[Choice[str]]:
        typed = said.values.get(said.focused, "")
        if said.focused == "item":
            return await self._items(said, typed, person)
        known = {}
        for name in ("status", "checklist"):
            offers = await self._dialogue.complete(f"{name} ", who=person)
            known[name] = offers[0].value.split()[-1] if offers else ""
        begin, without = commands.beginnings(said, running=known["status"], checklist=known["checklist"])
        if not begin:
            return []
        others = (
            {offer.value.split()[-1] for offer in await self._dialogue.complete(without, who=person)}
            if without
            else set()
        )
        offered = await self._dialogue.complete(begin + typed, who=person)
        named = [(offer.value.split()[-1], offer.label) for offer in offered if offer.value.strip()]
        return [
            Choice(name=label[:_CHOICE], value=word)
            for word, label in named
            if word not in {"at", *others} and len(word) <= _CHOICE
        ]

    async def _items(self, said: Typed, typed: str, person: Who) -> list[Choice[str]]:
        """The open items that contain what is typed. Asking changes nothing, so that it needs no key of its own."""
        text = commands.text_of(Typed(said.sub, {name: value for name, value in said.values.items() if name != "item"}))
        answer = await self._dialogue.command(text, who=person, key=f"discord:items:{person.id}", channel="")
        found: list[Choice[str]] = []
        for row in answer.card.blocks if answer.card is not None else ():
            if isinstance(row, ItemRow) and row.buttons:
                label, key = plain(row.markdown), row.buttons[0].action.partition(":")[2]
                if typed.casefold() in label.casefold() and 0 < len(key) <= _CHOICE:
                    found.append(Choice(name=(label or "…")[:_CHOICE], value=key))
        return found

    # --- clicks ---

    async def _click(self, interaction: Interaction, data: Mapping[str, Any]) -> None:
        action = action_of(str(data.get("custom_id") or ""))
        verb, _, rest = action.partition(":")
        if verb == MORE or data.get("values"):
            action = str((data.get("values") or [""])[0])
            verb, _, rest = action.partition(":")
        if verb in (SHOW, OPEN, OPEN_ALL):
            await self._show(interaction, verb, rest)
        elif verb == AGAIN:
            form = self._answers.form(rest)
            if form is not None:
                await self._answers.open(interaction, form)
            else:
                gone = "What was typed is no longer known here. Please begin again from the card."
                await self._answers.to(interaction, _just(not_done(gone)))
        else:
            await self._answers.to(interaction, _asked(self._dialogue.click(action, **self._of(interaction))))

    async def _show(self, interaction: Interaction, verb: str, key: str) -> None:
        """A folded section, or an item with its command and all its buttons, for who asked."""
        deployment, _, item = key.partition(":")
        found: Card | None = None
        try:
            for card in await self._dialogue.cards(deployment):
                found = (
                    _whole(card, item) if verb == OPEN_ALL else (whole_item if verb == SHOW else section_of)(card, item)
                )
                if found is not None:
                    break
        except StoreError as problem:
            log.warning("discord.show", problem=str(problem))
        if found is None:
            sentence = "That cannot be shown now. `/deploy items` lists what is open."
            await self._answers.to(interaction, _just(not_done(sentence)))
        else:
            await self._answers.whisper(interaction, found, folded=False)

    def _of(self, interaction: Interaction) -> dict[str, Any]:
        """Who, by which delivery, and where."""
        channel = getattr(interaction.channel, "parent", None) or interaction.channel
        name = getattr(channel, "name", None)
        return {
            "who": who(interaction.user, self._people()),
            "key": f"discord:{interaction.id}",
            "channel": f"#{name}" if name else str(interaction.channel_id or ""),
        }


async def _asked(answer: Awaitable[Answer]) -> Answer:
    """The core's answer; what goes wrong there becomes one. After a fault nobody foresaw, how far it got is unknown."""
    try:
        return await answer
    except StoreError as problem:
        log.warning("discord.store", problem=str(problem))
        return not_done("The database cannot be written now, so nothing was changed. Please try again.")
    except Exception as problem:
        log.error("discord.failed", exc_info=problem)
        return not_done(
            "Something went wrong here, and it is in the log. See `/deploy status` for what was done, then try again."
        )


async def _just(answer: Answer) -> Answer:
    return answer


def _whole(card: Card, item: str) -> Card | None:
    return card if any(isinstance(block, ItemRow) and block.id == item for block in card.blocks) else None
