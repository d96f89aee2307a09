"""What a deployment is of: the tag, branch or commit behind its version, and what follows when that changes. Pure."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bot.domain import events as e
from bot.domain.admission import drop_approvals
from bot.domain.deployment import Deployment, Status
from bot.domain.people import GONOGO
from bot.domain.workflow_facts import Dispatch
from checklists.plan import Plan
from checklists.quantities import say_duration

_HASH = re.compile(r"[0-9a-f]{7,64}")
_REFS = re.compile(r"^refs/(?:tags|heads)/")
SHOWN = 7
"""So many letters of a hash are shown, as GitHub does."""
VOUCHES = timedelta(minutes=1)
"""So long after an approval the commit that GitHub shows is what was approved: later the tag may have been moved."""


def same_version(one: str, other: str) -> bool:
    """Whether two names mean one version: with or without a leading v, with or without `refs/tags/`."""
    return bool(one) and _bare(one) == _bare(other)


def is_of(state: Deployment, ref: str, sha: str) -> bool:
    """Whether what happened at this tag, branch or commit is about this deployment."""
    version = state.started.version
    if same_version(version, ref):
        return True
    return bool(sha) and (sha == state.commit or (_HASH.fullmatch(version) is not None and sha.startswith(version)))


def dispatch_of(state: Deployment, run: int, ref: str, workflow: str = "") -> Dispatch | None:
    """The start of a workflow that this run of GitHub's came of: the one GitHub named it for; else one of the same ref
    (and workflow) that was sent and whose run is not known, or not yet."""
    starts = list(state.dispatches.values())
    for one in starts:
        if one.answer is not None and one.answer.run == run:
            return one
    for one in starts:
        unknown = one.answer is None or (one.answer.run is None and one.stands)
        named = workflow in ("", one.asked.workflow) and same_version(one.asked.ref, ref)
        if one.tried is not None and unknown and named and one.ended is None:
            return one
    return None


def commit_known(plan: Plan, state: Deployment, commit: str, now: datetime) -> list[e.Event]:
    """The commit that those who have approved so far have approved. Where it comes too late to tell, their approvals
    are taken back: they may have approved another one."""
    if state.status is not Status.WAITING or not state.approved or state.commit or not commit:
        return []
    late = now - min(fact.at for fact in state.approved.values())
    if late <= VOUCHES:
        return [e.CommitKnown(at=now, by=GONOGO, commit=commit)]
    version = state.started.version
    why = f"GitHub said only {say_duration(late)} later which commit {version} is, and it may have been moved meanwhile"
    return drop_approvals(plan, state, why, GONOGO, now)


def tag_moved(plan: Plan, state: Deployment, tag: str, sha: str | None, now: datetime) -> list[e.Event]:
    """The version's tag was made, moved or deleted (`sha` empty; None: nobody can tell where it is now).

    What was approved has changed then, and approvals and sign-offs are taken back; also where nobody knows which commit
    they were for. Nothing once it has been given its go.
    """
    if state.status is not Status.WAITING or (sha and sha == state.commit):
        return []
    return drop_approvals(plan, state, why_moved(state, tag, sha), GONOGO, now)


def why_moved(state: Deployment, tag: str, sha: str | None) -> str:
    """Why what was approved is not what would be deployed, in words."""
    if sha == "":
        return f"{tag} was deleted"
    where = f"{tag} is at {sha[:SHOWN]} now" if sha else f"{tag} was moved"
    approved = f"approved was {state.commit[:SHOWN]}" if state.commit else "it is not known which commit was approved"
    return f"{where}, and {approved}"


def _bare(version: str) -> str:
    return _REFS.sub("", version).removeprefix("v")
