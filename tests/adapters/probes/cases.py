"""What each source brings to the contract of all sources."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx

from adapters.probes.alertmanager import AlertmanagerCredentials, AlertmanagerProbe
from adapters.probes.cloudflare import CloudflareCredentials, CloudflareProbe
from adapters.probes.cloudwatch import CloudWatchCredentials, CloudWatchProbe
from adapters.probes.datadog import DatadogCredentials, DatadogProbe
from adapters.probes.fly import FlyCredentials, FlyProbe
from adapters.probes.github import GitHubCredentials, GitHubProbe
from adapters.probes.kubernetes import KubernetesCredentials, KubernetesProbe
from adapters.probes.pagerduty import PagerDutyCredentials, PagerDutyProbe
from adapters.probes.prometheus import PrometheusCredentials, PrometheusProbe
from adapters.probes.sentry import SentryCredentials, SentryProbe
from adapters.probes.statuspage import StatuspageProbe
from bot.ports import Probe
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED
from tests.fakes import vendors_cloud as cloud
from tests.fakes import vendors_github as hub
from tests.fakes import vendors_metrics as metrics
from tests.fakes import vendors_sentry as tracker
from tests.fakes import vendors_status as status
from tests.fakes.vendors import Serve

NOW = ASKED.as_of.timestamp()


@dataclass(frozen=True)
class Case:
    """One source: how it is made, and the vendor in good health, in bad, and with nothing to say (None: cannot be)."""

    name: str
    policy: Callable[[str], dict[str, Any]]
    make: Callable[[httpx.AsyncClient, str], Probe]
    healthy: Callable[[str], Serve]
    unhealthy: Callable[[str], Serve]
    empty: Callable[[str], Serve] | None
    values: tuple[float, float]
    """What is measured in good health, and in bad."""
    dimension: str
    secret: str
    mend: str
    """What a refusal tells people to look at."""

    def probe(self, base: str, **more: Any) -> ProbePolicy:
        """The policy, with a short timeout that a slow answer does not meet."""
        return ProbePolicy(**{"timeout": timedelta(seconds=3), **self.policy(base), **more})


CASES = [
    Case(
        "prometheus",
        lambda base: {"prometheus": "sum(rate(errors[5m]))", "unit": "%"},
        lambda client, base: PrometheusProbe(client, PrometheusCredentials(base, metrics.PROMETHEUS_TOKEN)),
        lambda base: metrics.Prometheus({"sum(rate(errors[5m]))": [[(NOW - 60, 9.0), (NOW - 15, 0.05)]]}),
        lambda base: metrics.Prometheus({"sum(rate(errors[5m]))": [[(NOW - 60, 0.05), (NOW - 15, 7.2)]]}),
        lambda base: metrics.Prometheus(),
        (0.0005, 0.072),
        "ratio",
        metrics.PROMETHEUS_TOKEN,
        "GONOGO_PROMETHEUS_TOKEN",
    ),
    Case(
        "alertmanager",
        lambda base: {"alertmanager": 'severity="critical",namespace="production"'},
        lambda client, base: AlertmanagerProbe(client, AlertmanagerCredentials(base, metrics.ALERTMANAGER_TOKEN)),
        lambda base: metrics.Alertmanager([metrics.alert("Other", severity="critical", namespace="staging")]),
        lambda base: metrics.Alertmanager([metrics.alert("Down", severity="critical", namespace="production")]),
        None,
        (1.0, 0.0),
        "ok",
        metrics.ALERTMANAGER_TOKEN,
        "GONOGO_ALERTMANAGER_TOKEN",
    ),
    Case(
        "datadog",
        lambda base: {"datadog": "p99:trace.http.request{service:api}", "unit": "s"},
        lambda client, base: DatadogProbe(
            client, DatadogCredentials(metrics.DATADOG_API_KEY, metrics.DATADOG_APP_KEY, api=base)
        ),
        lambda base: metrics.Datadog([[(NOW - 60, 9.0), (NOW - 20, 0.24)]]),
        lambda base: metrics.Datadog([[(NOW - 60, 0.24), (NOW - 20, 2.5)]]),
        lambda base: metrics.Datadog(),
        (0.24, 2.5),
        "seconds",
        metrics.DATADOG_APP_KEY,
        "GONOGO_DATADOG_API_KEY",
    ),
    Case(
        "datadog monitor",
        lambda base: {"datadog": "monitor 4201"},
        lambda client, base: DatadogProbe(
            client, DatadogCredentials(metrics.DATADOG_API_KEY, metrics.DATADOG_APP_KEY, api=base)
        ),
        lambda base: metrics.Datadog(monitors=[metrics.monitor(4201, "OK")]),
        lambda base: metrics.Datadog(monitors=[metrics.monitor(4201, "Alert")]),
        lambda base: metrics.Datadog(monitors=[metrics.monitor(4201, "No Data")]),
        (1.0, 0.0),
        "ok",
        metrics.DATADOG_APP_KEY,
        "monitors_read",
    ),
    Case(
        "sentry",
        lambda base: {"sentry": "api errors", "unit": "count"},
        lambda client, base: SentryProbe(client, SentryCredentials(tracker.TOKEN, "acme", base)),
        lambda base: tracker.Sentry(base, tracker.errors(40, NOW - 3600)),
        lambda base: tracker.Sentry(base, tracker.errors(40, NOW - 3600) + tracker.errors(17, NOW - 60)),
        None,
        (0.0, 17.0),
        "count",
        tracker.TOKEN,
        "GONOGO_SENTRY_TOKEN",
    ),
    Case(
        "cloudflare",
        lambda base: {"cloudflare": "error_rate gateway", "unit": "ratio"},
        lambda client, base: CloudflareProbe(
            client, CloudflareCredentials(metrics.CLOUDFLARE_TOKEN, metrics.CLOUDFLARE_ACCOUNT, base)
        ),
        lambda base: metrics.Cloudflare([metrics.Invocations(NOW - 90, 1000, 1)]),
        lambda base: metrics.Cloudflare([metrics.Invocations(NOW - 90, 1000, 60)]),
        lambda base: metrics.Cloudflare([metrics.Invocations(NOW - 90, 1000, 60, worker="other")]),
        (0.001, 0.06),
        "ratio",
        metrics.CLOUDFLARE_TOKEN,
        "GONOGO_CLOUDFLARE_TOKEN",
    ),
    Case(
        "cloudwatch",
        lambda base: {"cloudwatch": "AWS/ECS CPUUtilization Average ClusterName=main ServiceName=api", "unit": "%"},
        lambda client, base: CloudWatchProbe(
            client, CloudWatchCredentials(cloud.AWS_ID, cloud.AWS_SECRET, "eu-west-1", endpoint=base)
        ),
        lambda base: cloud.CloudWatch(base, [(NOW - 60, 41.5), (NOW - 120, 99.0)]),
        lambda base: cloud.CloudWatch(base, [(NOW - 60, 93.0), (NOW - 120, 1.0)]),
        lambda base: cloud.CloudWatch(base, []),
        (0.415, 0.93),
        "ratio",
        cloud.AWS_SECRET,
        "GONOGO_AWS_ACCESS_KEY_ID",
    ),
    Case(
        "github",
        lambda base: {"github": "approvals", "unit": "count"},
        lambda client, base: GitHubProbe(client, GitHubCredentials(hub.TOKEN, "acme/api", base)),
        lambda base: hub.GitHub(base, pulls=[hub.pull()], reviews=[hub.review("ann"), hub.review("ben")]),
        lambda base: hub.GitHub(base, pulls=[hub.pull()], reviews=[hub.review("ann", "COMMENTED")]),
        lambda base: hub.GitHub(base),
        (2.0, 0.0),
        "count",
        hub.TOKEN,
        "GONOGO_GITHUB_TOKEN",
    ),
    Case(
        "kubernetes",
        lambda base: {"kubernetes": "pods slot=green -n production", "unit": "ratio"},
        lambda client, base: KubernetesProbe(client, KubernetesCredentials(base, cloud.KUBERNETES_TOKEN)),
        lambda base: cloud.Kubernetes({"production": [cloud.pod("a"), cloud.pod("b")]}),
        lambda base: cloud.Kubernetes({"production": [cloud.pod("a"), cloud.pod("b", ready=False)]}),
        lambda base: cloud.Kubernetes({"staging": [cloud.pod("a")]}),
        (1.0, 0.5),
        "ratio",
        cloud.KUBERNETES_TOKEN,
        "GONOGO_KUBERNETES_TOKEN",
    ),
    Case(
        "statuspage",
        lambda base: {"statuspage": base},
        lambda client, base: StatuspageProbe(client),
        lambda base: status.Statuspage(),
        lambda base: status.Statuspage([status.incident("Deploys are slow")]),
        None,
        (1.0, 0.0),
        "ok",
        "",
        "check the address in the policy",
    ),
    Case(
        "pagerduty",
        lambda base: {"pagerduty": "incidents PSVC001"},
        lambda client, base: PagerDutyProbe(client, PagerDutyCredentials(status.PAGERDUTY_TOKEN, base)),
        lambda base: status.PagerDuty(incidents=[status.page("Over", "resolved"), status.page("Other", service="X")]),
        lambda base: status.PagerDuty(incidents=[status.page("API is down", old=True)]),
        None,
        (1.0, 0.0),
        "ok",
        status.PAGERDUTY_TOKEN,
        "GONOGO_PAGERDUTY_TOKEN",
    ),
    Case(
        "fly",
        lambda base: {"fly": "acme-api"},
        lambda client, base: FlyProbe(client, FlyCredentials(cloud.FLY_TOKEN, base)),
        lambda base: cloud.Fly({"acme-api": [cloud.machine("blue", "started", "passing")]}),
        lambda base: cloud.Fly({"acme-api": [cloud.machine("blue", "started", "passing", "critical")]}),
        lambda base: cloud.Fly({"acme-api": []}),
        (1.0, 0.0),
        "ok",
        cloud.FLY_TOKEN,
        "GONOGO_FLY_TOKEN",
    ),
]
