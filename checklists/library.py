"""Finding a checklist by its name, and loading the document and its policy as one pair.

A name is what people type in chat; it never reaches outside the given folders. Files are read here and nowhere else
in this package.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

from checklists.document import Checklist, PhaseKind
from checklists.headings import Heading
from checklists.names import headings_named, nearest, whole
from checklists.policy import Announcement, PhasePolicy, Policy, WatchEntry
from checklists.policy_file import load_policy
from checklists.quantities import Moment
from checklists.reader import Reading, headings, read_checklist

LARGEST_DOCUMENT = 2 * 1024 * 1024
"""Bytes of a document."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_NOT_CHECKLISTS = {"readme", "changelog", "contributing", "license"}
_AFTER = re.compile(r"\b(?:post|after|monitor\w*|verif\w*|validat\w*|smoke|clean)\b|first \d+ (?:min|h)", re.IGNORECASE)


class ChecklistError(ValueError):
    """A checklist that cannot be found or read; the sentence says what to do instead."""


@dataclass(frozen=True, slots=True)
class Source:
    """The exact texts of a pair. `digest` is the SHA-256 of both (hexadecimal): it changes when either does."""

    name: str
    markdown: bytes
    policy: str | None
    digest: str
    folder: Path | None = None
    """Where the policy's calendars and changelog stand; None for a copy that comes from the database."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A checklist ready to run."""

    checklist: Checklist
    policy: Policy
    source: Source
    stated: tuple[str, ...] = ()
    """For a document without a policy: the defaults it runs on, as sentences for its start."""

    @property
    def stated_defaults(self) -> bool:
        """Whether it runs on defaults because nobody wrote a policy."""
        return self.source.policy is None


def names(folders: Sequence[Path]) -> tuple[str, ...]:
    """The checklists that exist, by name; of two of the same name the first folder's counts."""
    found = {
        file.stem
        for folder in folders
        if folder.is_dir()
        for file in folder.glob("*.md")
        if _NAME.fullmatch(file.stem) and file.stem.casefold() not in _NOT_CHECKLISTS and file.is_file()
    }
    return tuple(sorted(found))


def load(name_or_path: str | Path, folders: Sequence[Path], *, files: bool = False) -> Loaded:
    """The checklist of this name in the folders, or the pair at this path.

    A `Path` is a file (the document or its policy); a string is a name, or with `files` also a path: that is for the
    command line, never for chat. Raises ChecklistError (unknown, unreadable), DocumentError (no text), PolicyError
    (every problem of the policy).
    """
    return read(find(name_or_path, folders, files=files))


def find(name_or_path: str | Path, folders: Sequence[Path], *, files: bool = False) -> Source:
    """Like `load`, only reading the texts."""
    if isinstance(name_or_path, str):
        wanted = name_or_path.strip()
        if _NAME.fullmatch(wanted):
            stem = re.sub(r"\.(?:md|ya?ml)$", "", wanted)
            for folder in folders:
                if (document := folder / f"{stem}.md").is_file():
                    return _read_pair(document)
        if not (files and Path(wanted).is_file()):
            raise ChecklistError(_unknown(wanted, folders))
        name_or_path = Path(wanted)
    document = document_of(name_or_path)
    if not document.is_file():
        raise ChecklistError(f"There is no file {document}.")
    return _read_pair(document)


def document_of(path: Path) -> Path:
    """The document of a pair, given either file."""
    return path.with_suffix(".md") if path.suffix in (".yaml", ".yml") else path


def from_texts(name: str, markdown: str | bytes, policy_text: str | None, *, folder: Path | None = None) -> Loaded:
    """The pair as it was, from texts kept elsewhere. Raises DocumentError and PolicyError."""
    raw = markdown.encode("utf-8", "surrogatepass") if isinstance(markdown, str) else markdown
    return read(Source(name, raw, policy_text, digest(raw, policy_text), folder))


@lru_cache(maxsize=64)
def read(source: Source) -> Loaded:
    """The pair's texts as objects; the same texts are read once. A document without a policy gets `default_policy`.

    Raises DocumentError and PolicyError.
    """
    if source.policy is None:
        checklist = read_checklist(source.markdown, name=source.name)
        policy, stated = default_policy(checklist)
        return Loaded(checklist, policy, source, stated)
    policy = load_policy(source.policy, file=f"{source.name}.yaml")
    sources = frozenset(policy.items_from)
    found = headings(source.markdown, name=source.name, reading=Reading(sources=sources))
    checklist = read_checklist(source.markdown, name=source.name, reading=reading(policy, found))
    return Loaded(checklist, _plainly_named(checklist, policy, found), source)


def reading(policy: Policy, found: Sequence[Heading]) -> Reading:
    """How the policy wants a document with these headings read. Keys that name none are passed over; lint says so."""
    paths = [heading.path for heading in found]
    split: set[str] = set()
    kinds: dict[str, PhaseKind] = {}
    for key, rule in policy.phases.items():
        for path in headings_named(key, paths):
            split.add(whole(path))
            if rule.kind is not None:
                kinds[whole(path)] = rule.kind
    return Reading(split=frozenset(split), kinds=kinds, sources=frozenset(policy.items_from))


def _plainly_named(checklist: Checklist, policy: Policy, found: Sequence[Heading]) -> Policy:
    """The policy with the keys of `phases` and the phases of `watch` turned into the titles of the phases they mean.

    Only where a title is one phase's alone; who runs the checklist then need not know the headings above a phase.
    """
    titles = Counter(phase.title for phase in checklist.phases)
    by_line = {phase.line: phase.title for phase in checklist.phases if titles[phase.title] == 1}
    line_of = {heading.path: heading.line for heading in found}

    def title(key: str) -> str:
        meant = headings_named(key, line_of)
        return by_line.get(line_of[meant[0]], key) if len(meant) == 1 else key

    phases = {title(key): rule for key, rule in policy.phases.items()}
    watch = tuple(
        entry.model_copy(update={"phase": title(entry.phase)}) if entry.phase else entry for entry in policy.watch
    )
    return policy.model_copy(update={"phases": phases, "watch": watch})


def digest(markdown: bytes, policy_text: str | None) -> str:
    """SHA-256 over both exact texts (hexadecimal); no policy and an empty one differ."""
    seal = hashlib.sha256(len(markdown).to_bytes(8, "big") + markdown)
    if policy_text is not None:
        seal.update(b"policy" + policy_text.encode("utf-8", "surrogatepass"))
    return seal.hexdigest()


def default_policy(checklist: Checklist) -> tuple[Policy, tuple[str, ...]]:
    """What a document without a policy runs on, and the sentences that say so."""
    deployed = guess_deployed(checklist)
    watch = (
        WatchEntry(at=_after(minutes=30), name="30-minute check", then=("announce succeeded",)),  # type: ignore[arg-type]
        WatchEntry(at=_after(hours=2), name="2-hour check"),
        WatchEntry(at=_after(hours=24), name="24-hour check", then=("announce stable",)),  # type: ignore[arg-type]
    )
    policy = Policy(phases={deployed: PhasePolicy(deployed=True)} if deployed else {}, watch=watch)
    stated = [
        f"There is no {checklist.name}.yaml beside the document, so these defaults hold:",
        "No deployment windows and no freezes: it may start at any time.",
        "Checks 30 minutes, 2 hours and 24 hours after the deployment; nothing is measured, people judge them.",
        f"The {Announcement.SUCCEEDED} announcement follows the first check, the {Announcement.STABLE} one the last.",
        "Everybody in the channel may start, tick and roll back.",
    ]
    if deployed:
        stated.insert(2, f"The deployment itself is taken to happen in “{deployed}”.")
    return policy, tuple(stated)


def nothing_to_run(checklist: Checklist) -> str:
    """What is missing for a deployment, where no item of the document is ever run; empty where one is."""
    if any(phase.items for phase in checklist.phases if phase.kind in (PhaseKind.RUN, PhaseKind.EMERGENCY)):
        return ""
    if any(phase.items for phase in checklist.phases):
        return "all its items stand under headings that are kept out of the run; name a phase that is run"
    return "it has no items to tick; an item is a line like `- [ ] Tests pass`"


def guess_deployed(checklist: Checklist) -> str | None:
    """The title of the phase in which production is deployed, where no policy says: the last one run before the first
    whose title tells that it comes after; else the last one run. None without any."""
    run = [phase.title for phase in checklist.phases if phase.kind is PhaseKind.RUN and phase.items]
    for before, title in pairwise(run):
        if _AFTER.search(title):
            return before
    return run[-1] if run else None


def _after(**span: int) -> Moment:
    return Moment(timedelta(**span))


def _read_pair(document: Path) -> Source:
    try:
        if document.stat().st_size > LARGEST_DOCUMENT:
            raise ChecklistError(f"{document.name} is larger than 2 MB; a checklist is not.")
        markdown = document.read_bytes()
        beside = next((file for suffix in (".yaml", ".yml") if (file := document.with_suffix(suffix)).is_file()), None)
        policy = beside.read_bytes().decode("utf-8-sig") if beside else None
    except UnicodeDecodeError as error:
        raise ChecklistError(
            f"{document.stem}.yaml is not UTF-8 text (byte {error.start}); save it as UTF-8."
        ) from None
    except OSError as error:
        raise ChecklistError(f"{document.name} cannot be read: {error.strerror}.") from None
    return Source(document.stem, markdown, policy, digest(markdown, policy), document.parent)


def _unknown(wanted: str, folders: Sequence[Path]) -> str:
    known = names(folders)
    shown = wanted if len(wanted) <= 60 else wanted[:57] + "…"
    if not _NAME.fullmatch(wanted):
        start = f"{shown!r} is not a name of a checklist: letters, digits, dots, dashes and underscores."
    else:
        start = f"There is no checklist {shown!r}."
    if not known:
        return f"{start} There are none yet: put a Markdown file into {', '.join(map(str, folders)) or 'a folder'}."
    meant = nearest(wanted, known)
    return f"{start}{f' Did you mean {meant!r}?' if meant else ''} There are: {', '.join(known)}."
