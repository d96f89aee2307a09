"""GitHub (REST API): the pull request, the checks and the workflow runs of what is deployed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, RootModel

from adapters.probes.asking import PAGES, Api, BadStatus, Cannot, Found, NoData, Refused, measured, no, short, yes
from bot.domain.events import Measurement, Outcome
from bot.forge import ForgeError
from bot.ports import Asked
from checklists.policy import ProbePolicy

API = "https://api.github.com"
"""GitHub Enterprise Server has https://HOST/api/v3."""
_GREEN = {"success", "neutral", "skipped"}
_RUNNING = ("in_progress", "queued", "waiting", "pending", "requested")
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_SHA = re.compile(r"[0-9a-f]{7,64}")
_WITH_ARGUMENT = ("runs", "workflow", "environment_approval", "blocking_labels")
_PER_PAGE = 100
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class GitHubCredentials:
    """A token that may read checks, actions, contents and pull requests, and where to look if no policy says.

    With `bearer` it is asked for a token for a repository each time: an App's last an hour. It raises ForgeError.
    """

    token: str = field(default="", repr=False)
    repository: str = ""
    api: str = API
    bearer: Callable[[str], Awaitable[str]] | None = field(default=None, repr=False)


class _Commit(BaseModel):
    sha: str
    html_url: str | None = None


class _User(BaseModel):
    login: str


class _Named(BaseModel):
    name: str


class _Pull(BaseModel):
    number: int
    html_url: str | None = None
    merge_commit_sha: str | None = None
    merged_at: str | None = None
    head: _Commit
    labels: list[_Named] = []


class _Review(BaseModel):
    user: _User | None = None
    state: str


class _CheckRun(BaseModel):
    name: str
    conclusion: str | None = None


class _CheckRuns(BaseModel):
    total_count: int
    check_runs: list[_CheckRun]


class _Context(BaseModel):
    context: str
    state: str


class _Statuses(BaseModel):
    total_count: int
    statuses: list[_Context]


class _Run(BaseModel):
    id: int
    head_sha: str
    status: str | None = None
    conclusion: str | None = None
    html_url: str | None = None


class _Runs(BaseModel):
    total_count: int
    workflow_runs: list[_Run]


class _Approval(BaseModel):
    state: str
    user: _User | None = None
    environments: list[_Named] = []


class _Approvals(RootModel[list[_Approval]]):
    pass


class _Pulls(RootModel[list[_Pull]]):
    pass


class _Reviews(RootModel[list[_Review]]):
    pass


Shape = TypeVar("Shape", bound=BaseModel)


class GitHubProbe:
    """`bot.ports.Probe` for `github: approvals | checks | tag | runs WORKFLOW | workflow WORKFLOW |
    environment_approval WORKFLOW ENVIRONMENT | blocking_labels LABEL`.

    The commit is the one of the tag, or the hash, that `asked.version` names, in `asked.repository` or else the one of
    the settings; the pull request is the one that brought it. It measures now, whatever `asked.as_of` says.
    """

    def __init__(self, client: httpx.AsyncClient, credentials: GitHubCredentials) -> None:
        self._client = client
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once. No data when GitHub does not know the version, or it has no pull request or no check."""
        if probe is None or probe.github is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy asks GitHub nothing for {name}")
        return await measured(name, probe, self._ask(probe, probe.github, asked))

    async def _ask(self, probe: ProbePolicy, words: str, asked: Asked) -> Found:
        what, _, argument = words.strip().partition(" ")
        argument = argument.strip()
        work = _WORK.get(what)
        if work is None or bool(argument) != (what in _WITH_ARGUMENT):
            raise Refused(
                f"{short(words)!r} is nothing GitHub is asked; write `approvals`, `checks`, `tag`, `runs WORKFLOW`, "
                "`workflow WORKFLOW`, `environment_approval WORKFLOW ENVIRONMENT` or `blocking_labels LABEL`"
            )
        repository = asked.repository or self._credentials.repository
        if not _REPOSITORY.fullmatch(repository):
            raise Refused("which repository? write `repository: owner/name` into the policy")
        headers = {
            "Authorization": f"Bearer {await self._token(repository)}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        who = "GONOGO_GITHUB_TOKEN" if self._credentials.bearer is None else "the token, or the App,"
        mend = f"{who} must be allowed to read this repository's contents, pull requests, checks, actions"
        api = Api.begin(self._client, "GitHub", self._credentials.api, mend, probe, headers)
        return await work(_Repository(api, repository, asked.version.strip()), argument)

    async def _token(self, repository: str) -> str:
        if self._credentials.bearer is None:
            return self._credentials.token
        try:
            return await self._credentials.bearer(repository)
        except ForgeError as problem:
            raise Refused(str(problem)) from None


@dataclass(frozen=True, slots=True)
class _Repository:
    api: Api
    name: str
    version: str

    async def pages(self, path: str, shape: type[Shape], params: dict[str, Any] | None = None) -> AsyncIterator[Shape]:
        """Every page of a list, following `Link`."""
        where, asked = f"/repos/{self.name}{path}", {"per_page": _PER_PAGE, **(params or {})}
        answer = await self.api.get(where, asked)
        for _ in range(PAGES):
            yield answer.read(shape)
            following = answer.links.get("next", {}).get("url")
            if not following:
                return
            answer = await self.api.get(following)
        raise Cannot("GitHub's list has more pages than are read")

    async def commit(self) -> str:
        """The hash of the deployed version. Raises NoData when neither a tag nor a commit is called so."""
        if not self.version:
            raise NoData("it is not known which version is deployed")
        refs = [f"tags/{name}" for name in self.tags()]
        if _SHA.fullmatch(self.version):
            refs = [self.version, *refs]
        for ref in refs:
            if (found := await self.at(ref)) is not None:
                return found.sha
        raise NoData(f"{self.name} has no tag or commit {short(self.version, 60)}, or the token may not see it")

    def tags(self) -> tuple[str, str]:
        """What the version's tag may be called: with and without a leading v."""
        bare = self.version.removeprefix("v")
        return self.version, bare if bare != self.version else f"v{bare}"

    async def at(self, ref: str) -> _Commit | None:
        """The commit of a ref; None where GitHub knows none."""
        try:
            answer = await self.api.get(f"/repos/{self.name}/commits/{quote(ref, safe='/')}")
        except BadStatus as bad:
            if bad.status in (httpx.codes.NOT_FOUND, httpx.codes.UNPROCESSABLE_ENTITY, httpx.codes.CONFLICT):
                return None
            raise
        return answer.read(_Commit)

    async def pull(self) -> _Pull:
        """The pull request that brought the deployed commit. Raises NoData, and Cannot when several did."""
        sha = await self.commit()
        found = [each async for page in self.pages(f"/commits/{sha}/pulls", _Pulls) for each in page.root]
        exact = [each for each in found if each.merged_at and each.merge_commit_sha == sha]
        exact = exact or [each for each in found if each.head.sha == sha] or found
        if not exact:
            raise NoData(f"no pull request brought {sha[:7]}")
        if len(exact) > 1:
            numbers = ", ".join(f"#{each.number}" for each in exact[:_SHOWN])
            raise Cannot(f"{sha[:7]} belongs to {len(exact)} pull requests ({numbers})")
        return exact[0]


async def _approvals(repository: _Repository, _: str) -> Found:
    """A person's last word counts; a comment does not change it, and a dismissed approval is none."""
    pull = await repository.pull()
    last: dict[str, str] = {}
    async for page in repository.pages(f"/pulls/{pull.number}/reviews", _Reviews):
        for review in page.root:
            if review.user is not None and review.state in ("APPROVED", "CHANGES_REQUESTED", "DISMISSED"):
                last[review.user.login] = review.state
    approved = [login for login, state in last.items() if state == "APPROVED"]
    against = [login for login, state in last.items() if state == "CHANGES_REQUESTED"]
    detail = f"{len(approved)} on #{pull.number}" + (f": {', '.join(map(short, approved[:5]))}" if approved else "")
    if against:
        detail += f"; {', '.join(map(short, against[:_SHOWN]))} asked for changes"
    return Found(len(approved), "count", detail, pull.html_url)


async def _checks(repository: _Repository, _: str) -> Found:
    """Check runs and commit statuses alike; skipped and neutral ones are green, those still running are not."""
    sha = await repository.commit()
    states: dict[str, str] = {}
    expected = seen = 0
    async for runs in repository.pages(f"/commits/{sha}/check-runs", _CheckRuns, {"filter": "latest"}):
        expected, seen = runs.total_count, seen + len(runs.check_runs)
        for run in runs.check_runs:
            # Two apps may call a check the same: the one that is not green counts.
            if states.get(run.name, "success") in _GREEN:
                states[run.name] = run.conclusion or "running"
    if seen < expected:
        raise Cannot(f"GitHub listed {seen} of {expected} checks")
    expected = seen = 0
    async for page in repository.pages(f"/commits/{sha}/status", _Statuses):
        expected, seen = page.total_count, seen + len(page.statuses)
        states.update((f"{each.context} (status)", each.state) for each in page.statuses)
    if seen < expected:
        raise Cannot(f"GitHub listed {seen} of {expected} statuses")
    if not states:
        raise NoData(f"{sha[:7]} has no check")
    red = [f"{short(name, 40)} {state}" for name, state in states.items() if state not in _GREEN]
    detail = f"{len(states) - len(red)} of {len(states)} green"
    if red:
        detail += f"; not: {', '.join(red[:_SHOWN])}" + (f" and {len(red) - _SHOWN} more" if red[_SHOWN:] else "")
    return Found(1 - len(red) / len(states), "ratio", detail)


async def _runs(repository: _Repository, workflow: str) -> Found:
    """Runs that have not ended. Our own, those of the deployed commit, are left out, where that commit is known."""
    try:
        ours = await repository.commit()
    except NoData:
        ours = ""
    others: dict[int, _Run] = {}
    for status in _RUNNING:
        path = f"/actions/workflows/{quote(workflow, safe='')}/runs"
        async for page in repository.pages(path, _Runs, {"status": status}):
            others |= {run.id: run for run in page.workflow_runs if run.head_sha != ours}
    detail = f"{len(others)} of {short(workflow)}" if others else f"none of {short(workflow)}"
    link = next((run.html_url for run in others.values()), None)
    return Found(len(others), "count", detail, link)


async def _tag(repository: _Repository, _: str) -> Found:
    """Whether a tag is called as the version is; a commit of that hash is no tag."""
    for name in repository.tags():
        if (found := await repository.at(f"tags/{name}")) is not None:
            return yes(f"{short(name, 60)} at {found.sha[:7]}", found.html_url)
    return no(f"{repository.name} has no tag {short(repository.version, 60)}, or the token may not see it")


async def _workflow(repository: _Repository, workflow: str) -> Found:
    """Whether the newest run of the workflow of the deployed commit has succeeded. No data while it runs, or where
    there is none: a run that is not there yet has not failed."""
    newest = await _newest(repository, workflow)
    sha = newest.head_sha
    if newest.conclusion is None:
        raise NoData(f"{short(workflow)} of {sha[:7]} is still running")
    detail = f"{short(workflow)} of {sha[:7]}: {short(newest.conclusion, 30)}"
    return (yes if newest.conclusion == "success" else no)(detail, newest.html_url)


async def _environment_approval(repository: _Repository, argument: str) -> Found:
    """Whether the newest run of the workflow of the deployed commit may deploy to that environment: somebody there has
    approved, and nobody refused. No data while nobody has said anything."""
    workflow, _, environment = (part.strip() for part in argument.partition(" "))
    if not environment:
        raise Refused("of which environment of GitHub? write `environment_approval deploy.yml production`")
    newest = await _newest(repository, workflow)
    answer = await repository.api.get(f"/repos/{repository.name}/actions/runs/{newest.id}/approvals")
    found = [
        (review.state, short(review.user.login if review.user is not None else "somebody"))
        for review in answer.read(_Approvals).root
        if any(each.name.casefold() == environment.casefold() for each in review.environments)
    ]
    said = f"{short(environment, 40)} of {short(workflow)} of {newest.head_sha[:7]}"
    if refused := [who for state, who in found if state == "rejected"]:
        return no(f"{said}: rejected by {', '.join(refused[:_SHOWN])}", newest.html_url)
    approved = [who for state, who in found if state == "approved"]
    if not approved:
        raise NoData(f"{said}: nobody has approved it yet")
    return yes(f"{said}: approved by {', '.join(approved[:_SHOWN])}", newest.html_url)


async def _newest(repository: _Repository, workflow: str) -> _Run:
    """The newest run of a workflow of the deployed commit. Raises NoData where there is none."""
    sha = await repository.commit()
    path = f"/actions/workflows/{quote(workflow, safe='')}/runs"
    answer = await repository.api.get(f"/repos/{repository.name}{path}", {"head_sha": sha, "per_page": 1})
    newest = next((run for run in answer.read(_Runs).workflow_runs if run.head_sha == sha), None)
    if newest is None:
        raise NoData(f"{short(workflow)} has no run of {sha[:7]}")
    return newest


async def _blocking_labels(repository: _Repository, label: str) -> Found:
    """GitHub does not tell labels apart by upper and lower case."""
    pull = await repository.pull()
    found = [each.name for each in pull.labels if each.name.casefold() == label.casefold()]
    detail = f"#{pull.number} is labelled {short(label)}" if found else f"not on #{pull.number}"
    return Found(len(found), "count", detail, pull.html_url)


_WORK: dict[str, Callable[[_Repository, str], Awaitable[Found]]] = {
    "approvals": _approvals,
    "checks": _checks,
    "tag": _tag,
    "runs": _runs,
    "workflow": _workflow,
    "environment_approval": _environment_approval,
    "blocking_labels": _blocking_labels,
}
