"""Reading NAME.yaml: every problem with its place, in plain words; nothing hostile is built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

import checklists
from checklists.policy import Announcement, Policy
from checklists.policy_file import PolicyError, load_located, load_policy, policy_schema

FOLDER = Path(checklists.__file__).parent
FIVE = ["services-do", "ca-marketplace", "petforce", "maishapoa", "azora"]


def problems(text: str) -> list[str]:
    with pytest.raises(PolicyError) as caught:
        load_policy(text, file="x.yaml")
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize("text", ["", "\n# nothing yet\n", "\ufeff"])
def test_an_empty_policy_is_the_default(text: str) -> None:
    assert load_policy(text, file="x.yaml") == Policy()


def test_one_text_stands_for_a_list_of_one() -> None:
    policy = load_policy("windows: {production: always}\nadvice: low traffic\n", file="x.yaml")
    assert policy.windows == {"production": ("always",)}
    assert policy.advice == ("low traffic",)


def test_a_date_stays_the_text_it_was_written_as() -> None:
    policy = load_policy("freezes: [{dates: 2026-12-20}]", file="x.yaml")
    assert policy.freezes[0].dates == "2026-12-20"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("timezon: UTC", "x.yaml:1:1: policy-key unknown key 'timezon'; did you mean 'timezone'?"),
        (
            "phases:\n  A:\n    opnes: T+0",
            "x.yaml:3:5: policy-key unknown key 'opnes' in phases.A; did you mean 'opens'?",
        ),
        (
            "watch:\n  - at: 30m",
            "x.yaml:2:9: policy-value watch[0].at: '30m' is not a moment; write it like T-48h, T+0 or T+30m",
        ),
        (
            "watch:\n  - at: T+0\n    measure: {errors: < 5}",
            "x.yaml:3:23: policy-value watch[0].measure.errors: '< 5' has no unit; "
            "write for example '< 5%' or '< 5 ms'",
        ),
        (
            "expected: later",
            "x.yaml:1:11: policy-value expected: 'later' is not a duration; write it like 30m, 2h, 1h 30m or 7d",
        ),
        (
            "rollback: {mode: maybe}",
            "x.yaml:1:18: policy-value rollback.mode: 'maybe' is not one of ask, automatic",
        ),
        (
            "service: 5",
            "x.yaml:1:10: policy-type service is 5, and should be text; put it in quotes",
        ),
        (
            "phases: [A]",
            "x.yaml:1:9: policy-type phases is a list, and should be a mapping of `name: value` lines",
        ),
        (
            "escalation: on_call",
            "x.yaml:1:13: policy-type escalation is 'on_call', and should be a list; "
            "write `[one, two]`, or lines that begin with `- `",
        ),
        (
            'items: {"Smoke tests": {optional: perhaps}}',
            "x.yaml:1:35: policy-type items['Smoke tests'].optional is 'perhaps', and should be true or false",
        ),
        (
            "templates: {succeded: a}",
            "x.yaml:1:13: policy-key 'succeded' is not a name that templates knows; did you mean 'succeeded'?",
        ),
        ("matrix: [{severity: High}]", "x.yaml:1:10: policy-missing matrix[0] lacks 'action'"),
        (
            "probes: {a: {http: x, redis: y}}",
            "x.yaml:1:13: policy-value probes.a: a probe has exactly one source, this one has http and redis; "
            "the sources are http, prometheus, alertmanager, datadog, sentry, cloudflare, cloudwatch, redis, "
            "kubernetes, github, statuspage, pagerduty, fly, command, incidents, all, baseline",
        ),
        (
            "watch: [{at: T+0, every: 1m}]",
            "x.yaml:1:9: policy-value watch[0]: `every` and `for` go together: `every: 1m, for: 5m`",
        ),
        (
            "watch: [{at: T+0, then: announce victory}]",
            "x.yaml:1:25: policy-value watch[0].then: 'announce victory' is nothing a check leads to; "
            "write `announce succeeded` or `announce stable`",
        ),
        ("a: 1\na: 2", 'x.yaml:2:1: policy-duplicate the same key twice: "a"'),
        ("a: [1\nb: 2", "x.yaml:2:2: policy-yaml expected ',' or ']', but got ':'"),
        ("a: b: c", "x.yaml:1:5: policy-yaml mapping values are not allowed here"),
        ("- a", "x.yaml:1:1: policy-shape a policy is a mapping: `timezone: UTC`, `watch:` and so on"),
        ("? {a: 1}\n: b", "x.yaml:1:3: policy-yaml a key is a name, and this one is a list, a mapping or an alias"),
        (
            "phases: {[A]: {}}",
            "x.yaml:1:10: policy-yaml a key is a name, and this one is a list, a mapping or an alias",
        ),
        (
            "a: &x {b: 1}\n*x : c",
            "x.yaml:2:1: policy-yaml a key is a name, and this one is a list, a mapping or an alias",
        ),
        ("a: \x07", "x.yaml:1:4: policy-yaml a character that YAML does not allow"),
    ],
)
def test_a_problem_says_where_it_is_and_what_to_write(text: str, problem: str) -> None:
    assert problems(text) == [problem]


def test_all_problems_are_told_together_in_the_order_of_the_lines() -> None:
    found = problems("rollback: {mode: maybe}\ntimezon: UTC\nwatch:\n  - at: noon\n")
    assert [line.split(":")[1] for line in found] == ["1", "2", "4"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            "a: !!python/object/apply:os.system [x]",
            "the tag tag:yaml.org,2002:python/object/apply:os.system is not used",
        ),
        ("a: &a [*a]", "stands for nothing that is complete before it"),
        ("a: *b", "stands for nothing"),
        ("[" * 5000, "nested deeper than 12 levels"),
        ("- " * 5000, "nested deeper than 12 levels"),
        ("a: x\n---\nb: y", "another document"),
        ("x" * 300_000, "is too much; a policy has at most 256 kB"),
        ("a: [" + "1," * 30_000 + "1]", "more than 8000 values"),
        ("\n".join(f"k{i}: &a{i} x" for i in range(300)), "more than 200 anchors"),
        (
            "a0: &a0 [1, 1]\n" + "\n".join(f"a{i}: &a{i} [*a{i - 1}, *a{i - 1}, *a{i - 1}]" for i in range(1, 30)),
            "more than 8000 values, aliases counted as often as they are used",
        ),
    ],
)
def test_what_is_costly_or_hostile_is_refused_before_it_is_built(text: str, words: str) -> None:
    [problem] = problems(text)
    assert words in problem


def test_aliases_and_merges_are_welcome() -> None:
    policy = load_policy(
        "probes:\n  a: &a {http: https://a.example, link: https://l.example}\n  b: {<<: *a, http: https://b.example}\n",
        file="x.yaml",
    )
    assert (policy.probes["b"].http, policy.probes["b"].link) == ("https://b.example", "https://l.example")


def test_places_of_everything_are_kept() -> None:
    located = load_located(
        "items:\n  Team told:\n    announces: started\ntemplates:\n  started: |\n    x\n", file="x.yaml"
    )
    assert located.place("items", "Team told", key=True) == (2, 3)
    assert located.place("items", "Team told", "announces") == (3, 16)
    assert located.place("templates", "started")[0] == 5
    assert located.place("nothing", "here") == (1, 1)


def conforms(value: Any, schema: dict[str, Any], defs: dict[str, Any]) -> bool:
    """As much of JSON Schema as the policy's uses."""
    if "$ref" in schema:
        return conforms(value, defs[schema["$ref"].rsplit("/", 1)[1]], defs)
    if "anyOf" in schema:
        return any(conforms(value, one, defs) for one in schema["anyOf"])
    if "enum" in schema or "const" in schema:
        return value in schema.get("enum", [schema.get("const")])
    kind = schema.get("type")
    if kind == "object":
        known, rest = schema.get("properties", {}), schema.get("additionalProperties", True)
        return (
            isinstance(value, dict)
            and set(schema.get("required", [])) <= set(value)
            and all(conforms(key, schema.get("propertyNames", {}), defs) for key in value)
            and all(
                conforms(entry, known[key], defs)
                if key in known
                else rest is True or (isinstance(rest, dict) and conforms(entry, rest, defs))
                for key, entry in value.items()
            )
        )
    if kind == "array":
        return isinstance(value, list) and all(conforms(entry, schema.get("items", {}), defs) for entry in value)
    plain: dict[Any, Any] = {"string": str, "integer": int, "boolean": bool, "null": type(None), None: object}
    return isinstance(value, plain[kind])


@pytest.mark.parametrize("name", FIVE)
def test_the_schema_for_editors_accepts_the_five_policies(name: str) -> None:
    schema = policy_schema()
    tree = YAML(typ="safe", pure=True).load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))
    assert conforms(tree, schema, schema["$defs"])


@pytest.mark.parametrize(
    "tree", [{"timezon": "UTC"}, {"watch": [{"at": 30}]}, {"templates": {"nope": "x"}}, {"may": 1}]
)
def test_the_schema_for_editors_refuses_what_the_loader_refuses(tree: object) -> None:
    schema = policy_schema()
    assert not conforms(tree, schema, schema["$defs"])


def test_the_schema_names_every_announcement() -> None:
    assert set(policy_schema()["$defs"]["Announcement"]["enum"]) == {kind.value for kind in Announcement}


@pytest.mark.parametrize("repository", ["nope", "a/b/c", "https://github.com/a/b", "../user", "-a/b", "a/"])
def test_a_repository_is_owner_and_name(repository: str) -> None:
    assert problems(f"repository: {repository}") == [
        f"x.yaml:1:13: policy-value repository: {repository!r} is no repository; write it like owner/name"
    ]
