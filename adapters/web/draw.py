"""Cards, forms and the page as HTML. Everything is escaped by the templates or made by `inline`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.web.inline import inline, spoken
from adapters.web.personas import Persona
from bot.cards.card import Block, Button, Card, Form, Heading, ItemRow, ItemState
from bot.cards.chart import Chart

HERE = Path(__file__).parent
_environment = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_ROLES = {"qa": "QA", "on_call": "on-call", "vp_engineering": "VP Engineering"}


@dataclass
class Part:
    """Blocks under one heading. Only a part with items can be folded, and is at first when all of them are done."""

    heading: str | None
    blocks: list[Block] = field(default_factory=list)

    @property
    def items(self) -> list[ItemRow]:
        """Its items."""
        return [block for block in self.blocks if isinstance(block, ItemRow)]

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do in it."""
        return all(item.state is not ItemState.OPEN for item in self.items)

    @property
    def runs(self) -> list[tuple[str, list[Block]]]:
        """Its blocks with neighbouring items put together into lists: `("items", …)` or `("block", [one])`."""
        found: list[tuple[str, list[Block]]] = []
        for is_item, blocks in groupby(self.blocks, key=lambda block: isinstance(block, ItemRow)):
            run = list(blocks)
            found += [("items", run)] if is_item else [("block", [block]) for block in run]
        return found


def parts(blocks: Sequence[Block]) -> list[Part]:
    """The card cut at its headings. What follows the last item of a part stands on its own: it never folds away."""
    found = [Part(None)]
    for block in blocks:
        if isinstance(block, Heading):
            found.append(Part(block.text))
        else:
            found[-1].blocks.append(block)
    cut: list[Part] = []
    for part in found:
        last = max((place for place, block in enumerate(part.blocks) if isinstance(block, ItemRow)), default=None)
        if part.heading is None or last is None:
            cut.append(part)
        else:
            cut += [Part(part.heading, part.blocks[: last + 1]), Part(None, part.blocks[last + 1 :])]
    return [part for part in cut if part.heading is not None or part.blocks]


def main_button(item: ItemRow) -> Button | None:
    """What one does about an item most of the time; the others are in its menu."""
    return next((button for button in item.buttons if button.style == "primary"), None)


def draw_card(card: Card, source: Callable[[Chart], str] | None = None) -> str:
    """A card's HTML. `source` gives the address of a chart's picture; without it, its words stand there."""
    return _environment.get_template("card.html").render(card=card, parts=parts(card.blocks), source=source)


def draw_form(form: Form) -> str:
    """A form's HTML, the inside of a dialog."""
    return _environment.get_template("form.html").render(form=form)


def draw_page(*, personas: Sequence[Persona], channels: Sequence[str], suggestions: Sequence[str], title: str) -> str:
    """The page, without messages: the browser asks for them."""
    return _environment.get_template("page.html").render(
        personas=personas, channels=channels, suggestions=suggestions, title=title
    )


def draw_door(title: str) -> str:
    """The page that asks for the token."""
    return _environment.get_template("enter.html").render(title=title)


def role_words(role: str) -> str:
    """`product_owner` as people say it."""
    return _ROLES.get(role, role.replace("_", " "))


def iso(at: datetime) -> str:
    """An instant for the page's script."""
    return at.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _kind(block: Block) -> str:
    return type(block).__name__


_environment.filters.update(inline=inline, spoken=spoken, kind=_kind, role=role_words)
_environment.globals["main_button"] = main_button
