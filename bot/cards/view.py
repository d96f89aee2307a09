"""What cards are drawn from: a deployment, its plan, and the window at this instant."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from bot.cards.card import escape
from bot.cards.times import instant
from bot.cards.words import clock
from bot.domain.calendar import Opening
from bot.domain.course import own_times
from bot.domain.deployment import Deployment, Status
from checklists.plan import Plan, Step, Task


@dataclass(frozen=True, slots=True)
class View:
    """One deployment as it stands at `now`. `opening` None: it no longer matters, or is not known."""

    plan: Plan
    state: Deployment
    now: datetime
    opening: Opening | None = None
    github: bool = False
    """Whether GitHub is connected, and workflows can be started from here."""

    @property
    def id(self) -> str:
        return self.state.id

    @property
    def zone(self) -> str:
        return self.plan.policy.timezone

    @property
    def name(self) -> str:
        """`azora v1.2.0 → production`."""
        started = self.state.started
        return f"{started.service} {started.version} → {started.environment}"

    @property
    def safe_name(self) -> str:
        """The same for inline Markdown."""
        return escape(self.name)

    def clock(self, at: datetime) -> str:
        """An instant by the wall clock of the policy's zone. What has ended is not drawn anew every day: it says the
        date."""
        return clock(at, self.zone, None if self.state.status.ended else self.now)

    def when(self, at: datetime) -> str:
        """The same as inline Markdown, for the chats that show everybody their own time."""
        return instant(self.clock(at), at)

    def opens_at(self, step: Step) -> datetime | None:
        """When a phase of the run opens by itself, as far as that is known."""
        if self.state.t0 is None:
            planned = self.state.planned_t0
            return planned + step.opens.offset if planned is not None and step.opens is not None else None
        return self.state.t0 + min(times) if (times := own_times(self.plan, step)) else None

    def done_of(self, tasks: tuple[Task, ...]) -> tuple[int, int, int]:
        """Ticked, excused, and all that count: required ones, and optional ones somebody has marked."""
        marks = self.state.marks
        ticked = sum(1 for task in tasks if (mark := marks.get(task.id)) and not mark.excused)
        excused = sum(1 for task in tasks if (mark := marks.get(task.id)) and mark.excused)
        left = sum(len(self.state.missing(step)) for step in self._steps_of(tasks))
        return ticked, excused, ticked + excused + left

    def _steps_of(self, tasks: tuple[Task, ...]) -> list[Step]:
        wanted = {task.phase for task in tasks}
        return [step for step in self.plan.every_step() if step.id in wanted]

    @property
    def active_steps(self) -> tuple[Step, ...]:
        """The phases people are to look at now: of the rollback while it lasts, else of the run."""
        if self.state.status in (Status.ROLLING_BACK, Status.ROLLED_BACK) and self.plan.rollback:
            return self.plan.rollback
        return self.plan.steps
