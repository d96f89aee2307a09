"""What every source of a vendor keeps to, whatever the vendor does."""

from __future__ import annotations

import json
import math
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.domain.events import Measurement, Outcome
from tests.adapters.probes.cases import CASES, Case
from tests.adapters.probes.conftest import TRUSTING_NOBODY
from tests.adapters.probes.service import ASKED
from tests.fakes.vendors import Reply, Vendor

pytestmark = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@pytest.fixture(autouse=True)
def _says_no_secret(case: Case, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]) -> Iterator[None]:
    caplog.set_level("DEBUG")
    yield
    written = capsys.readouterr()
    assert not case.secret or case.secret not in f"{caplog.text}{written.out}{written.err}"


async def ask(case: Case, client: httpx.AsyncClient, vendor: Vendor, **policy: Any) -> Measurement:
    probe = case.make(client, vendor.base)
    found = await probe.measure("it", case.probe(vendor.base, **policy), ASKED)
    told = f"{found!r} {probe!r} {vars(probe)!r}"
    assert not case.secret or case.secret not in told
    assert found.name == "it"
    return found


async def test_in_good_health(case: Case, client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = case.healthy(vendor.base)
    found = await ask(case, client, vendor)
    assert (found.outcome, found.dimension) == (Outcome.MEASURED, case.dimension), found.detail
    assert found.value == pytest.approx(case.values[0])
    assert found.detail
    assert not any("cookie" in request.headers for request in vendor.asked)


async def test_in_bad_health(case: Case, client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = case.unhealthy(vendor.base)
    found = await ask(case, client, vendor)
    assert (found.outcome, found.dimension) == (Outcome.MEASURED, case.dimension), found.detail
    assert found.value == pytest.approx(case.values[1])
    assert found.detail


async def test_nothing_to_measure_is_no_data(case: Case, client: httpx.AsyncClient, vendor: Vendor) -> None:
    if case.empty is None:
        pytest.skip("nothing is what this one is healthy with")
    vendor.serve = case.empty(vendor.base)
    found = await ask(case, client, vendor)
    assert (found.outcome, found.value) == (Outcome.NO_DATA, None)
    assert found.detail


@pytest.mark.parametrize("status", [401, 403])
async def test_a_refusal_names_the_setting(case: Case, client: httpx.AsyncClient, vendor: Vendor, status: int) -> None:
    vendor.always = Reply({"message": f"not you, {case.secret}"}, status)
    found = await ask(case, client, vendor)
    assert (found.outcome, found.value) == (Outcome.REFUSED, None)
    assert case.mend in found.detail
    assert len(vendor.asked) == 1


async def test_a_429_says_so_and_is_not_pressed(case: Case, client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.always = Reply({}, 429)
    found = await ask(case, client, vendor)
    assert (found.outcome, len(vendor.asked)) == (Outcome.ERROR, 1)
    assert "asked too often" in found.detail


async def test_a_wait_that_does_not_fit_is_not_waited_for(
    case: Case, client: httpx.AsyncClient, vendor: Vendor
) -> None:
    for said in ("60", format_datetime(datetime.now(UTC) + timedelta(seconds=61), usegmt=True)):
        vendor.always = Reply({}, 429, {"Retry-After": said})
        begun = time.monotonic()
        found = await ask(case, client, vendor)
        assert (found.outcome, time.monotonic() - begun < 1) == (Outcome.ERROR, True)
        assert "asked to wait" in found.detail


@pytest.mark.parametrize("status", [429, 503])
async def test_a_wait_that_fits_is_waited_for(
    case: Case, client: httpx.AsyncClient, vendor: Vendor, status: int
) -> None:
    vendor.serve = case.healthy(vendor.base)
    vendor.faults = [Reply({}, status, {"Retry-After": "0"})]
    assert (await ask(case, client, vendor)).value == pytest.approx(case.values[0])


@pytest.mark.slow
async def test_a_server_error_is_asked_once_more(case: Case, client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.serve = case.healthy(vendor.base)
    vendor.faults = [Reply({}, 500)]
    assert (await ask(case, client, vendor)).value == pytest.approx(case.values[0])
    vendor.asked.clear()
    vendor.always = Reply(b"<html>", 502)
    found = await ask(case, client, vendor)
    assert (found.outcome, len(vendor.asked)) == (Outcome.ERROR, 2)
    assert "502" in found.detail


@pytest.mark.slow
async def test_a_slow_body_ends_with_the_timeout(case: Case, client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.always = Reply({}, seconds=3)
    begun = time.monotonic()
    found = await ask(case, client, vendor, timeout=timedelta(seconds=0.2))
    assert (found.outcome, time.monotonic() - begun < 1) == (Outcome.ERROR, True)
    assert "no answer within" in found.detail or "in time" in found.detail


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1", b"null", b"{}", b"\xff\xfe", b"[" * 2000])
async def test_what_is_not_the_api_is_an_error(
    case: Case, client: httpx.AsyncClient, vendor: Vendor, body: bytes
) -> None:
    vendor.always = Reply(body)
    found = await ask(case, client, vendor)
    assert (found.outcome, found.value) == (Outcome.ERROR, None)
    assert "documents" in found.detail


async def test_an_endless_answer_is_cut(case: Case, client: httpx.AsyncClient, vendor: Vendor) -> None:
    vendor.always = Reply(b" " * 4_100_000)
    found = await ask(case, client, vendor)
    assert (found.outcome, "longer than 4 MB" in found.detail) == (Outcome.ERROR, True)


@pytest.mark.slow
async def test_a_refused_connection_says_nothing_about_health(
    case: Case, client: httpx.AsyncClient, vendor: Vendor
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        vendor = Vendor(f"http://127.0.0.1:{taken.getsockname()[1]}")
        found = await ask(case, client, vendor)
    assert (found.outcome, found.value) == (Outcome.ERROR, None)
    assert "connection refused" in found.detail


async def test_nothing_is_followed_to_another_host(case: Case, client: httpx.AsyncClient, vendor: Vendor) -> None:
    elsewhere = vendor.base.replace("127.0.0.1", "localhost")
    vendor.always = Reply({}, 302, {"Location": f"{elsewhere}/steal"})
    found = await ask(case, client, vendor)
    assert (found.outcome, len(vendor.asked)) == (Outcome.ERROR, 1)
    assert "not followed" in found.detail


async def test_no_policy_is_refused(case: Case, client: httpx.AsyncClient, vendor: Vendor) -> None:
    found = await case.make(client, vendor.base).measure("it", None, ASKED)
    assert (found.outcome, vendor.asked) == (Outcome.REFUSED, [])


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=8), inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    good=st.booleans(),
    which=st.integers(0, 2),
    way=st.lists(st.integers(0, 9), max_size=6),
    junk=JUNK,
    gone=st.booleans(),
)
async def test_no_broken_answer_raises_or_gives_an_impossible_number(
    case: Case, vendor: Vendor, good: bool, which: int, way: list[int], junk: Any, gone: bool
) -> None:
    def broken(body: bytes) -> bytes:
        if len(vendor.asked) != which + 1:
            return body
        return json.dumps(_replaced(json.loads(body), way, junk, gone)).encode()

    vendor.reset()
    vendor.serve = (case.healthy if good else case.unhealthy)(vendor.base)
    vendor.mutate = broken
    async with httpx.AsyncClient(trust_env=False, verify=TRUSTING_NOBODY) as client:
        found = await ask(case, client, vendor)
    assert (found.value is None) == (found.outcome is not Outcome.MEASURED)
    assert "HTTP 500" not in found.detail, "the vendor itself broke"
    if found.value is not None:
        assert math.isfinite(found.value)
        assert case.dimension != "ok" or found.value in (0.0, 1.0)
        assert found.dimension == case.dimension


def _replaced(told: Any, way: list[int], junk: Any, gone: bool) -> Any:
    """The answer with something else at the end of a way into it, or without it."""
    if not way or not told or not isinstance(told, dict | list):
        return junk
    parts = dict(told) if isinstance(told, dict) else dict(enumerate(told))
    key = list(parts)[way[0] % len(parts)]
    if gone and len(way) == 1:
        del parts[key]
    else:
        parts[key] = _replaced(parts[key], way[1:], junk, gone)
    return parts if isinstance(told, dict) else list(parts.values())
