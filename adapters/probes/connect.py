"""The sources that the settings connect."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from adapters.probes.alertmanager import AlertmanagerCredentials, AlertmanagerProbe
from adapters.probes.cloudflare import CloudflareCredentials, CloudflareProbe
from adapters.probes.cloudwatch import CloudWatchCredentials, CloudWatchProbe
from adapters.probes.command import CommandProbe
from adapters.probes.datadog import DatadogCredentials, DatadogProbe
from adapters.probes.fly import FlyCredentials, FlyProbe
from adapters.probes.github import GitHubCredentials, GitHubProbe
from adapters.probes.kubernetes import KubernetesCredentials, KubernetesProbe
from adapters.probes.pagerduty import PagerDutyCredentials, PagerDutyProbe
from adapters.probes.prometheus import PrometheusCredentials, PrometheusProbe
from adapters.probes.redis import RedisCredentials, RedisProbe
from adapters.probes.sentry import SentryCredentials, SentryProbe
from adapters.probes.statuspage import StatuspageProbe
from bot.ports import Probe


@dataclass(frozen=True, slots=True)
class ProbeKeys:
    """What the settings have for each source; None: nothing."""

    prometheus: PrometheusCredentials | None = None
    alertmanager: AlertmanagerCredentials | None = None
    datadog: DatadogCredentials | None = None
    sentry: SentryCredentials | None = None
    cloudflare: CloudflareCredentials | None = None
    cloudwatch: CloudWatchCredentials | None = None
    github: GitHubCredentials | None = None
    kubernetes: KubernetesCredentials | None = None
    pagerduty: PagerDutyCredentials | None = None
    fly: FlyCredentials | None = None
    redis: RedisCredentials | None = None
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The commands a probe may run, with all their arguments."""


def connect(client: httpx.AsyncClient, keys: ProbeKeys) -> dict[str, Probe]:
    """The sources by their key in a policy; only those that need no key, or have one. They share the client."""
    found: dict[str, Probe] = {"statuspage": StatuspageProbe(client), "command": CommandProbe(keys.commands)}
    if keys.prometheus is not None:
        found["prometheus"] = PrometheusProbe(client, keys.prometheus)
    if keys.alertmanager is not None:
        found["alertmanager"] = AlertmanagerProbe(client, keys.alertmanager)
    if keys.datadog is not None:
        found["datadog"] = DatadogProbe(client, keys.datadog)
    if keys.sentry is not None:
        found["sentry"] = SentryProbe(client, keys.sentry)
    if keys.cloudflare is not None:
        found["cloudflare"] = CloudflareProbe(client, keys.cloudflare)
    if keys.cloudwatch is not None:
        found["cloudwatch"] = CloudWatchProbe(client, keys.cloudwatch)
    if keys.github is not None:
        found["github"] = GitHubProbe(client, keys.github)
    if keys.kubernetes is not None:
        found["kubernetes"] = KubernetesProbe(client, keys.kubernetes)
    if keys.pagerduty is not None:
        found["pagerduty"] = PagerDutyProbe(client, keys.pagerduty)
    if keys.fly is not None:
        found["fly"] = FlyProbe(client, keys.fly)
    if keys.redis is not None:
        found["redis"] = RedisProbe(keys.redis)
    return found
