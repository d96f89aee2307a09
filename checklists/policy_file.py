"""`NAME.yaml` -> Policy. Every problem carries its file, line and column, and all of them are told together.

The text is hostile until proved otherwise: its size, depth, number of values and aliases are bounded before anything
is built from it, and YAML tags are refused. Whether the names in it exist in the document is not looked at here;
`checklists.lint` does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import cycle
from pathlib import Path
from typing import Any, Literal

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    CollectionEndEvent,
    CollectionStartEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
)

from checklists.policy import Policy
from checklists.policy_words import sentence

LARGEST = 256 * 1024
"""Bytes of a policy."""
DEEPEST = 12
"""Levels of nesting; the models need six."""
Severity = Literal["error", "warning", "info"]
_MOST_TRIES = 30
MOST_VALUES = 8_000
"""Values, with every alias counted as often as it is used."""


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """Something wrong in a document or its policy, and where. `line` and `column` count from 1; `code` is stable."""

    file: str
    line: int
    column: int
    code: str
    message: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.code} {self.message}"

    @property
    def marked(self) -> str:
        """For a list in which errors stand among remarks: with `error:`, `warning:` or `note:`."""
        mark = "note" if self.severity == "info" else self.severity
        return f"{self.file}:{self.line}:{self.column}: {mark}: {self.code} {self.message}"


class PolicyError(Exception):
    """A policy that cannot be used, with every problem found in it, in the order of its lines."""

    def __init__(self, problems: Sequence[Problem], rest: Located | None = None) -> None:
        self.problems = tuple(sorted(problems))
        self.rest = rest
        """What is right in it, for who checks further; never to be run."""
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Located:
    """A policy with the place of everything in it. `tree` is the YAML as plain dicts, lists and scalars."""

    policy: Policy
    tree: Any
    place: Callable[..., tuple[int, int]]
    """`place("items", "Team notified")` -> line and column of the deepest part of that path that exists."""
    dropped: frozenset[str] = frozenset()
    """Parts of a wrong policy that were left out to check the rest."""


def load_policy(text: str, *, file: str | Path) -> Policy:
    """The policy in this text; `file` is only its name in messages. Raises PolicyError. An empty text is `Policy()`."""
    return load_located(text, file=file).policy


def load_located(text: str, *, file: str | Path) -> Located:
    """Like `load_policy`, keeping the places for who checks further."""
    name = str(file)
    root = _parse(text, name)
    if root is None:
        return Located(Policy(), {}, lambda *path, key=False: (1, 1))
    if not isinstance(root, CommentedMap):
        raise PolicyError(
            [Problem(name, 1, 1, "policy-shape", "a policy is a mapping: `timezone: UTC`, `watch:` and so on")]
        )

    def place(*path: str | int, key: bool = False) -> tuple[int, int]:
        return _place(root, path, key)

    tree = _plain(root)
    dropped: set[str] = set()
    problems: list[Problem] = []
    for _ in range(_MOST_TRIES):
        try:
            policy = Policy.model_validate(tree)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                code, message, path, on_key = sentence(detail, tree)
                problems.append(Problem(name, *place(*path, key=on_key), code, message))
                dropped |= _without(tree, path, on_key)
        else:
            if problems:
                rest = Located(policy, tree, place, frozenset(dropped))
                raise PolicyError(list(dict.fromkeys(problems)), rest)
            return Located(policy, tree, place)
    raise PolicyError(list(dict.fromkeys(problems)))


def _without(tree: dict[str, Any], path: Sequence[str | int], key_only: bool) -> set[str]:
    """Take what is wrong out of the tree: an unknown key alone, else the whole part of the policy it stands in. Returns
    the parts that are gone."""
    node: Any = tree
    if key_only:
        for step in path[:-1]:
            node = _inside(node, step)
        if isinstance(node, dict) and node.pop(path[-1], None) is not None:
            return set()
    part = str(path[0]) if path else ""
    if tree.pop(part, None) is None:
        tree.clear()
        return set(Policy.model_fields)
    return {part}


def _inside(node: Any, step: str | int) -> Any:
    if isinstance(node, list):
        return node[step] if isinstance(step, int) and step < len(node) else None
    return node.get(step) if isinstance(node, dict) else None


def policy_schema() -> dict[str, Any]:
    """The JSON Schema of a policy, for editors (`# yaml-language-server: $schema=policy.schema.json`)."""
    schema = Policy.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": "gonogo policy"}


def _parse(text: str, file: str) -> Any:
    size = len(text.encode("utf-8", "replace"))
    if size > LARGEST:
        raise PolicyError(
            [Problem(file, 1, 1, "policy-size", f"{size // 1024} kB is too much; a policy has at most 256 kB")]
        )
    text = text.removeprefix("\ufeff")
    try:
        _bounded(text, file)
        return YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        what = " ".join(str(error.problem or error.context or "cannot be read").split())
        code = "policy-duplicate" if "duplicate key" in what else "policy-yaml"
        if code == "policy-duplicate":
            what = what.split(" with value")[0].replace("found duplicate key", "the same key twice:")
        raise PolicyError([Problem(file, line, column, code, what)]) from None
    except YAMLError as error:
        # Unreadable characters carry no mark, only a position in the text.
        at = getattr(error, "position", 0) or 0
        line, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
        raise PolicyError(
            [Problem(file, line, column, "policy-yaml", "a character that YAML does not allow")]
        ) from None


def _bounded(text: str, file: str) -> None:
    """Refuses what would be costly or unclear to build, by looking at the events alone."""

    def refuse(event: Any, message: str) -> PolicyError:
        return PolicyError(
            [Problem(file, event.start_mark.line + 1, event.start_mark.column + 1, "policy-yaml", message)]
        )

    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []
    keys: list[Iterator[bool]] = [cycle([False])]
    """Of each open node, whether what comes next in it is a key."""
    total = 0
    for event in YAML(typ="rt", pure=True).parse(text):
        is_key = isinstance(event, NodeEvent) and next(keys[-1])
        if is_key and not isinstance(event, ScalarEvent):
            raise refuse(event, "a key is a name, and this one is a list, a mapping or an alias")
        if isinstance(event, AliasEvent):
            if event.anchor not in sizes:
                raise refuse(event, f"*{event.anchor} stands for nothing that is complete before it")
            total += sizes[event.anchor]
        elif isinstance(event, (ScalarEvent, CollectionStartEvent)):
            if getattr(event, "ctag", None) is not None and str(event.ctag):
                raise refuse(event, f"the tag {event.ctag} is not used here; write the plain value")
            total += 1
            if isinstance(event, CollectionStartEvent):
                open_nodes.append((event.anchor, total))
                keys.append(cycle([True, False] if isinstance(event, MappingStartEvent) else [False]))
            elif event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, CollectionEndEvent):
            keys.pop()
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = total - before + 1
        if len(open_nodes) > DEEPEST:
            raise refuse(event, f"nested deeper than {DEEPEST} levels")
        if total > MOST_VALUES:
            raise refuse(event, f"more than {MOST_VALUES} values, aliases counted as often as they are used")
        if isinstance(event, NodeEvent) and event.anchor and len(sizes) > 200:
            raise refuse(event, "more than 200 anchors")


def _plain(node: Any) -> Any:
    """ruamel's tree as plain Python; YAML's own dates become the text they were written as."""
    if isinstance(node, CommentedMap):
        return {str(key) if isinstance(key, (int, float, date)) else key: _plain(value) for key, value in node.items()}
    if isinstance(node, CommentedSeq):
        return [_plain(value) for value in node]
    if isinstance(node, datetime):
        return node.isoformat()
    if isinstance(node, date):
        return node.isoformat()
    if isinstance(node, bool) or node is None:
        return node
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return node


def _place(root: Any, path: Sequence[str | int], on_key: bool) -> tuple[int, int]:
    node, spot = root, (root.lc.line, root.lc.col)
    for index, step in enumerate(path):
        try:
            if isinstance(node, CommentedMap):
                last = index == len(path) - 1
                spot = (node.lc.key(step) if on_key and last else node.lc.value(step)) or spot
                if isinstance(node[step], (CommentedMap, CommentedSeq)) and not node[step].fa.flow_style():
                    spot = node.lc.key(step)
            elif isinstance(node, CommentedSeq):
                spot = node.lc.item(step) or spot
            else:
                break
            node = node[step]
        except (KeyError, IndexError, TypeError, AttributeError):
            break
    return spot[0] + 1, spot[1] + 1
