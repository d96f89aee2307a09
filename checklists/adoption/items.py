"""What binds single items: sign-offs, thresholds, addresses, announcements, and states that can be read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from checklists.adoption.draft import Notebook, Noted, OneLine, can_be_key, said, slug, unsure
from checklists.adoption.endpoints import Endpoint
from checklists.adoption.measures import Threshold, Thresholds
from checklists.adoption.people import People, approvals, signs_off
from checklists.adoption.phases import Phases
from checklists.adoption.probes import together
from checklists.adoption.prose import LONGEST, Fence, Passage
from checklists.adoption.schedule import is_staging
from checklists.document import Item, Phase, PhaseKind, Section
from checklists.lint_names import names_item
from checklists.markdown import words

_HEALTH = re.compile(r"\bhealth|\brespond|\bendpoints?\b|\bversion\b|\bready\b", re.IGNORECASE)
_ALL_WELL = re.compile(
    r"\bhealth (?:end-?points?|checks?)\b.*\b(?:200|pass\w*|ok|green|healthy|respond\w*)\b", re.IGNORECASE
)
_NOT_OURS = re.compile(r"\b(?:github|ci|pipeline|workflow|green|blue|canary)\b", re.IGNORECASE)
_NO_INCIDENT = re.compile(r"\bno (?:active|ongoing|open|current)\b.*\bincidents?\b", re.IGNORECASE)
_NO_OTHER = re.compile(r"\bno (?:other |concurrent |parallel |running )+deploy\w*", re.IGNORECASE)
_WORKFLOW = re.compile(r"\bgh workflow run (\S+\.ya?ml)\b")
_MOST = 80


@dataclass(frozen=True, slots=True)
class _Placed:
    item: Item
    section: Section
    phase: Phase


@dataclass(slots=True)
class Binder:
    """Collects the values of `items`, and the probes they add."""

    phases: Phases
    people: People
    thresholds: Thresholds
    endpoints: Sequence[Endpoint]
    links: Mapping[str, Noted]
    book: Notebook
    fences: Sequence[Fence]
    probes: dict[str, Noted]

    def bind(self, passages: Sequence[Passage], announced: Mapping[int, str]) -> dict[str, Noted]:
        """The rule of every item whose words say more than that a person ticks it."""
        placed = [
            _Placed(item, section, phase)
            for phase in self.phases.checklist.phases
            for section in phase.sections
            for item in section.items
        ]
        if len(placed) > 2000:  # each key is tried against every item
            return {}
        parents = {item.item.parent for item in placed}
        found: dict[str, Noted] = {}
        for one in placed:
            if one.phase.kind is PhaseKind.REFERENCE or len(found) >= _MOST:
                continue
            rule, notes = self._rule(one, passages, announced, is_parent=one.item.id in parents)
            if not rule:
                continue
            key = _key(one, placed)
            line = said(one.item.line, words(one.item.label[:LONGEST]))
            if key is None:
                self.book.leave(one.item.line, f'no key names this item alone: "{words(one.item.label[:LONGEST])}"')
            else:
                found[key] = Noted(OneLine(rule), (line, *notes))
        return found

    def _rule(
        self, one: _Placed, passages: Sequence[Passage], announced: Mapping[int, str], *, is_parent: bool
    ) -> tuple[dict[str, object], list[str]]:
        item, text = one.item, words(one.item.label[:LONGEST])
        if kind := announced.get(item.line):
            return {"announces": kind}, []
        count = approvals([text, *(words(note[:LONGEST]) for note in item.notes)])
        if count is not None and re.search(r"\breview|\bapprov|\bpr\b|\bpull request", text, re.IGNORECASE):
            self.probes.setdefault(
                "approvals", Noted(OneLine({"say": "Approvals", "github": "approvals", "unit": "count"}), ())
            )
            notes = [] if approvals([text]) else [unsure("its own line names no number; the one below it does")]
            return {"probe": "approvals", "target": f">= {count} count"}, notes
        role = signs_off(text)
        if role and (key := self.people.role(role, item.line, text)):
            return {"role": key}, []
        if not is_parent and (rule := self._measured(one, passages)):
            return rule
        return self._state(one, text) if not is_parent else ({}, [])

    def _measured(self, one: _Placed, passages: Sequence[Passage]) -> tuple[dict[str, object], list[str]] | None:
        here = self.thresholds.at(one.item.line)
        if not here:
            here = self._below(one, passages)
        if not here or one.phase.kind is PhaseKind.ROLLBACK:
            return None
        names = list(dict.fromkeys(threshold.measure.name for threshold in here))
        if len(names) == 1:
            return {"probe": names[0], "target": here[0].band}, []
        subject, colon, _ = one.item.text.partition(":")
        prefixes = {name.split("_")[0] for name in names}
        name = f"{prefixes.pop()}_all" if len(prefixes) == 1 else slug(subject if colon else "_and_".join(names))
        if not name or name in self.probes:
            name = slug(one.item.id)
        self.probes[name] = Noted(together(names, words(one.item.label[:60])), ())
        return {"probe": name}, []

    def _below(self, one: _Placed, passages: Sequence[Passage]) -> list[Threshold]:
        """The thresholds of an item whose every note is one."""
        text = words(one.item.text[:LONGEST])
        notes = [
            passage
            for passage in passages
            if passage.form == "bullet" and passage.lead and passage.lead[-1] == text.rstrip(" :：")
            and one.item.line < passage.line <= one.item.line + 12
        ]  # fmt: skip
        found = [self.thresholds.at(passage.line) for passage in notes]
        if not found or not all(found) or any(t.use == "target" for here in found for t in here):
            return []
        return [threshold for here in found for threshold in here]

    def _state(self, one: _Placed, text: str) -> tuple[dict[str, object], list[str]]:
        item = one.item
        own = [endpoint for endpoint in self.endpoints if item.line in endpoint.items]
        if own and (_HEALTH.search(text) or text.endswith(own[0].url)):
            return {"probe": self._of(own)}, []
        everywhere = [e for e in self.endpoints if not e.staging and not e.is_version]
        about = f"{one.phase.title} / {one.section.title} / {text}"
        then = self.phases.is_after(item.line) or one.phase.kind is PhaseKind.ROLLBACK
        all_well = _ALL_WELL.search(text) and not _NOT_OURS.search(text) and not is_staging(about)
        if everywhere and then and all_well:
            return {"probe": self._of(everywhere)}, []
        if status := self._status_page(text):
            return {"probe": status}, []
        if _NO_INCIDENT.search(text) and "status" not in text.lower():
            self.probes.setdefault("no_incidents", Noted(OneLine({"say": "Active incidents", "incidents": "none"}), ()))
            return {"probe": "no_incidents"}, []
        if _NO_OTHER.search(text):
            return self._concurrent()
        return {}, []

    def _of(self, endpoints: Sequence[Endpoint]) -> str:
        names = [endpoint.name for endpoint in endpoints]
        if len(names) == 1:
            return names[0]
        for known, probe in self.probes.items():
            if isinstance(probe.value, OneLine) and isinstance(probe.value.value, Mapping):
                parts = probe.value.value.get("all")
                if isinstance(parts, OneLine) and list(parts.value) == names:
                    return known
        staging = all(endpoint.staging for endpoint in endpoints)
        name, count = "staging_endpoints" if staging else "endpoints", 2
        while name in self.probes:
            name, count = f"endpoints_{count}", count + 1
        self.probes[name] = Noted(together(names, "Health endpoints (staging)" if staging else "Health endpoints"), ())
        return name

    def _status_page(self, text: str) -> str | None:
        match = re.search(r"\b(\w+) status page\b.*\bno\b.*\bincidents?\b", text, re.IGNORECASE)
        link = self.links.get(f"{slug(match[1])}_status") if match else None
        if match is None or link is None:
            return None
        name = f"{slug(match[1])}_status"
        self.probes[name] = Noted(OneLine({"say": f"{match[1]} status", "statuspage": link.value}), link.notes)
        return name

    def _concurrent(self) -> tuple[dict[str, object], list[str]]:
        for fence in self.fences:
            if match := _WORKFLOW.search(fence.content):
                value = {
                    "say": "Other deployments running",
                    "github": f"runs {match[1]}",
                    "unit": "count",
                    "target": "= 0 count",
                }
                self.probes.setdefault("concurrent_deployments", Noted(OneLine(value), (said(fence.line, match[0]),)))
                return {"probe": "concurrent_deployments"}, []
        return {}, []


def _key(one: _Placed, placed: Sequence[_Placed]) -> str | None:
    """The shortest key that means this item alone."""
    text = (one.item.text if can_be_key(one.item.text) else one.item.label).replace("**", "")
    above = one.section.path or (one.section.title,)
    for key in (text, f"{above[-1]} > {text}", " > ".join((*above[-2:], text)), f"> {' > '.join((*above, text))}"):
        if can_be_key(key):
            meant = [other for other in placed if names_item(key, other.section, other.item)]
            if [other.item.id for other in meant] == [one.item.id]:
                return key
    return None
