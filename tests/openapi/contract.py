"""Whether a request and its answer are as a vendor's OpenAPI document describes them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from jsonschema import validators
from jsonschema.exceptions import ValidationError
from openapi_schema_validator import OAS30Validator
from referencing import Registry
from referencing.jsonschema import DRAFT4

from tests.fakes.vendors import Reply, Request

HERE = Path(__file__).parent
_WHERE = "urn:document"
_NOT_CHECKED = {"accept", "content-type", "authorization"}
"""OpenAPI says of header parameters with these names that they are to be ignored."""


def excerpts() -> dict[str, Path]:
    """By vendor: those that are here, and those in the folder that GONOGO_OPENAPI names."""
    folders = [HERE, *map(Path, filter(None, [os.environ.get("GONOGO_OPENAPI")]))]
    return {file.stem: file for folder in folders for file in sorted(folder.glob("*.json"))}


@cache
def contract(vendor: str) -> Contract | None:
    """What the vendor publishes; None where there is no copy of it."""
    file = excerpts().get(vendor)
    return Contract(json.loads(file.read_text(encoding="utf-8"))) if file else None


@dataclass(frozen=True)
class Operation:
    """One that the document describes, with what stands in the path of a request for it."""

    name: str
    """`GET /incidents`."""
    described: Mapping[str, Any]
    parameters: tuple[Mapping[str, Any], ...]
    path: Mapping[str, str]


class Contract:
    """A document: OpenAPI 3.0, or Swagger 2.0 as far as it says the same in other words."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        servers = document.get("servers") or [{"url": document.get("basePath", "")}]
        self._below = urlsplit(re.sub(r"\{\w+\}", "x", servers[0]["url"])).path.rstrip("/")
        self._registry: Registry[Any] = Registry().with_resource(_WHERE, DRAFT4.create_resource(dict(document)))

    def operation(self, request: Request) -> Operation | None:
        """The one a request is for: the path with the fewest gaps, and with the least in them."""
        if not request.path.startswith(f"{self._below}/"):
            return None
        asked = request.path.removeprefix(self._below)
        found = []
        for path, item in self.document["paths"].items():
            described = item.get(request.method.lower())
            if described is None:
                continue
            parameters = tuple(map(self._at, [*item.get("parameters", []), *described.get("parameters", [])]))
            if match := re.fullmatch(_pattern(path, parameters), asked):
                there = {each["name"]: unquote(match[f"p{n}"]) for n, each in enumerate(_gaps(path, parameters))}
                found.append(Operation(f"{request.method} {path}", described, parameters, there))
        return min(found, key=lambda each: (len(each.path), sum(map(len, each.path.values()))), default=None)

    def wrong_with_request(self, request: Request) -> list[str]:
        """In words; nothing where it fits."""
        operation = self.operation(request)
        if operation is None:
            return [f"{request.method} {request.path}: not in the document"]
        return [f"{operation.name}: {problem}" for problem in self._request(operation, request)]

    def wrong_with_reply(self, request: Request, reply: Reply) -> list[str]:
        """In words. What a reply says must be known and of the documented types; it may say less than all."""
        operation = self.operation(request)
        if operation is None:
            return [f"{request.method} {request.path}: not in the document"]
        responses = operation.described["responses"]
        found = responses.get(str(reply.status), responses.get("default"))
        if found is None:
            return [f"{operation.name}: HTTP {reply.status} is not documented"]
        schema = _schema_of(self._at(found))
        said = reply.encoded()
        if schema is None:
            return [f"{operation.name}: an answer without a body has one"] if said else []
        return [f"{operation.name}: answer: {why}" for why in self._problems(_SaysLess, schema, json.loads(said))]

    def _request(self, operation: Operation, request: Request) -> Iterator[str]:
        given: dict[str, list[str]] = {}
        for name, value in request.query:
            given.setdefault(name, []).append(value)
        known = {each["name"] for each in operation.parameters if each["in"] == "query"}
        yield from (f"?{name}= is not known" for name in given.keys() - known)
        for each in operation.parameters:
            name = each["name"]
            values = {
                "query": given.get(name, []),
                "path": [operation.path[name]] if name in operation.path else [],
                "header": [request.headers[name.lower()]] if name.lower() in request.headers else [],
            }.get(each["in"], [])
            if each["in"] == "body" or (each["in"] == "header" and name.lower() in _NOT_CHECKED):
                continue
            if not values:
                if each.get("required"):
                    yield f"{each['in']} {name} is missing"
            elif problem := self._unfit(each, values):
                yield f"{each['in']} {name}: {problem}"
        yield from self._body(operation, request)

    def _unfit(self, parameter: Mapping[str, Any], values: list[str]) -> str | None:
        # Swagger 2.0 says of what type a parameter is beside its name, where `required` means the parameter.
        beside = {key: value for key, value in parameter.items() if key != "required"}
        schema = self._at(parameter.get("schema", beside))
        if schema.get("type") == "array":
            split = not parameter.get("explode", parameter.get("collectionFormat", "multi") == "multi")
            items = schema.get("items", {})
            values = values[0].split(",") if split and len(values) == 1 else values
            read = [next(self._fitting(items, value), value) for value in values]
            return next(self._problems(OAS30Validator, schema, read), None)
        if len(values) > 1 and not parameter.get("explode"):
            return "is given more than once"
        bad = [value for value in values if next(self._fitting(schema, value), None) is None]
        return f"{bad[0]!r} does not fit {json.dumps(schema)[:200]}" if bad else None

    def _fitting(self, schema: Mapping[str, Any], text: str) -> Iterator[Any]:
        """What the text may be read as, of what the schema allows."""
        for value in _readings(text):
            if not any(True for _ in self._problems(OAS30Validator, schema, value)):
                yield value

    def _body(self, operation: Operation, request: Request) -> Iterator[str]:
        body = operation.described.get("requestBody")
        if body is None:
            if request.body:
                yield "a body is not known"
            return
        body = self._at(body)
        if not request.body:
            if body.get("required"):
                yield "the body is missing"
            return
        schema = _schema_of(body)
        assert schema is not None
        yield from (f"body: {why}" for why in self._problems(OAS30Validator, schema, json.loads(request.body)))

    def _problems(self, kind: Any, schema: Mapping[str, Any], value: Any) -> Iterator[str]:
        schema = (
            {name: each for name, each in schema.items() if name not in ("required", "in")}
            if "in" in schema
            else schema
        )
        # Read as a part of the document, so that what it refers to is found there.
        checker = kind({}, registry=self._registry, _resolver=self._registry.resolver(_WHERE)).evolve(schema=schema)
        for error in checker.iter_errors(value):
            yield _say(error)

    def _at(self, node: Mapping[str, Any]) -> Mapping[str, Any]:
        """What is meant, where something else is referred to."""
        while "$ref" in node:
            node = self._registry.resolver(_WHERE).lookup(node["$ref"]).contents
        return node


def _gaps(path: str, parameters: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    by_name = {each["name"]: each for each in parameters if each["in"] == "path"}
    return [by_name[name] for name in re.findall(r"\{([^}]+)\}", path)]


def _pattern(path: str, parameters: Iterable[Mapping[str, Any]]) -> str:
    """A gap takes one segment; several, escaped or not, where the document says so."""
    pattern = re.escape(path).replace(r"\{", "{").replace(r"\}", "}")
    for n, each in enumerate(_gaps(path, parameters)):
        one = "[^/]+(?:/[^/]+)*?" if each.get("x-multi-segment") else "[^/]+"
        pattern = re.sub(r"\{[^}]+\}", lambda _, n=n, one=one: f"(?P<p{n}>{one})", pattern, count=1)
    return pattern


def _schema_of(described: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Of a body or an answer in JSON."""
    if "content" not in described:
        return described.get("schema")
    kinds = [kind for kind in described["content"] if re.match(r"application/(?:[\w.+-]*\+)?json\b", kind)]
    return described["content"][kinds[0]]["schema"] if kinds else None


def _readings(text: str) -> Iterator[Any]:
    yield text
    if text in ("true", "false"):
        yield text == "true"
    for number in (int, float):
        try:
            yield number(text)
        except ValueError:
            continue


def _say(error: ValidationError) -> str:
    causes = [error]
    while causes[-1].context:
        causes.append(min(causes[-1].context, key=lambda each: (-len(each.path), str(each.message))))
    return f"{'.'.join(map(str, causes[-1].absolute_path)) or 'all of it'}: {causes[-1].message[:300]}"


def _known_properties(checker: Any, properties: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    yield from OAS30Validator.VALIDATORS["properties"](checker, properties, value, schema)
    if isinstance(value, dict) and "additionalProperties" not in schema:
        for name in value.keys() - properties.keys():
            yield ValidationError(f"{name!r} is not in the document")


def _all_of(checker: Any, schemas: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    # Each of several describes a part: what one does not know, another does.
    one = checker if len(schemas) == 1 else checker.evolve()
    if len(schemas) > 1:
        one = _SaysLessOfAPart(checker.schema, registry=checker._registry, _resolver=checker._resolver)
    for n, each in enumerate(schemas):
        yield from one.descend(value, each, schema_path=n)


def _enum(checker: Any, allowed: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    # Who writes `nullable` beside an `enum` means null too, though the specification wants it listed.
    if value is not None or not schema.get("nullable"):
        yield from OAS30Validator.VALIDATORS["enum"](checker, allowed, value, schema)


def _nothing(checker: Any, required: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
    return iter(())


# Where fields may be missing, one answer may fit several of the kinds that only differ by them.
_LESS = {"required": _nothing, "oneOf": OAS30Validator.VALIDATORS["anyOf"], "enum": _enum}
_SaysLessOfAPart = validators.extend(OAS30Validator, _LESS)
_SaysLess = validators.extend(OAS30Validator, {**_LESS, "properties": _known_properties, "allOf": _all_of})
