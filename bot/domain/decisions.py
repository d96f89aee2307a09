"""A gate's answer as a fact to keep, and back: what `/deploy why` tells again is what was said then."""

from __future__ import annotations

from datetime import datetime

from bot.domain.calendar import Code, Opening, Reason
from bot.domain.facts import Cause, Decision


def decision(opening: Opening, asked: datetime, *, lock: str = "") -> Decision:
    """The answer for `asked`, with whoever held the service, in words."""
    causes = tuple(
        Cause(code=str(reason.code), text=reason.text, source=reason.source, until=reason.until)
        for reason in opening.reasons
    )
    return Decision(
        asked=asked,
        open=opening.open,
        causes=causes,
        next_open=opening.next_open,
        next_close=opening.next_close,
        zone=opening.zone,
        ignored=opening.ignored,
        lock=lock,
    )


def opening_of(kept: Decision) -> Opening:
    """The opening that was kept, without the lock."""
    reasons = tuple(Reason(Code(cause.code), cause.text, cause.source, cause.until) for cause in kept.causes)
    return Opening(kept.open, reasons, kept.next_open, kept.next_close, kept.zone, kept.ignored)
