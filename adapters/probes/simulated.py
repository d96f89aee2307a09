"""The sandbox's metrics: numbers a person sets to see what a check does with them."""

from __future__ import annotations

import asyncio
import json
import math
from datetime import datetime, timedelta

import httpx
from pydantic import AwareDatetime, BaseModel, FiniteFloat

from bot.domain.events import Measurement, Outcome
from bot.domain.verdict import YES_NO
from bot.ports import Asked
from checklists.policy import ProbePolicy
from checklists.quantities import say_value, to_base

WITHOUT_POLICY = timedelta(seconds=10)
"""The limit for a measure the policy says nothing about."""
LONGEST_BODY = 64 * 1024


class _Past(BaseModel):
    points: list[tuple[AwareDatetime, FiniteFloat, str]]


class SimulatedMetrics:
    """`bot.ports.Probe` and `History` for any measure by its name: `GET BASE/metrics?name=…&as_of=…`.

    200 with `{"value": 0.4, "unit": "%"}` is measured; the unit is one of a policy's, or `ok` for a source that answers
    yes (1 or true) or no. 204 is no data. Everything else is an error. The past is `GET BASE/metrics/past?name=…`
    `&start=…&end=…&step=SECONDS`: `{"points": [["2026-11-24T10:00:00Z", 0.4, "%"], …]}`.
    """

    def __init__(self, client: httpx.AsyncClient, base_url: str) -> None:
        self._client = client
        self._url = base_url.rstrip("/") + "/metrics"

    async def measure(self, name: str, probe: ProbePolicy | None, asked: Asked) -> Measurement:
        """Ask once, as of `asked.as_of`."""
        link = probe.link if probe else None
        limit = (probe.timeout if probe else WITHOUT_POLICY).total_seconds()
        try:
            async with asyncio.timeout(limit):
                answer = await self._client.get(
                    self._url,
                    params={"name": name, "as_of": asked.as_of.isoformat()},
                    timeout=limit,
                    follow_redirects=False,
                )
            if answer.status_code == httpx.codes.NO_CONTENT:
                return Measurement(name=name, outcome=Outcome.NO_DATA, detail="no data", link=link)
            dimension, value, detail = _read(answer)
        except (TimeoutError, httpx.TimeoutException):
            return _error(name, f"no answer within {limit:g} s", link)
        except ValueError as error:
            return _error(name, str(error), link)
        except Exception as error:
            return _error(name, f"the sandbox could not be asked ({type(error).__name__})", link)
        return Measurement(
            name=name, outcome=Outcome.MEASURED, value=value, dimension=dimension, detail=detail, link=link
        )

    async def history(
        self, name: str, probe: ProbePolicy, asked: Asked, *, start: datetime, end: datetime, step: timedelta
    ) -> list[tuple[datetime, float]]:
        """A point every `step`; gaps are left out. Empty when it cannot be told."""
        asked_for = {"start": start.isoformat(), "end": end.isoformat(), "step": str(step.total_seconds())}
        limit = probe.timeout.total_seconds()
        try:
            async with asyncio.timeout(limit):
                answer = await self._client.get(
                    f"{self._url}/past", params={"name": name, **asked_for}, timeout=limit, follow_redirects=False
                )
            answer.raise_for_status()
            points = _Past.model_validate_json(answer.content).points
            return [(at, to_base(value, unit)[1]) for at, value, unit in points]
        except (TimeoutError, httpx.HTTPError, ValueError):
            return []


def _error(name: str, detail: str, link: str | None) -> Measurement:
    return Measurement(name=name, outcome=Outcome.ERROR, detail=detail, link=link)


def _read(answer: httpx.Response) -> tuple[str, float, str]:
    """Raises ValueError in words for everything but a finite number with a unit."""
    if answer.status_code != httpx.codes.OK:
        raise ValueError(f"the sandbox answered HTTP {answer.status_code}")
    if len(answer.content) > LONGEST_BODY:
        raise ValueError("the sandbox's answer is too long")
    try:
        said = json.loads(answer.content)
    except (ValueError, RecursionError):
        raise ValueError("the sandbox's answer is no JSON") from None
    number, unit = (said.get("value"), said.get("unit")) if isinstance(said, dict) else (None, None)
    if unit == YES_NO and number in (0, 1):
        return YES_NO, float(number), "healthy" if number else "not healthy"
    if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
        raise ValueError("the sandbox's answer has no number as its value")
    dimension, value = to_base(number, str(unit))
    return dimension, value, say_value(value, dimension)
