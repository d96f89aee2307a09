"""Lint of the policy in itself: roles, probes, units, windows, announcements, channels and templates. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from checklists.lint_remark import Remark
from checklists.names import did_you_mean
from checklists.policy import Announcement, Policy, ProbePolicy
from checklists.quantities import Band, to_base
from checklists.templates import check
from checklists.windows import parse_window

_NUMBERS = {"prometheus", "datadog", "sentry", "cloudflare", "cloudwatch", "redis", "kubernetes", "github"}
_WITH_A_PAST = {"prometheus", "datadog", "cloudwatch", "cloudflare"}
SHORTEST, LONGEST = timedelta(minutes=10), timedelta(days=7)
"""How long before T0 a baseline may begin."""
_AFTER_CHECKS = (Announcement.SUCCEEDED, Announcement.STABLE)

Path = tuple[str | int, ...]


def remarks(policy: Policy) -> Iterator[Remark]:
    """Everything the policy contradicts in itself."""
    yield from _roles(policy)
    yield from _probes(policy)
    yield from _measures(policy)
    yield from _windows(policy)
    yield from _announcements(policy)
    yield from _channels(policy)
    yield from _templates(policy)


def _roles(policy: Policy) -> Iterator[Remark]:
    for key, rule in policy.items.items():
        if rule.role and rule.event:
            message = "no report ticks a sign-off, so nothing is done by this; take away `event`, or `role`"
            yield Remark(("items", key, "event"), "unused-event", message, "warning", on_key=True)
    asked: list[tuple[str, Path]] = [
        (rule.role, ("items", key, "role")) for key, rule in policy.items.items() if rule.role
    ]
    asked += [(role, ("may", act)) for act, roles in policy.may.items() for role in roles]
    asked += [(rule.role, ("overrides", name, "role")) for name, rule in policy.overrides.items() if rule.role]
    asked += [(role, ("escalation", index)) for index, role in enumerate(policy.escalation)]
    for role, path in asked:
        if role not in policy.people:
            hint = did_you_mean(role, policy.people) or f"; add `{role}: {{name: …}}` under `people`"
            yield Remark(path, "unknown-role", f"nobody can be {role!r}: `people` does not list it{hint}")
    unmapped = [
        role
        for role in dict.fromkeys(role for role, _ in asked)
        if role in policy.people
        and not (policy.people[role].slack or policy.people[role].discord or policy.people[role].web)
    ]
    if unmapped:
        message = f"nobody is mapped to {', '.join(unmapped)} yet; add `slack: U…` or `discord: NUMBER`"
        yield Remark(("people",), "unmapped-role", message, "info", on_key=True)


def _probes(policy: Policy) -> Iterator[Remark]:
    used: set[str] = set()
    path: Path
    for name, path in _named(policy):
        used.add(name)
        if name not in policy.probes:
            yield Remark(path, "unknown-probe", f"there is no probe {name!r}{did_you_mean(name, policy.probes)}")
    told = False
    for name, probe in policy.probes.items():
        path = ("probes", name)
        key, _ = probe.source
        if probe.unit is not None:
            try:
                to_base(0, probe.unit)
            except ValueError as error:
                yield Remark((*path, "unit"), "unknown-unit", str(error))
        elif _is_number(probe):
            yield Remark(path, "no-unit", f"{key} answers with a number, and `unit` does not say of what", on_key=True)
        if probe.all is not None and _loops(name, policy.probes):
            yield Remark((*path, "all"), "probe-loop", f"{name!r} is made of itself")
        if probe.baseline is not None:
            yield from _baseline(probe, probe.baseline, path, policy)
        if probe.target is not None:
            yield from _fits(name, probe.target, (*path, "target"), policy)
        if probe.github is not None and policy.repository is None and not told:
            told = True
            message = "of which repository? add `repository: owner/name`, or GONOGO_GITHUB_REPOSITORY says it"
            yield Remark((*path, "github"), "no-repository", message, "info")
        if name not in used:
            message = f"nothing asks for the probe {name!r}: no item, check, matrix row or rollback names it"
            yield Remark(path, "unused-probe", message, "warning", on_key=True)


def _named(policy: Policy) -> Iterator[tuple[str, Path]]:
    for key, rule in policy.items.items():
        if rule.probe is not None:
            yield rule.probe, ("items", key, "probe")
    for index, entry in enumerate(policy.watch):
        yield from ((name, ("watch", index, "probes")) for name in entry.probes)
        yield from ((name, ("watch", index, "measure", name)) for name in entry.measure)
        yield from ((name, ("watch", index, "alert", name)) for name in entry.alert)
        yield from ((name, ("watch", index, "minimum", name)) for name in entry.minimum)
    for index, row in enumerate(policy.matrix):
        yield from ((name, ("matrix", index, "when", name)) for name in row.when)
    yield from ((name, ("rollback", "alert", name)) for name in policy.rollback.alert)
    for name, probe in policy.probes.items():
        yield from ((part, ("probes", name, "all")) for part in probe.all or ())
        if probe.baseline is not None:
            yield probe.baseline, ("probes", name, "baseline")


def _loops(name: str, probes: Mapping[str, ProbePolicy]) -> bool:
    seen: set[str] = set()
    todo = list(probes[name].all or ())
    while todo:
        part = todo.pop()
        if part == name:
            return True
        if part not in seen and part in probes:
            seen.add(part)
            todo.extend(probes[part].all or ())
    return False


def _measures(policy: Policy) -> Iterator[Remark]:
    """Thresholds are in the unit of what is measured, and everything that ticks itself has one."""
    judged = {name for entry in policy.watch for name in entry.measure}
    for index, entry in enumerate(policy.watch):
        for where, bands in (("measure", entry.measure), ("alert", entry.alert), ("minimum", entry.minimum)):
            for name, band in bands.items():
                yield from _fits(name, band, ("watch", index, where, name), policy)
    for index, row in enumerate(policy.matrix):
        for name, band in row.when.items():
            yield from _fits(name, band, ("matrix", index, "when", name), policy)
    for name, band in policy.rollback.alert.items():
        yield from _fits(name, band, ("rollback", "alert", name), policy)
    for key, rule in policy.items.items():
        probe = policy.probes.get(rule.probe or "")
        if probe is None or rule.probe is None:
            continue
        if rule.target is not None:
            yield from _fits(rule.probe, rule.target, ("items", key, "target"), policy)
        elif (_is_number(probe) or probe.baseline) and probe.target is None and rule.probe not in judged:
            message = f"nothing says what {rule.probe!r} must be: add `target` here or to the probe"
            yield Remark(("items", key, "probe"), "no-target", message)
    if policy.rollback.mode == "automatic" and not policy.rollback.alert:
        yield Remark(("rollback", "mode"), "no-alert", "nothing can roll back by itself: `alert` names no number")


def _is_number(probe: ProbePolicy) -> bool:
    """Whether its source answers with a number, which needs a unit and a target; else it says yes or no."""
    return probe.source[0] in _NUMBERS and not probe.yes_no


def _baseline(probe: ProbePolicy, of: str, path: Path, policy: Policy) -> Iterator[Remark]:
    """What is compared with its own past must have one."""
    other = policy.probes.get(of)
    if other is not None and (other.source[0] not in _WITH_A_PAST or other.yes_no):
        known = ", ".join(sorted(_WITH_A_PAST))
        what = f"a {other.source[0]} monitor" if other.datadog is not None else other.source[0]
        message = f"{what} knows no past, and {of!r} has to be known before T0; those that do are {known}"
        yield Remark((*path, "baseline"), "no-past", message)
    if probe.unit is not None and probe.unit != "x":
        message = (
            f"a baseline says how many times its normal value something has: it is measured in x, not {probe.unit}"
        )
        yield Remark((*path, "unit"), "unit-mismatch", message)
    if not SHORTEST <= probe.before <= LONGEST:
        message = "what was normal is told from 10 m to 7 days before T0; write for example `before: 1h`"
        yield Remark((*path, "before"), "bad-baseline", message)


def _fits(name: str, band: Band, path: Path, policy: Policy) -> Iterator[Remark]:
    probe = policy.probes.get(name)
    unit = "x" if probe is not None and probe.baseline is not None else probe.unit if probe is not None else None
    if unit is None:
        return
    try:
        dimension, _ = to_base(0, unit)
    except ValueError:
        return
    if dimension != band.dimension:
        message = f"{str(band)!r} is in {band.dimension}, and {name!r} is measured in {unit} ({dimension})"
        yield Remark(path, "unit-mismatch", message)


def _windows(policy: Policy) -> Iterator[Remark]:
    for environment, windows in policy.windows.items():
        for index, words in enumerate(windows):
            try:
                parse_window(words)
            except ValueError as error:
                yield Remark(("windows", environment, index), "bad-window", str(error))


def _announcements(policy: Policy) -> Iterator[Remark]:
    said: dict[Announcement, int] = {}
    for index, entry in enumerate(policy.watch):
        path: Path = ("watch", index, "then")
        for announcement in entry.then:
            if announcement in said and policy.watch[said[announcement]].at == entry.at:
                yield Remark(path, "announced-twice", f"{announcement} is announced by two checks at {entry.at}")
            elif announcement in said:
                first = policy.watch[said[announcement]].at
                message = (
                    f"{announcement} is already announced at {first}; here it is said only if it could not be said then"
                )
                yield Remark(path, "announced-again", message, "info")
            said.setdefault(announcement, index)
    if policy.watch and Announcement.SUCCEEDED not in said:
        yield Remark(("watch",), "never-announced", "no check says `then: announce succeeded`", "warning", on_key=True)
    order = [policy.watch[said[kind]].at for kind in _AFTER_CHECKS if kind in said]
    if len(order) == 2 and order[1] < order[0]:
        path = ("watch", said[Announcement.STABLE], "then")
        yield Remark(path, "announced-early", f"stable comes before succeeded, which is announced at {order[0]}")


def _channels(policy: Policy) -> Iterator[Remark]:
    if "deployments" not in policy.channels:
        yield Remark(
            ("channels",), "no-channel", "`deployments` is missing: the channel in which the card stands", on_key=True
        )
    for announcement, channels in policy.also_in.items():
        for channel in channels:
            if channel not in policy.channels:
                hint = did_you_mean(channel, policy.channels)
                yield Remark(("also_in", announcement.value), "unknown-channel", f"`channels` has no {channel!r}{hint}")


def _templates(policy: Policy) -> Iterator[Remark]:
    yield from _checked(
        ((("templates", kind.value), text) for kind, text in policy.templates.items()), list(policy.links)
    )
    workflows = {"deploy": policy.pipeline.deploy, "rollback": policy.pipeline.rollback}
    for purpose, workflow in workflows.items():
        if workflow is not None:
            texts: list[tuple[Path, str]] = [(("pipeline", purpose, "ref"), workflow.ref)]
            texts += [(("pipeline", purpose, "inputs", name), text) for name, text in workflow.inputs.items()]
            yield from _checked(texts, list(policy.links))
    equals = ((("probes", name, "equals"), probe.equals) for name, probe in policy.probes.items() if probe.equals)
    yield from _checked(equals, [])


def _checked(templates: Iterable[tuple[Path, str]], links: list[str]) -> Iterator[Remark]:
    for path, text in templates:
        for problem in check(text, links=links):
            # A block of several lines begins on the line below its key.
            down = problem.line if "\n" in text else 0
            message = problem.message if "\n" not in text.strip() else f"line {problem.line}: {problem.message}"
            yield Remark(path, "template", message, further_down=down)
