"""What one deployment runs: the document and its policy put together for one environment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from checklists.document import Checklist, Item, Phase, PhaseKind, Section
from checklists.names import match, rule_for
from checklists.policy import Announcement, ItemPolicy, Override, PhasePolicy, Policy, WatchEntry
from checklists.quantities import Band, Moment

_AFTER = re.compile(
    r"\b(?:post|after|monitor\w*|verif\w*|validat\w*|smoke|clean\w*)\b|first \d+ (?:min|h)", re.IGNORECASE
)
_BEFORE = re.compile(r"\s*pre\b", re.IGNORECASE)
POST_MORTEM = "Post-mortem written"
"""The one item of the list that asks for it."""


@dataclass(frozen=True, slots=True)
class Task:
    """An item as it stands in a run: what binds it besides its words. Below an optional item nothing is required."""

    item: Item
    phase: str
    section: str
    """Title of the section it stands in."""
    required: bool
    role: str | None = None
    probe: str | None = None
    announces: Announcement | None = None
    event: str | None = None
    """The step of the pipeline that ticks it."""
    owner: str | None = None
    target: Band | None = None
    """The item's own threshold for its probe."""
    due: timedelta | None = None
    """Not expected before this offset from T0."""
    choice: str | None = None
    """Section id, where one tick among the section's items is enough."""

    @property
    def id(self) -> str:
        return self.item.id


@dataclass(frozen=True, slots=True)
class Step:
    """A phase of a run. `opens` is when it is due relative to T0; `deployed` marks where T0 happens."""

    phase: Phase
    tasks: tuple[Task, ...]
    opens: Moment | None = None
    deployed: bool = False
    expected: timedelta | None = None
    chased: bool = False
    """Whether people are reminded of it until it is closed."""

    @property
    def id(self) -> str:
        return self.phase.id

    @property
    def title(self) -> str:
        return self.phase.title

    @property
    def kind(self) -> PhaseKind:
        return self.phase.kind


@dataclass(frozen=True, slots=True)
class Check:
    """A check, or a series, after T0. `offsets` are its due times relative to T0, rising."""

    id: str
    title: str
    offsets: tuple[timedelta, ...]
    phase: str | None
    probes: tuple[str, ...]
    measure: dict[str, Band]
    alert: dict[str, Band]
    then: tuple[Announcement, ...]
    minimum: dict[str, Band] = field(default_factory=dict)
    """Evidence there must be before anything is called healthy."""
    critical: tuple[str, ...] = ()
    """The measures that can fail it; empty: every one."""
    failures: int = 1
    """How many failing results decide; `inconclusive` and `errors` likewise."""
    inconclusive: int = 1
    errors: int = 1
    again: timedelta = timedelta(minutes=1)
    """How long until a result that does not decide yet is asked for again."""

    @property
    def series(self) -> bool:
        """Whether it runs more than once."""
        return len(self.offsets) > 1


@dataclass(frozen=True, slots=True)
class Plan:
    """The program of one deployment."""

    name: str
    service: str
    environment: str
    checklist: Checklist
    policy: Policy
    steps: tuple[Step, ...]
    """The phases of the run, in order."""
    rollback: tuple[Step, ...]
    follow_ups: tuple[Step, ...]
    checks: tuple[Check, ...]
    deployed_at: int
    """Index in `steps` of the phase in which T0 happens."""
    lane: str = ""
    """The override of the policy it runs by; empty for the ordinary run."""

    def every_step(self) -> Iterator[Step]:
        """Phases that can be ticked at some time: run, rollback, follow-up."""
        yield from self.steps
        yield from self.rollback
        yield from self.follow_ups

    def step(self, phase: str) -> Step | None:
        """The tickable phase of this id."""
        return next((step for step in self.every_step() if step.id == phase), None)

    def task(self, item: str) -> Task | None:
        """The tickable item of this id."""
        return next((task for step in self.every_step() for task in step.tasks if task.id == item), None)

    def check(self, check: str) -> Check | None:
        """The check of this id."""
        return next((known for known in self.checks if known.id == check), None)

    def index(self, phase: str) -> int | None:
        """Where a phase stands in the run; None for one kept out of it."""
        return next((i for i, step in enumerate(self.steps) if step.id == phase), None)


def make_plan(checklist: Checklist, policy: Policy, *, environment: str, lane: str = "") -> Plan:
    """The plan of a run in this environment, by the override `lane` of the policy where one is named (`lanes` tells
    what that changes). Raises KeyError for a lane the policy does not have.

    Phases without items are left out, but for those of the rollback, which are read when it comes to it; reference and
    emergency ones always. If the phase of T0 is left out for that, T0 happens at the end of the one before it. Names in
    the policy that match nothing bind nothing: `lint` is what proves names.
    """
    policy = _unmeasured(policy) if policy.measured_in and environment not in policy.measured_in else policy
    way = policy.overrides[lane] if lane else None
    steps: dict[PhaseKind, list[Step]] = {kind: [] for kind in PhaseKind}
    run = steps[PhaseKind.RUN]
    deployed: int | None = None
    for phase in checklist.phases:
        rule = rule_for(policy.phases, *(phase.path or (phase.title,))) or PhasePolicy()
        if rule.environments and environment not in rule.environments:
            continue
        if phase.items or phase.kind is PhaseKind.ROLLBACK:
            steps[phase.kind].append(Step(phase, tuple(_tasks(phase, policy)), rule.opens, expected=rule.expected))
        if deployed is None and phase.kind is PhaseKind.RUN and _is_deployed(rule, environment):
            deployed = max(0, len(run) - 1)
    if way is not None:
        run[:], deployed = _by_lane(checklist, policy, way, run, deployed)
        steps[PhaseKind.FOLLOW_UP] += _afterwards(checklist, policy, way, environment, deployed_run=run)
    if run:
        deployed = _guess_deployed(run) if deployed is None else deployed
        run[deployed] = replace(run[deployed], deployed=True)
    watch = [entry for entry in policy.watch if not entry.environments or environment in entry.environments]
    checks = tuple(_checks(watch, run))
    if way is not None and way.watch_at_least is not None:
        checks = _watched_at_least(checks, way.watch_at_least)
    return Plan(
        name=checklist.name,
        service=policy.service or checklist.name,
        environment=environment,
        checklist=checklist,
        policy=policy,
        steps=tuple(run),
        rollback=tuple(steps[PhaseKind.ROLLBACK]),
        follow_ups=tuple(steps[PhaseKind.FOLLOW_UP]),
        checks=checks,
        deployed_at=deployed or 0,
        lane=lane,
    )


def _by_lane(
    checklist: Checklist, policy: Policy, way: Override, run: list[Step], deployed: int | None
) -> tuple[list[Step], int | None]:
    """The run by an override: the abbreviated checklist `instead` of the ordinary phases, or these without what it
    `skips`. T0 then happens at the end of what is left of the phases up to it."""
    if way.instead is not None:
        phases = [phase for phase in checklist.phases if match(way.instead, *(phase.path or (phase.title,)))]
        short = [
            Step(replace(phase, kind=PhaseKind.RUN), tuple(_tasks(phase, policy)), deployed=False)
            for phase in phases[:1]
            if phase.items
        ]
        return short, 0 if short else None
    at = _guess_deployed(run) if deployed is None and run else deployed
    kept: list[Step] = []
    new: int | None = None
    for index, step in enumerate(run):
        left = _without(step, way)
        if left is not None:
            kept.append(left)
        if at is not None and index == at:
            new = max(0, len(kept) - 1)
    return kept, new


def _watched_at_least(checks: tuple[Check, ...], least: timedelta) -> tuple[Check, ...]:
    """One more check, like the last one, where the checks end before the least time of a watch."""
    last = max(checks, key=lambda check: check.offsets[-1], default=None)
    if last is None or last.offsets[-1] >= least:
        return checks
    return (*checks, replace(last, id=f"{last.id}-least", title="Last check", offsets=(least,), phase=None, then=()))


def _without(step: Step, way: Override) -> Step | None:
    """A phase less the sections that are skipped; None where nothing is left of it."""
    if any(match(key, *(step.phase.path or (step.title,))) for key in way.skips):
        return None
    sections = tuple(
        section
        for section in step.phase.sections
        if not any(match(key, *(section.path or (section.title,))) for key in way.skips)
    )
    if len(sections) == len(step.phase.sections):
        return step
    kept = {item.id for section in sections for item in section.items}
    tasks = tuple(task for task in step.tasks if task.id in kept)
    return replace(step, phase=replace(step.phase, sections=sections), tasks=tasks) if tasks else None


def _afterwards(
    checklist: Checklist, policy: Policy, way: Override, environment: str, *, deployed_run: Sequence[Step]
) -> Iterator[Step]:
    """What an override owes afterwards: the review of what was skipped, and the post-mortem. Both are chased."""
    if way.review_after:
        ordinary = make_plan(checklist, policy, environment=environment)
        kept = {task.id for step in deployed_run for task in step.tasks}
        for step in ordinary.steps:
            if skipped := tuple(replace(task, probe=None) for task in step.tasks if task.id not in kept):
                left = {task.id for task in skipped}
                sections = tuple(
                    replace(section, items=items)
                    for section in step.phase.sections
                    if (items := tuple(item for item in section.items if item.id in left))
                )
                title = f"Review afterwards: {step.title}"
                phase = replace(step.phase, title=title, kind=PhaseKind.FOLLOW_UP, sections=sections)
                yield Step(phase, skipped, Moment(timedelta(0)), chased=True)
    if way.post_mortem is not None:
        yield _post_mortem(way.post_mortem)


def _post_mortem(after: timedelta) -> Step:
    item = Item(
        id="post-mortem-written", text=POST_MORTEM, label=POST_MORTEM, line=0, depth=1, command=None, notes=(),
        checked=False, optional=False,
    )  # fmt: skip
    section = Section("post-mortem-section", "Post-mortem", 0, (item,))
    phase = Phase("post-mortem", "Post-mortem", 0, PhaseKind.FOLLOW_UP, (section,))
    task = Task(item=item, phase=phase.id, section=section.title, required=True)
    return Step(phase, (task,), Moment(after), chased=True)


def _unmeasured(policy: Policy) -> Policy:
    """The policy where its probes speak of another environment: its items and the checks of its phases, for people
    alone. A check that is only measured is left out."""
    nothing: dict[str, object] = {"probes": (), "measure": {}, "alert": {}, "minimum": {}, "critical": ()}
    return policy.model_copy(
        update={
            "watch": tuple(entry.model_copy(update=nothing) for entry in policy.watch if entry.phase),
            "items": {key: rule.model_copy(update={"probe": None}) for key, rule in policy.items.items()},
        }
    )


def _tasks(phase: Phase, policy: Policy) -> Iterator[Task]:
    left_open: set[str | None] = set()
    for section in phase.sections:
        rule = rule_for(policy.sections, *(section.path or (section.title,)))
        choice = section.id if rule is not None and rule.choose == "one" else None
        for item in section.items:
            task = _task(item, phase, section, choice, policy)
            if item.parent in left_open:
                task = replace(task, required=False)
            if not task.required:
                left_open.add(item.id)
            yield task


def _task(item: Item, phase: Phase, section: Section, choice: str | None, policy: Policy) -> Task:
    rule = rule_for(policy.items, *section.path, item.text) or rule_for(policy.items, *section.path, item.label)
    rule = rule or ItemPolicy()
    optional = item.optional if rule.optional is None else rule.optional
    return Task(
        item=item,
        phase=phase.id,
        section=section.title,
        required=not optional,
        role=rule.role,
        probe=rule.probe,
        announces=rule.announces,
        event=rule.event,
        target=rule.target,
        due=rule.due.offset if rule.due else None,
        owner=rule.owner or item.owner,
        choice=choice,
    )


def _is_deployed(rule: PhasePolicy, environment: str) -> bool:
    return environment in rule.deployed_in if rule.deployed_in else rule.deployed


def _guess_deployed(run: list[Step]) -> int:
    """Without a policy: the last phase before the first that says it comes after the deployment."""
    for index, step in enumerate(run):
        if index and _AFTER.search(step.title) and not _BEFORE.match(step.title):
            return index - 1
    return len(run) - 1


def _phase_named(key: str, run: Sequence[Step]) -> str | None:
    """The phase a key names; of several equally good ones the first."""
    found = max(run, key=lambda step: match(key, *(step.phase.path or (step.title,))), default=None)
    return found.id if found is not None and match(key, *(found.phase.path or (found.title,))) else None


def _checks(watch: Iterable[WatchEntry], run: Sequence[Step]) -> Iterator[Check]:
    taken: dict[str, int] = {}
    for entry in watch:
        offsets = [entry.at.offset]
        if entry.every is not None and entry.during is not None:
            end = entry.at.offset + entry.during
            while offsets[-1] + entry.every <= end:
                offsets.append(offsets[-1] + entry.every)
        base = "t" + str(int(entry.at.offset.total_seconds() // 60)) + ("s" if len(offsets) > 1 else "")
        taken[base] = taken.get(base, 0) + 1
        yield Check(
            id=base if taken[base] == 1 else f"{base}-{taken[base]}",
            title=entry.name or str(entry.at),
            offsets=tuple(offsets),
            phase=_phase_named(entry.phase, run) if entry.phase else None,
            probes=entry.probes,
            measure=dict(entry.measure),
            alert=dict(entry.alert),
            then=entry.then,
            minimum=dict(entry.minimum),
            critical=entry.critical,
            failures=entry.failures,
            inconclusive=entry.inconclusive,
            errors=entry.errors,
            again=entry.again,
        )
