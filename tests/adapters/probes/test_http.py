"""What an endpoint's answer says, and where the question goes."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from adapters.probes.http import HttpProbe, _percentile
from bot.domain.events import Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy
from tests.adapters.probes.service import ASKED, Ask, healthy, raw_server, unhealthy


async def test_the_expected_status_is_healthy(ask: Ask, base: str) -> None:
    found = await ask(base + "/health")
    assert healthy(found)
    assert re.fullmatch(r"HTTP 200 in \d+ ms", found.detail)
    assert found.link == base + "/health"


async def test_the_link_of_the_policy_is_where_people_look(ask: Ask, base: str) -> None:
    assert (await ask(base + "/health", link="https://status.example.org")).link == "https://status.example.org"


@pytest.mark.parametrize("code", [500, 503, 404, 401, 204])
async def test_another_status_is_measured_unhealthy(ask: Ask, base: str, code: int) -> None:
    found = await ask(f"{base}/status/{code}")
    assert unhealthy(found)
    assert found.detail == f"HTTP {code}, expected 200"


@pytest.mark.parametrize("code", [204, 404, 429])
async def test_the_policy_says_which_status_is_expected(ask: Ask, base: str, code: int) -> None:
    assert healthy(await ask(f"{base}/status/{code}", expect=code))


async def test_being_asked_to_slow_down_says_nothing_about_the_service(ask: Ask, base: str) -> None:
    assert (await ask(base + "/status/429")).outcome is Outcome.ERROR


@pytest.mark.parametrize(
    ("path", "equals"),
    [("status", "ok"), ("ready", "true"), ("data.0.version", "1.2.0"), ("data.0.replicas", "3"), ("data.0", None)],
)
async def test_a_field_is_compared(ask: Ask, base: str, path: str, equals: str | None) -> None:
    assert healthy(await ask(base + "/health", json=path, equals=equals))


@pytest.mark.parametrize(
    ("path", "equals", "detail"),
    [
        ("status", "fine", "status is ok, expected fine"),
        ("data.0.replicas", "4", "replicas is 3, expected 4"),
        ("data.1.version", "1.2.0", "the answer has no data.1.version"),
        ("status.deeper", "ok", "the answer has no status.deeper"),
        ("nothing", None, "the answer has no nothing"),
    ],
)
async def test_another_field_is_measured_unhealthy(
    ask: Ask, base: str, path: str, equals: str | None, detail: str
) -> None:
    found = await ask(base + "/health", json=path, equals=equals)
    assert unhealthy(found)
    assert found.detail == detail


async def test_an_answer_that_is_no_json_has_no_field(ask: Ask, base: str) -> None:
    found = await ask(base + "/words", json="status", equals="ok")
    assert unhealthy(found)
    assert found.detail == "the answer is no JSON"


@pytest.mark.parametrize("running", ["1.2.0", "v1.2.0"])
@pytest.mark.parametrize("deployed", ["1.2.0", "v1.2.0"])
@pytest.mark.parametrize("equals", ["{{ version }}", "{{version}}", "v{{ version }}"])
async def test_a_leading_v_does_not_matter(ask: Ask, base: str, running: str, deployed: str, equals: str) -> None:
    asked = Asked("azora", "production", deployed, ASKED.as_of)
    assert healthy(await ask(f"{base}/version?v={running}", json="version", equals=equals, asked=asked))


async def test_the_old_version_is_measured_unhealthy(ask: Ask, base: str) -> None:
    found = await ask(f"{base}/version?v=v1.1.9", json="version", equals="{{ version }}")
    assert unhealthy(found)
    assert found.detail == "version is 1.1.9, expected 1.2.0"


async def test_the_version_may_stand_among_other_words(ask: Ask, base: str) -> None:
    for running in ("azora-1.2.0", "azora-v1.2.0"):
        assert healthy(await ask(f"{base}/version?v={running}", json="version", equals="azora-{{ version }}"))


async def test_a_name_the_comparison_does_not_know_is_an_error(ask: Ask, base: str) -> None:
    found = await ask(f"{base}/version?v=abc", json="version", equals="{{ commit }}")
    assert found.outcome is Outcome.ERROR
    assert found.detail == "`equals` can name {{ version }} and nothing else"


async def test_without_a_field_the_whole_answer_is_compared(ask: Ask, base: str) -> None:
    assert healthy(await ask(base + "/words", equals="OK"))
    assert (await ask(base + "/words?say=Down", equals="OK")).detail == "the answer is Down, expected OK"


async def test_what_a_service_says_is_shown_short_and_on_one_line(ask: Ask, base: str) -> None:
    found = await ask(base + "/words?say=" + "a%0A%1B" * 100, equals="OK")
    assert unhealthy(found)
    assert len(found.detail) < 100
    assert found.detail.isprintable()


async def test_a_huge_answer_is_not_read(ask: Ask, base: str) -> None:
    found = await ask(base + "/big", json="status", equals="ok")
    assert found.outcome is Outcome.ERROR
    assert found.detail == "the answer is longer than 64 kB"
    assert healthy(await ask(base + "/big"))


async def test_a_field_can_be_a_number_with_a_unit(ask: Ask, base: str) -> None:
    found = await ask(base + "/health", json="data.0.errors", unit="%")
    assert (found.outcome, found.dimension, found.detail) == (Outcome.MEASURED, "ratio", "0.4%")
    assert found.value == pytest.approx(0.004)


async def test_without_a_version_nothing_is_said_of_one(ask: Ask, base: str) -> None:
    found = await ask(
        base + "/version?v=1.2.0", json="version", equals="{{ version }}", asked=replace(ASKED, version="")
    )
    assert (found.outcome, found.detail) == (Outcome.ERROR, "which version it should be is not known")


@pytest.mark.parametrize(("percentile", "rank"), [(95, 19), (50, 10), (99.9, 20), (5, 1)])
def test_a_percentile_is_one_of_the_times_that_were_measured(percentile: float, rank: int) -> None:
    took = [n / 10 for n in range(20, 0, -1)]
    dimension, value, detail = _percentile(took, percentile)
    assert (dimension, value) == ("seconds", rank / 10)
    assert detail.endswith(f", p{percentile:g} of 20 answers")


async def test_a_percentile_is_of_so_many_answers_one_after_the_other(client: httpx.AsyncClient) -> None:
    """The tenth of them is slow, and no other: it is the slowest, and half of them are not as slow."""
    at_once: list[int] = []
    asked = 0

    async def serve(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal asked
        while await reader.readline():
            await reader.readuntil(b"\r\n\r\n")
            asked += 1
            at_once.append(asked)
            await asyncio.sleep(0.15 if asked % 20 == 10 else 0)
            at_once.remove(asked)
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK")

    async with raw_server(serve) as (host, connections):
        found = {}
        for percentile, samples in ((50, 20), (99, 100)):
            policy = ProbePolicy(http=f"http://{host}/", percentile=percentile, samples=samples)
            found[percentile] = await HttpProbe(client).measure("latency", policy, ASKED)
    assert (found[50].outcome, found[99].outcome, found[50].dimension) == (
        Outcome.MEASURED,
        Outcome.MEASURED,
        "seconds",
    )
    assert (found[50].value or 1) < 0.1 < (found[99].value or 0)
    assert found[99].detail.endswith(", p99 of 100 answers")
    assert (asked, connections, at_once) == (120, [0], []), "one after the other, on one connection"


async def test_answers_that_do_not_come_in_time_or_are_wrong_have_no_percentile(ask: Ask, base: str) -> None:
    found = await ask(base + "/slow", percentile=50, timeout=timedelta(seconds=0.2))
    assert (found.outcome, found.value) == (Outcome.ERROR, None)
    assert found.detail == "only 0 of 20 answers within 0.2 s: a longer `timeout` or fewer `samples` would tell"
    found = await ask(base + "/status/503", percentile=50)
    assert (found.outcome, found.detail) == (Outcome.ERROR, "HTTP 503, expected 200")


@pytest.mark.parametrize(
    ("policy", "why"),
    [
        ({"http": "https://x.test", "percentile": 99}, "is told by 100 answers at least"),
        ({"http": "https://x.test", "samples": 30}, "`samples` are for a `percentile`"),
        ({"http": "https://x.test", "percentile": 95, "json": "ms"}, "without a field"),
        ({"prometheus": "up", "percentile": 95}, "only for `http`"),
    ],
)
def test_a_percentile_that_cannot_be_told_is_no_policy(policy: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        ProbePolicy(**policy)


async def test_with_a_target_and_no_field_it_is_how_long_the_answer_took(ask: Ask, base: str) -> None:
    found = await ask(base + "/health", target="< 500ms")
    assert (found.outcome, found.dimension) == (Outcome.MEASURED, "seconds")
    assert found.value is not None
    assert 0 < found.value < 5


@pytest.mark.parametrize(("path", "field"), [("/health", "status"), ("/health", "ready"), ("/status/503", "errors")])
async def test_a_number_that_was_not_given_is_not_zero(ask: Ask, base: str, path: str, field: str) -> None:
    found = await ask(base + path, json=field, unit="%")
    assert (found.outcome, found.value) == (Outcome.ERROR, None)


async def test_a_number_without_a_known_unit_is_an_error(ask: Ask, base: str) -> None:
    assert (await ask(base + "/health", json="data.0.errors", target="< 1%")).outcome is Outcome.ERROR
    assert (await ask(base + "/health", json="data.0.errors", unit="bananas")).outcome is Outcome.ERROR


# --- where it goes ------------------------------------------------------------------------------------------


async def test_a_redirect_on_the_same_host_is_followed(ask: Ask, base: str) -> None:
    assert healthy(await ask(base + "/go?to=/health", json="status", equals="ok"))


async def test_a_redirect_to_another_host_is_not_followed(ask: Ask, base: str) -> None:
    other = base.replace("127.0.0.1", "localhost")
    found = await ask(f"{base}/go?to={other}/health")
    assert unhealthy(found)
    assert found.detail == "HTTP 307 to localhost, expected 200"


async def test_another_port_is_another_host(ask: Ask, base: str) -> None:
    assert unhealthy(await ask(f"{base}/go?to=http://127.0.0.1:1/health"))


async def test_an_expected_redirect_is_not_followed(ask: Ask, base: str) -> None:
    assert healthy(await ask(base + "/go?to=/status/500", expect=307))


async def test_a_circle_of_redirects_ends(ask: Ask, base: str) -> None:
    found = await ask(base + "/go?to=?to=/go")
    assert unhealthy(found)


async def test_a_redirect_into_another_scheme_is_not_followed(ask: Ask, base: str) -> None:
    assert not healthy(await ask(base + "/go?to=ftp://127.0.0.1/"))


async def test_no_cookie_pins_it_to_an_old_server(ask: Ask, base: str) -> None:
    assert healthy(await ask(base + "/cookie"))
    assert healthy(await ask(base + "/cookie"))


async def test_the_sandbox_asks_elsewhere_and_still_links_to_the_document(client: httpx.AsyncClient, base: str) -> None:
    probe = HttpProbe(client, reroute=lambda address: base + httpx.URL(address).path)
    found = await probe.measure("health", ProbePolicy(http="https://api.azora.io/health"), ASKED)
    assert healthy(found)
    assert found.link == "https://api.azora.io/health"


async def test_a_reroute_that_breaks_is_an_error(client: httpx.AsyncClient) -> None:
    found = await HttpProbe(client, reroute=lambda _: {}["x"]).measure("h", ProbePolicy(http="http://x.test"), ASKED)
    assert found.outcome is Outcome.ERROR
