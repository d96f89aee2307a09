"""What Slack's adapter has to be told. The environment is read elsewhere."""

from __future__ import annotations

from dataclasses import dataclass, field

SLACK = "https://slack.com/api/"


@dataclass(frozen=True, slots=True)
class SlackConfig:
    """`bot_token` (`xoxb-…`) speaks. Clicks come in by Socket Mode when there is an `app_token` (`xapp-…`), else over
    HTTP, signed with `signing_secret`. Secrets are left out when it is printed."""

    bot_token: str = field(repr=False)
    app_token: str = field(default="", repr=False)
    signing_secret: str = field(default="", repr=False)
    api_url: str = SLACK
    processes: int = 1
    """How many gonogo processes share the app token."""
