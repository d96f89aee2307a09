"""How an answer reaches the one person it is for, within the three seconds that Discord waits."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Mapping
from dataclasses import replace
from typing import Any

import aiohttp
import discord
import structlog

from adapters.discord import layout, modals, packing
from adapters.discord.faults import ANSWERED, UNKNOWN_INTERACTION, problem_of
from adapters.discord.people import People, first_holders
from bot.cards.card import Answer, Button, Buttons, Card, Form, Text

Interaction = discord.Interaction[discord.Client]

PATIENCE = 1.5
"""Seconds the core may take before Discord is told that the answer comes later: it waits 3
(interactions/receiving-and-responding)."""
AGAIN = "again"
"""Verb of the button that opens a form once more, with what was typed."""
_CALL = 10.0
_MANY = 1_000
_MOST = 25
"""Messages of one answer, at most."""

log = structlog.get_logger(__name__)


class Answers:
    """Everything said here is seen by its asker alone. What the core did is committed when this is told of it."""

    def __init__(self, people: People, *, patience: float = PATIENCE) -> None:
        self._people, self._patience = people, patience
        self._forms: OrderedDict[str, Form] = OrderedDict()
        """Forms to open again, by token; those open now by user and action."""

    async def to(
        self, interaction: Interaction, asked: Awaitable[Answer], *, values: Mapping[str, str] | None = None
    ) -> None:
        """Answer, or say that the answer comes later and then give it. `values` are those of the form that was sent."""
        asking = asyncio.ensure_future(asked)
        await asyncio.wait({asking}, timeout=self._patience)
        try:
            if not asking.done():
                async with asyncio.timeout(_CALL):
                    await interaction.response.defer(ephemeral=True, thinking=True)
                answer = self._offered(interaction, await asking, values or {})
                async with asyncio.timeout(_CALL):
                    await self._later(interaction, answer)
            else:
                async with asyncio.timeout(_CALL):
                    await self._now(interaction, self._offered(interaction, asking.result(), values or {}))
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            if isinstance(error, discord.HTTPException) and error.code == ANSWERED:
                log.info("discord.answered")  # another process was first
                return
            late = isinstance(error, discord.HTTPException) and error.code == UNKNOWN_INTERACTION
            log.warning("discord.answer", problem="it came too late" if late else str(problem_of("an answer", error)))
        finally:
            if not asking.done():
                await asyncio.wait({asking})  # what was begun is done, whoever hears of it

    async def whisper(self, interaction: Interaction, card: Card, *, folded: bool = True) -> None:
        """Say a card as the first answer."""
        async with asyncio.timeout(_CALL):
            first, *rest = self._views(card, folded=folded)
            await interaction.response.send_message(view=first, ephemeral=True)
            for view in rest:
                await interaction.followup.send(view=view, ephemeral=True)

    def form(self, token: str) -> Form | None:
        """The form to open again; None once it is forgotten."""
        return self._forms.get(token)

    async def open(self, interaction: Interaction, form: Form) -> None:
        """Open a form. Only the first answer may do so."""
        self._remember(f"{interaction.user.id}/{form.action}", form)
        async with asyncio.timeout(_CALL):
            await interaction.response.send_modal(modals.modal(form))

    # --- now, or later ---

    async def _now(self, interaction: Interaction, answer: Answer) -> None:
        if answer.form is not None:
            if interaction.type is discord.InteractionType.modal_submit:
                await self.whisper(interaction, self._opener(answer.form))  # a form cannot answer a form
            else:
                await self.open(interaction, answer.form)
        elif answer.card is not None:
            await self.whisper(interaction, answer.card)
        elif interaction.message is not None:
            await interaction.response.defer()  # the message itself will show it
        else:
            await interaction.response.defer(ephemeral=True, thinking=True)
            await interaction.delete_original_response()

    async def _later(self, interaction: Interaction, answer: Answer) -> None:
        card = self._opener(answer.form) if answer.form is not None else answer.card
        if card is None:
            await interaction.delete_original_response()
            return
        first, *rest = self._views(card)
        await interaction.edit_original_response(view=first)
        for view in rest:
            await interaction.followup.send(view=view, ephemeral=True)

    # --- drawing ---

    def _views(self, card: Card, *, folded: bool = True) -> list[discord.ui.LayoutView]:
        people = first_holders(self._people())
        return [layout.layout(part, people=people, folded=folded) for part in packing.parts(card)[:_MOST]]

    def _offered(self, interaction: Interaction, answer: Answer, values: Mapping[str, str]) -> Answer:
        """A refused form can be opened again, with what was typed."""
        if not (answer.refused and answer.card is not None and values):
            return answer
        data: Mapping[str, Any] = interaction.data or {}
        action = str(data.get("custom_id") or "")
        form = self._forms.get(f"{interaction.user.id}/{action}")
        if form is None:
            return answer
        kept = tuple(replace(field, value=values.get(field.name, field.value)) for field in form.fields)
        button = Buttons((self._button(replace(form, fields=kept), "Correct it…"),))
        return replace(answer, card=replace(answer.card, blocks=(*answer.card.blocks, button)))

    def _opener(self, form: Form) -> Card:
        text = form.text.strip() or form.title
        return Card(form.title, text, (Text(f"**{form.title}**"), Buttons((self._button(form, "Open the form…"),))))

    def _button(self, form: Form, label: str) -> Button:
        token = secrets.token_hex(8)
        self._remember(token, form)
        return Button(label, f"{AGAIN}:{token}", "primary")

    def _remember(self, key: str, form: Form) -> None:
        self._forms[key] = form
        self._forms.move_to_end(key)
        while len(self._forms) > _MANY:
            self._forms.popitem(last=False)
