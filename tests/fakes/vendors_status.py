"""An Atlassian Statuspage and PagerDuty, each as far as a probe asks it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.vendors import Reply, Request

PAGERDUTY_TOKEN = "not-a-real-pagerduty-key"


@dataclass
class Statuspage:
    """`GET /api/v2/incidents/unresolved.json`, open to everybody."""

    incidents: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, request: Request) -> Reply:
        if request.path != "/api/v2/incidents/unresolved.json":
            return Reply(b"<html>", 404)
        page = {"id": "p1", "name": "Acme", "url": "https://status.acme.test", "updated_at": "2026-11-20T14:00:00Z"}
        return Reply({"page": page, "incidents": self.incidents})


def incident(name: str, status: str = "investigating") -> dict[str, Any]:
    return {"id": "i1", "name": name, "status": status, "impact": "major", "incident_updates": [], "components": []}


@dataclass
class PagerDuty:
    """Services, incidents and who is on call; a service nobody knows has no incidents, as with the real one."""

    services: dict[str, str] = field(default_factory=lambda: {"PSVC001": "api"})
    incidents: list[dict[str, Any]] = field(default_factory=list)
    on_call: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """By `escalation_policy_ids[]=ID` or `schedule_ids[]=ID`."""
    page: int = 100

    def __call__(self, request: Request) -> Reply:
        if request.headers.get("authorization") != f"Token token={PAGERDUTY_TOKEN}":
            return Reply({"error": {"message": "Unauthorized", "code": 2006}}, 401)
        if "version=2" not in request.headers.get("accept", ""):
            return Reply({"error": {"message": "version", "code": 2001}}, 400)
        if match := re.fullmatch(r"/services/(\w+)", request.path):
            if match[1] not in self.services:
                return Reply({"error": {"message": "Not Found", "code": 2100}}, 404)
            link = f"https://acme.pagerduty.com/service-directory/{match[1]}"
            return Reply({"service": {"id": match[1], "name": self.services[match[1]], "html_url": link}})
        if request.path == "/incidents":
            statuses = [value for name, value in request.query if name == "statuses[]"]
            asked = request.said("service_ids[]")
            found = [each for each in self.incidents if each["status"] in statuses and each["service"]["id"] == asked]
            old = [each for each in found if request.said("date_range") == "all" or not each["old"]]
            return self._page(request, "incidents", old)
        if request.path == "/oncalls":
            kind = next((f"{name}={value}" for name, value in request.query if name.endswith("_ids[]")), "")
            return self._page(request, "oncalls", self.on_call.get(kind, []))
        return Reply({"error": {"message": "Not Found"}}, 404)

    def _page(self, request: Request, key: str, things: list[dict[str, Any]]) -> Reply:
        first, size = int(request.said("offset") or 0), min(self.page, int(request.said("limit") or 25))
        more = first + size < len(things)
        return Reply({key: things[first : first + size], "offset": first, "limit": size, "more": more, "total": None})


def page(title: str, status: str = "triggered", service: str = "PSVC001", *, old: bool = False) -> dict[str, Any]:
    return {"id": "Q1", "title": title, "status": status, "service": {"id": service}, "old": old}


def held(name: str, level: int = 1) -> dict[str, Any]:
    return {"user": {"id": "PU1", "type": "user_reference", "summary": name}, "escalation_level": level}
