"""Deployments that are watched, for the measures that need many."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy
from tests.scale.fleet import Fleet

ENVIRONMENTS = 40


class Instantly:
    """`bot.ports.Probe` that answers at once, well within its limit."""

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """See the port."""
        return Measurement(name=name, outcome=Outcome.MEASURED, value=0.001, dimension="ratio")


async def spread(fleet: Fleet, start: datetime, count: int, over: timedelta) -> list[str]:
    """So many deployments, the one check of each due evenly over this time; their ids."""
    found = []
    for number in range(count):
        service, environment = divmod(number, ENVIRONMENTS)
        policy = policy_of(f"s{service}", "{prometheus: errors, unit: ratio}")
        t0 = start - timedelta(minutes=30) + over * (number + 0.5) / count
        found.append(await fleet.deploy(f"s{service}", f"e{environment}", policy, t0))
    return found


def policy_of(service: str, source: str) -> str:
    """One check of one measure, 30 minutes after T0."""
    return (
        f"service: {service}\nphases: {{Switch: {{deployed: true}}}}\nprobes: {{errors: {source}}}\n"
        'watch: [{at: T+30m, measure: {errors: "< 1%"}}]\n'
    )
