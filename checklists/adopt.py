"""`gonogo checklist adopt`: the first draft of a policy, from the document's prose.

Every value carries the line it came from, everything doubtful is marked `UNSURE`, and what was seen and found no place
is listed at the end. No number is made up: where the prose names none, the draft says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checklists.adoption.amounts import duration
from checklists.adoption.draft import Notebook, Noted, OneLine, said, to_yaml, unsure
from checklists.adoption.endpoints import find_endpoints
from checklists.adoption.freezes import find_freezes
from checklists.adoption.items import Binder
from checklists.adoption.matrix import find_matrix
from checklists.adoption.measures import Measure, find_thresholds
from checklists.adoption.messages import find_messages
from checklists.adoption.overrides import find_overrides
from checklists.adoption.people import find_people
from checklists.adoption.phases import Phases, find_phases
from checklists.adoption.places import find_channels, find_links, find_targets, tools
from checklists.adoption.probes import FILL_IN, drop_unused, find_probes
from checklists.adoption.prose import Prose, prose
from checklists.adoption.rollback import find_rollback
from checklists.adoption.schedule import find_schedule
from checklists.adoption.watching import find_watch
from checklists.policy_file import PolicyError, load_policy
from checklists.reader import Reading, SourceName, doubts, headings, read_checklist
from checklists.source import load

_MOST_LEFT = 40
_FALLBACKS: tuple[SourceName, ...] = ("symbols", "tables", "lists")


def adopt(markdown: bytes | str, *, name: str) -> str:
    """The YAML of a draft for this document; `name` is the file's without `.md`. The same text gives the same draft.

    It loads as a policy whatever the text says. Raises DocumentError when the bytes are no text.
    """
    book = Notebook()
    tree = _draft(markdown, name, book)
    head = (
        f"The policy of {name}.md, drafted from its prose by `gonogo checklist adopt`.",
        "Each remark names the line of the document it comes from. UNSURE marks what a person has to decide.",
    )
    text = to_yaml(tree, head, _foot(name, book))
    if _loads(text):
        return text
    for key in list(tree):
        if _loads(to_yaml({key: tree[key]}, (), ())):
            continue
        book.leave(1, f"`{key}` could not be drafted from what the document says")
        del tree[key]
    return to_yaml(tree, head, _foot(name, book))


def _loads(text: str) -> bool:
    try:
        load_policy(text, file="draft.yaml")
    except PolicyError:
        return False
    return True


def _draft(markdown: bytes | str, name: str, book: Notebook) -> dict[str, Any]:
    source = load(markdown, name)
    document = prose(source)
    sources = _sources(markdown, name)
    found = headings(markdown, name=name, reading=Reading(sources=sources))
    phases = find_phases(markdown, name, found, sources, book)

    schedule = find_schedule(document.passages, book)
    freezes = find_freezes(document.passages, schedule.zone, name, book)
    targets = find_targets(document.passages, book)
    people = find_people(document)
    overrides = find_overrides(document.passages, phases, people, book)
    thresholds = find_thresholds(document.passages, phases, book)
    latencies = [
        t.measure for t in thresholds.found if t.measure.name.endswith("latency") and t.use in ("target", "alert")
    ]
    only = latencies[0] if len({measure.name for measure in latencies}) == 1 else None
    matrix = find_matrix(document.tables, document.passages, only, book)
    endpoints = find_endpoints(document)
    watched = find_watch(document.passages, found, phases, thresholds, endpoints, book)
    rollback, of_rollback = find_rollback(document.passages, found, thresholds, matrix, book)
    links = find_links(document)
    messages = find_messages(document, links, book)
    of_matrix = [measure for measure, _, _ in matrix.measures.values()]
    measures: list[Measure] = [*watched.measures.values(), *of_rollback.values(), *of_matrix]
    probes = find_probes(endpoints, measures, thresholds, tools(document), book)
    binder = Binder(phases, people, thresholds, endpoints, links, book, document.fences, probes)
    items = binder.bind(document.passages, messages.items)
    drop_unused(probes, [*_asked(items, probes), *(measure.name for measure in measures)], thresholds, book)
    channels = find_channels(document.passages)

    tree: dict[str, Any] = {"service": name} if name.strip() else {}
    tree["timezone"] = schedule.timezone
    tree["channels"] = channels.channels
    tree["also_in"] = channels.also_in
    if expected := phases.expected or _eta(document):
        tree["expected"] = expected
    if sources:
        why = unsure("the document has no task boxes; this reads what stands in their place as items")
        tree["items_from"] = Noted(OneLine(sorted(sources)), (why,))
    tree["windows"] = schedule.windows
    tree["freezes"] = freezes.freezes[:40]
    tree["advice"] = [*schedule.advice, *freezes.advice][:20]
    tree["overrides"] = overrides
    tree["phases"] = phases.drafted
    tree["items"] = items
    tree["probes"] = binder.probes
    tree["watch"] = watched.entries[:30]
    tree["matrix"] = matrix.rows[:12]
    tree["rollback"] = rollback
    tree["people"] = people.found
    if people.escalation:
        tree["escalation"] = people.escalation
    elif people.found:
        tree["escalation"] = Noted(
            OneLine([]), (unsure("no order of escalation found; name the roles in the order they are told"),)
        )
    tree["templates"] = messages.templates
    tree["links"] = links
    tree["changelog"] = _changelog(document)
    tree["targets"] = targets
    tree["notes"] = schedule.notes[:20]
    _ask(tree, phases, book)
    return {key: value for key, value in tree.items() if value}


def _asked(items: dict[str, Noted], probes: dict[str, Noted]) -> list[str]:
    """The probes that items name, and those these are made of."""
    named = [str(rule.value.value["probe"]) for rule in items.values() if "probe" in rule.value.value]
    for name in list(named):
        value = probes[name].value
        if isinstance(value, OneLine) and isinstance(value.value, Mapping) and "all" in value.value:
            named.extend(value.value["all"].value)
    return named


def _sources(markdown: bytes | str, name: str) -> frozenset[SourceName]:
    """What stands in for items in a document without a task box."""
    if any(True for _ in read_checklist(markdown, name=name).items()):
        return frozenset()
    codes = {doubt.code for doubt in doubts(markdown, name=name)}
    for source in _FALLBACKS:
        reading = Reading(sources=frozenset({source}))
        if source in codes and any(True for _ in read_checklist(markdown, name=name, reading=reading).items()):
            return frozenset({source})
    return frozenset()


def _eta(document: Prose) -> Noted | None:
    """ "ETA: 45 minutes" in an announcement."""
    for fence in document.fences:
        for number, line in enumerate(fence.content.split("\n")[:100]):
            if line.strip().upper().startswith("ETA") and (length := duration(line)):
                return Noted(length, (said(fence.line + number, line.strip()),))
    return None


def _changelog(document: Prose) -> Noted | None:
    for passage in document.passages:
        if "CHANGELOG.md" in passage.text:
            return Noted("CHANGELOG.md", (said(passage.line, passage.text),))
    return None


def _ask(tree: dict[str, Any], phases: Phases, book: Notebook) -> None:
    if tree["people"]:
        book.ask("put `slack: U…` or `discord: NUMBER` beside each of `people`")
    if phases.deployed is None:
        book.ask("the document has no items to run; add some as `- [ ] text`")
    if FILL_IN not in str(tree["probes"]) and not tree["probes"]:
        book.ask("add `probes` for what a machine can check, and name them in `watch`")


def _foot(name: str, book: Notebook) -> list[str]:
    left = sorted(entry for entry in book.left if entry[0] not in book.taken)
    lines = ["Seen in the document, and not mapped:"] if left else ["Nothing was seen that has no place here."]
    lines += [f"- line {line}: {words[:160]}" for line, words in left[:_MOST_LEFT]]
    if len(left) > _MOST_LEFT:
        lines.append(f"- and {len(left) - _MOST_LEFT} more")
    lines += ["", "What to do next:", f"- keep this as {name}.yaml beside the document"]
    lines += ["- decide every UNSURE, and take the remark away", *(f"- {sentence}" for sentence in book.to_do)]
    return [*lines, f"- gonogo checklist lint {name}.md"]
