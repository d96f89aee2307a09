"""Channels, links, and the delivery targets a document sets itself."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from checklists.adoption.amounts import limits
from checklists.adoption.draft import Notebook, Noted, said, slug, unsure
from checklists.adoption.prose import Fence, Passage, Prose
from checklists.quantities import parse_band

_CHANNEL = re.compile(r"(?<![\w/#&(=.])#([a-z][a-z0-9_-]{2,60})\b")
_SPEAKS = re.compile(
    r"\b(?:slack|discord|channels?|teams|post\w*|notif\w*|announc\w*|inform\w*|communicat\w*|ask|message|alert\w*)\b",
    re.IGNORECASE,
)
_URL = re.compile(r"https?://[^\s\"'`<>)\]|]+")
_LINKS = (
    (re.compile(r"\bstatus ?page\b|^(?:\w+ )?status$", re.IGNORECASE), "status_page"),
    (re.compile(r"\bdashboards?\b", re.IGNORECASE), "dashboards"),
    (re.compile(r"\bgrafana\b", re.IGNORECASE), "grafana"),
    (re.compile(r"\bmonitoring\b|\bsentry\b|\bdatadog\b", re.IGNORECASE), "monitoring"),
    (re.compile(r"\brunbooks?\b|\bplaybooks?\b", re.IGNORECASE), "runbooks"),
    (re.compile(r"\bkibana\b|\blogs?\b", re.IGNORECASE), "logs"),
    (re.compile(r"\bpager ?duty\b|\bops ?genie\b", re.IGNORECASE), "pager"),
)
_TARGET = re.compile(r"^(?P<what>[^:]{2,80}):\s*(?:target|goal|objective)\s*(?P<rest>.+)$", re.IGNORECASE)
_SHORT = re.compile(r"\(([A-Z]{2,6})\)")
_PER_WEEK = re.compile(r"=?\s*(\d+)(?:\s?-\s?(\d+))?\s*(?:times?|x|deploy\w*)?\s*(?:per|a|/)\s*week", re.IGNORECASE)
_MOST = 12


@dataclass(frozen=True, slots=True)
class Channels:
    """The values of `channels` and `also_in`."""

    channels: dict[str, Noted]
    also_in: dict[str, Noted]


def find_channels(passages: Sequence[Passage]) -> Channels:
    """Channels as `#name` in prose. The one that announcements are posted in is `deployments`."""
    found: dict[str, list[Passage]] = {}
    for passage in passages:
        for match in _CHANNEL.finditer(passage.text):
            if _SPEAKS.search(passage.whole) and len(found) < _MOST:
                found.setdefault(match[1], []).append(passage)
    main = _main(found)
    if main is None:
        why = unsure("the document names no channel for deployments")
        channels = {"deployments": Noted("#deployments", (why,))}
    else:
        channels = {"deployments": Noted(f"#{main}", _from(found[main]))}
        if main != "deployments":
            channels["deployments"] = Noted(f"#{main}", (*_from(found[main]), "here the document announces"))
    also: dict[str, Noted] = {}
    for name, passages_of in found.items():
        if name == main:
            continue
        key = slug(name)
        channels.setdefault(key, Noted(f"#{name}", _from(passages_of)))
        where = passages_of[0]
        if re.search(r"incident|alert|outage", name):
            doubt = unsure("what goes wrong is said here as well")
            also.update(
                {
                    kind: Noted(key, (doubt,) if kind == "issue" else ())
                    for kind in ("issue", "rollback_started", "rolled_back")
                }
            )
        elif where.form == "item":
            kind = (
                "succeeded"
                if re.search(r"\bpost-?deploy|\bafter\b|\bsuccess", where.whole, re.IGNORECASE)
                else "starting"
            )
            also.setdefault(
                kind, Noted(key, (*_from(passages_of), unsure(f"taken to be where `{kind}` is said as well")))
            )
    return Channels(channels, also)


def _main(found: dict[str, list[Passage]]) -> str | None:
    for name in ("deployments", "deployment", "deploys", "deploy", "releases", "release"):
        if name in found:
            return name
    announced = [
        n for n, at in found.items() if any(re.search(r"\bdeploy|\brelease", p.text, re.IGNORECASE) for p in at)
    ]
    rest = [name for name in found if not re.search(r"incident|alert|outage", name)]
    return next(iter([*announced, *rest]), None)


def _from(passages: Sequence[Passage]) -> tuple[str, ...]:
    return (said(passages[0].line, passages[0].text),)


def find_links(document: Prose) -> dict[str, Noted]:
    """Addresses people look at: status page, dashboards, monitoring. Health endpoints are not among them."""
    found: dict[str, Noted] = {}
    for passage in document.passages:
        named = [(words, href) for words, href in passage.links if href.startswith(("https://", "http://"))]
        bare = [(_label(passage.text, match.start()), match[0].rstrip(".,;:")) for match in _URL.finditer(passage.text)]
        for words, url in (*named, *bare):
            _keep(found, words, url, passage.line, passage.text)
    for fence in document.fences:
        for number, line in enumerate(fence.content.split("\n")[:200]):
            match = _URL.search(line)
            if match and (line.lstrip().startswith("#") or _is_label(line[: match.start()])):
                _keep(
                    found,
                    line[: match.start()].strip(" #:"),
                    match[0].rstrip(".,;:"),
                    fence.line + number,
                    line.strip(),
                )
    return found


def _label(text: str, at: int) -> str:
    return text[:at].strip(" :(-–—")[-60:]


def _is_label(words: str) -> bool:
    return re.fullmatch(r"\s*[A-Z][\w ]{2,30}:\s*", words) is not None


def _keep(found: dict[str, Noted], words: str, url: str, line: int, sentence: str) -> None:
    for pattern, key in _LINKS:
        if not pattern.search(words):
            continue
        own = slug(words) if key == "status_page" and re.fullmatch(r"\w+ status", words, re.IGNORECASE) else key
        if own not in found and len(found) < _MOST and url.isascii() and "{" not in url:
            found[own] = Noted(url, (said(line, sentence),))
        return


def find_targets(passages: Sequence[Passage], book: Notebook) -> dict[str, Noted]:
    """ "Rollback rate: Target < 5%" under a heading of metrics: what the team wants of its deployments as a whole."""
    found: dict[str, Noted] = {}
    for passage in passages:
        match = _TARGET.match(passage.text)
        if match is None or not re.search(
            r"\bmetrics?\b|\bkpis?\b|\btargets?\b|\bgoals?\b", " / ".join(passage.path), re.IGNORECASE
        ):
            continue
        short = _SHORT.search(match["what"])
        key = slug(short[1] if short else match["what"])
        words = _band(match["what"], match["rest"])
        if key and words and key not in found and len(found) < 40:
            notes = [said(passage.line, passage.text)]
            found[key] = Noted(words, tuple(notes))
            book.taken.add(passage.line)
    return found


def _band(what: str, rest: str) -> str | None:
    if weekly := _PER_WEEK.match(rest):
        return f"{weekly[1]}-{weekly[2]} /week" if weekly[2] else f"= {weekly[1]} /week"
    numbers = limits(rest)
    if not numbers:
        return None
    unit = "min" if re.search(r"\b(?:down)?time\b", what, re.IGNORECASE) else "count"
    words = numbers[0].band(unit)
    try:
        parse_band(words)
    except ValueError:
        return None
    return words


def tools(document: Prose) -> dict[str, tuple[int, str]]:
    """The monitoring a document names, with the line."""
    found: dict[str, tuple[int, str]] = {}
    pieces: list[Passage | Fence] = [*document.passages, *document.fences]
    for name in ("cloudflare", "prometheus", "datadog", "cloudwatch", "sentry"):
        for piece in pieces:
            text = piece.text if isinstance(piece, Passage) else piece.content
            if re.search(rf"\b{name}\b", text, re.IGNORECASE) and (
                name != "cloudflare" or re.search(r"analytics|workers|wrangler", text, re.IGNORECASE)
            ):
                found[name] = (piece.line, text if isinstance(piece, Passage) else name)
                break
    return found
