"""GitHub on loopback, strict and with a memory: Apps and their tokens, commits, workflows that are dispatched, runs,
jobs that wait for a protection rule. `tests/fakes/github_deliveries.py` has the other direction.

Sources: GitHub's REST API documentation (Actions, Apps, Commits) and its OpenAPI description.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.fakes.vendors import Reply, Request

TOKEN = "ghp_not_a_real_token"
APP = "123456"
INSTALLATION = 77
REPOSITORY = "acme/shop"
SHA = "a1b2c3d4e5f60718293a4b5c6d7e8f9001122334"
OTHER = "0f0f0f0f0f60718293a4b5c6d7e8f90011223344"
HEAD = "beefbeefbeef0718293a4b5c6d7e8f9001122334"
_JWT_LASTS = 600
_SHA = re.compile(r"[0-9a-f]{7,40}")
_RULE_KEYS = {"environment_name", "state", "comment"}


@cache
def key() -> str:
    """The App's private key, as PEM; made once, as that takes longer than the tests."""
    return _key().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    ).decode()  # fmt: skip


@cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Workflow:
    """A workflow file with `on: workflow_dispatch`: its inputs, True where one is required."""

    inputs: Mapping[str, bool] = field(default_factory=dict)


class No(Exception):
    """An answer that is no success."""

    def __init__(self, status: int, message: str, *, errors: Any = None) -> None:
        super().__init__(message)
        body = {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}
        self.reply = Reply({**body, **({"errors": errors} if errors else {})}, status)


@dataclass
class GitHub:
    """One repository, as one token and one App see it. `now` is the clock that runs are dated by."""

    base: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    name: str = REPOSITORY
    tags: dict[str, str] = field(default_factory=lambda: {"v1.2.0": SHA})
    branches: dict[str, str] = field(default_factory=lambda: {"main": HEAD})
    workflows: dict[str, Workflow] = field(
        default_factory=lambda: {
            "deploy.yml": Workflow({"version": True, "environment": False}),
            "rollback.yml": Workflow({"version": True, "reason": False}),
        }
    )
    older: bool = False
    """An Enterprise Server that knows no `return_run_details`."""
    lasts: float = 3600.0
    """Seconds an installation's token lasts."""
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    dispatched: list[dict[str, Any]] = field(default_factory=list)
    """The bodies of the dispatches that started a run."""
    waiting: dict[tuple[int, str], dict[str, str] | None] = field(default_factory=dict)
    """Run and environment -> the review of its protection rule; None while it waits."""
    tokens: dict[str, float] = field(default_factory=dict)
    """Installation token -> its end, seconds since 1970."""
    jwts: list[dict[str, Any]] = field(default_factory=list)
    """The claims of every JSON Web Token that was accepted."""

    # --- what happens there ---

    def run(self, workflow: str, ref: str, event: str = "workflow_dispatch") -> dict[str, Any]:
        """A run of a workflow begins; what the API and the webhooks say of it."""
        id = 9_000_000_000 + len(self.runs)
        self.runs[id] = {
            "id": id,
            "name": workflow.partition(".")[0].capitalize(),
            "path": f".github/workflows/{workflow}@{ref}",
            "head_branch": ref,
            "head_sha": self.tags.get(ref) or self.branches[ref],
            "event": event,
            "status": "in_progress",
            "conclusion": None,
            "workflow_id": 161335,
            "run_number": len(self.runs) + 1,
            "run_attempt": 1,
            "html_url": f"https://github.com/{self.name}/actions/runs/{id}",
            "created_at": f"{self.now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "updated_at": f"{self.now().astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "actor": {"login": "zoe", "id": 7},
        }
        return self.runs[id]

    def waits(self, run: int, environment: str = "production") -> int:
        """A job of this run waits for the protection rule of an environment."""
        self.waiting[run, environment] = None
        return run

    def revoke(self) -> None:
        """No installation token is known any more."""
        self.tokens.clear()

    # --- the API ---

    def __call__(self, request: Request) -> Reply:
        try:
            return self._answer(request)
        except No as no:
            return no.reply

    def _answer(self, request: Request) -> Reply:
        if request.headers.get("x-github-api-version") != "2022-11-28":
            raise No(400, "The version of the API is not supported.")
        if not request.headers.get("user-agent"):
            raise No(403, "Request forbidden by administrative rules. Please make sure your request has a User-Agent")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme != "Bearer":
            raise No(401, "Requires authentication")
        if re.fullmatch(r"/repos/[^/]+/[^/]+/installation", request.path) and request.method == "GET":
            self._app(bearer)
            if request.path.casefold() != f"/repos/{self.name}/installation":
                raise No(404, "Not Found")
            return Reply({"id": INSTALLATION, "app_id": int(APP), "permissions": {"actions": "write"}})
        if request.path == f"/app/installations/{INSTALLATION}/access_tokens" and request.method == "POST":
            return self._token(bearer)
        if bearer != TOKEN and self.tokens.get(bearer, 0.0) <= time.time():
            raise No(401, "Bad credentials")
        root = f"/repos/{self.name}"
        if not request.path.startswith(f"{root}/"):
            raise No(404, "Not Found")
        return self._repository(request, request.path.removeprefix(root), bearer)

    def _app(self, bearer: str) -> None:
        """GitHub checks the signature, the issuer, and that the token lasts ten minutes at most."""
        now = time.time()
        try:
            unchecked = {"verify_iat": False, "verify_exp": False}
            claims = jwt.decode(bearer, _key().public_key(), algorithms=["RS256"], issuer=APP, options=unchecked)
        except jwt.PyJWTError:
            raise No(401, "A JSON web token could not be decoded") from None
        if claims["iat"] > now:
            raise No(401, "'Issued at' claim ('iat') must be an Integer representing the time of the assertion")
        if not now < claims["exp"] <= now + _JWT_LASTS:
            raise No(401, "'Expiration time' claim ('exp') must be a numeric value representing the future time")
        self.jwts.append(claims)

    def _token(self, bearer: str) -> Reply:
        self._app(bearer)
        token, ends = f"ghs_{len(self.jwts):036d}", int(time.time() + self.lasts)
        self.tokens[token] = ends
        said = datetime.fromtimestamp(ends, UTC)
        return Reply({"token": token, "expires_at": f"{said:%Y-%m-%dT%H:%M:%SZ}", "permissions": {}}, 201)

    def _repository(self, request: Request, path: str, bearer: str) -> Reply:
        if request.method == "GET" and (match := re.fullmatch(r"/commits/(.+)", path)):
            return self._commit(match[1])
        if match := re.fullmatch(r"/actions/workflows/([^/]+)/(dispatches|runs)", path):
            if match[1] not in self.workflows:
                raise No(404, "Not Found")
            if match[2] == "runs" and request.method == "GET":
                return self._runs(request, match[1])
            if match[2] == "dispatches" and request.method == "POST":
                return self._dispatch(match[1], _json(request))
        if match := re.fullmatch(r"/actions/runs/(\d+)(/deployment_protection_rule)?", path):
            if int(match[1]) not in self.runs:
                raise No(404, "Not Found")
            if not match[2] and request.method == "GET":
                return Reply(self.runs[int(match[1])])
            if match[2] and request.method == "POST":
                return self._review(int(match[1]), _json(request), bearer)
        raise No(404, "Not Found")

    def _commit(self, ref: str) -> Reply:
        kind, _, name = ref.partition("/")
        known = {"tags": self.tags, "heads": self.branches}.get(kind, {})
        sha = known.get(name)
        if sha is None and _SHA.fullmatch(ref):
            everything = {*self.tags.values(), *self.branches.values()}
            sha = next((each for each in everything if each.startswith(ref)), None)
        if sha is None:
            raise No(422, f"No commit found for SHA: {ref}")
        return Reply({"sha": sha, "html_url": f"https://github.com/{self.name}/commit/{sha}", "commit": {}})

    def _dispatch(self, workflow: str, body: dict[str, Any]) -> Reply:
        if unknown := set(body) - {"ref", "inputs"} - (set() if self.older else {"return_run_details"}):
            raise No(422, f'Invalid request.\n\n"{unknown.pop()}" is not a permitted key.')
        ref, inputs = body.get("ref"), body.get("inputs", {})
        if ref not in self.tags and ref not in self.branches:
            raise No(422, f"No ref found for: {ref}")
        if not isinstance(inputs, dict) or not all(isinstance(value, str) for value in inputs.values()):
            raise No(422, "Invalid request.\n\nFor 'properties/inputs', values must be strings.")
        declared = self.workflows[workflow].inputs
        if unexpected := sorted(set(inputs) - set(declared)):
            raise No(422, f"Unexpected inputs provided: {json.dumps(unexpected)}")
        for name, required in declared.items():
            if required and name not in inputs:
                raise No(422, f"Required input '{name}' not provided")
        run = self.run(workflow, ref)
        self.dispatched.append({"workflow": workflow, "ref": ref, "inputs": inputs})
        if not body.get("return_run_details"):
            return Reply(b"", 204)
        url = f"{self.base}/repos/{self.name}/actions/runs/{run['id']}"
        return Reply({"workflow_run_id": run["id"], "run_url": url, "html_url": run["html_url"]})

    def _runs(self, request: Request, workflow: str) -> Reply:
        found = [run for run in self.runs.values() if f"/{workflow}@" in run["path"]]
        if event := request.said("event"):
            found = [run for run in found if run["event"] == event]
        if sha := request.said("head_sha"):
            found = [run for run in found if run["head_sha"] == sha]
        if created := request.said("created"):
            if not re.fullmatch(r">=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", created):
                raise No(422, "Validation Failed")
            found = [run for run in found if run["created_at"] >= created.removeprefix(">=")]
        newest_first = sorted(found, key=lambda run: -run["id"])
        return Reply({"total_count": len(found), "workflow_runs": newest_first[: int(request.said("per_page") or 30)]})

    def _review(self, run: int, body: dict[str, Any], bearer: str) -> Reply:
        if bearer == TOKEN:
            raise No(403, "Resource not accessible by personal access token")
        if set(body) - _RULE_KEYS or body.get("state") not in ("approved", "rejected"):
            raise No(422, "Invalid request.")
        where = (run, str(body.get("environment_name")))
        if where not in self.waiting or self.waiting[where] is not None:
            raise No(422, "No pending custom deployment requests to approve or reject.")
        self.waiting[where] = body
        return Reply(b"", 204)


def _json(request: Request) -> dict[str, Any]:
    if request.headers.get("content-type") != "application/json":
        raise No(415, "Content-Type must be application/json")
    try:
        body = json.loads(request.body)
    except ValueError:
        raise No(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise No(422, "Invalid request.")
    return body
