"""Small plans, people and clocks for the tests of the rules; and a deployment that goes its course without any I/O."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.domain import events as e
from bot.domain import moves, reminders, watch
from bot.domain.course import begin, chase, check_of, consequences, deadlines, open_due, record_check
from bot.domain.deployment import Deployment, evolve, measures_nothing, replay
from bot.domain.people import GONOGO, Who
from checklists.document import Checklist, Item, Phase, PhaseKind, Section
from checklists.library import load
from checklists.plan import Check, Plan, Task, make_plan
from checklists.policy import Announcement, Policy
from checklists.policy_file import load_policy

START = datetime(2026, 11, 24, 10, 4, tzinfo=UTC)
FOLDER = Path(__file__).resolve().parent.parent.parent / "checklists"
SHIPPED = ("azora", "ca-marketplace", "maishapoa", "petforce", "services-do")
ROLES = ("qa", "product_owner", "tech_lead", "senior_engineer", "on_call")

ANN = Who(chat="web", id="ann", name="ann")
QUINN = Who(chat="web", id="quinn", name="quinn", roles=frozenset({"qa"}))
OMAR = Who(chat="web", id="omar", name="omar", roles=frozenset({"on_call"}))
ALL = Who(chat="web", id="all", name="all", roles=frozenset(ROLES))
"""Holds every role there is."""

_MARK = re.compile(r"^(?P<indent> *)- \[ \] (?P<words>.*)$")


def checklist(text: str, *, name: str = "shop", kinds: Mapping[str, PhaseKind] | None = None) -> Checklist:
    """`# Phase`, `## Section` and `- [ ] item` lines as a document; two spaces nest. Identifiers are the words."""
    kinds = kinds or {}
    found: dict[str, dict[str, list[Item]]] = {}
    phase = section = ""
    above: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("# "):
            phase = section = line[2:].strip()
            found[phase] = {}
        elif line.startswith("## "):
            section = line[3:].strip()
        elif task := _MARK.match(line):
            depth, words = len(task["indent"]) // 2, task["words"]
            above = above[:depth]
            own = re.sub(r"\W+", "-", words).strip("-").casefold()[:40]
            item = Item(
                id=own,
                text=words,
                label=words,
                line=number,
                depth=depth + 1,
                command=None,
                notes=(),
                checked=False,
                optional="(optional)" in words,
                parent=above[-1] if above else None,
            )
            above.append(own)
            found[phase].setdefault(section, []).append(item)
    phases = [
        Phase(
            id=f"p{index}",
            title=title,
            line=index,
            kind=kinds.get(title, PhaseKind.RUN),
            sections=tuple(
                Section(f"p{index}s{n}", heading, n, tuple(items), path=tuple(dict.fromkeys((title, heading))))
                for n, (heading, items) in enumerate(sections.items())
            ),
            path=(title,),
        )
        for index, (title, sections) in enumerate(found.items())
    ]
    return Checklist(name, "Shop", tuple(phases))


def policy(text: str = "") -> Policy:
    """A policy from its YAML."""
    return load_policy(text, file="shop.yaml") if text.strip() else Policy()


def plan(text: str, yaml: str = "", *, environment: str = "production", **kinds: str) -> Plan:
    """The plan of a document of `checklist` and a policy; `Back="rollback"` names the kind of a phase."""
    of = {title.replace("_", " "): PhaseKind(kind) for title, kind in kinds.items()}
    return make_plan(checklist(text, kinds=of), policy(yaml), environment=environment)


def shipped(name: str, environment: str = "production") -> Plan:
    """The plan of one of the five documents."""
    loaded = load(name, [FOLDER])
    return make_plan(loaded.checklist, loaded.policy, environment=environment)


@dataclass
class Course:
    """A deployment with everything that follows from what people do, as the services save it."""

    plan: Plan
    now: datetime = START
    planned_t0: datetime | None = None
    previous_version: str | None = "v1.1.0"
    events: list[e.Event] = field(default_factory=list)
    state: Deployment = field(init=False)
    saved_at: datetime = field(init=False)

    def __post_init__(self) -> None:
        started = e.Started(
            at=self.now,
            by=ANN,
            id="d1",
            version="v1.2.0",
            service=self.plan.service,
            environment=self.plan.environment,
            checklist=self.plan.name,
            digest="0" * 64,
            planned_t0=self.planned_t0,
            previous_version=self.previous_version,
        )
        facts = begin(self.plan, started)
        self.state = replay(facts)
        self.events = list(facts)
        self.add([])

    def add(self, facts: Sequence[e.Event]) -> list[e.Event]:
        """Facts, and all that follows from them."""
        self.state = evolve(self.state, facts)
        following = consequences(self.plan, self.state, self.now)
        self.state = evolve(self.state, following)
        new = [*facts, *following]
        self.saved_at = self.now
        self.events += new
        return new

    def pass_time(self, **span: float) -> None:
        """Move the clock; nothing runs by that."""
        self.now += timedelta(**span)

    # --- people ---

    def do(self, move: Callable[..., list[e.Event]], *args: str | int, who: Who = ANN) -> list[e.Event]:
        """Any move of `bot.domain.moves`."""
        return self.add(move(self.plan, self.state, *args, who, self.now))

    def tick(self, *items: str, who: Who = ALL) -> None:
        """Tick these items."""
        for item in items:
            self.do(moves.tick, item, who=who)

    def tick_all(self, *, except_for: Iterable[str] = ()) -> int:
        """Tick all that people have to tick in what is open; how many it were."""
        ticked = 0
        while left := [task.id for task in self.todo() if task.id not in set(except_for)]:
            self.tick(left[0])
            ticked += 1
        return ticked

    def todo(self) -> list[Task]:
        """Required open items of what is open, less those that tick themselves sooner or later."""
        return [
            task
            for step in self.plan.steps
            if step.id in self.state.opened and not self.state.on_hold(step)
            for task in self.state.missing(step)
            if not self._comes_by_itself(task)
        ]

    def _comes_by_itself(self, task: Task) -> bool:
        if task.announces is None or task.role is not None:
            return False
        after = (self.plan.index(task.phase) or 0) >= self.plan.deployed_at
        said = {kind for check in self.plan.checks for kind in check.then}
        if task.announces is Announcement.SUCCEEDED:
            return after and (task.announces in said or not said)
        if task.announces is Announcement.STABLE:
            return after and task.announces in said
        return task.announces in (Announcement.STARTING, Announcement.STARTED)

    def to_t0(self) -> None:
        """All phases before T0, then Deployed."""
        while (step := self.state.current(self.plan)) is not None and not step.deployed:
            self.tick_all()
            self.do(moves.advance)
        self.do(moves.deployed)

    # --- the clock ---

    @property
    def due(self) -> dict[str, datetime]:
        """What is due by now, oldest first."""
        found = deadlines(self.plan, self.state)
        return dict(sorted(((key, at) for key, at in found.items() if at <= self.now), key=lambda pair: pair[1]))

    def next_due(self) -> datetime | None:
        """When the next deadline is that people do not wait for."""
        return min((at for key, at in deadlines(self.plan, self.state).items() if at > self.now), default=None)

    def ring(self, key: str, verdict: e.Verdict = e.Verdict.HEALTHY) -> list[e.Event]:
        """Do what a deadline asks for."""
        due = deadlines(self.plan, self.state)[key]
        kind, _, rest = key.partition(":")
        if kind == "phase":
            return self.add(open_due(self.plan, self.state, rest, due, self.now))
        if kind == "check":
            wanted = check_of(self.plan, self.state, key)
            assert wanted is not None
            return self.add(record_check(self.plan, self.state, self.result(*wanted, verdict)))
        plan, state, now = self.plan, self.state, self.now
        if kind == "breach":
            return self.add(watch.look(plan, state, due, self.judged(verdict), now))
        if kind == "recovery":
            well = verdict is e.Verdict.HEALTHY
            return self.add(watch.look_back(plan, state, due, self.judged(verdict), healthy=well, now=now))
        if kind == "escalate":
            return self.add(watch.escalate(plan, state, key, now))
        if kind == "remind":
            return self.add(reminders.remind(plan, state, key, now))
        if kind == "chase":
            return self.add(chase(plan, state, rest.partition(":")[0], due, now))
        return []

    def judged(self, verdict: e.Verdict) -> tuple[e.Judged, ...]:
        """What the limits of the rollback are measured as: far beyond them, far within, or not at all."""
        found = []
        for name, band in self.plan.policy.rollback.alert.items():
            beyond = next(value for value in (1e9, -1e9) if band.holds(value))
            value = {e.Verdict.FAILING: beyond, e.Verdict.INCONCLUSIVE: None}.get(verdict, -beyond)
            outcome = e.Outcome.NO_DATA if value is None else e.Outcome.MEASURED
            measured = e.Measurement(name=name, outcome=outcome, value=value, dimension=band.dimension)
            found.append(e.Judged(measurement=measured, verdict=verdict))
        return tuple(found)

    def ring_all(self, verdict: e.Verdict = e.Verdict.HEALTHY) -> int:
        """Do everything that is due but what services ask the world for; how much it was."""
        done = 0
        while keys := [key for key in self.due if not key.startswith(("items:", "dispatch:", "call:", "look:"))]:
            self.ring(keys[0], verdict)
            done += 1
        return done

    def go(self, verdict: e.Verdict = e.Verdict.HEALTHY, **span: float) -> None:
        """Let time pass, and do what is due by then."""
        self.pass_time(**span)
        self.ring_all(verdict)

    def result(self, check: Check, due: datetime, verdict: e.Verdict, *, again: bool = False) -> e.CheckRan:
        """What a check found; one that measures nothing cannot know."""
        unknown = measures_nothing(check)
        return e.CheckRan(
            at=self.now,
            by=ANN if again else GONOGO,
            check=check.id,
            due=due,
            verdict=e.Verdict.INCONCLUSIVE if unknown else verdict,
            judged=() if unknown else self.judged(verdict),
            again=again,
        )

    # --- what is asked afterwards ---

    def said(self) -> list[str]:
        """What was announced, in order."""
        return [fact.announcement.value for fact in self.events if isinstance(fact, e.Announced)]

    def settle(self, *, decide: bool) -> int:
        """What people do about checks that have not passed: measure again, and find it healthy; or decide with a
        reason, where nothing is measured (only if `decide`). How much it was."""
        done = 0
        for check in self.plan.checks:
            for due, run in self.state.runs.get(check.id, {}).items():
                if run.passed:
                    continue
                if not measures_nothing(check):
                    again = self.result(check, due, e.Verdict.HEALTHY, again=True)
                    done += bool(self.add(record_check(self.plan, self.state, again)))
                elif decide and not self.state.settled(self.plan, check):
                    number = self.state.due_times(check).index(due)
                    done += bool(self.do(moves.accept, check.id, number, "looked at it", who=ALL))
        return done

    def finish(self, *, decide: bool = True) -> None:
        """Everybody does what they are asked to do, all is healthy and time goes on, until it has ended.

        Raises AssertionError if nothing is left to do or to wait for and it has not: a deadlock.
        """
        for _ in range(2_000):
            if self.state.status.ended:
                return
            if self.tick_all() + self.ring_all() + self.settle(decide=False):
                continue
            step = self.state.current(self.plan)
            if self.state.t0 is None and step is not None:
                self.do(moves.deployed if step.deployed else moves.advance)
                continue
            if decide and self.settle(decide=True):
                continue
            following = self.next_due()
            assert following is not None, f"deadlock: {self.state.status}, {self.state.opened}, {self.state.done}"
            self.now = following
        raise AssertionError("it does not come to an end")


TWO = "# Deploy\n- [ ] switch\n# After\n- [ ] look\n"


def live(text: str, yaml: str = "", **kinds: str) -> Course:
    """A deployment at T0."""
    course = Course(plan(text, yaml, **kinds))
    course.to_t0()
    return course


def checks(*entries: str, more: str = "") -> str:
    """The YAML of these checks, and of what follows."""
    return "watch:\n" + "".join(f"  - {{{entry}}}\n" for entry in entries) + more


def opened(course: Course) -> list[str]:
    """The titles of the phases that are open."""
    return [step.title for step in course.plan.every_step() if step.id in course.state.opened]
