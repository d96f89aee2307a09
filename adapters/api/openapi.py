"""The OpenAPI document, made from the operations and their models."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from adapters.api.answers import ProblemOut
from adapters.api.operations import OPERATIONS, Operation

_REF = "#/components/schemas/{model}"
_ABOUT = (
    "For pipelines: ask the gate, start a deployment, report what is done. Every request carries a token of its "
    "service: `Authorization: Bearer gng_…`. `gonogo token add SERVICE` makes one."
)
_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "At most 200 characters. The same request with the same key is done once and answered alike.",
    "schema": {"type": "string", "maxLength": 200},
}
_ID = {
    "name": "id",
    "in": "path",
    "required": True,
    "schema": {"type": "string"},
    "description": "The deployment's id.",
}


def document() -> dict[str, Any]:
    """OpenAPI 3.1."""
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {"title": "gonogo", "version": version("gonogo"), "description": _ABOUT},
        "paths": paths,
        "components": {
            "schemas": _schemas(),
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(operation: Operation) -> dict[str, Any]:
    parameters = _query(operation.query) if operation.query is not None else []
    if "{id}" in operation.path:
        parameters.append(_ID)
    found: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "description": operation.text,
        "responses": {
            **{str(status): _answer(why, operation.answer) for status, why in sorted(operation.good.items())},
            **{str(status): _answer(why, ProblemOut) for status, why in sorted(operation.bad.items())},
        },
    }
    if operation.body is not None:
        parameters.append(_KEY)
        found["requestBody"] = {"required": True, "content": _json(operation.body)}
    return {**found, "parameters": parameters} if parameters else found


def _answer(why: str, model: type[BaseModel]) -> dict[str, Any]:
    return {"description": why, "content": _json(model)}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REF.format(model=model.__name__)}}}


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    parameters = []
    for name, schema in model.model_json_schema()["properties"].items():
        description = schema.pop("description", "")
        parameters.append({"name": name, "in": "query", "description": description, "schema": schema})
    return parameters


def _schemas() -> dict[str, Any]:
    bodies = [operation.body for operation in OPERATIONS if operation.body is not None]
    replies: list[type[BaseModel]] = [ProblemOut, *(operation.answer for operation in OPERATIONS)]
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        *((model, "validation") for model in bodies),
        *((model, "serialization") for model in replies),
    ]
    _, known = models_json_schema(models, ref_template=_REF)
    schemas: dict[str, Any] = known["$defs"]
    return schemas
