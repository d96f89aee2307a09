"""The probes of the checklists that come with gonogo are written as their sources understand them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from adapters.probes.redis import RedisCredentials, RedisProbe
from bot.domain.events import Outcome
from checklists.library import load, names
from checklists.policy import ProbePolicy
from tests.adapters.probes.cases import CASES
from tests.adapters.probes.service import ASKED
from tests.fakes.vendors import Vendor

FOLDER = Path(__file__).resolve().parents[3] / "checklists"
SOURCES = {case.name: case for case in CASES}


def shipped() -> Iterator[tuple[str, ProbePolicy]]:
    for name in names([FOLDER]):
        for key, probe in load(name, (FOLDER,)).policy.probes.items():
            if probe.source[0] in SOURCES or probe.source[0] == "redis":
                yield f"{name}.{key}", probe


@pytest.mark.parametrize("probe", [pytest.param(probe, id=name) for name, probe in shipped()])
async def test_what_it_asks_for_reaches_its_source(
    probe: ProbePolicy, client: httpx.AsyncClient, vendor: Vendor
) -> None:
    key = probe.source[0]
    source = RedisProbe(RedisCredentials("redis://127.0.0.1:1/0")) if key == "redis" else None
    if key == "statuspage":
        probe = probe.model_copy(update={"statuspage": vendor.base})
    # Nothing is there: the words were understood, and the answer is an error.
    found = await (source or SOURCES[key].make(client, vendor.base)).measure(
        "it", probe, replace(ASKED, repository="acme/api")
    )
    assert found.outcome in (Outcome.ERROR, Outcome.NO_DATA), found.detail
    assert vendor.asked or key == "redis"
