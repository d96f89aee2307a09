"""Cards as Block Kit. Plain dictionaries: slack_sdk drops blocks it does not know.

Tone is an emoji before the title, which has a name for screen readers, and not the colour of an attachment, which has
none and hides long messages behind "Show more" on a phone. Words of the team (`Verbatim`) and commands are rich text
with plain elements, in which Slack parses nothing, so that they stand there letter for letter.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby

from adapters.slack import limits
from adapters.slack.folding import fold
from adapters.slack.limits import Json, Room, clip, plain_text
from adapters.slack.mrkdwn import escape, literal, to_mrkdwn
from adapters.slack.people import mention
from adapters.slack.rows import SMALL, button_element, mrkdwn, row_blocks
from bot.cards import card as c
from bot.cards.card import Card, ItemRow, Tone
from bot.cards.chart import Chart
from bot.cards.runs import clean
from checklists.policy import Person

TONES = {Tone.PLAIN: "", Tone.GOOD: "✅", Tone.WARN: "⚠️", Tone.BAD: "🔴"}
_SIGNS = {True: "✅", False: "❌"}
_CELLS = 10
_ALT = Room(2_000, 4_000)
Files = Mapping[Chart, str]
"""Ids of uploaded pictures."""
NO_FILES: Files = {}
_COMMAND = Room(2_900, 8_000)
TEXT = Room(2_900, 10_000)
"""What one section of text holds."""
_LINK = re.compile(r"https?://[^\s<>\"'`|*]*[^\s<>\"'`|*.,;:!?)\]}…]", re.IGNORECASE)
_STARTS_WITH_A_SIGN = re.compile(r"[^\w\s\"'“‘(\[<«¿¡@#/…-]")


def message(
    card: Card,
    *,
    people: Mapping[str, Person],
    folded: bool = True,
    deployment: str = "",
    files: Files = NO_FILES,
) -> Json:
    """`text` and `blocks` of one part of a card (`packing.parts`): what chat.postMessage and chat.update take.

    `people` are the policy's, for the mentions. `folded` False shows finished sections open. `deployment`
    is the id behind what is shown on demand, where items have no buttons that know it (their run is over). A picture
    that is not among `files` is said in words.
    """
    text = escape(clean(card.text)) or escape(clean(card.title)) or "…"
    blocks: list[Json] = []
    for small in SMALL:
        shown = fold(card, deployment) if folded else card.blocks
        blocks = seal(list(_draw(shown, card, people, small, deployment, files)))
        if limits.fits(blocks):
            break
    return {"text": _cut_escaped(text), "blocks": blocks}


def command_answer(row: ItemRow) -> Json:
    """The command of an item, ready to copy, for who asked. Cut at 2,900 characters."""
    command = clip(clean(row.command or ""), _COMMAND)
    words = to_mrkdwn(row.markdown, Room(300, 900)).strip() or "…"
    blocks = [{"type": "section", "text": mrkdwn(words)}, code(command or "(no command)")]
    return {"text": _cut_escaped(escape(command) or "(no command)"), "blocks": seal(blocks)}


def title_line(card: Card) -> str:
    """The title with the sign of its tone, unless it begins with a sign of its own."""
    sign = TONES[card.tone]
    return f"{sign} {card.title}" if sign and not _STARTS_WITH_A_SIGN.match(card.title) else card.title


def seal(blocks: list[Json], *, first: int = 0) -> list[Json]:
    """The blocks with ids: unique in the message, and new for a block that says something new, as chat.update asks.
    `first` is the number of the first."""
    for place, block in enumerate(blocks, first):
        elements = [block["accessory"]] if "accessory" in block else block.get("elements", [])
        live = [element for element in elements if element["type"] in ("button", "overflow")]
        for number, element in enumerate(live):
            verb = str(element.get("value", "more:")).partition(":")[0][:60]
            element["action_id"] = f"{verb}.{place}.{number}"
        if live:
            digest = hashlib.sha256(json.dumps(block, sort_keys=True).encode()).hexdigest()[:8]
            block["block_id"] = f"{place}.{digest}"
    return blocks


def draw_block(
    block: c.Block, small: Room = SMALL[-1], *, group: bool = True, deployment: str = "", files: Files = NO_FILES
) -> list[Json]:
    """One block of a card, without ids. An empty list where there is nothing to say."""
    match block:
        case ItemRow():
            return row_blocks(block, small=small, group=group, deployment=deployment)
        case c.Text():
            return _paragraph([block])
        case c.Heading():
            name = literal(block.text, Room(300, 900), bold=True)
            return [{"type": "divider"}, _section(name)] if name else []
        case c.Progress():
            return [_section(f"{bar(block.done, block.total)} {literal(block.label, Room(300, 900))}")]
        case c.Verbatim():
            return [rich([{"type": "rich_text_section", "elements": list(_words(clean(block.text)))}])]
        case c.Code():
            return [code(clean(block.text))]
        case c.Buttons():
            return _buttons(block.buttons)
        case c.Facts():
            return [_section("\n".join(map(_fact, block.facts)))] if block.facts else []
        case c.Picture():
            return _picture(block, files.get(block.chart, ""))


def _picture(block: c.Picture, file: str) -> list[Json]:
    """An uploaded file (docs.slack.dev/reference/block-kit/composition-objects/slack-file-object); without one, what
    it would have shown."""
    if file:
        alt = clip(" ".join(clean(block.alt).split()), _ALT) or "…"
        return [{"type": "image", "slack_file": {"id": file}, "alt_text": alt}]
    return [_section(literal(block.alt, _ALT))] if block.alt.strip() else []


def bar(done: int, total: int) -> str:
    """`▓▓▓▓▓▓░░░░`: full only when all is done, and not empty once something is."""
    if total <= 0 or done >= total:
        return "▓" * _CELLS
    full = max(1, min(_CELLS - 1, done * _CELLS // total)) if done > 0 else 0
    return "▓" * full + "░" * (_CELLS - full)


def code(text: str) -> Json:
    """Preformatted text."""
    return rich([{"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text or " "}]}])


def rich(elements: list[Json]) -> Json:
    """A rich_text block."""
    return {"type": "rich_text", "elements": elements}


def _draw(
    blocks: Iterable[c.Block | Json],
    card: Card,
    people: Mapping[str, Person],
    small: Room,
    deployment: str,
    files: Files,
) -> Iterator[Json]:
    if card.title.strip():
        yield {"type": "header", "text": plain_text(title_line(card), limits.HEADER)}
    if card.mentions:
        called = " ".join(mention(role, people.get(role)) for role in dict.fromkeys(card.mentions))
        yield _section(f"🔔 {called}")
    said = False
    group: str | None = None
    for kind, several in groupby(blocks, key=_kind):
        if isinstance(kind, tuple):
            yield from (drawn := _paragraph([block for block in several if isinstance(block, c.Text)]))
            said = said or bool(drawn)
            continue
        for block in several:
            new, group = _group(block) != group, _group(block)
            drawn = (
                [block]
                if isinstance(block, dict)
                else draw_block(block, small, group=new, deployment=deployment, files=files)
            )
            yield from drawn if said or card.mentions or drawn[:1] != [{"type": "divider"}] else drawn[1:]
            said = said or bool(drawn)
    if not said:
        yield _section(literal(card.text, Room(2_900, 8_000)).strip() or "…")


def _kind(block: c.Block | Json) -> object:
    """Paragraphs of the same size that follow each other are drawn as one."""
    return ("text", block.small) if isinstance(block, c.Text) else id(block)


def _group(block: c.Block | Json) -> str | None:
    return block.group if isinstance(block, ItemRow) else None


def _section(text: str) -> Json:
    return {"type": "section", "text": mrkdwn(text)}


def _paragraph(texts: Sequence[c.Text]) -> list[Json]:
    """Texts as lines of as few sections (small: contexts) as hold them."""
    pages = [""]
    for text in texts:
        line = to_mrkdwn(text.markdown, TEXT).strip()
        joined = f"{pages[-1]}\n{line}" if pages[-1] else line
        if TEXT.holds(joined):
            pages[-1] = joined
        else:
            pages.append(line)
    if texts[0].small:
        return [{"type": "context", "elements": [mrkdwn(page)]} for page in pages if page.strip("\u200b \n")]
    return [_section(page) for page in pages if page.strip("\u200b \n")]


def _buttons(buttons: Sequence[c.Button]) -> list[Json]:
    most = limits.ACTIONS_ELEMENTS
    return [
        {"type": "actions", "elements": [button_element(button) for button in buttons[start : start + most]]}
        for start in range(0, len(buttons), most)
    ]


def _fact(fact: c.Fact) -> str:
    """One line, which a phone can break: sign, name, value, target."""
    room = Room(200, 700)
    sign = "❔" if fact.ok is None and fact.target else "•" if fact.ok is None else _SIGNS[fact.ok]
    name, value = literal(fact.label, room, bold=True), literal(fact.value, room)
    target = f" · target {literal(fact.target, room)}" if fact.target.strip() else ""
    return f"{sign} {name}: {value}{target}" if name else f"{sign} {value}{target}"


def _words(text: str) -> Iterator[Json]:
    """The text in elements whose texts put together are the text again; addresses can be followed."""
    done = 0
    for match in _LINK.finditer(text):
        yield from _plain(text[done : match.start()])
        if len(match.group()) > 2_000:
            yield from _plain(match.group())
        else:
            yield {"type": "link", "url": match.group(), "text": match.group()}
        done = match.end()
    yield from _plain(text[done:] if done else text or " ")


def _plain(text: str) -> Iterator[Json]:
    for start in range(0, len(text), limits.TEXT - 100):
        yield {"type": "text", "text": text[start : start + limits.TEXT - 100]}


def _cut_escaped(text: str) -> str:
    if len(text) <= limits.MESSAGE_TEXT:
        return text
    # Not within an entity.
    return re.sub(r"&[a-z]{0,3}$", "", text[: limits.MESSAGE_TEXT - 1]) + "…"
