"""Announcements from the documents' own templates: Jinja, cut down to what a message needs.

A template may print variables, choose with `if` and repeat with `for`; it cannot call anything, reach into objects,
calculate or include, whoever wrote it. Values are data: text inside them is never read as a template. What a chat
does with `@here` or `<!channel>` inside a value is the chat adapter's to escape, not done here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from jinja2 import TemplateError as JinjaError
from jinja2 import TemplateSyntaxError, Undefined, meta
from jinja2.runtime import LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment

from checklists.policy import Announcement, Policy
from checklists.quantities import spell_duration
from checklists.template_check import FILTERS, LISTS, TemplateProblem, problems
from checklists.template_words import NEAREST

LONGEST_OUTPUT = 4_000
"""Characters of a rendered announcement; what is beyond is cut, visibly."""
LONGEST_TEMPLATE = 8_000
LONGEST_VALUE = 1_000
MOST_LINES = 60
"""Entries of a list that are shown; the rest is counted."""

_LIST_LINE = re.compile(rf"^([^\w{{}}\n]*)\{{\{{ *({'|'.join(LISTS)}) *\}}\}}[ \t]*$", re.MULTILINE)


class TemplateError(ValueError):
    """A template that cannot be rendered; the sentence says why."""


class Unknown:
    """A value nobody knows. Prints as `unknown (why)`, is false, and loops once, as itself: its line says so."""

    __slots__ = ("why",)

    def __init__(self, why: str) -> None:
        self.why = why

    def __str__(self) -> str:
        return f"unknown ({self.why})"

    def __repr__(self) -> str:
        return f"Unknown({self.why!r})"

    def __bool__(self) -> bool:
        return False

    def __iter__(self) -> Iterator[Unknown]:
        yield self

    def __len__(self) -> int:
        return 1

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and other.why == self.why

    def __hash__(self) -> int:
        return hash(self.why)


class _Metric(dict[str, Any]):
    """`{name, value, target, ok}`, printed as "Error rate: 0.05%", with the target where it is missed."""

    def __str__(self) -> str:
        missed = f" (target {self['target']})" if self.get("ok") is False and self.get("target") else ""
        return f"{self.get('name', 'metric')}: {self.get('value', 'unknown')}{missed}"


class _Links(dict[str, str]):
    def __missing__(self, name: str) -> Unknown:
        return Unknown(f"no link named {name} in the policy")


class _Environment(ImmutableSandboxedEnvironment):
    """No attributes but a mapping's keys and a loop's counters; no calls at all."""

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, Unknown):
            return obj
        if isinstance(obj, (_Metric, _Links)):
            return _value(obj[attribute]) if attribute in obj or isinstance(obj, _Links) else Unknown("not recorded")
        if isinstance(obj, LoopContext) and attribute in ("index", "first", "last", "length"):
            return getattr(obj, attribute)
        return self.undefined(obj=obj, name=attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        return self.getattr(obj, argument) if isinstance(argument, str) else self.undefined(obj=obj, name=str(argument))

    def is_safe_callable(self, obj: Any) -> bool:
        return False


def _say(value: Any) -> str:
    if isinstance(value, Undefined):
        raise TemplateError(f"the template asks for {value._undefined_name!r}, which nothing provides")
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _environment() -> _Environment:
    environment = _Environment(trim_blocks=True, lstrip_blocks=True, autoescape=False, finalize=_say, cache_size=0)
    environment.globals.clear()
    environment.filters = {name: made for name, made in environment.filters.items() if name in FILTERS}
    environment.filters["join"] = lambda value, by=", ": (
        by.join(map(str, value)) if not isinstance(value, str) else value
    )
    environment.tests = {
        "known": lambda value: not isinstance(value, (Unknown, Undefined)),
        "met": lambda value: (
            isinstance(value, list) and bool(value) and all(entry.get("ok") is True for entry in value)
        ),
    }
    return environment


_ENVIRONMENT = _environment()


def render(template: str, values: Mapping[str, object]) -> str:
    """The announcement, at most 4,000 characters. A variable that is missing or None says that it is unknown.

    A `timedelta` is spelled ("35 minutes"), a `datetime` written as `2026-01-12 10:00 UTC`; a line of only `- {{
    changes }}` (or any list variable) is repeated per entry. Raises TemplateError for a template `check` finds fault
    with.
    """
    found = check(template)
    if found:
        raise TemplateError(f"line {found[0].line}: {found[0].message}")
    known = {name: _value(values.get(name)) for name in VARIABLES}
    raw_links = values.get("links")
    links = raw_links if isinstance(raw_links, Mapping) else {}
    known["links"] = _Links({str(name): str(link) for name, link in links.items()})
    pieces: list[str] = []
    size = 0
    try:
        for piece in _ENVIRONMENT.from_string(_spread(template)).generate(**known):
            pieces.append(piece)
            size += len(piece)
            if size > LONGEST_OUTPUT:
                break
    except (TypeError, ValueError, JinjaError) as error:
        raise TemplateError(f"the template cannot be filled in: {error}") from None
    text = re.sub(r"\n{3,}", "\n\n", "".join(pieces)).strip()
    if len(text) > LONGEST_OUTPUT:
        text = text[: LONGEST_OUTPUT - 2].rstrip() + "\n…"
    return text


def check(template: str, *, links: Sequence[str] | None = None) -> list[TemplateProblem]:
    """What is wrong with a template: syntax, unknown variables (and, given the policy's `links`, unknown links),
    unused powers."""
    if len(template) > LONGEST_TEMPLATE:
        return [TemplateProblem(1, f"a template has at most {LONGEST_TEMPLATE} characters")]
    try:
        tree = _ENVIRONMENT.parse(_spread(template))
        found = problems(tree, VARIABLES, links)
        if not found:
            _ENVIRONMENT.compile(tree)
    except TemplateSyntaxError as error:
        return [TemplateProblem(error.lineno, str(error.message).rstrip("."))]
    except RecursionError:
        return [TemplateProblem(1, "nested too deeply")]
    return found


def names_in(template: str) -> frozenset[str]:
    """The variables a template asks for; none where it cannot be read."""
    try:
        return frozenset(meta.find_undeclared_variables(_ENVIRONMENT.parse(_spread(template))))
    except (TemplateSyntaxError, RecursionError):
        return frozenset()


def template_for(policy: Policy, announcement: Announcement) -> str:
    """The team's own words for it, else the nearest of the other teams'."""
    return policy.templates.get(announcement) or NEAREST[announcement]


def _spread(template: str) -> str:
    return _LIST_LINE.sub(r"{% for line in \2 %}\1{{ line }}{{ '\\n' }}{% endfor %}", template)


def _value(value: object) -> Any:
    """A value as templates see it: text, numbers, booleans, lists of these, metrics, Unknown. Anything else becomes
    text."""
    if value is None:
        return Unknown("not recorded")
    if isinstance(value, (Unknown, bool, int, float)):
        return value
    if isinstance(value, timedelta):
        return spell_duration(value)
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M} {value:%Z}".strip()
    if isinstance(value, Mapping):
        return _Metric({str(key): _value(entry) for key, entry in list(value.items())[:10]})
    if isinstance(value, (list, tuple)):
        shown = [_value(entry) for entry in value[:MOST_LINES]]
        return [*shown, f"and {len(value) - MOST_LINES} more"] if len(value) > MOST_LINES else shown
    text = str(value)
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"


VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        "version": "the version being deployed, as given at the start: v1.2.0",
        "previous_version": "the version that ran before: what a rollback goes back to",
        "service": "how the policy calls what is deployed",
        "environment": "production, staging",
        "checklist": "the name of the checklist",
        "started_by": "who started the deployment",
        "deployed_by": "who pressed Deployed",
        "on_call": "who is on call",
        "started_at": "when it was started",
        "deployed_at": "T0: when production was deployed, or traffic switched",
        "finished_at": "when it ended",
        "duration": "from the start to T0, from the clock: 35 minutes",
        "time_to_recover": "from the first failing check until all was well again, or rolled back: 12 minutes",
        "downtime": "how long the service was down, or that it was not",
        "eta": "how long it is expected to take until T0: 45 minutes",
        "starts_in": "time left until the planned T0: 30 minutes",
        "changes": "list: the changes, from the CHANGELOG or the compare view",
        "verification": "list: the verification items really ticked",
        "metrics": "list: the last check's measures, each with name, value, target, ok",
        "status": "how the system is now: System stable",
        "reason": "why it is rolled back or cancelled, in the words of who decided",
        "next_steps": "what happens next, in the words of who decided",
        "issues": "list: the issues written down during the run",
        "issue": "what was found: the measure beyond its limit, or the words of who reported it",
        "severity": "the row of the decision matrix",
        "action": "what that row says to do",
        "within": "the time limit of that row",
        "automatic": "whether a rollback happened by itself; for `if`",
        "links": "the policy's links, one by one: links.dashboards",
    }
)
"""What a template may name, and what it is. Lists are printed one per line by a line of only `- {{ changes }}`."""
