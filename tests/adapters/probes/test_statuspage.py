"""What a provider's status page says."""

from __future__ import annotations

import httpx
import pytest

from adapters.probes.statuspage import StatuspageProbe
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, healthy, unhealthy
from tests.fakes.vendors import Vendor
from tests.fakes.vendors_status import Statuspage, incident


async def ask(client: httpx.AsyncClient, address: str) -> Measurement:
    return await StatuspageProbe(client).measure("it", ProbePolicy(statuspage=address), ASKED)


@pytest.mark.parametrize("status", ["investigating", "identified", "monitoring", "something new"])
async def test_an_unresolved_incident_is_named(client: httpx.AsyncClient, vendor: Vendor, status: str) -> None:
    vendor.serve = Statuspage([incident("API errors", status), incident("Old one", "resolved")])
    found = await ask(client, f"{vendor.base}/")
    assert unhealthy(found)
    assert (found.detail, found.link) == (f"Acme: API errors ({status})", f"{vendor.base}/")


async def test_a_resolved_one_that_is_still_listed_is_over(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = Statuspage([incident("a", "resolved"), incident("b", "postmortem")])
    assert healthy(await ask(client, vendor.base))


async def test_a_page_of_another_kind_says_nothing(client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await ask(client, f"{vendor.base}/elsewhere")
    assert (found.outcome, found.detail) == (Outcome.ERROR, "the status page answered HTTP 404")


@pytest.mark.parametrize("address", ["https://user:secret-word@status.acme.test", "ftp://x.test", "nowhere", "http://"])
async def test_an_address_that_cannot_be_asked_is_refused_and_not_said(client: httpx.AsyncClient, address: str) -> None:
    found = await ask(client, address)
    assert (found.outcome, found.link) == (Outcome.REFUSED, None)
    assert "secret-word" not in repr(found)
