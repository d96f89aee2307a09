"""An App signs itself in, and its tokens are kept, renewed and forgotten."""

from __future__ import annotations

import asyncio
import time

import pytest

from adapters.github.api import GitHub
from adapters.github.auth import EARLY, AppAuth, TokenAuth
from adapters.github.errors import SaidNo, Unusable
from adapters.github.wire import Wire
from tests.fakes import github as fake
from tests.fakes.github import REPOSITORY, SHA
from tests.fakes.vendors import Reply, Vendor


class Watch:
    """A clock of ours."""

    def __init__(self, ahead: float = 0.0) -> None:
        self.ahead = ahead

    def __call__(self) -> float:
        return time.time() + self.ahead


def tokens_fetched(server: Vendor) -> int:
    return sum(request.path.endswith("/access_tokens") for request in server.asked)


async def test_an_app_signs_with_its_key_for_less_than_ten_minutes(wire: Wire, there: fake.GitHub) -> None:
    app = AppAuth(fake.APP, fake.key())
    token = await app.token(wire, REPOSITORY)
    assert token in there.tokens
    for claims in there.jwts:
        assert claims["iss"] == fake.APP
        assert claims["exp"] - claims["iat"] == 600
        assert claims["iat"] <= time.time() - 55


async def test_a_token_is_kept_and_renewed_five_minutes_before_its_end(wire: Wire, there: fake.GitHub) -> None:
    watch = Watch()
    app = AppAuth(fake.APP, fake.key(), now=watch)
    first = await app.token(wire, REPOSITORY)
    assert await app.token(wire, "ACME/Shop") == first
    watch.ahead = there.lasts - EARLY - 5
    assert await app.token(wire, REPOSITORY) == first
    watch.ahead = there.lasts - EARLY + 5
    assert await app.token(wire, REPOSITORY) != first
    assert len(there.tokens) == 2


async def test_however_many_ask_a_token_is_fetched_once(wire: Wire, there: fake.GitHub, server: Vendor) -> None:
    app = AppAuth(fake.APP, fake.key())
    found = await asyncio.gather(*(app.token(wire, REPOSITORY) for _ in range(20)))
    assert len(set(found)) == 1
    assert tokens_fetched(server) == 1


@pytest.mark.parametrize("ahead", [700.0, -700.0])
async def test_a_clock_that_is_wrong_is_put_right_by_githubs(wire: Wire, there: fake.GitHub, ahead: float) -> None:
    app = AppAuth(fake.APP, fake.key(), now=Watch(ahead))
    assert await app.token(wire, REPOSITORY) in there.tokens


async def test_a_signature_that_is_refused_with_a_right_clock_is_not_sent_again(wire: Wire, server: Vendor) -> None:
    server.always = Reply({"message": "Integration not found"}, 401)
    with pytest.raises(SaidNo, match="GONOGO_GITHUB_APP_ID"):
        await AppAuth(fake.APP, fake.key()).token(wire, REPOSITORY)
    assert len(server.asked) == 1


async def test_a_token_that_github_knows_no_more_is_fetched_anew(
    wire: Wire, there: fake.GitHub, server: Vendor
) -> None:
    github = GitHub(wire, AppAuth(fake.APP, fake.key()))
    assert await github.commit(REPOSITORY, "v1.2.0") == SHA
    there.revoke()
    assert await github.commit(REPOSITORY, "v1.2.0") == SHA
    assert tokens_fetched(server) == 2


async def test_a_token_of_a_persons_is_not_asked_for_twice(wire: Wire, there: fake.GitHub, server: Vendor) -> None:
    with pytest.raises(SaidNo, match="GONOGO_GITHUB_TOKEN") as no:
        await GitHub(wire, TokenAuth("ghp_of_somebody_who_left")).commit(REPOSITORY, "v1.2.0")
    assert "ghp_" not in str(no.value)
    assert len(server.asked) == 1


async def test_an_app_that_is_not_installed_says_so(wire: Wire, there: fake.GitHub) -> None:
    with pytest.raises(SaidNo, match=r"HTTP 404.*must be installed in the repository"):
        await AppAuth(fake.APP, fake.key()).token(wire, "acme/elsewhere")


@pytest.mark.parametrize(
    "key", ["", "not a key", "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----"]
)
def test_a_key_that_signs_nothing_is_refused_at_once_and_not_shown(key: str) -> None:
    with pytest.raises(Unusable, match="GONOGO_GITHUB_APP_KEY_FILE: this is no RSA private key") as unusable:
        AppAuth(fake.APP, key)
    assert "AAAA" not in str(unusable.value)


async def test_no_secret_stands_in_what_is_printed(wire: Wire, there: fake.GitHub) -> None:
    app = AppAuth(fake.APP, fake.key())
    token = await app.token(wire, REPOSITORY)
    printed = f"{app!r} {vars(app)['_tokens']!r} {TokenAuth(fake.TOKEN)!r}"
    assert token not in printed
    assert fake.TOKEN not in printed
    assert "PRIVATE KEY" not in printed
