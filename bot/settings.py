"""The settings: the only reader of the environment. Every one starts with `GONOGO_`."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

SHIPPED = Path(__file__).resolve().parent.parent / "checklists"
"""The five checklists that come with gonogo."""
EMBEDDED = "sqlite:///var/gonogo.db"
"""The default database, beside where gonogo is started; its folder is made."""


class Settings(BaseSettings):
    """What a team may set. Unset, everything runs embedded: SQLite in `var/`, the sandbox channel on loopback."""

    model_config = SettingsConfigDict(env_prefix="GONOGO_", env_file=".env", extra="ignore", frozen=True)

    database_url: str = EMBEDDED
    """`sqlite:///path/to/file` or `postgresql://user:password@host/database`."""
    port: int = Field(default=8642, ge=0, le=65535)
    """Where the page of the sandbox channel listens, on 127.0.0.1. 0: any free port."""
    host: str = "127.0.0.1"
    """The address to listen on, for Slack over HTTP behind a proxy. The sandbox channel listens on 127.0.0.1 only."""
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
    pagerduty_token: SecretStr = SecretStr("")
    """A read-only REST API key: for freezes and probes that ask PagerDuty."""
    pagerduty_api_url: str = "https://api.pagerduty.com"
    """Accounts in the EU: `https://api.eu.pagerduty.com`."""
    log_level: str = "WARNING"
    """DEBUG, INFO, WARNING or ERROR; logs go to standard error."""
