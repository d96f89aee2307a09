"""What the core asks of GitHub, and what it hears from it. The docstrings are the contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class ForgeError(Exception):
    """It could not be asked, or said no; nothing was changed. The sentence may be shown and holds no secret."""


class Unsure(ForgeError):
    """It may or may not have happened (timeout, dropped connection, 5xx): look before doing it again."""


@dataclass(frozen=True, slots=True)
class Run:
    """A run of a workflow. `workflow` is the file's name: `deploy.yml`."""

    id: int
    workflow: str
    ref: str
    sha: str
    link: str
    created_at: datetime
    event: str = ""
    """What started it: `push`, `workflow_dispatch`…"""
    attempt: int = 1
    """A run that is started anew keeps its id."""


@dataclass(frozen=True, slots=True)
class StartedRun:
    """A workflow was started. `run` None: GitHub does not say which run it is; `link` is the page of all of them."""

    link: str
    run: int | None = None


class Workflows(Protocol):
    """GitHub, as the core asks it. Every method raises ForgeError."""

    async def dispatch(self, repository: str, workflow: str, ref: str, inputs: Mapping[str, str]) -> StartedRun:
        """Start a workflow, once. Raises Unsure where that cannot be told: it is never sent again from here."""
        ...

    async def recent_runs(self, repository: str, workflow: str, ref: str, since: datetime) -> list[Run]:
        """The runs that were started by hand or from here on this branch or tag since then, oldest first."""
        ...

    async def run(self, repository: str, id: int) -> Run:
        """One run."""
        ...

    async def commit(self, repository: str, version: str) -> str | None:
        """The hash of the tag (with or without a leading v), branch or commit called so; None: there is none."""
        ...

    async def review(self, repository: str, run: int, environment: str, *, approve: bool, comment: str) -> bool:
        """Answer a deployment protection rule. False: GitHub does not wait for it any more."""
        ...

    def runs_page(self, repository: str, workflow: str) -> str:
        """Where people see the runs of a workflow."""
        ...


# --- what is heard ---


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run of a workflow has come to its end, with GitHub's conclusion (`success`, `failure`, …)."""

    repository: str
    by: str
    run: Run
    conclusion: str


@dataclass(frozen=True, slots=True)
class ReleasePublished:
    """A release was published for a tag."""

    repository: str
    by: str
    tag: str
    link: str


@dataclass(frozen=True, slots=True)
class DeploymentEnded:
    """GitHub's own deployment to one of its environments has succeeded, or failed (`ok` False)."""

    repository: str
    by: str
    environment: str
    ref: str
    sha: str
    ok: bool
    link: str
    detail: str = ""
    run: int | None = None
    """The run of a workflow that it belongs to, where GitHub says."""
    attempt: int = 1
    """Of that run."""


@dataclass(frozen=True, slots=True)
class SourceChanged:
    """Checks, reviews or labels have changed: what is measured of them may have, too."""

    repository: str
    by: str


@dataclass(frozen=True, slots=True)
class TagMoved:
    """A tag was made, moved or deleted. `sha` is the commit it stands at now; None: not said; empty: it is gone."""

    repository: str
    by: str
    tag: str
    sha: str | None


@dataclass(frozen=True, slots=True)
class RuleAsked:
    """A job waits for the answer of a deployment protection rule. `environment` is GitHub's name of it."""

    repository: str
    by: str
    environment: str
    ref: str
    sha: str
    run: int


Heard = RunEnded | ReleasePublished | DeploymentEnded | SourceChanged | TagMoved | RuleAsked


class Hooks(Protocol):
    """Who hears what GitHub says."""

    async def hear(self, heard: Heard, *, keys: Sequence[str]) -> str:
        """Do what follows, and say what that was in a word or two. When it returns, that is committed; a delivery with
        one of these keys that came before is `seen`, and does nothing.

        Raises ForgeError and `bot.ports.StoreError`: then it is to be delivered again.
        """
        ...
