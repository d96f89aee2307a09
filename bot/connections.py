"""What the settings connect the probes to."""

from __future__ import annotations

from pydantic import SecretStr

from adapters.probes.alertmanager import AlertmanagerCredentials
from adapters.probes.cloudflare import CloudflareCredentials
from adapters.probes.cloudwatch import CloudWatchCredentials
from adapters.probes.connect import ProbeKeys
from adapters.probes.datadog import DatadogCredentials
from adapters.probes.fly import FlyCredentials
from adapters.probes.github import GitHubCredentials
from adapters.probes.kubernetes import KubernetesCredentials, in_cluster
from adapters.probes.pagerduty import PagerDutyCredentials
from adapters.probes.prometheus import PrometheusCredentials
from adapters.probes.redis import RedisCredentials
from adapters.probes.sentry import SentryCredentials
from bot.settings import Settings


def probe_keys(settings: Settings) -> ProbeKeys:
    """The sources that the settings have what is needed for: half of it connects nothing."""
    datadog, app = _said(settings.datadog_api_key), _said(settings.datadog_app_key)
    sentry, cloudflare = _said(settings.sentry_token), _said(settings.cloudflare_token)
    return ProbeKeys(
        prometheus=PrometheusCredentials(
            settings.prometheus_url, _said(settings.prometheus_token), settings.prometheus_tenant or ""
        )
        if settings.prometheus_url
        else None,
        alertmanager=AlertmanagerCredentials(
            settings.alertmanager_url, _said(settings.alertmanager_token), settings.alertmanager_tenant or ""
        )
        if settings.alertmanager_url
        else None,
        datadog=DatadogCredentials(datadog, app, settings.datadog_site, settings.datadog_api_url or "")
        if datadog and app
        else None,
        sentry=SentryCredentials(sentry, settings.sentry_org, settings.sentry_url)
        if sentry and settings.sentry_org
        else None,
        cloudflare=CloudflareCredentials(cloudflare, settings.cloudflare_account, settings.cloudflare_api_url)
        if cloudflare and settings.cloudflare_account
        else None,
        cloudwatch=_cloudwatch(settings),
        github=GitHubCredentials(token, settings.github_repository or "", settings.github_api_url)
        if (token := _said(settings.github_token))
        else None,
        kubernetes=_kubernetes(settings),
        pagerduty=PagerDutyCredentials(token, settings.pagerduty_api_url)
        if (token := _said(settings.pagerduty_token))
        else None,
        fly=FlyCredentials(token, settings.fly_api_url) if (token := _said(settings.fly_token)) else None,
        redis=RedisCredentials(url) if (url := _said(settings.redis_url)) else None,
        commands=settings.commands,
    )


def _cloudwatch(settings: Settings) -> CloudWatchCredentials | None:
    region, key, secret = settings.aws_region, settings.aws_access_key_id, _said(settings.aws_secret_access_key)
    if not (region and key and secret):
        return None
    return CloudWatchCredentials(
        key.strip(), secret, region.strip(), _said(settings.aws_session_token), settings.aws_endpoint_url or ""
    )


def _kubernetes(settings: Settings) -> KubernetesCredentials | None:
    if not settings.kubernetes_api_url:
        return in_cluster()
    token = _said(settings.kubernetes_token)
    return KubernetesCredentials(settings.kubernetes_api_url, token, ca_file=settings.kubernetes_ca_file)


def _said(secret: SecretStr) -> str:
    return secret.get_secret_value().strip()
