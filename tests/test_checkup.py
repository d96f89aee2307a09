"""`gonogo doctor` says which webhooks of the policies are not set up."""

from __future__ import annotations

from pathlib import Path

from pydantic import SecretStr

from bot.checkup import examine_all, lines
from bot.settings import Settings
from tests.core_kit import a_folder

POLICY = """
alerts: [{from: datadog, matching: "service:api"}, {from: sentry, matching: shop}]
lock_webhook: https://flags.example.org/lock
"""


async def said(folder: Path, **settings: SecretStr) -> str:
    return "\n".join(
        lines(await examine_all(Settings(_env_file=None, checklists=folder, checklist="shop", **settings)))
    )  # type: ignore[arg-type]


async def test_what_a_policy_asks_for_and_the_settings_lack_is_named_with_what_to_set(tmp_path: Path) -> None:
    folder = a_folder(tmp_path / "checklists")
    assert "alerts" not in await said(folder)
    (folder / "shop.yaml").write_text((folder / "shop.yaml").read_text() + POLICY)
    text = await said(folder)
    assert "--  shop: alerts of datadog do not come in\n    set GONOGO_ALERTS_TOKEN: docs/alerts.md" in text
    assert "--  shop: alerts of sentry do not come in\n    set GONOGO_SENTRY_WEBHOOK_SECRET" in text
    assert "--  shop: its `lock_webhook` is not told\n    set GONOGO_WEBHOOK_SECRET" in text
    secrets = {"alerts_token": "a", "sentry_webhook_secret": "b", "webhook_secret": "c"}
    text = await said(folder, **{name: SecretStr(value) for name, value in secrets.items()})
    assert "do not come in" not in text
    assert "is not told" not in text
