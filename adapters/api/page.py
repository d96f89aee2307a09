"""The page that explains the API: plain HTML made from the OpenAPI document. No script, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

_HERE = Path(__file__).parent / "templates"
_STYLE = (_HERE / "docs.css").read_text(encoding="utf-8")
_SEAL = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
CONTENT_SECURITY_POLICY = (
    f"default-src 'none'; style-src 'sha256-{_SEAL}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)
_SAMPLES = {
    "start": {"version": "v1.2.0", "environment": "production"},
    "liveEvent": {"event": "step", "step": "image pushed", "environment": "production"},
    "event": {"event": "step", "step": "image pushed", "link": "https://ci.example.com/runs/42"},
}
"""A body for each operation that has one, as it would be sent."""
_environment = Environment(
    loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
)
_markdown = MarkdownIt("zero", {"html": False}).enable("backticks")
# Descriptions of an OpenAPI document are Markdown. What it renders is escaped by it.
_environment.filters["words"] = lambda text: Markup(_markdown.renderInline(text))  # noqa: S704


def page(document: dict[str, Any]) -> str:
    """The HTML of an OpenAPI document."""
    schemas = document["components"]["schemas"]
    return _environment.get_template("docs.html").render(
        info=document["info"],
        style=_STYLE,
        operations=[
            {
                "id": found["operationId"],
                "method": method.upper(),
                "path": path,
                "summary": found["summary"],
                "text": found["description"],
                "parameters": [_parameter(one) for one in found.get("parameters", [])],
                "fields": _fields(found.get("requestBody"), schemas, sent=True),
                "example": _example(method.upper(), path, found["operationId"]),
                "responses": {status: answer["description"] for status, answer in found["responses"].items()},
                "answer": _fields(next(iter(found["responses"].values())), schemas, sent=False),
            }
            for path, methods in document["paths"].items()
            for method, found in methods.items()
        ],
    )


def _parameter(one: dict[str, Any]) -> dict[str, Any]:
    schema = one["schema"]
    default = schema.get("default", "")
    return {
        "name": one["name"],
        "where": one["in"],
        "required": one.get("required", False),
        "type": schema["type"],
        "text": one.get("description", ""),
        "default": default,
    }


def _fields(content: dict[str, Any] | None, schemas: dict[str, Any], *, sent: bool) -> list[dict[str, Any]]:
    """The fields of a body, in order, those of objects inside it by their path. `sent`: by the pipeline, which has to
    know what is needed."""
    if content is None:
        return []
    return list(_rows(content["content"]["application/json"]["schema"], schemas, "", sent))


def _rows(schema: dict[str, Any], schemas: dict[str, Any], above: str, sent: bool) -> Iterator[dict[str, Any]]:
    model = schemas[_name_of(schema)]
    for field, known in model["properties"].items():
        yield {
            "name": f"{above}{field}",
            "required": sent and field in model.get("required", []),
            "type": _type(known),
            "text": known.get("description", ""),
            "default": known.get("default", ""),
        }
        several = known.get("type") == "array"
        inner = known["items"] if several else known
        if _name_of(inner):
            yield from _rows(inner, schemas, f"{above}{field}{'[]' if several else ''}.", sent)


def _name_of(schema: dict[str, Any]) -> str:
    """The model a schema refers to, also where it may be null; empty for none."""
    for one in (schema, *schema.get("anyOf", [])):
        if "$ref" in one:
            return str(one["$ref"]).rpartition("/")[2]
    return ""


def _type(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(schema["enum"])
    if "anyOf" in schema:
        return " | ".join(_type(one) for one in schema["anyOf"])
    if "$ref" in schema:
        return "object"
    if schema.get("type") == "array":
        inner = _type(schema["items"])
        return "list" if inner == "object" else f"list of {inner}s"
    return "time" if schema.get("format") == "date-time" else str(schema.get("type", "any"))


def _example(method: str, path: str, operation: str) -> str:
    address = f"$GONOGO{path.replace('{id}', '$ID')}"
    if operation == "gate":
        address += "?environment=production"
    lines = [f'curl -fsS "{address}"', '-H "Authorization: Bearer $GONOGO_TOKEN"']
    if method == "POST":
        lines += ['-H "Content-Type: application/json"', f"-d '{json.dumps(_SAMPLES[operation])}'"]
    return " \\\n  ".join(lines)
