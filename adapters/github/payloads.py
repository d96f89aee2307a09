"""What GitHub's webhooks say, in our words. Keys that are not needed are not looked at.

Shapes: GitHub's "Webhook events and payloads". A delivery about something else is `None`, and is not refused.
"""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, Field

from adapters.github.api import RunShape, callback_run
from adapters.github.errors import short
from bot.forge import DeploymentEnded, Heard, ReleasePublished, RuleAsked, RunEnded, SourceChanged, TagMoved

_NOTHING = "0" * 40
"""The hash by which GitHub says that there is no commit."""
_LONGEST = 300
"""Letters of what somebody describes."""
_ENDED_WELL, _ENDED_BADLY = {"success"}, {"failure", "error"}


class Misleading(ValueError):
    """A delivery that is signed and yet leads where gonogo must not go; the sentence is for the answer."""


class _Repository(BaseModel):
    full_name: str = Field(min_length=1)


class _Sender(BaseModel):
    login: str = "GitHub"


class _Delivery(BaseModel):
    action: str = ""
    repository: _Repository
    sender: _Sender = _Sender()


class _WorkflowRun(RunShape):
    conclusion: str | None = None


class _WorkflowRunDelivery(_Delivery):
    workflow_run: _WorkflowRun


class _Release(BaseModel):
    tag_name: str
    html_url: str


class _ReleaseDelivery(_Delivery):
    release: _Release


class _Status(BaseModel):
    state: str
    environment: str = ""
    description: str | None = None
    log_url: str | None = None
    target_url: str | None = None


class _Deployment(BaseModel):
    ref: str = ""
    sha: str = ""
    environment: str = ""


class _RunOf(BaseModel):
    id: int | None = None
    run_attempt: int = 1


class _StatusDelivery(_Delivery):
    deployment_status: _Status
    deployment: _Deployment
    workflow_run: _RunOf | None = None


class _Commit(BaseModel):
    id: str


class _PushDelivery(_Delivery):
    ref: str
    after: str
    deleted: bool = False
    head_commit: _Commit | None = None


class _CreateDelivery(_Delivery):
    ref: str
    ref_type: str


class _RuleDelivery(_Delivery):
    environment: str
    deployment_callback_url: str
    ref: str = ""
    sha: str = ""
    deployment: _Deployment | None = None


def heard(event: str, body: bytes, base: str) -> Heard | None:
    """What a delivery of this `X-GitHub-Event` says; None: nothing that gonogo listens to.

    Raises pydantic's ValidationError for what is no delivery of that event, and Misleading.
    """
    reading = _READINGS.get(event)
    return reading(body, base) if reading is not None else None


def _workflow_run(body: bytes, base: str) -> Heard | None:
    said = _WorkflowRunDelivery.model_validate_json(body)
    if said.action != "completed":
        return None
    run = said.workflow_run
    return RunEnded(said.repository.full_name, said.sender.login, run.run(), run.conclusion or "unknown")


def _release(body: bytes, base: str) -> Heard | None:
    said = _ReleaseDelivery.model_validate_json(body)
    if said.action != "published":
        return None
    return ReleasePublished(said.repository.full_name, said.sender.login, said.release.tag_name, said.release.html_url)


def _deployment_status(body: bytes, base: str) -> Heard | None:
    said = _StatusDelivery.model_validate_json(body)
    status = said.deployment_status
    if status.state not in _ENDED_WELL | _ENDED_BADLY:
        return None
    return DeploymentEnded(
        repository=said.repository.full_name,
        by=said.sender.login,
        environment=status.environment or said.deployment.environment,
        ref=said.deployment.ref,
        sha=said.deployment.sha,
        ok=status.state in _ENDED_WELL,
        link=status.log_url or status.target_url or "",
        detail=short(status.description or "", _LONGEST),
        run=said.workflow_run.id if said.workflow_run is not None else None,
        attempt=said.workflow_run.run_attempt if said.workflow_run is not None else 1,
    )


def _changed(body: bytes, base: str) -> Heard | None:
    said = _Delivery.model_validate_json(body)
    if said.action not in ("completed", "submitted", "dismissed", "edited", "labeled", "unlabeled"):
        return None
    return SourceChanged(said.repository.full_name, said.sender.login)


def _push(body: bytes, base: str) -> Heard | None:
    said = _PushDelivery.model_validate_json(body)
    if not said.ref.startswith("refs/tags/"):
        return None
    tag = said.ref.removeprefix("refs/tags/")
    gone = said.deleted or said.after == _NOTHING
    # Of an annotated tag `after` is the tag's own hash; the commit it stands at is the head commit.
    sha = "" if gone else said.head_commit.id if said.head_commit is not None else None
    return TagMoved(said.repository.full_name, said.sender.login, tag, sha)


def _create(body: bytes, base: str) -> Heard | None:
    said = _CreateDelivery.model_validate_json(body)
    if said.ref_type != "tag":
        return None
    return TagMoved(said.repository.full_name, said.sender.login, said.ref, None)


def _delete(body: bytes, base: str) -> Heard | None:
    said = _CreateDelivery.model_validate_json(body)
    if said.ref_type != "tag":
        return None
    return TagMoved(said.repository.full_name, said.sender.login, said.ref, "")


def _rule(body: bytes, base: str) -> Heard | None:
    said = _RuleDelivery.model_validate_json(body)
    if said.action != "requested":
        return None
    run = callback_run(said.deployment_callback_url, base, said.repository.full_name)
    if run is None:
        raise Misleading(
            "deployment_callback_url is not this repository's below GONOGO_GITHUB_API_URL; nothing was called"
        )
    deployment = said.deployment or _Deployment()
    return RuleAsked(
        repository=said.repository.full_name,
        by=said.sender.login,
        environment=said.environment,
        ref=said.ref or deployment.ref,
        sha=said.sha or deployment.sha,
        run=run,
    )


_READINGS: dict[str, Callable[[bytes, str], Heard | None]] = {
    "workflow_run": _workflow_run,
    "release": _release,
    "deployment_status": _deployment_status,
    "check_suite": _changed,
    "check_run": _changed,
    "pull_request": _changed,
    "pull_request_review": _changed,
    "push": _push,
    "create": _create,
    "delete": _delete,
    "deployment_protection_rule": _rule,
}
