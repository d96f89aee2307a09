"""Secrets planted in every setting that holds one, servers that say back whatever they were sent, and the search."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from pydantic import SecretStr

from bot.settings import Settings
from tests.fakes.vendors import Reply, Request, Vendor

NAMES = tuple(sorted(name for name, field in Settings.model_fields.items() if field.annotation is SecretStr))
"""Every setting that holds a secret, found by its type: one that is added tomorrow is planted tomorrow."""
_BEFORE = {"slack_bot_token": "xoxb-", "slack_app_token": "xapp-1-"}
DOCUMENT = """\
# Shop

## Before
- [ ] Tests pass

## Deploy
- [ ] Traffic switched

## After
- [ ] Pods are well

## Rollback
- [ ] The old version is back
"""
SOURCES = {
    "pods": 'kubernetes: "pods app=shop -n shop"',
    "promised": "prometheus: up, unit: ratio",
    "alerts": 'alertmanager: severity="critical"',
    "dogs": "datadog: 'avg:errors{*}', unit: ratio",
    "issues": "sentry: shop error_rate",
    "workers": "cloudflare: error_rate",
    "balancer": "cloudwatch: AWS/ApplicationELB RequestCount Sum LoadBalancer=app/shop, unit: count",
    "ci": "github: checks",
    "calls": "pagerduty: incidents PSHOP",
    "machines": "fly: shop",
    "cache": "redis: exists shop",
}


def secret(name: str) -> str:
    """What is planted in a setting: letters that stand nowhere else."""
    return f"PLANTED-{name.replace('_', '')}-7f3c9d2e"


def value(name: str, redis: int = 9) -> str:
    """The whole setting."""
    if name == "redis_url":
        return f"redis://gonogo:{secret(name)}@127.0.0.1:{redis}/0"
    return _BEFORE.get(name, "") + secret(name)


def everything(vendor: Vendor, redis: int) -> dict[str, str]:
    """The environment of a process with every secret planted, and every source they are for at one loopback server."""
    addresses = (
        "PAGERDUTY_API_URL", "PROMETHEUS_URL", "ALERTMANAGER_URL", "DATADOG_API_URL", "SENTRY_URL",
        "CLOUDFLARE_API_URL", "AWS_ENDPOINT_URL", "GITHUB_API_URL", "KUBERNETES_API_URL", "FLY_API_URL",
    )  # fmt: skip
    return {
        **{f"GONOGO_{name.upper()}": value(name, redis) for name in NAMES},
        **{f"GONOGO_{name}": vendor.base for name in addresses},
        "GONOGO_SENTRY_ORG": "acme",
        "GONOGO_CLOUDFLARE_ACCOUNT": "0123456789abcdef0123456789abcdef",
        "GONOGO_AWS_REGION": "eu-west-1",
        "GONOGO_AWS_ACCESS_KEY_ID": "AKIAPUBLIC",
        "GONOGO_LOG_LEVEL": "DEBUG",
    }


def checklist(folder: Path) -> Mapping[str, str]:
    """A checklist whose first check and whose first item ask every source; what the settings are to say of it."""
    folder.mkdir(exist_ok=True)
    (folder / "shop.md").write_text(DOCUMENT)
    probes = "".join(f"  {name}: {{{source}, timeout: 3s}}\n" for name, source in SOURCES.items())
    (folder / "shop.yaml").write_text(
        "service: shop\nrepository: acme/shop\nwindows: {production: always}\n"
        "phases: {Deploy: {deployed: true}, After: {opens: T+0}, Rollback: {kind: rollback}}\n"
        f"items: {{Pods are well: {{probe: pods}}}}\nprobes:\n{probes}"
        f"watch:\n  - {{at: T+0, probes: [{', '.join(SOURCES)}]}}\n"
        "people: {on_call: {slack: UOLU}}\nmay: {rollback: [on_call]}\n"
    )
    return {"GONOGO_CHECKLISTS": str(folder), "GONOGO_CHECKLIST": "shop"}


class Echo:
    """A vendor that refuses with all that it was told: headers, path, query, body. That is what error pages do."""

    def __init__(self, status: int) -> None:
        self.status = status

    def __call__(self, request: Request) -> Reply:
        said = json.dumps([dict(request.headers), request.path, request.query, request.body.decode("latin-1")])
        body = {
            **dict.fromkeys(("error", "message", "detail"), said),
            "errors": [said, {"message": said}],
            "response_metadata": {"messages": [said]},
            "ok": False,
            "status": "error",
            "errorType": "bad_data",
            "code": 50035,
        }
        return Reply(body, self.status, {"x-said": quote(said)[:4_000], "www-authenticate": quote(said)[:2_000]})


@contextlib.asynccontextmanager
async def talkative_redis() -> AsyncIterator[int]:
    """A Redis that lets nobody in, and says with what words they came."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while said := await reader.read(4_096):
                writer.write(b"-WRONGPASS not with " + said.replace(b"\r\n", b" ") + b"\r\n")
                await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@dataclass(frozen=True)
class Found:
    """A secret that stands where it must not."""

    name: str
    where: str
    around: str


def search(places: Iterable[tuple[str, str | bytes]]) -> list[Found]:
    """Every planted secret in these texts, plain or encoded, with what stands around it."""
    found = []
    for where, text in places:
        content = text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text
        for name in NAMES:
            for form in _forms(secret(name)):
                if (at := content.find(form)) >= 0:
                    around = content[max(0, at - 120) : at + 60].decode("latin-1")
                    found.append(Found(name, where, around))
    return found


def files(folder: Path) -> list[tuple[str, bytes]]:
    """Every file below a folder: the database with its journals, logs, reports."""
    return [(str(file.relative_to(folder)), file.read_bytes()) for file in sorted(folder.rglob("*")) if file.is_file()]


def _forms(planted: str) -> list[bytes]:
    plain = planted.encode()
    # In base64 what stands before shifts the letters: three ways, without the edges that neighbours decide.
    shifted = [base64.b64encode(b"x" * before + plain)[4:-4] for before in range(3)]
    return [plain, plain.hex().encode(), plain[::-1], *shifted]
