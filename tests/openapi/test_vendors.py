"""What we ask, and what the loopback vendors answer, is what the vendors' own OpenAPI documents describe.

The documents of some may not be passed on with this project: `python -m tests.openapi.excerpt` cuts what is needed out
of a copy, into a folder that GONOGO_OPENAPI names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

import pytest

from tests.openapi.contract import Contract, contract
from tests.openapi.operations import OPERATIONS
from tests.openapi.plays import played


def different(problems: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(problems))


@pytest.fixture(params=sorted(OPERATIONS))
def vendor(request: pytest.FixtureRequest, unavailable: Callable[[str, str], NoReturn]) -> str:
    """A vendor's name, if there is a copy of its document."""
    name: str = request.param
    if contract(name) is None:
        unavailable("openapi", f"no copy of {name}'s OpenAPI document: tests/openapi/excerpt.py says how")
    return name


def published(name: str) -> Contract:
    found = contract(name)
    assert found is not None
    return found


async def test_what_we_ask_is_what_the_vendor_documents(vendor: str) -> None:
    document = published(vendor)
    asked, _ = await played(vendor)
    assert different(problem for request in asked for problem in document.wrong_with_request(request)) == []
    names = {found.name for request in asked if (found := document.operation(request))}
    assert names == set(OPERATIONS[vendor]), "each of them was asked"


async def test_what_the_loopback_answers_is_what_the_vendor_documents(vendor: str) -> None:
    document = published(vendor)
    _, answered = await played(vendor)
    assert different(problem for pair in answered for problem in document.wrong_with_reply(*pair)) == []
    assert {found.name for request, _ in answered if (found := document.operation(request))} == set(OPERATIONS[vendor])
