"""What gonogo asks over the network: sources and calendars that a checklist or the settings name, and never the
addresses where a machine asks about itself."""

from __future__ import annotations

import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from adapters.calendars.addresses import IcsAddresses
from adapters.calendars.fetch import Fetcher
from adapters.calendars.statuspage import unresolved
from adapters.probes.connect import ProbeKeys, connect
from adapters.probes.http import HttpProbe
from adapters.probes.kubernetes import KubernetesCredentials
from adapters.probes.prometheus import PrometheusCredentials
from bot.domain.calendar import Unreadable
from bot.domain.events import Measurement, Outcome
from bot.egress import Forbidden
from bot.ports import Asked
from bot.reaching import make_client
from checklists.policy import FreezePolicy, ProbePolicy
from tests.adapters.store_kit import migrated_file, sqlite_url
from tests.core_kit import a_folder, open_core
from tests.fakes.vendors import Reply, Vendor, vendor_server

__all__ = ["migrated_file", "sqlite_url"]

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
ASKED = Asked("shop", "production", "v1", NOON)
METADATA = [
    "169.254.169.254", "169.254.0.1", "fe80::1", "fd00:ec2::254", "::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe",
    "100.100.100.200",
]  # fmt: skip


class Names:
    """A name server: what a name means the first time, the second…; the last answer stays."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture(scope="module")
def serving() -> Iterator[Vendor]:
    with vendor_server() as vendor:
        yield vendor


@pytest.fixture
async def names() -> Names:
    return Names(["127.0.0.1"])


@pytest.fixture
async def client(names: Names) -> AsyncIterator[httpx.AsyncClient]:
    async with make_client(resolve=names) as client:
        yield client


def port_of(vendor: Vendor) -> int:
    return int(vendor.base.rpartition(":")[2])


# --- connections ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", METADATA)
async def test_a_name_that_means_metadata_is_not_connected_to(
    names: Names, client: httpx.AsyncClient, address: str
) -> None:
    names.answers = [["127.0.0.1", address]]
    with pytest.raises(Forbidden, match=r"innocent\.test is not asked: it is an address where machines ask about"):
        await client.get("http://innocent.test/latest/meta-data/")


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/", "http://[fe80::1]/", "http://[fd00:ec2::254]/", "http://0xa9fea9fe/",
        "http://2852039166/", "http://[::ffff:169.254.169.254]/", "http://169.254.43518/", "http://0.0.0.0:80/",
        "https://169.254.169.254/",
    ],
)  # fmt: skip
async def test_metadata_is_not_connected_to_however_it_is_written(url: str) -> None:
    async with make_client(trust_env=False) as real:
        with pytest.raises((Forbidden, httpx.ConnectError, httpx.InvalidURL)) as refused:
            await real.get(url, timeout=2)
    assert not isinstance(refused.value, httpx.ConnectError) or "ame or service not known" in str(refused.value)


async def test_the_address_that_was_looked_at_is_the_one_connected_to(
    names: Names, client: httpx.AsyncClient, serving: Vendor
) -> None:
    names.answers = [["127.0.0.1"], ["169.254.169.254"]]
    serving.serve = lambda request: Reply({"path": request.path}, headers={"connection": "close"})
    url = f"http://rebinding.test:{port_of(serving)}/"
    assert (await client.get(url)).status_code == 200
    assert names.asked == ["rebinding.test"], "looked up once, and not again by the connection"
    assert serving.asked[-1].headers["host"].startswith("rebinding.test")
    with pytest.raises(Forbidden):
        await client.get(url)


async def test_a_connection_that_stays_open_is_used_again(
    names: Names, client: httpx.AsyncClient, serving: Vendor
) -> None:
    serving.serve = lambda request: Reply({"path": request.path})
    for _ in range(3):
        await client.get(f"http://kept.test:{port_of(serving)}/")
    assert names.asked == ["kept.test"]


async def test_the_next_address_is_tried_when_one_is_down(
    names: Names, client: httpx.AsyncClient, serving: Vendor
) -> None:
    names.answers = [["127.0.0.2", "127.0.0.1"]]
    serving.serve = lambda request: Reply({"path": request.path})
    assert (await client.get(f"http://two.test:{port_of(serving)}/up")).json() == {"path": "/up"}


async def test_a_name_nobody_knows_is_no_connection() -> None:
    async with make_client() as real:
        with pytest.raises(httpx.ConnectError):
            await real.get("http://nobody.invalid/")


async def test_a_number_is_refused_before_a_proxy_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    async with make_client() as real:
        with pytest.raises(Forbidden):
            await real.get("http://169.254.169.254/")


# --- who asks, and what people read of it -----------------------------------------------------------------------------


def moving_on(where: str) -> Callable[[Any], Reply]:
    return lambda request: Reply(status=302, headers={"location": where, "connection": "close"})


async def asked_of(client: httpx.AsyncClient, name: str, keys: ProbeKeys, **source: str) -> Measurement:
    policy = ProbePolicy.model_validate({"unit": "ratio", "timeout": "2s", **source})
    return await connect(client, keys)[name].measure("x", policy, ASKED)


async def test_an_endpoint_at_metadata_is_refused_and_never_called_unhealthy(client: httpx.AsyncClient) -> None:
    policy = ProbePolicy.model_validate({"http": "http://169.254.169.254/latest/", "timeout": "2s"})
    found = await HttpProbe(client).measure("health", policy, ASKED)
    assert found.outcome is Outcome.REFUSED
    assert found.detail == "169.254.169.254 is not asked: it is an address where machines ask about themselves"


async def test_an_endpoint_that_leads_to_metadata_is_not_followed(
    client: httpx.AsyncClient, names: Names, serving: Vendor
) -> None:
    policy = ProbePolicy.model_validate({"http": f"http://shop.test:{port_of(serving)}/", "timeout": "2s"})
    serving.serve = moving_on("http://169.254.169.254/latest/")
    found = await HttpProbe(client).measure("health", policy, ASKED)
    assert "HTTP 302 to 169.254.169.254, expected 200" in found.detail
    names.answers = [["127.0.0.1"], ["169.254.169.254"]]
    serving.serve = moving_on("/other")
    found = await HttpProbe(client).measure("health", policy, ASKED)
    assert (found.outcome, "ask about themselves" in found.detail) == (Outcome.REFUSED, True)


async def test_a_source_of_the_settings_at_metadata_is_refused(client: httpx.AsyncClient, names: Names) -> None:
    names.answers = [["169.254.169.254"]]
    keys = ProbeKeys(
        prometheus=PrometheusCredentials("http://metrics.test", "", ""),
        kubernetes=KubernetesCredentials("http://cluster.test", "token"),
    )
    for name, words in (("prometheus", "up"), ("kubernetes", "nodes")):
        found = await asked_of(client, name, keys, **{name: words})
        assert (found.outcome, "ask about themselves" in found.detail) == (Outcome.REFUSED, True), found


async def test_a_source_that_leads_to_another_host_is_not_followed(client: httpx.AsyncClient, serving: Vendor) -> None:
    serving.serve = moving_on("http://elsewhere.test/")
    keys = ProbeKeys(prometheus=PrometheusCredentials(f"http://metrics.test:{port_of(serving)}", "", ""))
    found = await asked_of(client, "prometheus", keys, prometheus="up")
    assert found.detail == "Prometheus leads on to elsewhere.test, which is not followed"


async def test_a_calendar_at_metadata_cannot_be_read_and_says_why(names: Names) -> None:
    names.answers = [["169.254.169.254"]]
    fetcher = Fetcher(lambda: make_client(resolve=names))
    freeze = FreezePolicy.model_validate({"calendar": "https://team.test/secret-path.ics"})
    with pytest.raises(Unreadable, match=r"team\.test is not asked: it is an address where machines") as calendar:
        await IcsAddresses(fetcher).busy(freeze, start=NOON, end=NOON + timedelta(hours=1), zone="UTC")
    assert "secret-path" not in str(calendar.value)
    with pytest.raises(Unreadable, match="is not asked"):
        await unresolved(fetcher, "https://status.test", None)
    await fetcher.close()


async def test_a_calendar_that_leads_to_another_host_is_not_followed(names: Names, serving: Vendor) -> None:
    serving.serve = moving_on("http://169.254.169.254/")
    fetcher = Fetcher(lambda: make_client(resolve=names))
    freeze = FreezePolicy.model_validate({"calendar": f"http://team.test:{port_of(serving)}/a.ics"})
    with pytest.raises(Unreadable, match=r"leads on to 169\.254\.169\.254, which is not followed"):
        await IcsAddresses(fetcher).busy(freeze, start=NOON, end=NOON + timedelta(hours=1), zone="UTC")
    await fetcher.close()


def test_every_client_of_the_process_looks_where_it_connects() -> None:
    """`httpx.AsyncClient(` stands only where connections are looked at: in `bot.reaching` and `bot.egress`."""
    root = Path(__file__).parents[2]
    made = [
        str(file.relative_to(root))
        for folder in ("bot", "adapters")
        for file in (root / folder).rglob("*.py")
        if re.search(r"httpx\.(Async)?Client\(|httpx\.(get|post|request|stream)\(|urlopen\(", file.read_text())
    ]
    assert sorted(made) == ["bot/egress.py", "bot/reaching.py"]


# --- people in the chat -----------------------------------------------------------------------------------------------


_connected: list[Any] | None = None


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if _connected is not None and event in ("socket.connect", "socket.getaddrinfo"):
        _connected.append(arguments)


sys.addaudithook(_watch)


@contextmanager
def connections() -> Iterator[list[Any]]:
    """Every name that is looked up and every connection that is made meanwhile, by whatever library."""
    global _connected
    _connected = found = []
    try:
        yield found
    finally:
        _connected = None


async def test_nobody_in_the_chat_makes_it_call_an_address(sqlite_url: str, tmp_path: Path) -> None:
    async with open_core(sqlite_url, a_folder(tmp_path / "checklists")) as core:
        url = "http://169.254.169.254/latest/meta-data/"
        id = await core.start("v1.2.0")
        with connections() as made:
            for line in (
                f"start {url} shop", f"start v1 {url}", f"start v1 shop {url}", f"checklist {url}", f"window {url}",
                f"freeze add today {url}", f"lock shop {url}", f"incident open {url}", f"why {url}", f"status {url}",
            ):  # fmt: skip
                await core.say(line)
            for verb in ("note", "excuse", "tick", "show", "again", "rollback", "accept"):
                await core.click(f"{verb}:{id}:{url}")
                await core.submit(f"{verb}:{id}:{url}", {"reason": url, "text": url, "version": url, "url": url})
        assert made == []
        with connections() as made:
            async with make_client(trust_env=False) as client:
                with pytest.raises(httpx.HTTPError):
                    await client.get("http://127.0.0.1:9/")
        assert made != [], "whoever connects is seen"
