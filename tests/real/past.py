"""A real Prometheus that remembers days nobody waited for: its samples are made here and filled in with `promtool`."""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from tests.real.servers import running_prometheus

EVERY = timedelta(seconds=15)
"""Between two scrapes."""
_PER_SCRAPE = 2000
_LABELS = 'namespace="production"'
_BOUNDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
"""Seconds: the buckets of both histograms."""


@dataclass(frozen=True)
class Stretch:
    """From an instant on, until the next stretch begins: so many of the requests fail (ratio), and each takes so long
    (seconds), a third of it in the database. Without `requests` there is no traffic; `gone` is not scraped at all."""

    since: datetime
    error_ratio: float = 0.0
    seconds: float = 0.03
    requests: bool = True
    gone: bool = False


def openmetrics(stretches: Sequence[Stretch]) -> Iterator[str]:
    """What was scraped over all of them, in the OpenMetrics format. Each stretch that follows one that is gone counts
    from 0 again; a series is not there before it has counted something, as with a client that adds labels on use."""
    ok: list[str] = []
    failed: list[str] = []
    up: list[str] = []
    took: list[str] = []
    queries: list[str] = []
    good = bad = 0
    counted = [0] * (len(_BOUNDS) + 1), [0] * (len(_BOUNDS) + 1)
    for stretch, end in zip(stretches, [each.since for each in stretches[1:]], strict=False):
        if stretch.gone:
            good = bad = 0
            counted = [0] * (len(_BOUNDS) + 1), [0] * (len(_BOUNDS) + 1)
            continue
        at = stretch.since
        while at < end:
            if stretch.requests:
                now = round(_PER_SCRAPE * stretch.error_ratio)
                good, bad = good + _PER_SCRAPE - now, bad + now
                for buckets, seconds in zip(counted, (stretch.seconds, stretch.seconds / 3), strict=True):
                    buckets[next((n for n, bound in enumerate(_BOUNDS) if seconds <= bound), -1)] += _PER_SCRAPE
            stamp = f"{at.timestamp():.3f}"
            up.append(f"up{{{_LABELS}}} 1 {stamp}")
            ok.append(f'http_requests_total{{{_LABELS},code="200"}} {good} {stamp}')
            if bad:
                failed.append(f'http_requests_total{{{_LABELS},code="500"}} {bad} {stamp}')
            took += _histogram("http_request_duration_seconds", counted[0], stamp)
            queries += _histogram("db_query_duration_seconds", counted[1], stamp)
            at += EVERY
    yield from ["# TYPE up gauge", *up, "# TYPE http_requests counter", *ok, *failed]
    yield from ["# TYPE http_request_duration_seconds histogram", *took]
    yield from ["# TYPE db_query_duration_seconds histogram", *queries, "# EOF"]


def _histogram(name: str, counted: Sequence[int], stamp: str) -> Iterator[str]:
    total = 0
    for bound, count in zip((*map(str, _BOUNDS), "+Inf"), counted, strict=True):
        total += count
        yield f'{name}_bucket{{{_LABELS},le="{bound}"}} {total} {stamp}'
    yield f"{name}_count{{{_LABELS}}} {total} {stamp}"


@contextmanager
def remembering(folder: Path, stretches: Sequence[Stretch]) -> Iterator[str]:
    """The address of a Prometheus with that past, which scrapes nothing. The last stretch only ends the one before."""
    text = folder / "past.om"
    _write(text, openmetrics(stretches))
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", "--quiet", str(text), str(folder / "data")]
    made = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert made.returncode == 0, made.stderr
    with running_prometheus(folder, {}, "--storage.tsdb.retention.time=100y") as address:
        yield address


def _write(file: Path, lines: Iterable[str]) -> None:
    with file.open("w") as written:
        written.writelines(f"{line}\n" for line in lines)
