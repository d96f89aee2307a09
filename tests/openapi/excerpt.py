"""Cuts out of a vendor's OpenAPI document what we ask of it; no test runs this.

    python -m tests.openapi.excerpt github api.github.com.json --source "@octokit/openapi 23.0.2" --licence LICENSE

prints the operations of `operations.py` with their parameters, bodies and successful answers, and the schemas these
refer to; without descriptions, examples and what else is not checked. Swagger 2.0 and OpenAPI 3, JSON and YAML.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.openapi.operations import OPERATIONS

_LEFT_OUT = {"description", "summary", "title", "example", "examples", "externalDocs", "tags", "security", "callbacks"}
_KEPT = {"x-multi-segment", "x-nullable"}
"""Of a vendor's own words: those the check understands."""
_OF_NAMES = {"properties", "patternProperties"}
"""Keys below these are names of things, however they read."""
_OF_VALUES = {"enum", "default", "required"}


def excerpt(document: dict[str, Any], operations: tuple[str, ...], source: str, licence: str) -> dict[str, Any]:
    """A smaller document. Raises KeyError for an operation that is not in it."""
    version = next(name for name in ("openapi", "swagger") if name in document)
    kept: dict[str, Any] = {
        version: str(document[version]),
        "info": {"title": document["info"]["title"], "version": str(document["info"]["version"])}
        | {"x-source": source, "x-licence": licence},
    }
    kept |= {name: document[name] for name in ("servers", "basePath") if name in document}
    paths: dict[str, Any] = {}
    for operation in operations:
        method, path = operation.split()
        described = document["paths"][path]
        found = dict(described[method.lower()])
        found["responses"] = {status: each for status, each in found["responses"].items() if str(status)[0] == "2"}
        shared = {"parameters": described["parameters"]} if "parameters" in described else {}
        paths.setdefault(path, _stripped(shared))[method.lower()] = _stripped(found)
    kept["paths"] = paths
    wanted = list(_references(paths))
    for reference in wanted:
        for further in _take(document, kept, reference):
            if further not in wanted:
                wanted.append(further)
    return kept


def _take(document: dict[str, Any], kept: dict[str, Any], reference: str) -> Iterator[str]:
    """Put there what is referred to; the references that it has itself."""
    parts = reference.removeprefix("#/").split("/")
    depth = 3 if parts[0] == "components" else 2
    found, into = document, kept
    for part in parts[: depth - 1]:
        found, into = found[part], into.setdefault(part, {})
    name = parts[depth - 1]
    into[name] = _stripped(found[name])
    return _references(into[name])


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def _stripped(node: Any, names: bool = False) -> Any:
    if isinstance(node, list):
        return [_stripped(value) for value in node]
    if not isinstance(node, dict):
        return node
    return {
        str(key): value if key in _OF_VALUES and not names else _stripped(value, key in _OF_NAMES and not names)
        for key, value in node.items()
        if names or key in _KEPT or not (key in _LEFT_OUT or str(key).startswith("x-"))
    }


def main() -> None:
    """See the module."""
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("vendor", choices=sorted(OPERATIONS))
    given.add_argument("document", type=Path)
    given.add_argument("--source", required=True, help="where the document is from, with its version")
    given.add_argument("--licence", type=Path, required=True, help="the file with the words it must be passed on with")
    said = given.parse_args()
    text = said.document.read_text(encoding="utf-8")
    document = json.loads(text) if said.document.suffix == ".json" else YAML(typ="safe").load(text)
    licence = said.licence.read_text(encoding="utf-8").strip()
    json.dump(excerpt(document, OPERATIONS[said.vendor], said.source, licence), sys.stdout, indent=1, default=str)
    print()


if __name__ == "__main__":
    main()
