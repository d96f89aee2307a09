"""Calendars at an address: how often they are asked, how long a copy counts, what is said when there is none."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest

from adapters.calendars.fetch import AGAIN, Fetcher
from adapters.calendars.sources import FreezeSources
from bot.domain.calendar import Busy, Unreadable
from checklists.policy import FreezePolicy
from tests.adapters.calendars.conftest import Elapsed, Host
from tests.adapters.probes.service import raw_server

START, END = datetime(2026, 11, 20, tzinfo=UTC), datetime(2026, 12, 10, tzinfo=UTC)
MINUTE = 60.0


def ics(summary: str) -> str:
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", f"SUMMARY:{summary}", "DTSTART:20261127T100000Z")
    return "\r\n".join([*lines, "DURATION:PT2H", "END:VEVENT", "END:VCALENDAR", ""])


async def ask(sources: FreezeSources, address: str, **more: object) -> list[Busy]:
    freeze = FreezePolicy.model_validate({"calendar": address, **more})
    return await sources.busy(freeze, start=START, end=END, zone="America/New_York")


async def why(sources: FreezeSources, address: str) -> tuple[str, str]:
    with pytest.raises(Unreadable) as error:
        await ask(sources, address)
    return error.value.source, error.value.why


async def test_its_events_close_and_the_secret_of_its_address_is_not_said(sources: FreezeSources, host: Host) -> None:
    host.answers(content=ics("Offsite"))
    [busy] = await ask(sources, f"{host.base}/private-s3cret/basic.ics", why="company event", buffer="2h")
    assert (busy.what, busy.source) == ("company event: Offsite", "the calendar at 127.0.0.1")
    assert (busy.start, busy.end) == (datetime(2026, 11, 27, 8, tzinfo=UTC), datetime(2026, 11, 27, 14, tzinfo=UTC))


async def test_it_is_asked_once_in_five_minutes(sources: FreezeSources, host: Host, elapsed: Elapsed) -> None:
    host.answers(content=ics("Offsite"))
    for _ in range(3):
        await ask(sources, f"{host.base}/a.ics")
    elapsed.later(4.9 * MINUTE)
    await ask(sources, f"{host.base}/a.ics")
    assert len(host.asked) == 1
    host.answers(content=ics("Party"))
    elapsed.later(0.2 * MINUTE)
    assert [busy.what for busy in await ask(sources, f"{host.base}/a.ics")] == ["Party"]


async def test_those_who_ask_together_ask_once(sources: FreezeSources, host: Host) -> None:
    host.answers(content=ics("Offsite"))
    found = await asyncio.gather(*(ask(sources, f"{host.base}/a.ics") for _ in range(8)))
    assert len(host.asked) == 1
    assert all(busy == found[0] for busy in found)


async def test_what_has_not_changed_is_not_sent_again(sources: FreezeSources, host: Host, elapsed: Elapsed) -> None:
    host.answers(content=ics("Offsite"), ETag='"v1"')
    for _ in range(3):
        assert [busy.what for busy in await ask(sources, f"{host.base}/a.ics")] == ["Offsite"]
        elapsed.later(6 * MINUTE)
    assert [request.headers.get("If-None-Match") for request in host.asked] == [None, '"v1"', '"v1"']


@pytest.mark.parametrize(
    ("status", "content"), [(500, ""), (404, ""), (200, "<html>Sign in</html>"), (200, ics("x")[:60])]
)
async def test_a_copy_counts_for_an_hour_while_the_address_gives_nothing_that_can_be_read(
    sources: FreezeSources, host: Host, elapsed: Elapsed, status: int, content: str
) -> None:
    host.answers(content=ics("Offsite"))
    await ask(sources, f"{host.base}/a.ics")
    host.answers(status, content)
    for _ in range(11):
        elapsed.later(5 * MINUTE)
        assert [busy.what for busy in await ask(sources, f"{host.base}/a.ics")] == ["Offsite"]
    elapsed.later(5 * MINUTE)
    await why(sources, f"{host.base}/a.ics")
    host.answers(content=ics("Party"))
    elapsed.later(AGAIN)
    assert [busy.what for busy in await ask(sources, f"{host.base}/a.ics")] == ["Party"]


async def test_a_failure_is_remembered_so_that_nobody_waits_for_it_at_every_card(
    sources: FreezeSources, host: Host, elapsed: Elapsed
) -> None:
    host.answers(503)
    for _ in range(3):
        assert (await why(sources, f"{host.base}/a.ics"))[1] == "HTTP 503, expected 200"
    assert len(host.asked) == 1
    elapsed.later(AGAIN)
    await why(sources, f"{host.base}/a.ics")
    assert len(host.asked) == 2


@pytest.mark.parametrize(
    ("status", "content", "headers", "says"),
    [
        (401, "", {}, "HTTP 401: it does not let us in; write the calendar's secret address in iCal format"),
        (404, "", {}, "HTTP 404: nothing is there; correct the address in the policy"),
        (429, "", {}, "HTTP 429: it was asked too often"),
        (304, "", {}, "HTTP 304, expected 200"),
        (204, "", {}, "HTTP 204, expected 200"),
        (302, "", {"Location": "http://elsewhere.example/a.ics"}, "it leads on to elsewhere.example, which is not"),
        (302, "", {"Location": "/again"}, "more than 3 redirects"),
        (200, "<html>", {}, "it is not a calendar file"),
        (200, b"x" * 5_000_001, {}, "the answer is larger than 5 MB"),
        (200, b"not gzip", {"Content_Encoding": "gzip"}, "its answer is compressed and cannot be read"),
    ],
)
async def test_what_is_wrong_is_said_with_what_to_do(
    sources: FreezeSources, host: Host, status: int, content: bytes | str, headers: dict[str, str], says: str
) -> None:
    host.answers(status, content, **headers)
    source, reason = await why(sources, f"{host.base}/s3cret.ics")
    assert source == "the calendar at 127.0.0.1"
    assert reason.startswith(says)
    assert "s3cret" not in reason


async def test_a_redirect_on_the_same_host_is_followed(sources: FreezeSources, host: Host) -> None:
    host.answers(302, Location="/there")
    host.there = ics("Offsite").encode()
    assert [busy.what for busy in await ask(sources, f"{host.base}/a.ics")] == ["Offsite"]


async def test_another_host_is_not_followed_to_even_on_the_same_port(sources: FreezeSources, host: Host) -> None:
    host.there = ics("Offsite").encode()
    host.answers(302, Location=f"{host.base.replace('127.0.0.1', 'localhost')}/there")
    assert (await why(sources, f"{host.base}/a.ics"))[1].startswith("it leads on to localhost, which is not followed")
    assert len(host.asked) == 1


async def test_a_host_that_is_not_there_is_said_to_refuse(sources: FreezeSources) -> None:
    async def never(*_: object) -> None:
        raise AssertionError

    async with raw_server(never) as (gone, _):
        pass
    assert (await why(sources, f"http://{gone}/a.ics"))[1] == "the connection was refused"


async def test_a_host_that_is_silent_is_not_waited_for(sources: FreezeSources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.calendars.fetch.LIMIT", 0.2)
    release = asyncio.Event()

    async def silent(_: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await release.wait()

    async with raw_server(silent) as (where, connections):
        assert (await why(sources, f"http://{where}/a.ics"))[1] == "no answer within 0.2 s"
        assert connections == [0]
        release.set()


async def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    sources, file = FreezeSources(tmp_path), tmp_path / "a.ics"
    file.write_text(ics("Offsite"))
    first = await ask(sources, "a.ics")
    assert first == await ask(sources, "a.ics")
    file.write_text(ics("Party in the garden"))
    assert [busy.what for busy in await ask(sources, "a.ics")] == ["Party in the garden"]
    file.unlink()
    assert (await why(sources, "a.ics"))[1] == "there is no such file beside the policy"


async def test_a_memory_of_many_addresses_is_bounded(host: Host, tmp_path: Path) -> None:
    fetcher = Fetcher()
    sources = FreezeSources(tmp_path, fetcher=fetcher)
    host.answers(content=ics("Offsite"))
    for number in range(70):
        await ask(sources, f"{host.base}/{number}.ics")
    assert len(fetcher._kept) == 64
    await sources.close()


@pytest.mark.parametrize(
    "address",
    ["ftp://example.com/a.ics", "https://ann:pw@example.com/a.ics", "https:///a.ics", "https://[::1/a", "https://a b/"],
)
def test_an_address_that_cannot_be_asked_is_an_error_of_the_policy(address: str) -> None:
    with pytest.raises(ValueError, match="calendar: write an address like https:"):
        FreezePolicy(calendar=address)
