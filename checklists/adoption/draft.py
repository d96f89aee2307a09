"""A policy being drafted, as plain values with remarks, and its YAML. ruamel.yaml does the writing."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from io import StringIO
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import DoubleQuotedScalarString, LiteralScalarString

LONGEST_KEY = 110
"""Longer keys would be written in YAML's `? key` form, which nobody reads."""
_WIDTH = 116
_QUOTED = 90
_RULE = "-" * 117
_UNPRINTABLE = re.compile(
    "[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufdcf\ufdf0-\ufefe\uff00-\ufffd\U00010000-\U0001fffd]"
)
_PLAIN = re.compile(r"[A-Za-z][\w /.+-]*[\w]|[A-Za-z]|T[+-]\d+[a-z]?|\d{1,6}[smhd]|\d{1,4}-[a-z][a-z -]*[a-z]")


@dataclass(frozen=True, slots=True)
class Noted:
    """A value with the remarks that stand above it."""

    value: Any
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OneLine:
    """A mapping or list written on one line. With a `name` it is written once and named wherever it stands again."""

    value: Mapping[str, Any] | Sequence[Any]
    name: str | None = None


@dataclass(slots=True)
class Notebook:
    """Which lines of the document found a place in the draft, and what was seen and found none."""

    taken: set[int] = field(default_factory=set)
    left: dict[tuple[int, str], None] = field(default_factory=dict)
    to_do: dict[str, None] = field(default_factory=dict)

    def leave(self, line: int, words: str) -> None:
        """Remember something seen that the draft has no place for."""
        self.left.setdefault((line, words))

    def ask(self, sentence: str) -> None:
        """Remember what a person has to do next."""
        self.to_do.setdefault(sentence)


def said(line: int, words: str) -> str:
    """`line 314: "Tuesday-Thursday, 10am-4pm"`: where a value comes from."""
    return f'line {line}: "{shortened(words)}"'


def unsure(sentence: str) -> str:
    """The mark of what a person should look at."""
    return f"UNSURE: {sentence}"


def shortened(words: str, length: int = _QUOTED) -> str:
    """Words on one line, cut visibly."""
    text = printable(words)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def printable(words: str) -> str:
    """Words on one line without what YAML allows nowhere, not even in a comment."""
    return " ".join(_UNPRINTABLE.sub(" ", words).split())


def can_be_key(words: str) -> bool:
    """Whether a title or an item's text can stand as a key exactly as it is."""
    return 0 < len(words) <= LONGEST_KEY and printable(words) == " ".join(words.split())


def slug(words: str, longest: int = 40) -> str:
    """A name of a policy: lower case, ASCII, underscores; empty for other scripts."""
    made = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")
    return made[:longest].rstrip("_")


def to_yaml(tree: Mapping[str, Any], head: Iterable[str], foot: Iterable[str]) -> str:
    """The draft as YAML: `head` on top, each top-level key after an empty line, `foot` at the end, all as comments."""
    writer = _Writer({})
    root = writer.mapping(tree, 0)
    for key in tree:
        ahead = root.ca.items.get(key)
        if ahead is None or not ahead[1]:
            root.yaml_set_comment_before_after_key(key, before="\n")
        else:
            ahead[1].insert(0, _empty_line())
    yaml = YAML(typ="rt", pure=True)
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    out = StringIO()
    if tree:
        yaml.dump(root, out)
    body = "\n".join(line.rstrip() if line.lstrip().startswith("#") else line for line in out.getvalue().split("\n"))
    return f"{_comment(head)}\n{body.strip()}\n\n{_comment([_RULE, *foot])}\n"


def _comment(sentences: Iterable[str]) -> str:
    return "\n".join(f"# {line}".rstrip() for sentence in sentences for line in _wrapped(sentence))


def _wrapped(sentence: str) -> list[str]:
    indent = re.match(r" *(?:- )?", sentence)
    lead = indent[0] if indent else ""
    text = printable(sentence)
    if text == _RULE or not text:
        return [text]
    return textwrap.wrap(
        text.removeprefix("- ") if lead.endswith("- ") else text,
        _WIDTH,
        initial_indent=lead,
        subsequent_indent=" " * len(lead),
        break_long_words=False,
        break_on_hyphens=False,
    )


def _empty_line() -> Any:
    scratch = CommentedMap(a=1)
    scratch.yaml_set_comment_before_after_key("a", before="\n")
    return scratch.ca.items["a"][1][0]


@dataclass(slots=True)
class _Writer:
    named: dict[str, Any]

    def mapping(self, tree: Mapping[str, Any], indent: int) -> CommentedMap:
        made = CommentedMap()
        for key, entry in tree.items():
            value, notes = _opened(entry)
            made[_scalar(key)] = self.value(value, indent + 2)
            self._notes(made, key, notes, indent)
        return made

    def sequence(self, entries: Sequence[Any], indent: int) -> CommentedSeq:
        made = CommentedSeq()
        for entry in entries:
            value, notes = _opened(entry)
            made.append(self.value(value, indent + 2))
            self._notes(made, len(made) - 1, notes, indent)
        return made

    def value(self, value: Any, indent: int) -> Any:
        if isinstance(value, OneLine):
            return self._one_line(value)
        if isinstance(value, Mapping):
            return self.mapping(value, indent)
        if isinstance(value, (list, tuple)):
            return self.sequence(value, indent)
        return _scalar(value)

    def _one_line(self, wanted: OneLine) -> Any:
        if wanted.name in self.named:
            return self.named[wanted.name]
        made: Any
        if isinstance(wanted.value, Mapping):
            made = CommentedMap({_scalar(key): self.value(entry, 0) for key, entry in wanted.value.items()})
        else:
            made = CommentedSeq([self.value(entry, 0) for entry in wanted.value])
        made.fa.set_flow_style()
        if wanted.name:
            made.yaml_set_anchor(wanted.name)
            self.named[wanted.name] = made
        return made

    def _notes(self, made: Any, key: Any, notes: Sequence[str], indent: int) -> None:
        lines = [line for note in notes for line in _wrapped(note)]
        if lines:
            made.yaml_set_comment_before_after_key(key, before="\n".join(lines), indent=indent)


def _opened(entry: Any) -> tuple[Any, tuple[str, ...]]:
    if isinstance(entry, Noted):
        return entry.value, entry.notes
    return entry, ()


def _scalar(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if "\n" in value:
        lines = value.split("\n")
        plain = all(printable(line) == " ".join(line.split()) and "\t" not in line for line in lines)
        if plain and lines[0].strip() and not lines[0].startswith(" ") and value.endswith("\n"):
            return LiteralScalarString(value)
        return DoubleQuotedScalarString(value)
    return value if _PLAIN.fullmatch(value) else DoubleQuotedScalarString(value)
