"""Health and version addresses: in `curl` lines of fences, and in items that name one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from checklists.adoption.draft import Noted, OneLine, said, slug, unsure
from checklists.adoption.prose import Fence, Passage, Prose
from checklists.adoption.schedule import is_staging

_CURL = re.compile(r"^\s*\$?\s*(?:curl|wget|http|https)\b(?P<rest>.*)$")
_COMMANDS = re.compile(r"\$|curl|wget|http|get|open|visit|check|see|verify|run", re.IGNORECASE)
_URL = re.compile(r"https?://[^\s\"'`<>)\]|]+")
_SENDS = re.compile(r"\s-(?:X|-request)\s*(?!GET)[A-Z]+|\s(?:-d|--data\S*|-F|--form|-H|--header)\b|\\$")
_HEALTH = re.compile(r"health|ready|readiness|live(?:ness)?\b|status|ping|heartbeat|version|up\b", re.IGNORECASE)
_HEALTH_PATH = re.compile(
    r"/(?:health\w*|ready\w*|readyz|live\w*|ping|heartbeat|version|status|up|_?info)\b[/\w-]*$", re.IGNORECASE
)
_PAIR = re.compile(r'"(\w+)"\s*:\s*"([^"]{1,60})"')
_VERSION = re.compile(r"\bv?\d+\.\d+")
_MOST = 24


@dataclass(slots=True)
class Endpoint:
    """An address that answers whether something is well, and the lines that name it."""

    url: str
    line: int
    words: str
    label: str | None
    staging: bool
    name: str = ""
    field: tuple[str, str] | None = None
    """JSON field and what it is expected to say."""
    items: tuple[int, ...] = ()
    """Lines of the items it stands in or under."""

    @property
    def is_version(self) -> bool:
        return urlsplit(self.url).path.rstrip("/").lower().endswith("version")


def find_endpoints(document: Prose) -> list[Endpoint]:
    """Every address once, in document order, with a name of its own."""
    found: dict[str, Endpoint] = {}
    for seen in (*_in_items(document.passages), *_in_fences(document.fences)):
        url = seen.url.rstrip(".,;:/") if urlsplit(seen.url).path not in ("", "/") else seen.url.rstrip(".,;:")
        known = found.setdefault(url, seen)
        known.url = url
        known.items = tuple(dict.fromkeys((*known.items, *seen.items)))
        known.label = known.label or seen.label
        known.field = known.field or seen.field
    endpoints = sorted(found.values(), key=lambda endpoint: endpoint.line)[:_MOST]
    _name(endpoints)
    return endpoints


def _in_items(passages: Sequence[Passage]) -> Iterator[Endpoint]:
    for passage in passages:
        match = _URL.search(passage.text)
        if match is None or passage.form == "paragraph" or not _is_health(match[0], ""):
            continue
        label = passage.text[: match.start()].strip(" :`(").rsplit(":", 1)[0]
        named = label if 0 < len(label.split()) <= 3 and not _COMMANDS.match(label) else None
        items = (passage.line,) if passage.form == "item" else ()
        yield Endpoint(match[0], passage.line, passage.text, named, _staging(passage.whole, match[0]), items=items)


def _in_fences(fences: Sequence[Fence]) -> Iterator[Endpoint]:
    for fence in fences:
        comment = ""
        lines = fence.content.split("\n")
        for number, line in enumerate(lines[:200]):
            if line.lstrip().startswith("#"):
                comment = line.strip(" #")
            elif not line.strip():
                comment = comment if _HEALTH.search(comment) or is_staging(comment) else ""
            match = _CURL.match(line)
            url = _URL.search(match["rest"]) if match else None
            if url is None or match is None or _SENDS.search(match["rest"]):
                continue
            about = f"{fence.around} / {comment}"
            if not _is_health(url[0], comment if "test" not in comment.lower() else ""):
                continue
            items = (fence.item,) if fence.item else ()
            yield Endpoint(
                url[0],
                fence.line + number,
                line.strip(),
                None,
                _staging(about, url[0]),
                field=_expected(lines, number),
                items=items,
            )


def _is_health(url: str, comment: str) -> bool:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if "." not in host or "{" in url or "$" in url or parts.query or not url.isascii():
        return False
    return bool(_HEALTH_PATH.search(parts.path)) or ("health" in comment.lower() and parts.path in ("", "/"))


def _staging(about: str, url: str) -> bool:
    host = urlsplit(url).netloc
    if re.search(r"staging|\bstg\b|\buat\b", host):
        return True
    return is_staging(about.rsplit(" / ", 1)[-1])


def _expected(lines: Sequence[str], number: int) -> tuple[str, str] | None:
    """The first field of `# Expected: {"status":"ok", …}` below the command."""
    for line in lines[number + 1 : number + 4]:
        if _CURL.match(line):
            return None
        if "xpected" in line and (match := _PAIR.search(line)):
            return match[1], match[2]
    return None


def _name(endpoints: Sequence[Endpoint]) -> None:
    bases = Counter((endpoint.staging, _base(endpoint)) for endpoint in endpoints)
    hosts = {endpoint.url: _host(endpoint.url) for endpoint in endpoints}
    common = _common(list(hosts.values()))
    taken: set[str] = set()
    for endpoint in endpoints:
        base = _base(endpoint)
        if endpoint.label and slug(endpoint.label):
            name = slug(endpoint.label)
        elif bases[endpoint.staging, base] == 1:
            name = base
        else:
            name = slug(hosts[endpoint.url].removeprefix(common).removesuffix("-staging")) or base
        if endpoint.staging and not name.startswith("staging"):
            name = f"staging_{name}"
        made, count = name, 2
        while made in taken:
            made, count = f"{name}_{count}", count + 1
        taken.add(made)
        endpoint.name = made


def _base(endpoint: Endpoint) -> str:
    pieces = [piece for piece in urlsplit(endpoint.url).path.split("/") if piece]
    at = next((index for index, piece in enumerate(pieces) if _HEALTH_PATH.match(f"/{piece}")), None)
    return slug("_".join(pieces[at:] if at is not None else ["health"])) or "health"


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").split(".")[0]


def _common(hosts: Sequence[str]) -> str:
    """The words that several hosts begin with: `shop-production-` of `shop-production-api`."""
    if len(set(hosts)) < 2:
        return ""
    start = ""
    for letters in zip(*hosts, strict=False):
        if len(set(letters)) > 1:
            break
        start += letters[0]
    return start[: start.rfind("-") + 1]


def probe_of(endpoint: Endpoint) -> Noted:
    """The probe that asks this address."""
    value: dict[str, object] = {"say": _say(endpoint), "http": endpoint.url}
    notes = [said(endpoint.line, endpoint.words)]
    if endpoint.field:
        key, answer = endpoint.field
        value["json"] = key
        value["equals"] = "{{ version }}" if _VERSION.search(answer) or key == "version" else answer
        if "{" in str(value["equals"]).replace("{{ version }}", ""):
            del value["json"], value["equals"]
    elif endpoint.is_version:
        value["json"] = "version"
        value["equals"] = "{{ version }}"
        notes.append(unsure("the document does not show the answer: `json` names the field with the version"))
    return Noted(OneLine(value), tuple(notes))


def _say(endpoint: Endpoint) -> str:
    said_as = endpoint.label or endpoint.name.removeprefix("staging_").replace("_", " ")
    said_as = re.sub(r"\b(?:api|db|url)\b", lambda found: found[0].upper(), said_as)
    said_as = said_as[:1].upper() + said_as[1:]
    return f"{said_as} (staging)" if endpoint.staging else said_as
