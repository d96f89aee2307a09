"""The settings: the only reader of the environment. Every one starts with `GONOGO_`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

from annotated_types import Len
from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from checklists.names import nearest

SHIPPED = Path(__file__).resolve().parent.parent / "checklists"
"""The five checklists that come with gonogo."""
EMBEDDED = "sqlite:///var/gonogo.db"
"""The default database, beside where gonogo is started; its folder is made."""
PREFIX = "GONOGO_"
NOT_OURS = frozenset({"TOKEN", "SERVICE", "ENVIRONMENT", "VERSION", "REQUIRE", "OPENAPI"})
"""Names that are no settings and may stand beside them: a pipeline's own token, what a probe's command is told
(`adapters/probes/command.py`), and what the tests of gonogo are told."""
_LINK = re.compile(r"(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)")
_LINKED = re.compile(r"(tcp|udp|sctp)://")
"""Kubernetes writes such names and values into every container for a Service called gonogo-something."""


class UnknownSetting(ValueError):
    """A name that looks like a setting and is none: whoever wrote it would wait for it to count. Names only, never what
    they were set to."""


class Settings(BaseSettings):
    """What a team may set. Unset, everything runs embedded: SQLite in `var/`, the sandbox channel on loopback."""

    model_config = SettingsConfigDict(env_prefix="GONOGO_", env_file=".env", extra="ignore", frozen=True)

    database_url: str = Field(default=EMBEDDED, repr=False)
    """`sqlite:///path/to/file` or `postgresql://user:password@host/database`."""
    port: int = Field(default=8642, ge=0, le=65535)
    """Where the page of the sandbox channel listens, on 127.0.0.1. 0: any free port."""
    host: str = "127.0.0.1"
    """The address to listen on, for Slack over HTTP behind a proxy. The sandbox channel needs a token for any other."""
    sandbox_token: SecretStr = SecretStr("")
    """At least 20 letters: the page of the sandbox channel asks for it, once."""
    checklists: Path = SHIPPED
    """The folder of checklists and their policies."""
    checklist: str = "azora"
    """The one meant when `/deploy start` names none, if it is in the folder."""
    checklist_file: Path | None = None
    """One document, instead of a folder: `make run CHECKLIST=path/to/their.md`."""
    slack_bot_token: SecretStr = SecretStr("")
    """`xoxb-…`: with it, the channel stands in Slack instead of the sandbox page."""
    slack_app_token: SecretStr = SecretStr("")
    """`xapp-…`: Socket Mode, no public address needed."""
    slack_signing_secret: SecretStr = SecretStr("")
    """Without an app token: Slack's requests come over HTTP to `/slack/events`, signed with this."""
    slack_api_url: str = "https://slack.com/api/"
    """Another base of the Web API: GovSlack, a test server."""
    slack_processes: int = Field(default=1, ge=1, le=5)
    """How many gonogo processes share the app token."""
    discord_token: SecretStr = SecretStr("")
    """The bot's token: with it, the channel stands in Discord, beside Slack where that has tokens, too."""
    discord_guild_id: int | None = None
    """The server. Set, `/deploy` is defined there at once; unset, in every server the bot is in, of which one is
    posted to."""
    discord_api_url: str = "https://discord.com/api/v10"
    """Another base of the API: a test server."""
    pagerduty_token: SecretStr = SecretStr("")
    """A read-only REST API key: for freezes and probes that ask PagerDuty."""
    pagerduty_api_url: str = "https://api.pagerduty.com"
    """Accounts in the EU: `https://api.eu.pagerduty.com`."""
    prometheus_url: str | None = None
    """Prometheus, or what speaks its API below this address: `https://prometheus.example.org`, Mimir's `…/prometheus`,
    `https://api.fly.io/prometheus/ORG`."""
    prometheus_token: SecretStr = SecretStr("")
    """Sent as a bearer's token, unless it brings its scheme: `Basic …`, `FlyV1 …`."""
    prometheus_tenant: str | None = None
    """Mimir's tenant (`X-Scope-OrgID`)."""
    alertmanager_url: str | None = None
    """The Alertmanager; Mimir's stands below `…/alertmanager`."""
    alertmanager_token: SecretStr = SecretStr("")
    """As Prometheus's."""
    alertmanager_tenant: str | None = None
    """As Prometheus's."""
    datadog_api_key: SecretStr = SecretStr("")
    """An API key."""
    datadog_app_key: SecretStr = SecretStr("")
    """An application key with `timeseries_query`."""
    datadog_site: str = "datadoghq.com"
    """The account's site: `datadoghq.eu`, `us3.datadoghq.com`."""
    datadog_api_url: str | None = None
    """Another address of the site's API: a proxy, a test server."""
    sentry_token: SecretStr = SecretStr("")
    """A token with the scopes `org:read`, `project:read` and `event:read`."""
    sentry_org: str | None = None
    """The organization's slug."""
    sentry_url: str = "https://sentry.io"
    """A region (`https://de.sentry.io`), or a Sentry of one's own."""
    cloudflare_token: SecretStr = SecretStr("")
    """A token with `Account Analytics: Read`."""
    cloudflare_account: str | None = None
    """The account's id: 32 hexadecimal digits."""
    cloudflare_api_url: str = "https://api.cloudflare.com/client/v4"
    """Another address of the API: a test server."""
    aws_region: str | None = None
    """`eu-west-1`: where CloudWatch is asked."""
    aws_access_key_id: str | None = None
    """A key that may `cloudwatch:GetMetricData`."""
    aws_secret_access_key: SecretStr = SecretStr("")
    """The secret of that key."""
    aws_session_token: SecretStr = SecretStr("")
    """Only for temporary keys."""
    aws_endpoint_url: str | None = None
    """Another address of CloudWatch: a private endpoint, a test server."""
    github_token: SecretStr = SecretStr("")
    """A token that may read contents, pull requests, checks and actions of the repositories; to start workflows it may
    write actions."""
    github_app_id: str | None = None
    """Instead of a token: a GitHub App, by its id or client id. Only an App may answer deployment protection rules."""
    github_app_key_file: Path | None = None
    """The App's private key, as PEM."""
    github_webhook_secret: SecretStr = SecretStr("")
    """GitHub signs its deliveries to `/hooks/github` with it. Unset: nothing is there."""
    github_repository: str | None = None
    """`owner/name`, where a policy has no `repository`."""
    github_api_url: str = "https://api.github.com"
    """GitHub Enterprise Server: `https://HOST/api/v3`."""
    kubernetes_api_url: str | None = None
    """The API server, with a token. Unset inside a cluster: the service account of the pod."""
    kubernetes_token: SecretStr = SecretStr("")
    """A token that may list pods and nodes."""
    kubernetes_ca_file: Path | None = None
    """The cluster's certificate authority, as PEM."""
    fly_token: SecretStr = SecretStr("")
    """A token that may read the apps: `fly tokens create readonly`."""
    fly_api_url: str = "https://api.machines.dev"
    """Another address of Fly.io's Machines API."""
    redis_url: SecretStr = SecretStr("")
    """`redis://user:password@host:6379/0`; `rediss://` for TLS."""
    alerts_token: SecretStr = SecretStr("")
    """Alertmanager and Datadog bring their alerts with it: `/hooks/alertmanager`, `/hooks/datadog`. Unset: nothing is
    there."""
    sentry_webhook_secret: SecretStr = SecretStr("")
    """The client secret of Sentry's internal integration, whose alerts come to `/hooks/sentry`. Unset: nothing is
    there."""
    webhook_secret: SecretStr = SecretStr("")
    """Signs the calls to `lock_webhook` addresses. Unset: nobody is called."""
    webhook_private: bool = False
    """`lock_webhook` may be in the team's own network or on this machine, by http too."""
    commands: dict[str, Annotated[tuple[str, ...], Len(min_length=1)]] = {}
    """The commands a probe may run, as JSON: `{"smoke": ["/opt/checks/smoke", "--quick"]}`. Unset: none."""
    log_level: str = "WARNING"
    """DEBUG, INFO, WARNING or ERROR; logs go to standard error."""

    @field_validator("port", mode="before")
    @classmethod
    def _no_link(cls, value: object) -> object:
        if isinstance(value, str) and _LINKED.match(value):
            raise ValueError(
                "Kubernetes has set it, for a Service called gonogo. Set it yourself, or write `enableServiceLinks: "
                "false` into the pod's spec"
            )
        return value

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """As pydantic-settings has them, once every `GONOGO_` name in them is known. Raises UnknownSetting."""
        known = {name.upper() for name in cls.model_fields}
        wrong: list[str] = []
        for source, where in ((env_settings, "the environment"), (dotenv_settings, ".env")):
            if isinstance(source, EnvSettingsSource):
                wrong += _unknown(source.env_vars, known, where)
        if wrong:
            raise UnknownSetting("\n".join(wrong))
        return init_settings, env_settings, dotenv_settings, file_secret_settings


def _unknown(found: Mapping[str, str | None], known: set[str], where: str) -> Iterator[str]:
    """A sentence for each `GONOGO_` name that is no setting."""
    for variable in sorted(found):
        prefix, name = variable[: len(PREFIX)].upper(), variable[len(PREFIX) :].upper()
        if prefix != PREFIX or name in known | NOT_OURS or _LINK.fullmatch(name):
            continue
        if not _LINKED.match(found[variable] or ""):
            meant = nearest(name, sorted(known))
            mend = f"did you mean {PREFIX}{meant}? Correct the name" if meant else "correct the name"
            yield f"{PREFIX}{name} in {where} is no setting: {mend}, or take it away."
