"""GitHub's REST API, as far as a deployment asks it: one repository with commits, pull requests, checks and runs."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.vendors import Reply, Request

TOKEN = "ghp_not_a_real_token"
SHA = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
_STATUSES = {"completed", "queued", "in_progress", "waiting", "pending", "requested"}


@dataclass
class GitHub:
    """Answers with GitHub's shapes. Pages are `per_page` long, but never longer than `longest_page`."""

    base: str
    name: str = "acme/api"
    tags: dict[str, str] = field(default_factory=lambda: {"v1.2.0": SHA})
    pulls: list[dict[str, Any]] = field(default_factory=list)
    reviews: list[dict[str, Any]] = field(default_factory=list)
    check_runs: list[dict[str, Any]] = field(default_factory=list)
    statuses: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    environment_reviews: dict[int, list[dict[str, Any]]] = field(default_factory=dict)
    """By the number of a run, what was said to its deployments."""
    longest_page: int = 100
    count_more: int = 0
    """How many more things are counted than listed."""

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply({"message": "Bad credentials"}, 401)
        if request.headers.get("x-github-api-version") != "2022-11-28":
            return Reply({"message": "unsupported version"}, 400)
        root = f"/repos/{self.name}"
        if not request.path.startswith(f"{root}/"):
            return Reply({"message": "Not Found"}, 404)
        path = request.path.removeprefix(root)
        if match := re.fullmatch(r"/commits/(?:tags/)?([^/]+)", path):
            known = {**self.tags, **{sha: sha for sha in self.tags.values()}}
            if match[1] in known:
                return Reply({"sha": known[match[1]], "commit": {"message": "x"}})
            return Reply({"message": f"No commit found for SHA: {match[1]}"}, 422)
        if re.fullmatch(r"/commits/[0-9a-f]{40}/pulls", path):
            return self._page(request, self.pulls)
        if re.fullmatch(r"/pulls/\d+/reviews", path):
            return self._page(request, self.reviews)
        if re.fullmatch(r"/commits/[0-9a-f]{40}/check-runs", path):
            return self._page(request, self.check_runs, "check_runs")
        if re.fullmatch(r"/commits/[0-9a-f]{40}/status", path):
            return self._page(request, self.statuses, "statuses", state="pending", sha=SHA)
        if (match := re.fullmatch(r"/actions/workflows/([^/]+)/runs", path)) and match[1] in self.runs:
            status, sha = request.said("status"), request.said("head_sha")
            if status and status not in _STATUSES:
                return Reply({"message": "Validation Failed"}, 422)
            found = [
                run for run in self.runs[match[1]] if status in ("", run["status"]) and sha in ("", run["head_sha"])
            ]
            return self._page(request, found, "workflow_runs")
        if match := re.fullmatch(r"/actions/runs/(\d+)/approvals", path):
            return Reply(self.environment_reviews.get(int(match[1]), []))
        return Reply({"message": "Not Found"}, 404)

    def _page(self, request: Request, things: list[dict[str, Any]], key: str = "", **more: Any) -> Reply:
        size = min(int(request.said("per_page") or 30), self.longest_page)
        page = int(request.said("page") or 1)
        part = things[(page - 1) * size : page * size]
        headers = {}
        if page * size < len(things):
            query = "&".join(f"{name}={value}" for name, value in request.query if name != "page")
            headers["Link"] = f'<{self.base}{request.path}?{query}&page={page + 1}>; rel="next"'
        body = {"total_count": len(things) + self.count_more, key: part, **more} if key else part
        return Reply(body, headers=headers)


def pull(number: int = 42, *labels: str, merged: str | None = SHA, head: str = "f" * 40) -> dict[str, Any]:
    return {
        "number": number,
        "html_url": f"https://github.com/acme/api/pull/{number}",
        "state": "closed" if merged else "open",
        "merged_at": "2026-11-20T14:00:00Z" if merged else None,
        "merge_commit_sha": merged,
        "head": {"ref": "feature", "sha": head},
        "user": {"login": "zoe"},
        "labels": [{"id": 1, "name": label, "color": "d73a4a"} for label in labels],
    }


def review(login: str, state: str = "APPROVED") -> dict[str, Any]:
    return {"id": 1, "user": {"login": login}, "state": state, "submitted_at": "2026-11-20T13:00:00Z"}


def check(name: str, conclusion: str | None = "success") -> dict[str, Any]:
    return {"id": 1, "name": name, "status": "completed" if conclusion else "in_progress", "conclusion": conclusion}


def run(number: int, status: str = "in_progress", sha: str = "b" * 40) -> dict[str, Any]:
    link = f"https://github.com/acme/api/actions/runs/{number}"
    return {"id": number, "head_sha": sha, "status": status, "conclusion": None, "html_url": link}


def environment_review(login: str, state: str = "approved", environment: str = "production") -> dict[str, Any]:
    """What somebody said to a deployment of a run that waited for it."""
    link = f"https://github.com/acme/api/deployments/activity_log?environments_filter={environment}"
    here = {"id": 1, "node_id": "E1", "name": environment, "url": link, "html_url": link}
    stamps = {"created_at": "2026-11-20T14:00:00Z", "updated_at": "2026-11-20T14:00:00Z"}
    return {"state": state, "comment": "", "environments": [here | stamps], "user": _person(login)}


def _person(login: str) -> dict[str, Any]:
    api = f"https://api.github.com/users/{login}"
    lists = ("followers", "following", "gists", "starred", "subscriptions", "repos", "events", "received_events")
    return {
        "login": login, "id": 1, "node_id": "U1", "avatar_url": f"{api}/avatar", "gravatar_id": "", "url": api,
        "html_url": f"https://github.com/{login}", "type": "User", "site_admin": False,
        "organizations_url": f"{api}/orgs", **{f"{name}_url": f"{api}/{name}" for name in lists},
    }  # fmt: skip
