"""`bot.forge.Workflows` over GitHub's REST API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import AwareDatetime, BaseModel

from adapters.github.auth import Auth
from adapters.github.errors import NoAnswer, SaidNo
from adapters.github.wire import Reply, Wire
from bot.forge import ForgeError, Run, StartedRun, Unsure

REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{7,64}")
_NOT_THERE = (404, 409, 422)
"""How GitHub says that it knows no such commit."""
_PER_PAGE = 50
_LONGEST_COMMENT = 1_000


class RunShape(BaseModel):
    """A run of a workflow, as GitHub describes it in its API and its webhooks alike."""

    id: int
    path: str = ""
    head_branch: str | None = None
    head_sha: str
    html_url: str
    created_at: AwareDatetime
    event: str = ""
    run_attempt: int = 1

    def run(self) -> Run:
        """The same in our words."""
        return Run(
            id=self.id,
            workflow=self.path.partition("@")[0].rpartition("/")[2],
            ref=self.head_branch or "",
            sha=self.head_sha,
            link=self.html_url,
            created_at=self.created_at,
            event=self.event,
            attempt=self.run_attempt,
        )


class _Runs(BaseModel):
    workflow_runs: list[RunShape]


class _Started(BaseModel):
    workflow_run_id: int
    html_url: str


class _Commit(BaseModel):
    sha: str


class GitHub:
    """One GitHub, as one token or one App. Holds no connection of its own: the wire's client is the caller's."""

    def __init__(self, wire: Wire, auth: Auth) -> None:
        self._wire, self._auth = wire, auth

    async def dispatch(self, repository: str, workflow: str, ref: str, inputs: Mapping[str, str]) -> StartedRun:
        """Start a workflow, once. An older Enterprise Server does not say which run it is."""
        path = f"/actions/workflows/{quote(workflow, safe='')}/dispatches"
        body: dict[str, Any] = {"ref": ref, "inputs": dict(inputs), "return_run_details": True}
        try:
            try:
                answer = await self._send("POST", repository, path, body=body, once=True)
            except SaidNo as no:
                if no.status != 422 or "return_run_details" not in no.words:
                    raise
                del body["return_run_details"]  # refused as a whole, so nothing was started
                answer = await self._send("POST", repository, path, body=body, once=True)
        except NoAnswer as lost:
            raise (Unsure if lost.sent else ForgeError)(str(lost)) from None
        if answer.status == 204 or not answer.content:
            return StartedRun(self.runs_page(repository, workflow))
        try:
            started = answer.read(_Started)
        except ForgeError:
            return StartedRun(self.runs_page(repository, workflow))
        return StartedRun(started.html_url, started.workflow_run_id)

    async def recent_runs(self, repository: str, workflow: str, ref: str, since: datetime) -> list[Run]:
        """The runs that were started by hand or by the API on this branch or tag since then, oldest first."""
        created = f">={since.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
        params = {"event": "workflow_dispatch", "created": created, "per_page": _PER_PAGE}
        path = f"/actions/workflows/{quote(workflow, safe='')}/runs"
        found = (await self._send("GET", repository, path, params=params)).read(_Runs)
        runs = [one.run() for one in found.workflow_runs]
        return sorted((one for one in runs if ref in (one.ref, one.sha)), key=lambda one: one.created_at)

    async def run(self, repository: str, id: int) -> Run:
        """One run."""
        return (await self._send("GET", repository, f"/actions/runs/{id}")).read(RunShape).run()

    async def commit(self, repository: str, version: str) -> str | None:
        """The hash of the tag (with or without a leading v), commit or branch called so; None: there is none."""
        bare = version.removeprefix("v")
        refs = [f"tags/{version}", f"tags/{bare}" if bare != version else f"tags/v{bare}"]
        refs += [version] if _SHA.fullmatch(version) else [f"heads/{version}"]
        for ref in refs:
            try:
                answer = await self._send("GET", repository, f"/commits/{quote(ref, safe='/')}")
            except SaidNo as no:
                if no.status not in _NOT_THERE:
                    raise
            else:
                return answer.read(_Commit).sha
        return None

    async def review(self, repository: str, run: int, environment: str, *, approve: bool, comment: str) -> bool:
        """Answer a deployment protection rule, which only an App may. False: GitHub does not wait for it any more."""
        state = "approved" if approve else "rejected"
        body = {"environment_name": environment, "state": state, "comment": comment[:_LONGEST_COMMENT]}
        try:
            await self._send("POST", repository, f"/actions/runs/{run}/deployment_protection_rule", body=body)
        except SaidNo as no:
            if no.status != 422:
                raise
            return False
        return True

    def runs_page(self, repository: str, workflow: str) -> str:
        """Where people see the runs of a workflow."""
        return f"{web_of(self._wire.base)}/{repository}/actions/workflows/{quote(workflow, safe='')}"

    async def bearer(self, repository: str) -> str:
        """A token for this repository, for who asks GitHub by other means. Raises ForgeError."""
        return await self._auth.token(self._wire, _named(repository))

    async def _send(
        self,
        method: str,
        repository: str,
        path: str,
        *,
        params: Mapping[str, Any] | None = None,
        body: Mapping[str, Any] | None = None,
        once: bool = False,
    ) -> Reply:
        """Ask about a repository. A token that GitHub does not know any more is fetched anew, once."""
        where = f"/repos/{_named(repository)}{path}"
        token = await self._auth.token(self._wire, repository)
        try:
            return await self._wire.send(
                method, where, bearer=token, mend=self._auth.mend, params=params, body=body, once=once
            )
        except SaidNo as no:
            if no.status != 401 or not self._auth.forget(repository, token):
                raise
        token = await self._auth.token(self._wire, repository)
        return await self._wire.send(
            method, where, bearer=token, mend=self._auth.mend, params=params, body=body, once=once
        )


def web_of(base: str) -> str:
    """Where people look at what is asked at this address of the API."""
    parts = urlsplit(base)
    if parts.hostname == "api.github.com":
        return "https://github.com"
    return f"{parts.scheme}://{parts.netloc}"


def callback_run(address: str, base: str, repository: str) -> int | None:
    """The run that an answer to a deployment protection rule is for, from its `deployment_callback_url`. None for any
    other address than this repository's on this GitHub: it is never called."""
    expected = f"{base.rstrip('/')}/repos/{repository}/actions/runs/"
    if not address.casefold().startswith(expected.casefold()):
        return None
    number, _, rest = address[len(expected) :].partition("/")
    right = rest == "deployment_protection_rule" and number.isascii() and number.isdecimal() and len(number) < 20
    return int(number) if right else None


def _named(repository: str) -> str:
    if not REPOSITORY.fullmatch(repository) or repository.endswith(("/.", "/..")):
        raise ForgeError("which repository? write `repository: owner/name` into the policy")
    return repository
