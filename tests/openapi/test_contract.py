"""What the check itself finds, in a document of ours and in GitHub's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.fakes.vendors import Reply, Request
from tests.openapi.contract import Contract, contract
from tests.openapi.excerpt import excerpt

NAME = {"name": "service", "in": "path", "required": True, "schema": {"type": "string", "pattern": "^P"}}
QUERY = [
    {"name": "limit", "in": "query", "schema": {"$ref": "#/components/schemas/Limit"}},
    {"name": "statuses[]", "in": "query", "schema": {"type": "array", "items": {"enum": ["open", "over"]}}},
    {"name": "kind", "in": "query", "explode": True, "schema": {"type": "string", "enum": ["a", "b"]}},
    {"name": "since", "in": "query", "required": True, "schema": {"type": "string", "format": "date-time"}},
    {"name": "X-Version", "in": "header", "required": True, "schema": {"type": "integer"}},
]
THING = {
    "type": "object",
    "description": "Left out of an excerpt.",
    "required": ["id", "title"],
    "properties": {
        "id": {"type": "integer"},
        "title": {"type": "string", "nullable": True},
        "description": {"type": "string", "example": "A property of this name is kept."},
        "state": {"type": "string", "nullable": True, "enum": ["good", "bad"]},
        "of": {"allOf": [{"$ref": "#/components/schemas/Owner"}, {"properties": {"since": {"type": "string"}}}]},
    },
}
ANSWER = {
    "200": {
        "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/components/schemas/Thing"}}}}
    }
}
BODY = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Thing"}}}, "required": True}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.0.3",
    "info": {"title": "Things", "version": "1"},
    "servers": [{"url": "https://{region}.example.test/v1"}],
    "paths": {
        "/things/{service}": {
            "parameters": [NAME],
            "get": {"parameters": QUERY, "responses": {**ANSWER, "404": {"description": "None."}}},
            "post": {"requestBody": BODY, "responses": {"204": {"description": "Made."}}},
        },
        "/things/mine": {"get": {"responses": ANSWER}},
        "/other": {"get": {"responses": ANSWER}},
    },
    "components": {
        "schemas": {
            "Limit": {"type": "integer", "maximum": 100},
            "Thing": THING,
            "Owner": {"type": "object", "properties": {"name": {"type": "string"}}},
            "Unused": {"type": "object"},
        }
    },
}
GOOD = [("limit", "5"), ("statuses[]", "open"), ("statuses[]", "over"), ("kind", "a"), ("kind", "b")]
SINCE = ("since", "2026-11-24T10:00:00Z")


def asks(
    *query: tuple[str, str], path: str = "/v1/things/P1", method: str = "GET", body: object = None, version: str = "2"
) -> Request:
    headers = {"x-version": version} if version else {}
    return Request(method, path, list(query), headers, json.dumps(body).encode() if body is not None else b"")


@pytest.fixture(params=["whole", "excerpt"])
def document(request: pytest.FixtureRequest) -> Contract:
    """The same is found in a document and in what is cut out of it."""
    if request.param == "whole":
        return Contract(DOCUMENT)
    wanted = ("GET /things/{service}", "POST /things/{service}", "GET /things/mine")
    return Contract(excerpt(DOCUMENT, wanted, "ours", "free"))


def test_what_fits_has_nothing_wrong(document: Contract) -> None:
    assert document.wrong_with_request(asks(*GOOD, SINCE)) == []
    assert document.wrong_with_request(asks(method="POST", body={"id": 1, "title": None})) == []
    assert document.wrong_with_request(asks(path="/v1/things/mine")) == [], "the path with the fewest gaps"


@pytest.mark.parametrize(
    ("request_", "wrong"),
    [
        (asks(SINCE, path="/v1/thing/P1"), "not in the document"),
        (asks(SINCE, path="/things/P1"), "not in the document"),
        (asks(SINCE, path="/v1/things/P1/more"), "not in the document"),
        (asks(SINCE, method="DELETE"), "not in the document"),
        (asks(SINCE, path="/v1/things/Q1"), "path service: 'Q1' does not fit"),
        (asks(SINCE, ("colour", "red")), "?colour= is not known"),
        (asks(), "query since is missing"),
        (asks(SINCE, version=""), "header X-Version is missing"),
        (asks(SINCE, version="two"), "header X-Version: 'two' does not fit"),
        (asks(SINCE, ("limit", "500")), "query limit: '500' does not fit"),
        (asks(SINCE, ("limit", "many")), "query limit: 'many' does not fit"),
        (asks(SINCE, ("limit", "1"), ("limit", "2")), "query limit: is given more than once"),
        (asks(SINCE, ("statuses[]", "open"), ("statuses[]", "odd")), "'odd' is not one of"),
        (asks(SINCE, ("kind", "c")), "query kind: 'c' does not fit"),
        (asks(SINCE, body={}), "a body is not known"),
        (asks(method="POST"), "the body is missing"),
        (asks(method="POST", body={"id": 1}), "body: all of it: 'title' is a required property"),
        (asks(method="POST", body={"id": "1", "title": "x"}), "body: id: '1' is not of type 'integer'"),
    ],
    ids=lambda given: given if isinstance(given, str) else given.method,
)
def test_what_does_not_fit_is_named(document: Contract, request_: Request, wrong: str) -> None:
    (found,) = document.wrong_with_request(request_)
    assert wrong in found


@pytest.mark.parametrize(
    ("said", "wrong"),
    [
        ([{"id": 1, "title": "x", "description": "y", "state": "good"}], None),
        ([{"id": 1}], None),
        ([{"title": None, "state": None}], None),
        ([{"of": {"name": "ann", "since": "today"}}], None),
        ({"id": 1}, "is not of type 'array'"),
        ([{"id": "1"}], "0.id: '1' is not of type 'integer'"),
        ([{"id": None}], "0.id: None for not nullable"),
        ([{"ident": 1}], "'ident' is not in the document"),
        ([{"state": "ugly"}], "0.state: 'ugly' is not one of"),
        ([{"of": {"name": 7}}], "0.of.name: 7 is not of type 'string'"),
    ],
)
def test_an_answer_may_say_less_but_nothing_else(document: Contract, said: object, wrong: str | None) -> None:
    found = document.wrong_with_reply(asks(SINCE), Reply(said))
    assert any(wrong in each for each in found) if wrong else found == []


def test_an_answer_nobody_documents_is_named(document: Contract) -> None:
    assert document.wrong_with_reply(asks(SINCE), Reply([], 201)) == [
        "GET /things/{service}: HTTP 201 is not documented"
    ]
    made = asks(method="POST", body={"id": 1, "title": "x"})
    assert document.wrong_with_reply(made, Reply(b"", 204)) == []
    assert document.wrong_with_reply(made, Reply({"id": 1}, 204)) == [
        "POST /things/{service}: an answer without a body has one"
    ]


def test_swagger_2_says_the_same_in_other_words() -> None:
    parameters = [
        {"name": "filter", "in": "query", "type": "array", "collectionFormat": "multi", "items": {"type": "string"}},
        {"name": "ids", "in": "query", "type": "array", "collectionFormat": "csv", "items": {"type": "integer"}},
        {"name": "active", "in": "query", "type": "boolean", "required": True},
    ]
    answer = {"200": {"schema": {"type": "array", "items": {"type": "string"}}}}
    document = Contract(
        {
            "swagger": "2.0",
            "basePath": "/api/v2/",
            "paths": {"/alerts": {"get": {"parameters": parameters, "responses": answer}}},
        }
    )
    good = asks(("filter", "a=1"), ("filter", "b=2"), ("ids", "1,2"), ("active", "true"), path="/api/v2/alerts")
    assert document.wrong_with_request(good) == []
    assert document.wrong_with_reply(good, Reply(["x"])) == []
    assert document.wrong_with_reply(good, Reply([1])) == ["GET /alerts: answer: 0: 1 is not of type 'string'"]
    bad = asks(("ids", "1,b"), ("active", "yes"), path="/api/v2/alerts")
    assert len(document.wrong_with_request(bad)) == 2


def test_an_excerpt_has_only_what_is_referred_to() -> None:
    cut = excerpt(DOCUMENT, ("GET /things/{service}",), "ours", "free")
    assert set(cut["components"]["schemas"]) == {"Limit", "Thing", "Owner"}
    assert list(cut["paths"]) == ["/things/{service}"]
    assert set(cut["paths"]["/things/{service}"]["get"]["responses"]) == {"200"}
    thing = cut["components"]["schemas"]["Thing"]
    assert "description" in thing["properties"]
    assert "description" not in thing
    assert (cut["info"]["x-source"], cut["info"]["x-licence"]) == ("ours", "free")


@pytest.mark.parametrize("ref", ["v1.2.0", "tags/v1.2.0", "heads/release/1.2", "tags%2Fv1.2.0"])
def test_githubs_refs_take_several_segments(ref: str) -> None:
    github = contract("github")
    assert github is not None
    for rest, name in (("", "{ref}"), ("/status", "{ref}/status"), ("/check-runs", "{ref}/check-runs")):
        request = Request("GET", f"/repos/acme/api/commits/{ref}{rest}", [], {}, b"")
        found = github.operation(request)
        assert found is not None
        assert found.name == f"GET /repos/{{owner}}/{{repo}}/commits/{name}"
