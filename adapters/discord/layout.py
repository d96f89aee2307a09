"""A card as a message of Components V2: a box in the colour of its tone, with whom it calls above it.

The first two components of a message carry ids made of its key, by which it is found again.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from discord import AllowedMentions, Colour, Object, SeparatorSpacing, ui

from adapters.discord import limits
from adapters.discord.blocks import TITLE, Drawn, Item, assembled, draw_block, spoken, title_line
from adapters.discord.markdown import literal
from adapters.discord.rows import LONGEST_KEY, SMALL, Ids, more_select
from bot.cards import card as c
from bot.cards.card import Card, ItemRow, Tone
from bot.cards.sections import Folded, fold
from bot.cards.words import role_words
from checklists.policy import Person

CALLED = 300
"""Characters of the line that calls people."""
_COLOURS = {
    Tone.PLAIN: None,
    Tone.GOOD: Colour(0x2DA44E),
    Tone.WARN: Colour(0xD29922),
    Tone.BAD: Colour(0xCF222E),
}
_TARGET = re.compile(r"(role:)?(\d{15,20})", re.ASCII)


def layout(
    card: Card,
    *,
    people: Mapping[str, Person],
    deployment: str = "",
    folded: bool = True,
    marker: tuple[int, int] | None = None,
    pictures: Sequence[str] = (),
) -> ui.LayoutView:
    """One part of a card (`packing.parts`) as a view that is stopped already: discord.py keeps none of it in memory.

    `people` are the policy's, for the mentions. `deployment` is the id behind what is shown on demand, where items have
    no buttons that know it (their run is over). `folded` False shows finished sections open. `pictures` are the names
    of the attached files, in the order of the card's pictures; one without a file is said in words. Raises ValueError
    for a card that is more than one message.
    """
    items: list[Item] = []
    for small in SMALL:
        items = _message(card, people, deployment, folded, small, pictures)
        if text_of(items) <= limits.MESSAGE_TEXT:
            break
    if marker is not None:
        for item, number in zip(items, marker, strict=False):
            item.id = number
    view = ui.LayoutView(timeout=None)
    for item in items:
        view.add_item(item)
    view.stop()
    return view


def marker(key: str) -> tuple[int, int]:
    """The ids of the first two components of the message with this key: 30 bits each, different, never 0."""
    digest = hashlib.sha256(key.encode()).digest()
    first, second = (int.from_bytes(part) & (2**30 - 1) or 1 for part in (digest[:4], digest[4:8]))
    return first, second if second != first else first % (2**30 - 1) + 1


def nonce(key: str) -> str:
    """What Discord knows a message by that was posted a few minutes ago: 24 characters (it takes 25)."""
    return hashlib.sha256(key.encode()).hexdigest()[:24]


def mentioned(card: Card, people: Mapping[str, Person]) -> AllowedMentions:
    """Whom a message may call: those its card names who are mapped to a user or a role of Discord; nobody else."""
    users: dict[int, Object] = {}
    roles: dict[int, Object] = {}
    for name in card.mentions:
        if found := target(people.get(name)):
            is_role, number = found
            (roles if is_role else users)[number] = Object(number)
    most = limits.MENTIONS
    return AllowedMentions(
        everyone=False,
        replied_user=False,
        users=list(users.values())[:most] or False,
        roles=list(roles.values())[:most] or False,
    )


def target(person: Person | None) -> tuple[bool, int] | None:
    """Whether a role of the policy is mapped to a role of Discord (else to a user), and its number; None where it is
    mapped to nobody there."""
    found = _TARGET.fullmatch((person.discord or "").strip()) if person else None
    return (found.group(1) is not None, int(found.group(2))) if found else None


def mention(role: str, person: Person | None) -> str:
    """Text that calls whoever holds a role: `<@…>`, `<@&…>`; in words where it is mapped to nobody."""
    if found := target(person):
        return f"<@{'&' if found[0] else ''}{found[1]}>"
    return literal((person.name if person else None) or role_words(role), 60) or "somebody"


def text_of(items: Iterable[Item]) -> int:
    """Characters of all text in components."""
    return sum(len(item.content) if isinstance(item, ui.TextDisplay) else text_of(_children(item)) for item in items)


def count_of(items: Iterable[Item]) -> int:
    """How many components they are, nested ones included."""
    return sum(1 + count_of(_children(item)) for item in items)


def _children(item: Item) -> list[Item]:
    if isinstance(item, ui.Section):
        return [*item.children, item.accessory]
    return item.children if isinstance(item, ui.Container | ui.ActionRow) else []


def _message(
    card: Card, people: Mapping[str, Person], deployment: str, folded: bool, small: int, pictures: Sequence[str]
) -> list[Item]:
    blocks = fold(card, deployment, LONGEST_KEY) if folded else card.blocks
    box: Item = ui.Container(
        *assembled(list(_drawn(card, blocks, deployment, small, pictures))), accent_colour=_COLOURS[card.tone]
    )
    if card.mentions:
        return [ui.TextDisplay(_calling(card, people)), box]
    # Nothing is seen of it: a message has two components that can be marked.
    return [box, ui.Separator(visible=False, spacing=SeparatorSpacing.small)]


def _drawn(
    card: Card, blocks: Iterable[c.Block | Folded], deployment: str, small: int, pictures: Sequence[str]
) -> Iterator[str | Item]:
    ids, names = Ids(), iter(pictures)
    if title := literal(title_line(card), TITLE):
        yield f"## {title}"
    shown: list[ItemRow] = []
    group: str | None = None
    said = False
    listed = list(blocks)
    last = max((place for place, block in enumerate(listed) if isinstance(block, ItemRow)), default=-1)
    for place, block in enumerate(listed):
        name = next(names, "") if isinstance(block, c.Picture) else ""
        own = block.group if isinstance(block, ItemRow) else None
        drawn: Drawn = draw_block(block, ids, small=small, group=own != group, picture=name)
        yield from drawn
        said, group = said or bool(drawn), own
        if isinstance(block, ItemRow):
            shown.append(block)
        if place == last:
            yield from more_select(shown, ids, small=small, deployment=deployment)
    if not said:
        yield spoken(card)


def _calling(card: Card, people: Mapping[str, Person]) -> str:
    """Everybody who is called, as far as they fit a line."""
    line = "🔔"
    for role in dict.fromkeys(card.mentions):
        if len(longer := f"{line} {mention(role, people.get(role))}") > CALLED:
            return f"{line} …"
        line = longer
    return line
