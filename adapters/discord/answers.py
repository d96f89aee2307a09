"""How an answer reaches the one person it is for, within the three seconds that Discord waits."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import aiohttp
import discord
import structlog

from adapters.discord import layout, modals, packing
from adapters.discord.faults import ANSWERED, UNKNOWN_INTERACTION, problem_of
from adapters.discord.people import People, first_holders
from adapters.discord.pictures import Drawings, Shown
from bot.cards.card import Answer, Button, Buttons, Card, Form, Text

Interaction = discord.Interaction[discord.Client]

PATIENCE = 1.5
"""Seconds the core may take before Discord is told that the answer comes later: it waits 3
(interactions/receiving-and-responding)."""
AGAIN = "reopen"
"""Verb of the button that opens a form once more, with what was typed."""
_CALL = 10.0
_MANY = 1_000
_MOST = 25
"""Messages of one answer, at most."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an answer, and its pictures."""

    part: Card
    folded: bool
    shown: Shown


class Answers:
    """Everything said here is seen by its asker alone. What the core did is committed when this is told of it."""

    def __init__(self, people: People, drawings: Drawings, *, patience: float = PATIENCE) -> None:
        self._people, self._drawings, self._patience = people, drawings, patience
        self._forms: OrderedDict[str, Form] = OrderedDict()
        """Forms to open again, by token; those open now by user and action."""

    async def to(
        self, interaction: Interaction, asked: Awaitable[Answer], *, values: Mapping[str, str] | None = None
    ) -> None:
        """Answer, or say that the answer comes later and then give it. `values` are those of the form that was sent."""
        asking = asyncio.ensure_future(self._prepared(interaction, asked, values or {}))
        await asyncio.wait({asking}, timeout=self._patience)
        try:
            if not asking.done():
                async with asyncio.timeout(_CALL):
                    await interaction.response.defer(ephemeral=True, thinking=True)
                prepared = await asking
                async with asyncio.timeout(_CALL):
                    await self._later(interaction, *prepared)
            else:
                async with asyncio.timeout(_CALL):
                    await self._now(interaction, *asking.result())
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
        said = await self._messages(card, folded=folded)
        async with asyncio.timeout(_CALL):
            await self._say(interaction, said)

    def form(self, token: str) -> Form | None:
        """The form to open again; None once it is forgotten."""
        return self._forms.get(token)

    async def open(self, interaction: Interaction, form: Form) -> None:
        """Open a form. Only the first answer may do so."""
        self._remember(f"{interaction.user.id}/{form.action}", form)
        async with asyncio.timeout(_CALL):
            await interaction.response.send_modal(modals.modal(form))

    # --- now, or later ---

    async def _now(self, interaction: Interaction, answer: Answer, said: Sequence[Message]) -> None:
        if answer.form is not None:
            if interaction.type is discord.InteractionType.modal_submit:
                await self.whisper(interaction, self._opener(answer.form))  # a form cannot answer a form
            else:
                await self.open(interaction, answer.form)
        elif said:
            await self._say(interaction, said)
        elif interaction.message is not None:
            await interaction.response.defer()  # the message itself will show it
        else:
            await interaction.response.defer(ephemeral=True, thinking=True)
            await interaction.delete_original_response()

    async def _later(self, interaction: Interaction, answer: Answer, said: Sequence[Message]) -> None:
        if answer.form is not None:
            said = await self._messages(self._opener(answer.form))
        if not said:
            await interaction.delete_original_response()
            return

        async def edit(shown: Shown) -> None:
            await interaction.edit_original_response(view=self._view(said[0], shown), attachments=shown.files())

        await self._drawings.send(said[0].shown, edit)
        await self._follow_up(interaction, said[1:])

    async def _say(self, interaction: Interaction, said: Sequence[Message]) -> None:
        async def send(shown: Shown) -> None:
            view, files = self._view(said[0], shown), shown.files()
            await interaction.response.send_message(view=view, files=files, ephemeral=True)

        await self._drawings.send(said[0].shown, send)
        await self._follow_up(interaction, said[1:])

    async def _follow_up(self, interaction: Interaction, said: Sequence[Message]) -> None:
        for message in said:

            async def send(shown: Shown, message: Message = message) -> None:
                await interaction.followup.send(view=self._view(message, shown), files=shown.files(), ephemeral=True)

            await self._drawings.send(message.shown, send)

    # --- drawing ---

    async def _prepared(
        self, interaction: Interaction, asked: Awaitable[Answer], values: Mapping[str, str]
    ) -> tuple[Answer, list[Message]]:
        """The answer, and its messages with their pictures drawn."""
        answer = self._offered(interaction, await asked, values)
        return answer, await self._messages(answer.card) if answer.card is not None else []

    async def _messages(self, card: Card, *, folded: bool = True) -> list[Message]:
        parts = packing.parts(card)[:_MOST]
        return [Message(part, folded, await self._drawings.of(part)) for part in parts]

    def _view(self, message: Message, shown: Shown) -> discord.ui.LayoutView:
        people = first_holders(self._people())
        return layout.layout(message.part, people=people, folded=message.folded, pictures=shown.names)

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
