"""A real Alertmanager takes the matchers as the probe writes them, and says what fires."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.probes.alertmanager import AlertmanagerCredentials, AlertmanagerProbe
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.library import load
from checklists.policy import ProbePolicy
from tests.real.conftest import now
from tests.real.servers import Watch, until

pytestmark = pytest.mark.real

AZORA = load("azora", (Path(__file__).resolve().parents[2] / "checklists",)).policy


async def ask(client: httpx.AsyncClient, watched: Watch, probe: ProbePolicy | str) -> Measurement:
    policy = ProbePolicy(alertmanager=probe) if isinstance(probe, str) else probe
    source = AlertmanagerProbe(client, AlertmanagerCredentials(watched.alertmanager))
    found = await source.measure("it", policy, Asked("azora", "production", "v1.2.0", now()))
    assert found.outcome is Outcome.MEASURED, found.detail
    return found


def fire(watched: Watch, **labels: str) -> None:
    said = {"labels": {"alertname": "Posted", **labels}, "startsAt": now().isoformat()}
    httpx.post(f"{watched.alertmanager}/api/v2/alerts", json=[said], trust_env=False).raise_for_status()


def silence(watched: Watch, name: str, value: str) -> None:
    start = now()
    said: dict[str, Any] = {
        "matchers": [{"name": name, "value": value, "isRegex": False, "isEqual": True}],
        "startsAt": start.isoformat(), "endsAt": (start + timedelta(hours=1)).isoformat(),
        "createdBy": "ann", "comment": "known",
    }  # fmt: skip
    httpx.post(f"{watched.alertmanager}/api/v2/silences", json=said, trust_env=False).raise_for_status()


def fires(watched: Watch, name: str, state: str = "active") -> bool:
    """Whether an alert is there in a state, as its own page would ask."""
    told = httpx.get(f"{watched.alertmanager}/api/v2/alerts", params={"filter": f'alertname="{name}"'}, trust_env=False)
    return any(alert["status"]["state"] == state for alert in told.json())


async def test_azoras_alerts_are_healthy_until_prometheus_fires_one_and_again_when_it_ends(
    client: httpx.AsyncClient, watched: Watch
) -> None:
    probe = AZORA.probes["critical_alerts"]
    watched.service.recovers()
    until(lambda: not fires(watched, "HighErrorRate"), 20, "no alert")
    assert (await ask(client, watched, probe)).value == 1.0
    watched.service.breaks()
    until(lambda: fires(watched, "HighErrorRate"), 20, "the alert fires")
    found = await ask(client, watched, probe)
    assert (found.value, found.detail.startswith("HighErrorRate fires since ")) == (0.0, True)
    watched.service.recovers()
    until(lambda: not fires(watched, "HighErrorRate"), 30, "the alert ends")
    assert (await ask(client, watched, probe)).value == 1.0


@pytest.mark.parametrize(
    ("label", "matching", "other"),
    [
        ("plain", '="plain"', '="plai"'),
        ("a,b", '="a,b"', '="a"'),
        ('say "hi"', r'="say \"hi\""', '="say"'),
        (r"C:\new", r'="C:\\new"', r'="C:\new"'),
        ("{x}=1", '="{x}=1"', '!="{x}=1"'),
        ("Zürich ✅", '="Zürich ✅"', '="Zürich"'),
        ("v12", r'=~"v\\d+"', r'!~"v\\d+"'),
        ("web", '=~"api|web"', '=~"we"'),
        ("two\nlines", r'="two\nlines"', '="two"'),
    ],
)  # fmt: skip
async def test_every_value_is_matched_as_it_is_written(
    client: httpx.AsyncClient, watched: Watch, label: str, matching: str, other: str
) -> None:
    which = f"n{abs(hash(label))}"
    fire(watched, which=which, what=label)
    assert (await ask(client, watched, f'which="{which}",what{matching}')).value == 0.0
    assert (await ask(client, watched, f'which="{which}",what{other}')).value == 1.0
    assert (await ask(client, watched, f'{{which="{which}", what{matching}, none=""}}')).value == 0.0


async def test_a_silence_makes_it_healthy(client: httpx.AsyncClient, watched: Watch) -> None:
    fire(watched, alertname="Noise", which="silenced")
    assert (await ask(client, watched, 'which="silenced"')).value == 0.0
    silence(watched, "which", "silenced")
    until(lambda: fires(watched, "Noise", "suppressed"), 10, "it is silenced")
    assert (await ask(client, watched, 'which="silenced"')).value == 1.0


async def test_what_inhibits_counts_and_what_is_inhibited_does_not(client: httpx.AsyncClient, watched: Watch) -> None:
    fire(watched, alertname="Symptom", tame="yes", which="inhibited")
    assert (await ask(client, watched, 'which="inhibited"')).value == 0.0
    fire(watched, alertname="Outage", which="inhibiting")
    until(lambda: fires(watched, "Symptom", "suppressed"), 10, "it is inhibited")
    assert (await ask(client, watched, 'which="inhibited"')).value == 1.0
    both = await ask(client, watched, 'which=~"inhibited|inhibiting"')
    assert (both.value, both.detail.startswith("Outage fires since ")) == (0.0, True)
