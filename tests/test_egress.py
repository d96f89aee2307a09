"""Going out: only where it may, and to the address that was looked at."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from bot.egress import Forbidden, Guarded
from tests.fakes.vendors import Reply, Vendor, vendor_server

TRUSTING_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Names:
    """A name server of the test's own: what a name means, each time it is asked."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append((host, port))
        if not self.answers:
            raise OSError("no such name")
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def client(
    names: Names | None = None, *, private: bool = False, verify: ssl.SSLContext = TRUSTING_NOBODY
) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=Guarded(private=private, verify=verify, resolve=names), trust_env=False)


@pytest.fixture(scope="module")
def serving() -> Iterator[Vendor]:
    with vendor_server() as vendor:
        vendor.serve = lambda request: Reply({"path": request.path})
        yield vendor


@pytest_asyncio.fixture
async def ours() -> AsyncIterator[httpx.AsyncClient]:
    async with client(private=True) as ours:
        yield ours


async def test_the_teams_own_network_is_reached_where_that_is_allowed(ours: httpx.AsyncClient, serving: Vendor) -> None:
    assert (await ours.get(f"{serving.base}/there")).json() == {"path": "/there"}
    async with client() as public:
        with pytest.raises(Forbidden, match=r"127\.0\.0\.1 is not called: it is in a private network"):
            await public.get(serving.base)


async def test_the_name_is_asked_once_and_that_very_address_is_called_by_its_name(serving: Vendor) -> None:
    port = int(serving.base.rpartition(":")[2])
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    async with client(names, private=True) as asking:
        await asking.get(f"http://flags.example.org:{port}/")
    assert names.asked == [("flags.example.org", port)]
    assert serving.asked[-1].headers["host"] == f"flags.example.org:{port}"


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://[fe80::1]/", "http://0xa9fea9fe/",
        "http://2852039166/", "http://[::ffff:169.254.169.254]/", "http://169.254.43518/", "http://0.0.0.0/",
    ],
)  # fmt: skip
async def test_metadata_is_never_asked_however_it_is_written(ours: httpx.AsyncClient, url: str) -> None:
    with pytest.raises((Forbidden, httpx.ConnectError, httpx.InvalidURL)) as refused:
        await ours.get(url, timeout=2)
    assert not isinstance(refused.value, httpx.ConnectError) or "does not resolve" in str(refused.value)


@pytest.mark.parametrize(
    "found", [["169.254.169.254"], ["93.184.215.14", "169.254.169.254"], ["::ffff:169.254.169.254"]]
)
async def test_a_name_with_one_bad_address_is_not_called_at_all(found: list[str]) -> None:
    async with client(Names(found), private=True) as asking:
        with pytest.raises(Forbidden, match="ask about themselves"):
            await asking.get("https://innocent.example.org/")


async def test_what_is_public_is_called_by_https_only() -> None:
    async with client(Names(["93.184.215.14"]), private=True) as asking:
        with pytest.raises(Forbidden, match="must begin with https://"):
            await asking.get("http://example.org/")


async def test_a_name_nobody_knows_is_no_connection() -> None:
    async with client(Names()) as asking:
        with pytest.raises(httpx.ConnectError, match=r"the name gone\.example\.org does not resolve here"):
            await asking.get("https://gone.example.org/")


@pytest.mark.parametrize("host", ["a..example.org", "a" * 64 + ".example.org"])
async def test_what_can_be_no_name_is_no_connection_either(ours: httpx.AsyncClient, host: str) -> None:
    with pytest.raises(httpx.ConnectError, match="does not resolve here"):
        await ours.get(f"http://{host}/")


async def test_the_next_address_of_a_name_is_tried_when_one_is_down(serving: Vendor) -> None:
    port = int(serving.base.rpartition(":")[2])
    async with client(Names(["127.0.0.2", "127.0.0.1"]), private=True) as asking:
        assert (await asking.get(f"http://flags.example.org:{port}/up")).json() == {"path": "/up"}


async def test_a_redirect_is_not_followed(ours: httpx.AsyncClient, serving: Vendor) -> None:
    serving.faults = [Reply(status=302, headers={"location": "http://169.254.169.254/"})]
    assert (await ours.get(serving.base)).status_code == 302


async def test_a_proxy_of_the_environment_is_not_asked(serving: Vendor, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
        monkeypatch.setenv(name.lower(), "http://127.0.0.1:9")
    async with client(private=True) as asking:
        assert (await asking.get(f"{serving.base}/direct")).json() == {"path": "/direct"}


def certify(name: str, folder: Path) -> None:
    options = f"req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name}"
    files = ["-addext", f"subjectAltName=DNS:{name}", "-keyout", folder / "key", "-out", folder / "crt"]
    subprocess.run(["openssl", *options.split(), *files], check=True, capture_output=True)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="there is no openssl on this machine")
async def test_the_certificate_must_be_the_names_not_the_addresses(tmp_path: Path) -> None:
    await asyncio.to_thread(certify, "flags.test", tmp_path)
    trusting = ssl.create_default_context(cafile=tmp_path / "crt")
    with vendor_server({"ssl_certfile": str(tmp_path / "crt"), "ssl_keyfile": str(tmp_path / "key")}) as vendor:
        vendor.serve = lambda request: Reply({})
        port = vendor.base.rpartition(":")[2]
        async with client(Names(["127.0.0.1"]), private=True, verify=trusting) as asking:
            assert (await asking.get(f"https://flags.test:{port}/")).status_code == 200
            with pytest.raises(httpx.ConnectError, match="certificate"):
                await asking.get(f"https://other.test:{port}/")
