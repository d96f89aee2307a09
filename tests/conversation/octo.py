"""A small team on Slack whose workflows are on GitHub: the loopback GitHub, and its webhooks at gonogo's door."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from adapters.probes.connect import connect
from adapters.probes.sources import Sources
from adapters.store.engine import address, engine_for
from adapters.web.clock import SandboxClock
from adapters.web.state import Sandbox
from bot.connections import probe_keys
from bot.doors import with_doors
from bot.ports import Probe, Store
from tests.adapters.probes.conftest import TRUSTING_NOBODY
from tests.fakes import github as fake
from tests.fakes import slack_team
from tests.fakes.github_deliveries import SECRET, Courier
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_team import MAIN, USERS, Rehearsal, Team, settings_for, workspace
from tests.fakes.vendors import Vendor, vendor_server

MARKDOWN = """\
# Shop

## Before
- [ ] Tests pass
- [ ] Release published
- [ ] Version tagged

## Deploy
- [ ] Workflow succeeded
- [ ] In production

## After
- [ ] Shop looks right

## Rollback
- [ ] Old version is back
"""
POLICY = f"""\
service: shop
timezone: UTC
repository: {fake.REPOSITORY}
windows:
  production: ["mon-fri 09:00-17:00"]
  staging: always
phases:
  Deploy: {{deployed: true}}
  After: {{opens: T+0}}
  Rollback: {{kind: rollback}}
items:
  Release published: {{event: release published}}
  Version tagged: {{probe: tagged}}
  Workflow succeeded: {{event: workflow deploy.yml succeeded}}
  In production: {{event: deployed}}
probes:
  tagged: {{github: tag}}
pipeline:
  deploy:
    workflow: deploy.yml
    ref: main
    inputs: {{version: "{{{{ version }}}}", environment: "{{{{ environment }}}}"}}
  rollback:
    workflow: rollback.yml
    ref: main
    inputs: {{version: "{{{{ previous_version }}}}", reason: "{{{{ reason }}}}"}}
  environments: {{prod: production}}
people:
  on_call: {{name: On-call}}
  engineer: {{name: Engineers}}
  senior_engineer: {{name: Senior engineers}}
  qa: {{name: QA}}
may:
  rollback: [engineer, on_call]
  start: [engineer, senior_engineer, qa]
"""
APPROVED = """\
approvals:
  production: {role: qa}
"""


@dataclass
class Octo:
    """What happens on GitHub, and what people read of it on Slack."""

    team: Team
    there: fake.GitHub
    server: Vendor
    courier: Courier

    async def delivers(self, event: str, payload: Mapping[str, Any]) -> httpx.Response:
        """A webhook; what follows stands then."""
        answer = await self.courier.delivers(event, payload)
        await self.team.app.settle()
        return answer

    async def says(self, event: str, payload: Mapping[str, Any]) -> str:
        """The same; what it is answered."""
        answer = await self.delivers(event, payload)
        assert answer.status_code == 202, answer.text
        return str(answer.json()["status"])

    @property
    def channel(self) -> list[str]:
        """Everything in the channel but the cards."""
        return [self.team.reads(message) for message in self.team.slack.messages(MAIN) if message.mine]

    def review(self, run: int) -> dict[str, str]:
        """What GitHub was told about the job of this run that waits."""
        found = self.there.waiting[run, "prod"]
        assert found is not None, "it waits"
        return found


@contextlib.asynccontextmanager
async def octo(database: str, base: Path, at: str, *, policy: str = POLICY, app: bool = True) -> AsyncIterator[Octo]:
    """A running gonogo, as an App (or by a token) on GitHub."""
    now = datetime.fromisoformat(at).replace(tzinfo=UTC)
    sandbox = Sandbox(engine_for(address(database)))
    clock = SandboxClock(sandbox, lambda: now)
    await clock.load()
    key = base / "app.pem"
    key.write_text(fake.key())
    try:
        with vendor_server() as server:
            server.serve = there = fake.GitHub(server.base, now=clock.now)
            async with FakeSlack(lambda: clock.now().timestamp()) as slack:
                workspace(slack, ())
                update: dict[str, Any] = {
                    "github_webhook_secret": SecretStr(SECRET), "github_api_url": server.base,
                    "github_app_id": fake.APP if app else "", "github_app_key_file": key if app else None,
                    "github_token": SecretStr("" if app else fake.TOKEN),
                }  # fmt: skip
                folder = _folder(base, policy)
                settings = settings_for(slack, database, folder, "shop").model_copy(update=update)
                async with slack_team.started(slack, settings, sandbox, clock, kind=_Front) as team:
                    courier = Courier(with_doors(team.app.front.asgi(), team.app.doors))
                    yield Octo(team, there, server, courier)
                assert [line for line in slack.refused if "warning sign" not in line] == []
    finally:
        await sandbox.engine.dispose()


class _Front(Rehearsal):
    """GitHub's probes are real, all others the sandbox's."""

    def probe(self, store: Store) -> Probe:
        """See above."""
        simulated = super().probe(store)
        client = self._asks = httpx.AsyncClient(verify=TRUSTING_NOBODY)
        github = connect(client, probe_keys(self._settings, client))["github"]
        return Sources(simulated, simulated, connected={"github": github})

    async def close(self) -> None:
        """One more client."""
        await self._asks.aclose()
        await super().close()


def _folder(base: Path, policy: str) -> Path:
    folder = base / "checklists"
    folder.mkdir(exist_ok=True)
    (folder / "shop.md").write_text(MARKDOWN)
    (folder / "shop.yaml").write_text(slack_team._peopled(policy, {"qa": USERS["quinn"]}))
    return folder


__all__ = ["APPROVED", "POLICY", "Octo", "octo"]
