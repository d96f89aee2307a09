"""Which of an app's machines have to run, and whether they do."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from adapters.probes.fly import FlyCredentials, FlyProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, healthy, unhealthy
from tests.fakes.vendors import Vendor
from tests.fakes.vendors_cloud import FLY_TOKEN, Fly, machine

UP = machine("up", "started", "passing")


async def ask(
    client: httpx.AsyncClient, vendor: Vendor, *machines: dict[str, Any], app: str = "acme-api"
) -> Measurement:
    vendor.serve = Fly({"acme-api": list(machines)})
    return await FlyProbe(client, FlyCredentials(FLY_TOKEN, vendor.base)).measure("it", ProbePolicy(fly=app), ASKED)


@pytest.mark.parametrize(
    "other",
    [
        machine("x", "stopped", autostop="stop"),
        machine("x", "suspended", autostop="suspend"),
        machine("x", "stopped", autostop=True),
        machine("x", "stopped", schedule="daily"),
        machine("x", "stopped", standbys=["id-up"]),
        machine("x", "created", standbys=["id-up"]),
        machine("x", "destroyed"),
        machine("x", "replaced"),
    ],
)
async def test_a_machine_that_need_not_run_is_left_out(
    client: httpx.AsyncClient, vendor: Vendor, other: dict[str, Any]
) -> None:
    assert healthy(found := await ask(client, vendor, UP, other))
    assert found.detail.startswith("1 running, 1 checks passing")
    assert found.link == "https://fly.io/apps/acme-api"
    # Alone, it says nothing about the app.
    assert (await ask(client, vendor, other)).outcome is Outcome.NO_DATA


@pytest.mark.parametrize(
    ("other", "why"),
    [
        (machine("x", "stopped", autostop="off"), "x is stopped"),
        (machine("x", "stopped", autostop=False), "x is stopped"),
        (machine("x", "failed", autostop="stop"), "x is failed"),
        (machine("x", "starting"), "x is starting"),
        (machine("x", "started", "passing", "warning"), "x: check-1 is warning"),
        (machine("x", "started", "critical", autostop="stop"), "x: check-0 is critical"),
        (machine("x", "started", ""), "x: check-0 is unknown"),
    ],
)
async def test_a_machine_that_should_run_and_does_not_is_unhealthy(
    client: httpx.AsyncClient, vendor: Vendor, other: dict[str, Any], why: str
) -> None:
    assert unhealthy(found := await ask(client, vendor, UP, other))
    assert found.detail == why


async def test_an_app_nobody_knows_is_an_error(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, vendor, app="acme-apo")
    assert (found.outcome, found.detail) == (
        Outcome.ERROR,
        "Fly.io knows no app acme-apo, or the token may not see it",
    )
    vendor.asked.clear()
    assert (await ask(client, vendor, app="../orgs")).outcome is Outcome.REFUSED
    assert vendor.asked == []
