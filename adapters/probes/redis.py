"""Redis: whether a key exists, and how much of the memory is in use."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import ConstantBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, RedisError
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as TooSlow

from adapters.probes.asking import PAUSE, Cannot, Found, NoData, Refused, measured, short
from bot.domain.events import Measurement, Outcome
from bot.ports import Asked
from checklists.policy import ProbePolicy


@dataclass(frozen=True, slots=True)
class RedisCredentials:
    """`redis://user:password@host:6379/0`, or `rediss://` for TLS; a user that may EXISTS and INFO is enough."""

    url: str = field(repr=False)


class RedisProbe:
    """`bot.ports.Probe` for `redis: exists KEY` (a count, 0 or 1) and `redis: memory` (share of `maxmemory`).

    It measures now, whatever `asked.as_of` says. Each ask has a connection of its own.
    """

    def __init__(self, credentials: RedisCredentials) -> None:
        self._credentials = credentials

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once. No data for the memory of a server that has no limit."""
        if probe is None or probe.redis is None:
            return Measurement(name=name, outcome=Outcome.REFUSED, detail=f"the policy asks Redis nothing for {name}")
        return await measured(name, probe, self._ask(probe, probe.redis))

    async def _ask(self, probe: ProbePolicy, words: str) -> Found:
        what, _, key = words.strip().partition(" ")
        key = key.strip()
        if what not in ("exists", "memory") or bool(key) != (what == "exists"):
            raise Refused(f"{short(words)!r} is nothing Redis is asked; write `exists KEY` or `memory`")
        async with self._connected(probe.timeout.total_seconds()) as redis:
            if what == "exists":
                there = await redis.exists(key)
                return Found(there, "count", f"{short(key)} {'exists' if there else 'does not exist'}")
            said = await redis.info("memory")
        used, most = said.get("used_memory"), said.get("maxmemory")
        if not isinstance(used, int) or not isinstance(most, int):
            raise Cannot("Redis does not say how much memory it uses")
        if most <= 0:
            raise NoData("Redis has no `maxmemory`, so there is no share of it")
        return Found(used / most, "ratio")

    @asynccontextmanager
    async def _connected(self, limit: float) -> AsyncIterator[Redis]:
        """Raises Cannot and Refused for whatever goes wrong: the library's own words may hold the address."""
        try:
            redis = Redis.from_url(
                self._credentials.url,
                socket_timeout=limit,
                socket_connect_timeout=limit,
                retry=Retry(ConstantBackoff(PAUSE), 1),
                max_connections=1,
            )
        except ValueError:
            raise Refused("GONOGO_REDIS_URL is no address; write it like redis://host:6379/0") from None
        try:
            yield redis
        except (AuthenticationError, NoPermissionError):
            raise Refused("Redis refused it: the user of GONOGO_REDIS_URL must be allowed EXISTS and INFO") from None
        except TooSlow:
            raise Cannot("Redis did not answer in time") from None
        except NoConnection:
            raise Cannot("no connection to Redis") from None
        except RedisError as error:
            raise Cannot(f"Redis answered with an error ({type(error).__name__})") from None
        finally:
            async with asyncio.timeout(1):
                await redis.aclose()
