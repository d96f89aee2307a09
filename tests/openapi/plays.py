"""Loopback vendors in all the states a probe meets, and what asks them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from adapters.github.api import GitHub
from adapters.github.auth import AppAuth
from adapters.github.wire import Wire
from adapters.probes.pagerduty import PagerDutyCredentials, on_call
from bot.domain.events import Outcome
from bot.ports import History
from checklists.policy import ProbePolicy
from tests.adapters.probes.cases import CASES, NOW, Case
from tests.adapters.probes.service import ASKED
from tests.fakes import github as forge
from tests.fakes import vendors_cloud as cloud
from tests.fakes import vendors_github as hub
from tests.fakes import vendors_metrics as metrics
from tests.fakes import vendors_sentry as tracker
from tests.fakes import vendors_status as status
from tests.fakes.vendors import Reply, Request, Serve, vendor_server

BY_NAME = {case.name: case for case in CASES}


def github(base: str) -> hub.GitHub:
    return hub.GitHub(
        base,
        pulls=[hub.pull(41, "blocked", merged=None, head=hub.SHA), hub.pull(42)],
        reviews=[hub.review("ann"), hub.review("ben", "CHANGES_REQUESTED"), hub.review("eva")],
        check_runs=[hub.check("test"), hub.check("lint", None), hub.check("e2e", "failure")],
        statuses=[{"context": "ci", "state": "success"}, {"context": "slow", "state": "pending"}],
        runs={"ci.yml": [hub.run(7), hub.run(8, "queued"), hub.run(9, sha=hub.SHA)]},
        environment_reviews={9: [hub.environment_review("ann")]},
        longest_page=2,
    )


def sentry(base: str) -> tracker.Sentry:
    sessions = [tracker.Sessions(NOW - 60, "healthy", 900), tracker.Sessions(NOW - 60, "crashed", 30)]
    seen = [tracker.Issue(NOW - seconds) for seconds in (60, 50, 40)]
    known = {"api@v1.2.0": ("api",)}
    return tracker.Sentry(base, tracker.errors(17, NOW - 60), issues=seen, sessions=sessions, page=2, releases=known)


def datadog(base: str) -> metrics.Datadog:
    states = ("OK", "Alert", "No Data", "Warn", "Unknown", "Skipped", "Ignored")
    monitors = [metrics.monitor(n, state, "service:shop", muted=["*"]) for n, state in enumerate(states, 1)]
    return metrics.Datadog(monitors=[*monitors, metrics.monitor(4201, "OK", downtimes=[["env:staging"]])])


def pagerduty(base: str) -> status.PagerDuty:
    held = {"schedule_ids[]=PSCHED1": [status.held("Ann"), status.held("Ben", 2), status.held("Eva", 3)]}
    return status.PagerDuty(incidents=[status.page("API is down")], on_call=held, page=2)


def kubernetes(base: str) -> cloud.Kubernetes:
    pods = [cloud.pod("a"), cloud.pod("b", ready=False, waiting="CrashLoopBackOff"), cloud.pod("c", gone=True)]
    api = {"production/api": cloud.deployment(3, 3, 3)}
    return cloud.Kubernetes({"production": pods}, [cloud.node("n1"), cloud.node("n2", "Unknown")], api, page=2)


def fly(base: str) -> cloud.Fly:
    machines = [cloud.machine("blue", "started", "passing"), cloud.machine("green", "stopped", autostop=True)]
    return cloud.Fly({"acme-api": machines})


@dataclass(frozen=True)
class Play:
    """What a vendor is, and what asks it."""

    vendor: str
    serve: Callable[[str], Serve]
    ask: Callable[[httpx.AsyncClient, str], Awaitable[None]]


def measures(case: Case, serve: Callable[[str], Serve], policy: dict[str, Any] | None = None) -> Play:
    """All that a probe asks for one policy: the value, and the past where it has one."""

    async def ask(client: httpx.AsyncClient, base: str) -> None:
        probe, given = case.make(client, base), ProbePolicy(**policy) if policy else case.probe(base)
        found = await probe.measure("it", given, ASKED)
        assert found.outcome in (Outcome.MEASURED, Outcome.NO_DATA), found.detail
        if isinstance(probe, History):
            minute = timedelta(minutes=1)
            await probe.history("it", given, ASKED, start=ASKED.as_of - 30 * minute, end=ASKED.as_of, step=minute)

    return Play(case.name, serve, ask)


async def ask_on_call(client: httpx.AsyncClient, base: str) -> None:
    end = asyncio.get_running_loop().time() + 3
    assert await on_call(client, PagerDutyCredentials(status.PAGERDUTY_TOKEN, base), "PSCHED1", until=end) == ["Ann"]


def workflows(base: str) -> forge.GitHub:
    made = forge.GitHub(base)
    made.waits(made.run("deploy.yml", "v1.2.0")["id"])
    return made


async def ask_workflows(client: httpx.AsyncClient, base: str) -> None:
    """All that GitHub is asked besides the probes, as an App."""
    github, repository = GitHub(Wire(client, base), AppAuth(forge.APP, forge.key())), forge.REPOSITORY
    began = datetime.now(UTC) - timedelta(minutes=1)
    started = await github.dispatch(repository, "deploy.yml", "v1.2.0", {"version": "v1.2.0"})
    recent = await github.recent_runs(repository, "deploy.yml", "v1.2.0", began)
    assert await github.run(repository, started.run or 0) in recent
    assert await github.commit(repository, "v1.2.0") == forge.SHA
    waits = min(run.id for run in recent)
    assert await github.review(repository, waits, "production", approve=True, comment="the window is open")


WORDS: list[tuple[str, Callable[[str], Serve], dict[str, Any]]] = [
    ("github", github, {"github": "approvals", "unit": "count"}),
    ("github", github, {"github": "blocking_labels blocked", "unit": "count"}),
    ("github", github, {"github": "checks", "unit": "ratio"}),
    ("github", github, {"github": "runs ci.yml", "unit": "count"}),
    ("github", github, {"github": "tag"}),
    ("github", github, {"github": "workflow ci.yml"}),
    ("github", github, {"github": "environment_approval ci.yml production"}),
    ("datadog", datadog, {"datadog": "monitor 4201"}),
    ("datadog", datadog, {"datadog": "monitors service:shop"}),
    ("sentry", sentry, {"sentry": "api errors", "unit": "count"}),
    ("sentry", sentry, {"sentry": "api errors", "release": "api@{{ version }}"}),
    ("sentry", sentry, {"sentry": "api new_issues", "release": "api@{{ version }}"}),
    ("sentry", sentry, {"sentry": "api error_rate", "release": "api@{{ version }}"}),
    ("sentry", sentry, {"sentry": "api users", "unit": "count"}),
    ("sentry", sentry, {"sentry": "api new_issues", "unit": "count"}),
    ("sentry", sentry, {"sentry": "api error_rate", "unit": "ratio"}),
    ("sentry", sentry, {"sentry": "api errors_vs_normal", "unit": "x"}),
    ("pagerduty", pagerduty, {"pagerduty": "incidents PSVC001"}),
    ("kubernetes", kubernetes, {"kubernetes": "nodes", "unit": "ratio"}),
    ("kubernetes", kubernetes, {"kubernetes": "pods slot=green -n production", "unit": "ratio"}),
    ("kubernetes", kubernetes, {"kubernetes": "rollout api -n production"}),
    ("fly", fly, {"fly": "acme-api"}),
]
"""What the contract of all sources does not ask."""
PLAYS = [
    *(measures(case, serve) for case in CASES for serve in (case.healthy, case.unhealthy, case.empty) if serve),
    *(measures(BY_NAME[name], serve, policy) for name, serve, policy in WORDS),
    Play("pagerduty", pagerduty, ask_on_call),
    Play("github", workflows, ask_workflows),
]


async def played(name: str) -> tuple[list[Request], list[tuple[Request, Reply]]]:
    """What a vendor was asked in all plays, and what it answered where it had something to say."""
    asked: list[Request] = []
    answered: list[tuple[Request, Reply]] = []
    with vendor_server() as vendor:
        async with httpx.AsyncClient(trust_env=False) as client:
            for play in (each for each in PLAYS if each.vendor == name):
                vendor.serve = play.serve(vendor.base)
                await play.ask(client, vendor.base)
        asked += vendor.asked
        answered += [(request, reply) for request, reply in vendor.answered if reply.status < 300]
    return asked, answered
