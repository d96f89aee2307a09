"""A document's bytes as repaired lines, and the one error a document can cause."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

from ftfy import TextFixerConfig, fix_encoding

_LINE_END = re.compile(r"\r\n|\r|\n")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
"""NUL (CommonMark replaces it too) and lone surrogates: neither can be stored or sent."""
_SUFFIX = re.compile(r"\.(?:md|markdown|mdown|mkd|txt)$", re.IGNORECASE)
_REPAIR = TextFixerConfig(explain=False)


class DocumentError(ValueError):
    """A document that cannot be read at all. `line` and `column` are 1-based; `remedy` says what the author can do."""

    def __init__(self, message: str, *, file: str, line: int, column: int, remedy: str) -> None:
        super().__init__(f"{file}:{line}:{column}: {message} {remedy}")
        self.message = message
        self.file = file
        self.line = line
        self.column = column
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class Source:
    """A document's text, one entry per line, repaired line by line so that line numbers are the file's own."""

    name: str
    lines: tuple[str, ...]
    digest: str
    """SHA-256 of the exact bytes, hexadecimal."""

    @property
    def text(self) -> str:
        """The whole text with every line end as a line feed."""
        return "\n".join(self.lines)

    @property
    def stem(self) -> str:
        """The name without a Markdown suffix: what an untitled part is called."""
        return _SUFFIX.sub("", self.name) or self.name or "checklist"


def load(content: str | bytes, name: str) -> Source:
    """Decode and repair a document.

    Bytes are UTF-8 (or UTF-16 where a byte order mark says so), else Windows-1252. A byte order mark is dropped.
    Raises DocumentError when no encoding fits, pointing at the first byte that is not UTF-8.
    """
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "surrogatepass")
    text = _decode(content, name) if isinstance(content, bytes) else content
    text = _UNSTORABLE.sub("\ufffd", text.removeprefix("\ufeff"))
    lines = tuple(repair(line) for line in _LINE_END.split(text))
    return Source(name, lines, hashlib.sha256(raw).hexdigest())


def repair(line: str) -> str:
    """Undo characters saved through the wrong code page (`â‰¥` for ≥) in one line.

    Quotes, ligatures, widths, entities and Unicode normal forms are left alone, and so is text that is not mis-decoded.
    """
    if line.isascii():
        return line
    repaired = fix_encoding(line, _REPAIR)
    return line if _LINE_END.search(repaired) else repaired


def _decode(raw: bytes, name: str) -> str:
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        try:
            return raw.decode("cp1252")
        except UnicodeDecodeError:
            before = raw[: error.start].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            raise DocumentError(
                f"this is not text: byte 0x{raw[error.start]:02x} fits neither UTF-8 nor Windows-1252.",
                file=name,
                line=before.count(b"\n") + 1,
                column=len(before) - (before.rfind(b"\n") + 1) + 1,
                remedy="Save the file as UTF-8.",
            ) from None
