"""Roles: contacts, the order of escalation, and who signs off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from checklists.adoption.draft import Noted, OneLine, said, slug
from checklists.adoption.prose import Passage, Prose, Table

_CONTACTS = re.compile(r"\bcontacts?\b|\bon-?call\b|\bescalat\w*|\bwho to call\b|\broles\b", re.IGNORECASE)
_ROLE_HEAD = re.compile(r"\b(?:role|position|function|responsibility|team)\b", re.IGNORECASE)
_BLANK = re.compile(r"[\[<{(].*[\]>})]|tbd|tba|todo|n/?a|none|-+|_+|\?+|rotating|x+|\W*", re.IGNORECASE)
_ROLE_WORD = (
    r"(?:leads?|managers?|engineers?|owners?|developers?|devops|sre|ops|dba|qa|security|cto|ceo|cio|ciso|vp|director|"
    r"head|architect|admin(?:istrator)?s?|team|stakeholders?|product|legal|compliance|support|on-?call|"
    r"commander|captain|reviewer)"
)
_ROLE = (
    rf"(?P<role>(?:[A-Za-z][\w./&-]*\s){{0,3}}{_ROLE_WORD}"
    r"(?:\s(?:of\s)?(?:engineering|operations|product|security|technology))?)"
)
_SIGN_OFFS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^\W*(?:get|obtain|receive|request|need)?\s*(?:final )?(?:approval|sign-?off|go-?ahead)\s+(?:from|by|of)\s+"
        rf"(?:the |an? )?{_ROLE}\b",
        rf"^\W*{_ROLE}\s+(?:sign[- ]?off|approval|approves|approved|sign(?:s|ed) off|go-?ahead)\b",
        rf"\b(?:approved|signed off|reviewed|review|authori[sz]ed)\s+by\s+(?:the |an? |at least one )?{_ROLE}\b",
        rf"\b(?:get|with|needs?|requires?)\s+(?:the )?{_ROLE}\s+(?:sign[- ]?off|approval)\b",
    )
)
_KEYS = {
    "on_call_engineer": "on_call", "oncall": "on_call", "oncall_engineer": "on_call", "primary": "on_call",
    "primary_on_call": "on_call", "primary_on_call_engineer": "on_call", "primary_oncall": "on_call",
    "secondary": "secondary_on_call", "manager": "manager", "technical_lead": "tech_lead",
}  # fmt: skip
_BEFORE_ROLE = r"^(?:(?:\w+\s)?the|an?|all|final|get|obtain|at least one|and|confirm|request|verify)\s+"
_GROUPS = {"team members", "team", "reviewer", "reviewers", "members", "engineers", "developers", "one reviewer"}
_MOST = 40


@dataclass(slots=True)
class People:
    """Everybody a document names, by role; the order of escalation; and which item each sign-off is."""

    found: dict[str, Noted] = field(default_factory=dict)
    escalation: Noted | None = None

    def role(self, words: str, line: int, sentence: str) -> str | None:
        """The key of a role, which is added where nobody has it yet."""
        key = role_key(words)
        if not key or (key not in self.found and len(self.found) >= _MOST):
            return None
        self.found.setdefault(key, Noted(OneLine({"name": _called(words)}), (said(line, sentence),)))
        return key


def role_key(words: str) -> str:
    """`Technical lead` -> `tech_lead`, `On-Call Engineer` -> `on_call`."""
    made = slug(words)
    return _KEYS.get(made, made)


def _called(words: str) -> str:
    return words[:1].upper() + words[1:]


def find_people(document: Prose) -> People:
    """From tables with a column of roles, bullets under a heading of contacts, and a numbered list of escalation."""
    people = People()
    for table in document.tables:
        for key, entry in _of_table(table):
            if len(people.found) < _MOST:
                people.found.setdefault(key, entry)
    for passage in document.passages:
        if (
            passage.form == "bullet"
            and not passage.numbered
            and passage.path
            and _CONTACTS.search(" / ".join(passage.path[-2:]))
        ):
            for key, entry in _of_bullet(passage):
                if len(people.found) < _MOST:
                    people.found.setdefault(key, entry)
    steps = [
        passage
        for passage in document.passages
        if passage.numbered
        and passage.form == "bullet"
        and passage.path
        and re.search(r"\bescalat\w*", passage.path[-1], re.IGNORECASE)
    ]
    order: list[str] = []
    for step in steps[:12]:
        words = re.split(r"\s[-–—(:]|:", step.text)[0]
        role = people.role(words, step.line, step.text) if len(words.split()) <= 5 else None
        if role and role not in order:
            order.append(role)
    if order:
        people.escalation = Noted(OneLine(order), (said(steps[0].line, steps[0].text),))
    return people


def _of_table(table: Table) -> Iterator[tuple[str, Noted]]:
    head = [cell.lower() for cell in table.head]
    role = next((index for index, cell in enumerate(head) if _ROLE_HEAD.search(cell)), None)
    told = {
        index: cell
        for index, cell in enumerate(head)
        if re.search(r"\b(?:name|contact|phone|e-?mail|slack|availab\w*|who|person|hours|pager)\b", cell)
    }
    if role is None or not told or role in told:
        return
    for line, row in table.rows:
        name = row[role] if len(row) > role else ""
        key = role_key(name)
        if not key or _blank(name):
            continue
        value: dict[str, object] = {"name": name}
        contact = []
        for index, cell in told.items():
            if index >= len(row) or _blank(row[index]):
                continue
            if re.search(r"availab|hours", cell):
                value["availability"] = row[index]
            else:
                contact.append(row[index])
        if contact:
            value["contact"] = ", ".join(contact)
        yield key, Noted(OneLine(value), (said(line, " | ".join(row)),))


def _of_bullet(passage: Passage) -> Iterator[tuple[str, Noted]]:
    name, colon, rest = passage.text.partition(":")
    if not colon:
        name, colon, rest = passage.text.partition(" - ")
    name = name.strip()
    if not colon or not 0 < len(name.split()) <= 4 or "#" in rest or not role_key(name):
        return
    on_call = re.search(r"\bon-?call\b", " / ".join(passage.path[-1:]), re.IGNORECASE) is not None
    known = re.search(rf"\b{_ROLE_WORD}\b", name, re.IGNORECASE)
    if not known and not (on_call and name.lower() in ("primary", "secondary", "backup")):
        return
    value: dict[str, object] = {"name": f"{name} on-call" if on_call and not known else name}
    parts = [part.strip() for part in re.split(r"\s[-–—|]\s", rest) if not _blank(part.strip())]
    if parts:
        value["contact"] = ", ".join(parts)
    yield role_key(name), Noted(OneLine(value), (said(passage.line, passage.text),))


def _blank(cell: str) -> bool:
    return _BLANK.fullmatch(cell.strip()) is not None


def signs_off(text: str) -> str | None:
    """The role that an item's words ask for: "Product owner approval" -> "Product owner"."""
    for pattern in _SIGN_OFFS:
        match = pattern.search(text)
        if match is None:
            continue
        role = re.sub(_BEFORE_ROLE, "", match["role"].strip(), flags=re.IGNORECASE)
        if role.lower() not in _GROUPS and not re.match(
            r"(?:code|pr|prs|pull|security|design) ?(?:review|request)?\b(?! lead| team)", role, re.IGNORECASE
        ):
            return role
    return None


def approvals(texts: Sequence[str]) -> int | None:
    """How many approvals a pull request needs: "2+ approvals", "approved by at least one reviewer"."""
    numbers = {"one": 1, "two": 2, "three": 3}
    for text in texts:
        match = re.search(
            r"\b(\d|one|two|three)\+?\s+(?:(?:or more|code|peer)\s+)?approv(?:als?|ers?)\b"
            r"|\bapprov(?:ed|al) (?:by|from) (?:at least )?(\d|one|two|three)\+?\s+(?:\w+\s)?"
            r"(?:reviewers?|members?|people|engineers?|developers?)",
            text,
            re.IGNORECASE,
        )
        if match:
            word = (match[1] or match[2]).lower()
            return numbers.get(word) or int(word)
    return None
