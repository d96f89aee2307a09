"""Message templates: fences, quotes and `echo "…"` in which a document words its announcements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from checklists.adoption.blanks import LISTS, fill, literal, printed, variable
from checklists.adoption.draft import Notebook, Noted, said, unsure
from checklists.adoption.prose import Fence, Passage, Prose
from checklists.templates import LONGEST_TEMPLATE, check

_WORDS = {"", "text", "txt", "plain", "plaintext", "markdown", "md", "slack", "message", "template"}
_ABOUT = re.compile(
    r"\b(?:announc\w*|notif\w*|communicat\w*|messages?|templates?|post(?:ed)?\b(?!-)|slack|inform\w*|updates?|tell|say"
    r"|e-?mail)\b",
    re.IGNORECASE,
)
_COMMAND = re.compile(
    r"^\s*(?:\$ |#!|(?:sudo|git|curl|kubectl|docker|npm|pnpm|yarn|make|cd|ssh|aws|helm|python3?|pip|export|SELECT) )",
    re.MULTILINE,
)
_ECHO = re.compile(r"^\s*(?:\$\s*)?(?:echo|printf|slack\S*|notify\S*)\s+(?:-\w+\s+)*(['\"])(.{6,300}?)\1")
_QUOTED = re.compile(r"[\"“]([^\"”“]{6,300})[\"”]")
_BACK = r"roll(?:ed|ing)?[- ]?back"
_WORDINGS = (
    # The first that fits decides: "Rollback completed" is no completed deployment.
    ("rolled_back", rf"\b{_BACK}\b.{{0,40}}\b(?:complete\w*|done|finished|success\w*)|\brolled back\b|\breverted\b"),
    ("rollback_started", r"\brolling back\b|\b(?:initiat|start|trigger)\w* (?:a )?roll[- ]?back\b"),
    ("rollback_started", rf"\b{_BACK}\b.{{0,30}}\b(?:start\w*|initiat\w*|in progress|trigger\w*|begin\w*|underway)\b"),
    ("cancelled", r"\bcancell?ed\b|\bpostponed\b|\baborted\b|\bcalled off\b"),
    ("issue", r"\b(?:issues?|problems?) (?:detected|identified|found)\b|\binvestigating\b"),
    ("issue", r"\bincident\b|\bdegraded\b|\boutage\b"),
    ("stable", r"\bstable\b|\ball clear\b"),
    ("starting", r"\b(?:start\w*|begin\w*) in\b|\bscheduled (?:for|at|on)\b|\bupcoming\b"),
    ("starting", r"\bwill (?:begin|start|be deploy\w*|deploy)\b|\bplanned (?:deploy|maintenance|release)"),
    (
        "succeeded",
        r"\b(?:deploy|release|roll-?out)\w*\b.{0,40}\b(?:complete|success|succeeded|finished|done|live|shipped)",
    ),
    ("succeeded", r"\b(?:successfully|now|has been) (?:deployed|released|live)\b|\breleased\b.*!"),
    ("started", r"\b(?:deploy|release|roll-?out)\w*\b.{0,40}\b(?:start\w*|in progress|begin\w*|begun|underway)\b"),
    ("started", r"\b(?:start|begin)\w*\b.{0,30}\b(?:deploy\w*|release)\b|^\W*deploying\b|\bnow deploying\b"),
)
_KINDS = tuple((kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _WORDINGS)
_ORDER = ("starting", "started", "succeeded", "stable", "issue", "rollback_started", "rolled_back", "cancelled")
_LABEL = re.compile(
    r"^(?P<mark>\W*?)(?P<label>[A-Za-z][\w /'’-]{1,34}?)(?P<end>[*_]{0,2}\s*[:：][*_]{0,2})(?P<space>\s*)(?P<value>.*)$"
)
_BULLET = re.compile(r"^(?P<mark>\s*(?:[-*+•✓✔☑✅▪◦]|\d+[.)]))\s+\S")
_URL = re.compile(r"https?://\S+")
_LINKS = {
    "monitoring": "monitoring",
    "dashboards": "dashboards",
    "dashboard": "dashboards",
    "status_page": "status_page",
    "runbook": "runbooks",
    "grafana": "grafana",
}
_LONGEST = 3000
_KEEP_SAMPLE = {"status"}


@dataclass(frozen=True, slots=True)
class Message:
    """A wording found: the announcement it is, and where it stands."""

    kind: str
    text: str
    line: int
    automatic: bool = False
    whole: bool = True
    """Whether it is a block of its own rather than words in quotes."""
    item: int | None = None
    """Line of the item that asks for it."""


@dataclass(frozen=True, slots=True)
class Messages:
    """The values of `templates`, and the items that are done once an announcement stands in the channel."""

    templates: dict[str, Noted]
    items: dict[int, str]


def find_messages(document: Prose, links: dict[str, Noted], book: Notebook) -> Messages:
    """The template of every announcement the document words, with what was a sample as variables."""
    found: dict[str, list[Message]] = {}
    for message in sorted(_candidates(document, book), key=lambda message: (not message.whole, message.line)):
        found.setdefault(message.kind, []).append(message)
    templates: dict[str, Noted] = {}
    for kind, messages in found.items():
        first = messages[0]
        pair = next((other for other in messages if other.automatic != first.automatic), None)
        notes = [said(first.line, first.text.split("\n")[0])]
        unknown: list[str] = []
        kept: list[str] = []
        text = _template(first, links, unknown, kept)
        if kind == "rolled_back" and pair and not (first.whole or pair.whole):
            one, other = (first, pair) if first.automatic else (pair, first)
            notes.append(said(pair.line, pair.text))
            by_itself, by_hand = (_template(m, links, unknown, kept).strip() for m in (one, other))
            text = "{% if automatic %}" + by_itself + "{% else %}" + by_hand + "{% endif %}\n"
        for other_message in messages[1:]:
            if other_message is not pair and other_message.text != first.text:
                book.leave(other_message.line, f'another wording of `{kind}`: "{other_message.text}"')
        notes += [unsure(f"nothing fills {blank}; it stays as it is") for blank in dict.fromkeys(unknown)]
        notes += [unsure(f'"{line}" may be a sample value; it is said as written') for line in dict.fromkeys(kept)]
        for blank in dict.fromkeys(unknown):
            book.leave(first.line, f"a blank of `{kind}` that nothing fills: {blank}")
        if problems := check(text, links=list(links)):
            book.leave(first.line, f"a message for `{kind}` that cannot be a template: {problems[0].message}")
            continue
        templates[kind] = Noted(text, tuple(notes))
    asked = {m.item: m.kind for of_kind in found.values() for m in of_kind[:1] if m.item and m.kind in templates}
    return Messages({kind: templates[kind] for kind in _ORDER if kind in templates}, asked)


def _candidates(document: Prose, book: Notebook) -> Iterator[Message]:
    for fence in document.fences:
        yield from _of_fence(fence, book)
    for passage in document.passages:
        yield from _of_passage(passage)


def _of_fence(fence: Fence, book: Notebook) -> Iterator[Message]:
    automatic = re.search(r"\bautomatic", fence.path[-1] if fence.path else "", re.IGNORECASE) is not None
    echoed = False
    for number, line in enumerate(fence.content.split("\n")[:300]):
        if (match := _ECHO.match(line)) and (kind := _kind(match[2])):
            echoed = True
            yield Message(kind, match[2], fence.line + number, automatic or "utomatic" in match[2], whole=False)
    text = fence.content.strip("\n")
    if echoed or fence.info not in _WORDS or not text.strip() or _COMMAND.search(text):
        return
    about = _ABOUT.search(" / ".join((*fence.path[-2:], *fence.lead)))
    kind = _kind(_first(text)) or (about and (_kind(fence.around.rsplit(" / ", 1)[-1]) or _kind(text))) or None
    if kind and len(text) <= _LONGEST and (about or len(text.split("\n")) <= 30):
        quoted = re.fullmatch(r"\s*[\"“'](.*)[\"”']\s*", text, re.DOTALL)
        yield Message(kind, quoted[1] if quoted else text, fence.line, automatic, item=fence.item)
    elif about and len(text) <= _LONGEST:
        book.leave(fence.line, f'a message that is no announcement of ours: "{_first(text)}"')


def _of_passage(passage: Passage) -> Iterator[Message]:
    if passage.quoted and _ABOUT.search(passage.around) and (kind := _kind(passage.text)):
        yield Message(kind, passage.text, passage.line)
        return
    if not _ABOUT.search(passage.text):
        return
    for match in _QUOTED.finditer(passage.text):
        if kind := _kind(match[1]):
            item = passage.line if passage.form == "item" else None
            yield Message(kind, match[1], passage.line, whole=False, item=item)


def _first(text: str) -> str:
    return next((line.strip() for line in text.split("\n") if line.strip()), "")


def _kind(words: str) -> str | None:
    short = words[:400].replace("\n", " ")
    return next((kind for kind, pattern in _KINDS if pattern.search(short)), None)


def _template(message: Message, links: dict[str, Noted], unknown: list[str], kept: list[str]) -> str:
    lines = message.text.replace("\t", "  ").split("\n")
    out: list[str] = []
    at = 0
    while at < len(lines):
        line = lines[at].rstrip()
        match = _LABEL.match(line)
        name = variable(match["label"]) if match else None
        end = _bullets(lines, at + 1)
        if match and name in LISTS and not match["value"] and end > at + 1:
            marked = _BULLET.match(lines[at + 1])
            assert marked is not None
            bullet = literal(marked["mark"])
            each = "{% for line in " + str(name) + " %}\n" + bullet + " {{ line }}\n"
            out += [literal(line), each + "{% else %}\nnone recorded\n{% endfor %}"]
            at = end
            continue
        out.append(_line(line, match, name, message, links, unknown, kept))
        at += 1
    return "\n".join(out).strip("\n")[:LONGEST_TEMPLATE] + "\n"


def _bullets(lines: Sequence[str], at: int) -> int:
    while at < len(lines) and _BULLET.match(lines[at]):
        at += 1
    return at


def _line(
    line: str,
    match: re.Match[str] | None,
    name: str | None,
    message: Message,
    links: dict[str, Noted],
    unknown: list[str],
    kept: list[str],
) -> str:
    if match is None:
        return fill(line, unknown, announces=message.kind)
    value = match["value"]
    start = literal(line[: match.start("value")])
    if (url := _URL.fullmatch(value.strip())) and (key := _link(match["label"], url[0], message, links)):
        return f"{start}{{{{ links.{key} }}}}"
    if name is None or not value:
        filled = fill(line, unknown, announces=message.kind)
        if value and not url and filled == literal(line):
            kept.append(line.strip())
        return filled
    if name == "metrics":
        met = "{% if metrics is met %}✅ {% endif %}" if value.lstrip().startswith("✅") else ""
        return f"{start}{met}{printed(name)}"
    if name in _KEEP_SAMPLE and message.kind != "rolled_back" and not re.search(r"[\[<{$]", value):
        return f"{start}{fill(value, unknown, announces=message.kind)}"
    if name == "deployed_at" and message.kind in ("started", "starting"):
        name = "started_at"
    if (
        name == "version"
        and message.kind == "rolled_back"
        and re.search(r"back|restored|previous", match["label"], re.IGNORECASE)
    ):
        name = "previous_version"
    return f"{start}{printed(name)}"


def _link(label: str, url: str, message: Message, links: dict[str, Noted]) -> str | None:
    key = _LINKS.get(re.sub(r"\W+", "_", label.strip().lower()))
    if key is None or not url.isascii():
        return None
    if key not in links:
        links[key] = Noted(url, (said(message.line, f"{label}: {url}"),))
    return key if links[key].value == url else None
