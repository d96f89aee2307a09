"""`gonogo probe`: what the probes of a checklist say now, with the credentials of the settings. Changes nothing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from adapters.github.errors import Unusable
from adapters.probes.connect import connect
from adapters.probes.http import HttpProbe
from adapters.probes.sources import Sources
from adapters.store.engine import address, file_of
from adapters.store.store import SqlStore
from bot.cards.replies import unknown_environment
from bot.connections import probe_keys
from bot.domain.errors import Unwell
from bot.domain.events import Measurement, Outcome, Verdict
from bot.domain.verdict import YES_NO, judge
from bot.ports import Asked, Probe, StoreError
from bot.reaching import make_client
from bot.services.checklists import environments_of, service_of
from bot.services.incidents import OwnIncidents
from bot.services.measuring import measure_all
from bot.settings import Settings
from checklists.library import Loaded
from checklists.plan import make_plan
from checklists.policy import ProbePolicy, RollbackPolicy
from checklists.quantities import Band, say_value

COLUMNS = ("name", "source", "value", "unit", "threshold", "verdict", "ms", "detail")
_LONGEST_SOURCE = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One probe, asked once."""

    name: str
    source: str
    value: str
    unit: str
    threshold: str
    verdict: Verdict
    outcome: Outcome
    took: float
    """Seconds."""
    detail: str


class _Timed:
    """A `bot.ports.Probe` that remembers how long each measure took, in seconds, and asks about no version only what
    can be told without."""

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self.took: dict[str, float] = {}

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """As the probe does."""
        if probe is not None and probe.baseline is not None:
            detail = f"{probe.baseline} compared with the time before T0: only the checks of a deployment can tell"
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=detail)
        if not asked.version and probe is not None and _about_a_version(probe):
            return Measurement(name=name, outcome=Outcome.REFUSED, detail="about which version? say it with --version")
        begun = time.perf_counter()
        try:
            return await self._probe.measure(name, probe, asked)
        finally:
            self.took[name] = time.perf_counter() - begun


async def ask(settings: Settings, loaded: Loaded, name: str | None, *, environment: str, version: str) -> list[Row]:
    """Ask the probe of this name, or all of them, at the same time. One that is made of others is asked as those.

    Raises Unwell for a name or an environment that the policy does not have, and where there is nothing to ask.
    """
    policies = loaded.policy.probes
    known = {each.casefold(): each for each in environments_of(loaded)}
    if environment.strip().casefold() not in known:
        raise Unwell(unknown_environment(environment, tuple(known.values())))
    environment = known[environment.strip().casefold()]
    if name is not None and name not in policies:
        there = f"There are: {', '.join(policies)}." if policies else "Its policy has none."
        raise Unwell(f"{loaded.source.name} has no probe {name!r}. {there}")
    if not policies:
        raise Unwell(f"{loaded.source.name} has no probes: write some under `probes` of {loaded.source.name}.yaml")
    names = list(dict.fromkeys(_parts([name] if name else policies, policies)))
    targets = _targets(loaded, environment, names)
    service = service_of(loaded)
    asked = Asked(service, environment, version, datetime.now(UTC), loaded.policy.repository)
    async with _sources(settings) as sources:
        timed = _Timed(sources)
        found = await measure_all(timed, names, policies, asked)
    return [_row(each, policies, targets.get(each.name), timed.took.get(each.name, 0.0)) for each in found]


def table(rows: Sequence[Row]) -> Iterator[str]:
    """For a terminal: a line of headings, then one for each probe."""
    cells = [
        (row.name, row.source, row.value, row.unit, row.threshold, _said(row), f"{row.took * 1000:.0f}", row.detail)
        for row in rows
    ]
    widths = [max(len(line[column]) for line in [COLUMNS, *cells]) for column in range(len(COLUMNS) - 1)]
    for line in [COLUMNS, *cells]:
        fitted = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        fitted[-1] = line[-2].rjust(widths[-1])
        yield "  ".join([*fitted, line[-1]]).rstrip()


def exit_code(rows: Sequence[Row]) -> int:
    """0: all healthy. 1: something is failing or degraded. 2: nothing is, but something is unknown."""
    verdicts = {row.verdict for row in rows}
    if verdicts & {Verdict.FAILING, Verdict.DEGRADED}:
        return 1
    return 0 if verdicts == {Verdict.HEALTHY} else 2


@contextlib.asynccontextmanager
async def _sources(settings: Settings) -> AsyncIterator[Probe]:
    async with make_client() as client, contextlib.AsyncExitStack() as stack:
        try:
            connected = connect(client, probe_keys(settings, client))
        except Unusable as problem:
            raise Unwell(str(problem)) from None
        # Without a database there is nobody to ask for incidents: then they are refused, not none.
        with contextlib.suppress(StoreError):
            file = file_of(address(settings.database_url))
            if file is None or file.exists():
                store = await SqlStore.open(settings.database_url)
                stack.push_async_callback(store.close)
                connected["incidents"] = OwnIncidents(store)
        yield Sources(HttpProbe(client), connected=connected)


def _about_a_version(probe: ProbePolicy) -> bool:
    about_commit = probe.github is not None and not probe.github.startswith("runs ")
    return about_commit or probe.release is not None or "{{" in (probe.equals or "")


def _parts(names: Iterable[str], policies: Mapping[str, ProbePolicy]) -> Iterator[str]:
    """A probe that is healthy when `all` others are stands for those, each once: a loop ends."""
    seen: set[str] = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        policy = policies.get(name)
        if policy is not None and policy.all is not None:
            waiting[:0] = policy.all
        else:
            yield name


def _targets(loaded: Loaded, environment: str, names: Iterable[str]) -> dict[str, Band]:
    """What each probe is held against: its own target, else what the first check that measures it says."""
    plan = make_plan(loaded.checklist, loaded.policy, environment=environment)
    found: dict[str, Band] = {}
    for name in names:
        policy = loaded.policy.probes.get(name)
        checked = next((check.measure[name] for check in plan.checks if name in check.measure), None)
        target = (policy.target if policy else None) or checked
        if target is not None:
            found[name] = target
    return found


def _row(found: Measurement, policies: Mapping[str, ProbePolicy], target: Band | None, took: float) -> Row:
    policy = policies.get(found.name)
    key, said = policy.source if policy else ("", "")
    verdict = judge(
        [found],
        probes=[found.name],
        measure={found.name: target} if target else {},
        alert={},
        matrix=(),
        rollback=RollbackPolicy(),
    )
    source = " ".join(f"{key}: {said}".split())
    return Row(
        found.name,
        source if len(source) <= _LONGEST_SOURCE else source[: _LONGEST_SOURCE - 1] + "…",
        _value(found),
        "yes/no" if found.dimension == YES_NO else found.dimension,
        str(target) if target else "",
        verdict.verdict,
        found.outcome,
        took,
        found.detail if verdict.verdict in (Verdict.HEALTHY, Verdict.INCONCLUSIVE) and found.detail else verdict.why,
    )


def _value(found: Measurement) -> str:
    if found.outcome is not Outcome.MEASURED or found.value is None:
        return "-"
    if found.dimension == YES_NO:
        return "yes" if found.value == 1.0 else "no"
    return say_value(found.value, found.dimension)


def _said(row: Row) -> str:
    """An inconclusive one says how it ended: no data, error, refused."""
    unknown = row.verdict is Verdict.INCONCLUSIVE and row.outcome is not Outcome.MEASURED
    return f"unknown ({row.outcome})" if unknown else str(row.verdict)
