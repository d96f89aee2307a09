"""PagerDuty's open incidents of a service, and who is on call."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import httpx
import pytest

from adapters.probes.asking import Cannot, Refused
from adapters.probes.pagerduty import PagerDutyCredentials, PagerDutyProbe, on_call
from bot.domain.events import Measurement, Outcome
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, healthy, unhealthy
from tests.fakes.vendors import Reply, Vendor
from tests.fakes.vendors_status import PAGERDUTY_TOKEN, PagerDuty, held, page


async def ask(client: httpx.AsyncClient, vendor: Vendor, words: str = "incidents PSVC001") -> Measurement:
    probe = PagerDutyProbe(client, PagerDutyCredentials(PAGERDUTY_TOKEN, vendor.base))
    return await probe.measure("it", ProbePolicy(pagerduty=words), ASKED)


async def who(client: httpx.AsyncClient, vendor: Vendor, asked: str) -> list[str]:
    keys = PagerDutyCredentials(PAGERDUTY_TOKEN, vendor.base)
    return await on_call(client, keys, asked, until=asyncio.get_running_loop().time() + 3)


@pytest.mark.parametrize("status", ["triggered", "acknowledged"])
async def test_an_open_incident_is_named_however_old(client: httpx.AsyncClient, vendor: Vendor, status: str) -> None:
    vendor.serve = PagerDuty(incidents=[page("Queue stuck", status, old=True), page("Past", "resolved")])
    found = await ask(client, vendor)
    assert unhealthy(found)
    assert found.detail == f"api: Queue stuck ({status})"
    assert found.link == "https://acme.pagerduty.com/service-directory/PSVC001"
    vendor.serve = PagerDuty(incidents=[page(str(number)) for number in range(5)])
    assert (await ask(client, vendor)).detail == "api: 0 (triggered); 1 (triggered); 2 (triggered); and 2 more"


async def test_a_service_nobody_knows_is_not_one_without_incidents(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = PagerDuty()
    assert healthy(await ask(client, vendor))
    found = await ask(client, vendor, "incidents PSVC999")
    assert (found.outcome, "knows no service PSVC999" in found.detail) == (Outcome.ERROR, True)


@pytest.mark.parametrize("words", ["", "PSVC001", "incidents", "incidents ../users", "oncall PSVC001"])
async def test_what_pagerduty_is_not_asked_is_refused(client: httpx.AsyncClient, vendor: Vendor, words: str) -> None:
    found = await ask(client, vendor, words)
    assert (found.outcome, vendor.asked) == (Outcome.REFUSED, [])
    assert "write `incidents SERVICE_ID`" in found.detail


async def test_who_is_on_call_by_policy_is_its_first_level(client: httpx.AsyncClient, vendor: Vendor) -> None:
    levels = [held("Ben", 2), held("Ann"), held("Ann"), held("Cem"), {"user": None, "escalation_level": 1}]
    vendor.serve = PagerDuty(on_call={"escalation_policy_ids[]=PPOL001": levels}, page=2)
    assert await who(client, vendor, "PPOL001") == ["Ann", "Cem"]
    assert len(vendor.asked) == 3


async def test_who_is_on_call_by_schedule(client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = world = PagerDuty(on_call={"schedule_ids[]=PSCH001": [held("Dee")]})
    assert await who(client, vendor, "PSCH001") == ["Dee"]
    assert await who(client, vendor, "PSCH002") == []
    vendor.serve = lambda request: Reply({}, 404) if request.said("escalation_policy_ids[]") else world(request)
    assert await who(client, vendor, "PSCH001") == ["Dee"]


async def test_what_goes_wrong_about_who_is_on_call_is_raised(client: httpx.AsyncClient, vendor: Vendor) -> None:
    with pytest.raises(Refused, match="no id"):
        await who(client, vendor, "the schedule")
    vendor.always = Reply({}, 401)
    with pytest.raises(Refused, match="GONOGO_PAGERDUTY_TOKEN"):
        await who(client, vendor, "PSCH001")
    vendor.always = Reply({"oncalls": [held("Ann")], "more": True})
    with pytest.raises(Cannot, match="does not end"):
        await who(client, vendor, "PSCH001")
    assert PAGERDUTY_TOKEN not in repr(replace(PagerDutyCredentials(PAGERDUTY_TOKEN), api=vendor.base))
