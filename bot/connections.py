"""What the settings connect the probes to, and what they let out."""

from __future__ import annotations

from pathlib import Path

import httpx
from pydantic import SecretStr

from adapters.github.api import GitHub
from adapters.github.auth import AppAuth, Auth, TokenAuth
from adapters.github.errors import Unusable
from adapters.github.wire import Wire
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
from adapters.webhook.caller import WebhookCaller
from bot.egress import guarded
from bot.settings import Settings


def probe_keys(settings: Settings, client: httpx.AsyncClient | None = None) -> ProbeKeys:
    """The sources that the settings have what is needed for: half of it connects nothing. Without a `client` no App of
    GitHub's gets its tokens. Raises Unusable for an App's settings."""
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
        github=_github(settings, client),
        kubernetes=_kubernetes(settings),
        pagerduty=PagerDutyCredentials(token, settings.pagerduty_api_url)
        if (token := _said(settings.pagerduty_token))
        else None,
        fly=FlyCredentials(token, settings.fly_api_url) if (token := _said(settings.fly_token)) else None,
        redis=RedisCredentials(url) if (url := _said(settings.redis_url)) else None,
        commands=settings.commands,
    )


def webhook_caller(settings: Settings) -> WebhookCaller | None:
    """What calls the `lock_webhook` addresses; None where the settings have no secret to sign with."""
    secret = _said(settings.webhook_secret)
    return WebhookCaller(guarded(private=settings.webhook_private), secret) if secret else None


def github_of(settings: Settings, client: httpx.AsyncClient) -> GitHub | None:
    """GitHub as the App, or else by the token, of the settings; None without either. Raises Unusable."""
    auth = _github_auth(settings)
    return GitHub(Wire(client, settings.github_api_url), auth) if auth is not None else None


def _github_auth(settings: Settings) -> Auth | None:
    app, file = (settings.github_app_id or "").strip(), settings.github_app_key_file
    token = _said(settings.github_token)
    if app and file is not None:
        return AppAuth(app, _pem(file))
    if app or file is not None:
        missing = "GONOGO_GITHUB_APP_KEY_FILE" if app else "GONOGO_GITHUB_APP_ID"
        raise Unusable(f"{missing} is missing: a GitHub App has both, its id and the file with its private key")
    return TokenAuth(token) if token else None


def _pem(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise Unusable(f"GONOGO_GITHUB_APP_KEY_FILE: {file} cannot be read ({type(error).__name__})") from None


def _github(settings: Settings, client: httpx.AsyncClient | None) -> GitHubCredentials | None:
    token, repository, api = _said(settings.github_token), settings.github_repository or "", settings.github_api_url
    if client is not None and (github := github_of(settings, client)) is not None:
        return GitHubCredentials(repository=repository, api=api, bearer=github.bearer)
    return GitHubCredentials(token, repository, api) if token else None


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
