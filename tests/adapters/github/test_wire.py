"""What goes to GitHub, how often, and what never does."""

from __future__ import annotations

import httpx
import pytest
import stamina

from adapters.github.errors import Limited, NoAnswer, SaidNo
from adapters.github.wire import LARGEST, Wire
from bot.forge import ForgeError
from tests.fakes.vendors import Reply, Vendor

SECRET = "ghp_secret_of_the_team"


async def test_it_says_who_asks_and_for_which_version_of_the_api(wire: Wire, server: Vendor) -> None:
    server.always = Reply({"ok": True})
    await wire.send("GET", "/repos/acme/shop", bearer=SECRET)
    headers = server.asked[0].headers
    assert headers["authorization"] == f"Bearer {SECRET}"
    assert (headers["x-github-api-version"], headers["user-agent"]) == ("2022-11-28", "gonogo")


async def test_a_fault_of_the_server_is_tried_again(wire: Wire, server: Vendor) -> None:
    server.faults = [Reply({}, 502), Reply({}, 503)]
    server.serve = lambda request: Reply({"sha": "x"})
    assert (await wire.send("GET", "/x", bearer="t")).status == 200
    assert len(server.asked) == 3


async def test_it_is_tried_three_times_and_no_more(wire: Wire, server: Vendor) -> None:
    server.always = Reply({"message": "oh no"}, 500)
    with pytest.raises(NoAnswer, match="HTTP 500: oh no") as lost:
        await wire.send("GET", "/x", bearer="t")
    assert lost.value.sent
    assert len(server.asked) == 3


@pytest.mark.parametrize("status", [500, 502, 504])
async def test_what_may_have_arrived_is_not_sent_twice(wire: Wire, server: Vendor, status: int) -> None:
    server.always = Reply({}, status)
    with pytest.raises(NoAnswer) as lost:
        await wire.send("POST", "/x", bearer="t", body={"ref": "main"}, once=True)
    assert lost.value.sent
    assert len(server.asked) == 1


async def test_what_never_arrived_is_sent_again_and_said_to_be_unsent(client: httpx.AsyncClient) -> None:
    nobody = Wire(client, "http://127.0.0.1:9")
    with stamina.set_testing(True, attempts=3), pytest.raises(NoAnswer, match="no connection") as lost:
        await nobody.send("POST", "/x", bearer="t", body={}, once=True)
    assert not lost.value.sent


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (403, {"Retry-After": "120"}, {}),
        (429, {"Retry-After": "120"}, {}),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "99999999999"}, {}),
        (403, {}, {"message": "You have exceeded a secondary rate limit"}),
    ],
)
async def test_github_is_left_alone_when_it_asks_for_it(
    wire: Wire, server: Vendor, status: int, headers: dict[str, str], body: dict[str, str]
) -> None:
    server.always = Reply(body, status, headers)
    with pytest.raises(Limited):
        await wire.send("GET", "/x", bearer="t")
    server.always = Reply({})
    with pytest.raises(Limited, match="nothing is sent for another"):
        await wire.send("GET", "/x", bearer="t")
    assert len(server.asked) == 1
    await wire.send("GET", "/x", bearer="another")  # the limit is a token's, not the host's
    assert len(server.asked) == 2


async def test_a_short_wait_is_waited_for(wire: Wire, server: Vendor) -> None:
    server.faults = [Reply({}, 429, {"Retry-After": "1"})]
    server.serve = lambda request: Reply({})
    await wire.send("POST", "/x", bearer="t", body={}, once=True)
    assert len(server.asked) == 2


async def test_a_refusal_is_said_in_githubs_words_with_what_to_do(wire: Wire, server: Vendor) -> None:
    server.always = Reply({"message": "Validation Failed", "errors": [{"message": "ref\nis bad"}]}, 422)
    with pytest.raises(SaidNo, match=r"^GitHub answered HTTP 422: Validation Failed ref is bad$"):
        await wire.send("GET", "/x", bearer=SECRET, mend="mend it")
    server.always = Reply({"message": "Bad credentials"}, 401)
    with pytest.raises(SaidNo, match=r"; mend it$") as no:
        await wire.send("GET", "/x", bearer=SECRET, mend="mend it")
    assert SECRET not in str(no.value)


async def test_a_renamed_repository_is_followed_on_the_same_host(wire: Wire, server: Vendor) -> None:
    server.faults = [Reply({}, 301, {"Location": f"{server.base}/repositories/1"})]
    server.serve = lambda request: Reply({"ok": True})
    await wire.send("GET", "/repos/acme/old", bearer="t")
    assert [request.path for request in server.asked] == ["/repos/acme/old", "/repositories/1"]


async def test_no_token_follows_to_another_host(wire: Wire, server: Vendor) -> None:
    port = server.base.rpartition(":")[2]
    server.faults = [Reply({}, 302, {"Location": f"http://localhost:{port}/steal"})]
    with pytest.raises(NoAnswer, match="leads on to localhost, which is not followed"):
        await wire.send("GET", "/x", bearer=SECRET)
    assert len(server.asked) == 1


async def test_a_redirect_without_an_end_is_not_followed_for_ever(wire: Wire, server: Vendor) -> None:
    server.always = Reply({}, 307, {"Location": f"{server.base}/x"})
    with pytest.raises(NoAnswer, match="redirects more than"):
        await wire.send("GET", "/x", bearer="t")
    assert len(server.asked) <= 6


async def test_an_answer_that_comes_byte_by_byte_is_not_waited_for(client: httpx.AsyncClient, server: Vendor) -> None:
    server.always = Reply({}, seconds=2)
    with pytest.raises(NoAnswer, match=r"did not answer within 0\.1 s") as lost:
        await Wire(client, server.base, whole=0.1).send("GET", "/x", bearer="t")
    assert lost.value.sent
    assert len(server.asked) == 1


async def test_github_is_left_alone_for_an_hour_at_most(wire: Wire, server: Vendor) -> None:
    server.always = Reply({}, 429, {"Retry-After": "999999999"})
    for said in ("GitHub asked to wait 3600 s", "nothing is sent for another 3600 s"):
        with pytest.raises(Limited, match=said):
            await wire.send("GET", "/x", bearer="t")


async def test_an_answer_without_an_end_is_not_read(wire: Wire, server: Vendor) -> None:
    server.always = Reply(b"[" + b" " * LARGEST)
    with pytest.raises(NoAnswer, match="longer than"):
        await wire.send("GET", "/x", bearer="t")


@pytest.mark.parametrize("base", ["ftp://github.test", "not an address", ""])
async def test_an_address_that_is_none_is_said_by_its_setting(client: httpx.AsyncClient, base: str) -> None:
    with pytest.raises(ForgeError, match="GONOGO_GITHUB_API_URL"):
        await Wire(client, base).send("GET", "/x", bearer="t")
