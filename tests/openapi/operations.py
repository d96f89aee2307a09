"""What we ask of the vendors that publish an OpenAPI document: each operation as the document writes it."""

from __future__ import annotations

OPERATIONS: dict[str, tuple[str, ...]] = {
    "alertmanager": ("GET /alerts",),
    "datadog": ("GET /api/v1/query", "GET /api/v1/monitor/{monitor_id}", "GET /api/v1/monitor"),
    "fly": ("GET /apps/{app_name}/machines",),
    "github": (
        "GET /repos/{owner}/{repo}/commits/{ref}",
        "GET /repos/{owner}/{repo}/commits/{commit_sha}/pulls",
        "GET /repos/{owner}/{repo}/commits/{ref}/check-runs",
        "GET /repos/{owner}/{repo}/commits/{ref}/status",
        "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews",
        "GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}/runs",
        "POST /repos/{owner}/{repo}/actions/workflows/{workflow_id}/dispatches",
        "GET /repos/{owner}/{repo}/actions/runs/{run_id}",
        "GET /repos/{owner}/{repo}/actions/runs/{run_id}/approvals",
        "POST /repos/{owner}/{repo}/actions/runs/{run_id}/deployment_protection_rule",
        "GET /repos/{owner}/{repo}/installation",
        "POST /app/installations/{installation_id}/access_tokens",
    ),
    "kubernetes": (
        "GET /api/v1/nodes",
        "GET /api/v1/namespaces/{namespace}/pods",
        "GET /apis/apps/v1/namespaces/{namespace}/deployments/{name}",
    ),
    "pagerduty": ("GET /incidents", "GET /oncalls", "GET /services/{id}"),
    "sentry": (
        "GET /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/",
        "GET /api/0/organizations/{organization_id_or_slug}/events/",
        "GET /api/0/organizations/{organization_id_or_slug}/issues/",
        "GET /api/0/organizations/{organization_id_or_slug}/sessions/",
        "GET /api/0/organizations/{organization_id_or_slug}/releases/{version}/",
    ),
}
"""The others: AWS describes CloudWatch in botocore, which its loopback server reads; Prometheus is asked for real;
Cloudflare's analytics are GraphQL, and a Statuspage's own API for readers is in no document."""
