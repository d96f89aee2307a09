"""Facts that the team's own pipeline reports."""

from __future__ import annotations

from typing import Literal

from bot.domain.facts import Fact

DEPLOYED = "deployed"
"""The event that sets T0: after it no failure before it counts."""
FAILED = "failed"
"""The event that says that something went wrong."""


class Reported(Fact):
    """A step of the pipeline is done. The items it is about tick themselves, now or when their phase opens."""

    kind: Literal["reported"] = "reported"
    step: str
    items: tuple[str, ...] = ()
    """Found when it was reported: what the words of a step mean does not change afterwards."""
    detail: str = ""
    link: str = ""


class PipelineFailed(Fact):
    """The pipeline, or one `step` of it, has failed. People decide what follows."""

    kind: Literal["pipeline_failed"] = "pipeline_failed"
    step: str = ""
    detail: str = ""
    link: str = ""
    run: str = ""
    """The run on GitHub and its attempt, where that is known: one run fails once, in however many words."""


class SaidDeployed(Fact):
    """GitHub says that it is deployed, and a rule keeps T0 from being set. Nobody at GitHub reads that, so people are
    told."""

    kind: Literal["said_deployed"] = "said_deployed"
    code: str
    """Why not: a `bot.domain.errors.Code`, or `closed`."""
    why: str
    """The same in words, as it was then."""
    link: str = ""
