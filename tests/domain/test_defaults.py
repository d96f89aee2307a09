"""Facts are kept without what is as it is by default, and read for ever: a default that changes would change what was
said years ago. Add a line for a new field; never change or remove one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

from bot.domain.events import CalendarEvent, Event

KEPT = """
Admitted.overrode = ()
Admitted.reason = ''
AlertRaised.link = ''
AlertRaised.severity = ''
AlertRaised.summary = ''
Announced.number = 1
Announced.text = ''
Approvals.count = 1
Approvals.expires = None
Cause.until = None
CheckRan.action = ''
CheckRan.again = False
CheckRan.asked = None
CheckRan.judged = ()
CheckRan.late_seconds = 0
CheckRan.past = ()
CheckRan.severity = ''
CheckRan.tries = 1
CheckRan.why = ''
CheckRan.within = ''
CheckTried.asked = None
CheckTried.judged = ()
CheckTried.late_seconds = 0
Decision.causes = ()
Decision.ignored = ()
Decision.lock = ''
Decision.next_close = None
Decision.next_open = None
Decision.zone = 'UTC'
DispatchAnswered.link = ''
DispatchAnswered.problem = ''
DispatchAnswered.run = None
DispatchEnded.attempt = 1
DispatchEnded.link = ''
FreezeAdded.service = None
FreezeRemoved.reason = ''
IncidentOpened.service = None
Judged.target = ''
Locked.deployment = ''
Locked.until = None
Measurement.detail = ''
Measurement.dimension = ''
Measurement.link = None
Measurement.value = None
NewsHeard.looks = 1
PhaseOpened.due = None
PipelineFailed.detail = ''
PipelineFailed.link = ''
PipelineFailed.run = ''
PipelineFailed.step = ''
Queued.version = ''
Recovered.judged = ()
Reported.detail = ''
Reported.items = ()
Reported.link = ''
RollbackStarted.next_steps = ''
SaidDeployed.link = ''
Started.approvals = ()
Started.changes = None
Started.changes_unknown = ''
Started.defaults = ()
Started.gate = None
Started.lane = ''
Started.note = ''
Started.overrode = ()
Started.planned_t0 = None
Started.previous_version = None
Started.reason = ''
Started.waits = False
Ticked.link = None
Ticked.value = ''
Unlocked.reason = ''
Unread.service = None
Watched.judged = ()
Who.roles = frozenset()
"""


def models(kind: Any) -> Iterator[type[BaseModel]]:
    """All models that a fact consists of."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
        for field in kind.model_fields.values():
            yield from models(field.annotation)
    for part in get_args(kind):
        yield from models(part)


def test_a_default_of_a_fact_never_changes() -> None:
    found = {
        f"{model.__name__}.{name} = {field.get_default(call_default_factory=True, validated_data={})!r}"
        for kind in (Event, CalendarEvent)
        for model in models(kind)
        for name, field in model.model_fields.items()
        if not field.is_required() and name != "kind"
    }
    assert sorted(found) == KEPT.split("\n")[1:-1]
