"""Sentry, as far as a probe asks it: a project, counted errors, issues and sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from tests.fakes.vendors import Reply, Request

TOKEN = "sntrys_not-a-real-token"
PROJECT = "4507"
HOUR = 3600


@dataclass(frozen=True)
class Error:
    at: float
    user: str = "ann"
    environment: str = "production"
    release: str = "api@1.1.0"


@dataclass(frozen=True)
class Issue:
    """When it was first seen, and in which release."""

    at: float
    release: str = "api@1.1.0"


@dataclass(frozen=True)
class Sessions:
    at: float
    status: str
    count: int
    release: str = "api@1.1.0"


@dataclass
class Sentry:
    """The organization `acme` with the project `api`. Its ways: an environment nobody used is a 404, and sessions come
    for whole hours, however few minutes were asked for."""

    base: str = ""
    errors: list[Error] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    sessions: list[Sessions] = field(default_factory=list)
    environments: tuple[str, ...] = ("production", "staging")
    page: int = 100
    releases: dict[str, tuple[str, ...]] = field(default_factory=lambda: {"api@1.1.0": ("api",)})
    """Those that are known, each with its projects."""

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply({"detail": "Invalid token"}, 401)
        if request.path == "/api/0/projects/acme/api/":
            return Reply({"id": PROJECT, "slug": "api", "name": "API", "platform": "python"})
        if found := re.fullmatch(r"/api/0/organizations/acme/releases/([^/]+)/", request.path):
            return self._release(unquote(found[1]))
        match = re.fullmatch(r"/api/0/organizations/acme/(events|issues|sessions)/", request.path)
        if match is None or request.said("project") != PROJECT:
            return Reply({"detail": "The requested resource does not exist"}, 404)
        if request.said("environment") not in self.environments:
            return Reply({"detail": "The requested resource does not exist"}, 404)
        start, end = _time(request.said("start")), _time(request.said("end"))
        return {"events": self._events, "issues": self._issues, "sessions": self._sessions}[match[1]](
            request, start, end
        )

    def _release(self, version: str) -> Reply:
        if version not in self.releases:
            return Reply({"detail": "The requested resource does not exist"}, 404)
        projects = [
            {"id": 4507 + n, "slug": slug, "name": slug, "newGroups": 0, "platform": "python", "platforms": ["python"],
             "hasHealthData": True}
            for n, slug in enumerate(self.releases[version])
        ]  # fmt: skip
        return Reply(
            {
                "id": 1, "version": version, "shortVersion": version, "status": "open", "ref": None, "url": None,
                "dateCreated": "2026-11-20T14:20:00Z", "dateReleased": None, "dateStarted": None, "owner": None,
                "firstEvent": None, "lastEvent": None, "newGroups": 0, "commitCount": 0, "deployCount": 0,
                "lastCommit": None, "lastDeploy": None, "authors": [], "data": {}, "projects": projects,
                "versionInfo": None, "userAgent": None, "adoptionStages": None, "currentProjectMeta": {},
            }
        )  # fmt: skip

    def _events(self, request: Request, start: float, end: float) -> Reply:
        if request.said("dataset") != "errors":
            return Reply({"detail": f"dataset must be one of: errors, spans ({TOKEN})"}, 400)
        found = [error for error in self.errors if start <= error.at < end]
        found = [error for error in found if error.environment == request.said("environment")]
        found = [error for error in found if error.release == (_only(request) or error.release)]
        counted = {"count()": len(found), "count_unique(user)": len({error.user for error in found})}
        what = request.said("field")
        return Reply({"data": [{what: counted[what]}], "meta": {"fields": {what: "integer"}}})

    def _issues(self, request: Request, start: float, end: float) -> Reply:
        seen = re.fullmatch(r'firstSeen:>=(\S+) firstSeen:<=(\S+)(?: firstRelease:"([^"]+)")?', request.said("query"))
        assert seen is not None, request.query
        found = [each for each in self.issues if _time(seen[1]) <= each.at <= _time(seen[2])]
        found = [each for each in found if each.release == (seen[3] or each.release)]
        first = int(request.said("cursor") or 0)
        ahead = "true" if first + self.page < len(found) else "false"
        query = "&".join(f"{name}={value}" for name, value in request.query if name != "cursor")
        address = f"{self.base}{request.path}?{query.replace(' ', '%20')}&cursor={first + self.page}"
        link = f'<{address}>; rel="next"; results="{ahead}"; cursor="{first + self.page}"'
        some = found[first : first + self.page]
        return Reply([{"id": str(n), "shortId": f"API-{n}"} for n, _ in enumerate(some)], headers={"Link": link})

    def _sessions(self, request: Request, start: float, end: float) -> Reply:
        asked = {request.said(name) for name in ("field", "groupBy", "interval")}
        assert asked == {"sum(session)", "session.status", "1m"}, request.query
        counted = [each for each in self.sessions if each.release == (_only(request) or each.release)]
        first, last = start // HOUR * HOUR, -(-end // HOUR) * HOUR
        minutes = [first + 60 * n for n in range(int((last - first) / 60))]
        groups = [
            {
                "by": {"session.status": status},
                "totals": {"sum(session)": sum(each.count for each in of_status)},
                "series": {"sum(session)": [sum(s.count for s in of_status if at <= s.at < at + 60) for at in minutes]},
            }
            for status in ("healthy", "abnormal", "crashed", "errored", "unhandled")
            if (of_status := [each for each in counted if each.status == status]) or counted
        ]
        return Reply(
            {"start": _say(first), "end": _say(last), "intervals": [_say(at) for at in minutes], "groups": groups}
        )


def _only(request: Request) -> str:
    """The release that is asked for; empty: all of them."""
    if not request.said("query"):
        return ""
    found = re.fullmatch(r'release:"([^"]+)"', request.said("query"))
    assert found is not None, request.query
    return found[1]


def _time(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def _say(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def errors(count: int, at: float, **more: Any) -> list[Error]:
    return [Error(at, user=f"user-{n % 3}", **more) for n in range(count)]
