"""The probes a draft needs: addresses of the document, and measures whose query somebody has to write."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from checklists.adoption.draft import Notebook, Noted, OneLine, said, unsure
from checklists.adoption.endpoints import Endpoint, probe_of
from checklists.adoption.measures import Measure, Thresholds

FILL_IN = "FILL_IN"
"""Stands where the document cannot know: a query that matches nothing, so the check says unknown."""

_ORDER = ("cloudflare", "datadog", "prometheus", "cloudwatch", "sentry")
_CLOUDFLARE = {"error_rate", "p95_latency", "p99_latency"}
_UNITS = {
    "cloudflare": {"%": "ratio", "s": "ms"},
    "cloudwatch": {"%": "%"},
}


def find_probes(
    endpoints: Sequence[Endpoint],
    measures: Iterable[Measure],
    thresholds: Thresholds,
    tools: Mapping[str, tuple[int, str]],
    book: Notebook,
) -> dict[str, Noted]:
    """One probe for every address and every measure that something names."""
    found = {endpoint.name: probe_of(endpoint) for endpoint in endpoints}
    targets = {**thresholds.first("target"), **thresholds.first("staging", "before")}
    used = {threshold.measure.name: threshold.measure for threshold in thresholds.found}
    for name, measure in {**used, **{measure.name: measure for measure in measures}}.items():
        value, notes = _source(measure, tools)
        value = {"say": measure.say, **value}
        if name in targets:
            value["target"] = targets[name].band
        found.setdefault(name, Noted(value, tuple(notes)))
        if FILL_IN in str(value):
            book.ask(f"write a query in place of every {FILL_IN}; until then what it measures is unknown")
    return found


def _source(measure: Measure, tools: Mapping[str, tuple[int, str]]) -> tuple[dict[str, object], list[str]]:
    """The source of a measure: the tool the document names, with a query where it needs none."""
    name = measure.name
    bare = name.removeprefix("staging_")
    notes = [] if measure.sure else [unsure("the document names no percentile")]
    if bare == "redis_memory":
        return {"redis": "memory", "unit": "ratio"}, notes
    if bare.startswith("error_rate_vs") and "sentry" in tools:
        return {"sentry": f"{FILL_IN} errors_vs_normal", "unit": "x"}, [*notes, *_named("sentry", "its project", tools)]
    tool = next((tool for tool in _ORDER if tool in tools and _fits(tool, bare)), None)
    if tool is None:
        notes.append(unsure("the document names no tool that measures it: any source will do here"))
        tool = "prometheus"
    elif tool == "cloudflare":
        query = bare if bare == name else f"{bare} {FILL_IN}"
        if bare != name:
            notes += _named(tool, "the Worker of staging", tools)
        return {tool: query, "unit": _UNITS[tool][measure.unit]}, notes
    elif tool == "sentry":
        return {tool: f"{FILL_IN} {bare}", "unit": "ratio"}, [*notes, *_named(tool, "its project", tools)]
    else:
        notes += _named(tool, "the query", tools)
    unit = _UNITS.get(tool, {}).get(measure.unit) or {"%": "ratio", "s": "s"}.get(measure.unit, measure.unit)
    return {tool: f"{FILL_IN}_{name}", "unit": unit}, notes


def _fits(tool: str, name: str) -> bool:
    if tool == "cloudflare":
        return name in _CLOUDFLARE
    if tool == "sentry":
        return name == "error_rate"
    return tool != "cloudwatch" or name in ("cpu", "memory") or name.startswith("database_")


def _named(tool: str, what: str, tools: Mapping[str, tuple[int, str]]) -> list[str]:
    line, words = tools[tool]
    return [said(line, words), unsure(f"{tool} is named there, {what} is not")]


def together(names: Sequence[str], say: str) -> OneLine:
    """A probe that is healthy when all of these are."""
    return OneLine({"say": say, "all": OneLine(list(names))})


def drop_unused(probes: dict[str, Noted], used: Iterable[str], thresholds: Thresholds, book: Notebook) -> None:
    """Take out the measures nothing asks for, such as a number in a note; addresses stay, for somebody to use."""
    asked = set(used)
    for name in [name for name, probe in probes.items() if name not in asked and not _is_address(probe)]:
        del probes[name]
        for threshold in thresholds.found:
            if threshold.measure.name == name:
                book.leave(threshold.passage.line, f'a number that no item stands for: "{threshold.passage.text}"')


def _is_address(probe: Noted) -> bool:
    value = probe.value.value if isinstance(probe.value, OneLine) else probe.value
    return isinstance(value, Mapping) and "http" in value
