"""Facts of the workflows that are started on GitHub, and of the commit behind a version."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from bot.domain.facts import Fact

Purpose = Literal["deploy", "rollback"]


class Dispatched(Fact):
    """Somebody decided that a workflow is to be started. `by` is gonogo where a rollback by itself does."""

    kind: Literal["dispatched"] = "dispatched"
    id: str
    purpose: Purpose
    repository: str
    workflow: str
    ref: str
    inputs: dict[str, str]
    """Exactly as they are sent."""


class DispatchTried(Fact):
    """The request goes out now: from here on it may have arrived, and is never sent again."""

    kind: Literal["dispatch_tried"] = "dispatch_tried"
    id: str


class DispatchAnswered(Fact):
    """What came of it. `refused`: nothing was started, `problem` says why; `unknown`: nobody can tell, and people have
    to look at `link`."""

    kind: Literal["dispatch_answered"] = "dispatch_answered"
    id: str
    outcome: Literal["started", "refused", "unknown"]
    link: str = ""
    """The run, or the page of the workflow's runs."""
    run: int | None = None
    problem: str = ""


class DispatchEnded(Fact):
    """The run of a started workflow is over. `conclusion` is GitHub's: `success`, `failure`, `cancelled`…"""

    kind: Literal["dispatch_ended"] = "dispatch_ended"
    id: str
    conclusion: str
    link: str = ""
    attempt: int = 1
    """Of this run, which may be started anew on GitHub."""


class CommitKnown(Fact):
    """The commit behind the version while it is approved. Another one later takes the approvals back."""

    kind: Literal["commit_known"] = "commit_known"
    commit: str


class NewsHeard(Fact):
    """GitHub told of checks, reviews or labels that have changed: items that are measured there are asked again."""

    kind: Literal["news_heard"] = "news_heard"
    looks: int = 1
    """How many looks in a row this one is: the more there are, the longer it waits for more news."""


@dataclass(frozen=True, slots=True)
class Dispatch:
    """One start of a workflow, as far as it has come."""

    asked: Dispatched
    tried: DispatchTried | None = None
    answer: DispatchAnswered | None = None
    ended: DispatchEnded | None = None

    @property
    def stands(self) -> bool:
        """Whether it runs or may run: anything but refused."""
        return self.answer is None or self.answer.outcome != "refused"

    @property
    def open(self) -> bool:
        """Whether it is not known yet to have come to an end."""
        return self.stands and self.ended is None

    @property
    def link(self) -> str:
        """Where people look; empty while nothing is known."""
        if self.ended is not None and self.ended.link:
            return self.ended.link
        return self.answer.link if self.answer is not None else ""


def followed(known: Dispatch | None, fact: Dispatched | DispatchTried | DispatchAnswered | DispatchEnded) -> Dispatch:
    """The start of a workflow with one more fact. Raises ValueError for a fact about one that was never asked for."""
    match fact:
        case Dispatched():
            return Dispatch(fact)
        case _ if known is None:
            raise ValueError(f"nothing was dispatched as {fact.id}")
        case DispatchTried():
            return replace(known, tried=fact)
        case DispatchAnswered():
            return replace(known, answer=fact)
        case DispatchEnded():
            return replace(known, ended=fact)
