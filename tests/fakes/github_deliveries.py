"""What GitHub's webhooks send: payloads as its page "Webhook events and payloads" has them, signed, and brought."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.types import ASGIApp

from tests.fakes.github import HEAD, REPOSITORY, SHA, GitHub

SECRET = "It's a Secret to Everybody"
_ZOE = {"login": "zoe", "id": 7, "type": "User"}


def about(repository: str = REPOSITORY, **more: Any) -> dict[str, Any]:
    """What every payload has."""
    owner, _, name = repository.partition("/")
    of = {"id": 1, "name": name, "full_name": repository, "private": True, "owner": {"login": owner}}
    return {"repository": of, "sender": _ZOE, "installation": {"id": 77}, **more}


def run_ended(run: Mapping[str, Any], conclusion: str = "success", **more: Any) -> dict[str, Any]:
    """`workflow_run`, completed."""
    ended = {**run, "status": "completed", "conclusion": conclusion}
    return about(action="completed", workflow_run=ended, workflow={"id": 161335, "path": run["path"]}, **more)


def released(tag: str = "v1.2.0", action: str = "published") -> dict[str, Any]:
    """`release`."""
    link = f"https://github.com/{REPOSITORY}/releases/tag/{tag}"
    return about(action=action, release={"id": 5, "tag_name": tag, "name": tag, "html_url": link, "draft": False})


def deployment_status(
    state: str = "success", environment: str = "production", ref: str = "v1.2.0", sha: str = SHA, run: int | None = None
) -> dict[str, Any]:
    """`deployment_status`, created."""
    link = f"https://github.com/{REPOSITORY}/actions/runs/{run or 1}/job/2"
    status = {"id": 11, "state": state, "environment": environment, "description": "", "log_url": link}
    deployment = {"id": 10, "ref": ref, "sha": sha, "environment": environment, "task": "deploy"}
    of = {"id": run, "head_sha": sha, "event": "workflow_dispatch"} if run is not None else None
    return about(action="created", deployment_status=status, deployment=deployment, workflow_run=of)


def rule_asked(
    github: GitHub, run: int, environment: str = "production", *, callback: str = "", sha: str | None = None
) -> dict[str, Any]:
    """`deployment_protection_rule`, requested."""
    known = github.runs[run]
    where = f"{github.base}/repos/{github.name}/actions/runs/{run}/deployment_protection_rule"
    ref, head = known["head_branch"], sha or known["head_sha"]
    return about(
        action="requested",
        environment=environment,
        event=known["event"],
        ref=ref,
        sha=head,
        deployment_callback_url=callback or where,
        deployment={"id": 10, "ref": ref, "sha": head, "environment": environment, "task": "deploy"},
        pull_requests=[],
    )


def tag_pushed(tag: str, sha: str, before: str = "0" * 40) -> dict[str, Any]:
    """`push` of a tag; of a deleted one `sha` is all zeros."""
    gone = sha == "0" * 40
    head = None if gone else {"id": sha, "message": "x", "timestamp": "2026-11-24T10:00:00Z"}
    ref = f"refs/tags/{tag}"
    return about(ref=ref, before=before, after=sha, deleted=gone, created=not gone, forced=False, head_commit=head)


def tag_created(tag: str) -> dict[str, Any]:
    """`create` of a tag: it does not say where."""
    return about(ref=tag, ref_type="tag", master_branch="main", description=None, pusher_type="user")


def suite_completed(sha: str = HEAD) -> dict[str, Any]:
    """`check_suite`, completed."""
    return about(action="completed", check_suite={"id": 3, "head_sha": sha, "conclusion": "success"})


def signature(body: bytes, secret: str = SECRET) -> str:
    """`X-Hub-Signature-256` of a body."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


@dataclass
class Courier:
    """Brings deliveries to a door, as GitHub does; or as somebody who would like to be GitHub."""

    door: ASGIApp
    secret: str = SECRET
    numbers: itertools.count[int] = field(default_factory=itertools.count)

    def headers(self, event: str, body: bytes) -> dict[str, str]:
        """Those of a delivery of GitHub's, with an id of its own."""
        sha1 = hmac.new(self.secret.encode(), body, hashlib.sha1).hexdigest()
        return {
            "User-Agent": "GitHub-Hookshot/044aadd",
            "Content-Type": "application/json",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": f"72d3162e-cc78-11e3-81ab-{next(self.numbers):012d}",
            "X-GitHub-Hook-ID": "292430182",
            "X-Hub-Signature": f"sha1={sha1}",
            "X-Hub-Signature-256": signature(body, self.secret),
        }

    async def delivers(
        self, event: str, payload: Mapping[str, Any], *, headers: Mapping[str, str | None] | None = None
    ) -> httpx.Response:
        """A signed delivery; `headers` replaces some of them, None takes one away."""
        return await self.brings(event, json.dumps(payload).encode(), headers=headers)

    async def brings(
        self, event: str, body: bytes, *, headers: Mapping[str, str | None] | None = None
    ) -> httpx.Response:
        """The same, for any body."""
        sent = {**self.headers(event, body), **(headers or {})}
        return await self.raw(body, {name: value for name, value in sent.items() if value is not None})

    async def raw(self, body: bytes, headers: Mapping[str, str]) -> httpx.Response:
        """Exactly this."""
        transport = httpx.ASGITransport(app=self.door, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://gonogo.test") as client:
            return await client.post("/hooks/github", content=body, headers=dict(headers))
