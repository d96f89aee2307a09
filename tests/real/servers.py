"""A service with metrics, watched by a real Prometheus whose alerts go to a real Alertmanager."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, start_http_server

PROGRAMS = ("prometheus", "promtool", "prometheus-alertmanager")
MISSING = [program for program in PROGRAMS if shutil.which(program) is None]

PASSWORD = "not-a-real-password"
BASIC = "Basic Z29ub2dvOm5vdC1hLXJlYWwtcGFzc3dvcmQ="
"""`gonogo` with that password."""
_HASH = "$2b$04$w3DXrlzHNpNOT7Fl52QymuLdtrgewAYoTsrWkyQq64DPbdnPAZoYC"
_PER_SCRAPE = 200
_STARTS_WITHIN = 20.0
_LOOKS_EVERY = 0.1


class Service:
    """It answers 200 requests between two scrapes, as well as it is told to."""

    def __init__(self) -> None:
        self.error_ratio = 0.0
        self.seconds = 0.03
        registry = CollectorRegistry()
        registry.register(self)
        self._requests = Counter("http_requests", "Requests.", ["code"], registry=registry)
        self._durations = Histogram("http_request_duration_seconds", "How long they took.", registry=registry)
        self._queries = Histogram("db_query_duration_seconds", "How long queries took.", registry=registry)
        self._server, self._thread = start_http_server(0, "127.0.0.1", registry=registry)
        self.port = self._server.server_port

    def describe(self) -> Iterable[Metric]:
        return []

    def collect(self) -> Iterable[Metric]:
        """Comes first at each scrape."""
        failed = round(_PER_SCRAPE * self.error_ratio)
        if failed:
            # No series before the first: a client that adds labels on use says nothing of what never happened.
            self._requests.labels("500").inc(failed)
        self._requests.labels("200").inc(_PER_SCRAPE - failed)
        for _ in range(_PER_SCRAPE):
            self._durations.observe(self.seconds)
            self._queries.observe(self.seconds / 3)
        return []

    def breaks(self) -> None:
        self.error_ratio, self.seconds = 0.2, 0.4

    def recovers(self) -> None:
        self.error_ratio, self.seconds = 0.0, 0.03

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)


@dataclass(frozen=True)
class Watch:
    """The servers and where they listen."""

    service: Service
    prometheus: str
    alertmanager: str


@contextmanager
def watch(folder: Path) -> Iterator[Watch]:
    """Everything runs when the block begins, and is gone when it ends."""
    service = Service()
    try:
        with running_alertmanager(folder) as alertmanager, _scraping(folder, service, alertmanager) as prometheus:
            yield Watch(service, prometheus, alertmanager)
    finally:
        service.stop()


def _scraping(folder: Path, service: Service, alertmanager: str) -> AbstractContextManager[str]:
    rate = 'sum by (namespace) (rate(http_requests_total{code=~"%s"}[5s]))'
    expression = f"{rate % '5..'} / {rate % '.+'} > 0.05"
    rule = {"alert": "HighErrorRate", "expr": expression, "labels": {"severity": "critical"}}
    _write(folder / "rules.yml", {"groups": [{"name": "service", "rules": [rule]}]})
    target = {"targets": [f"127.0.0.1:{service.port}"], "labels": {"namespace": "production"}}
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": ["rules.yml"],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]},
        "scrape_configs": [{"job_name": "service", "static_configs": [target]}],
    }
    return running_prometheus(folder, config)


@contextmanager
def running_prometheus(folder: Path, config: dict[str, Any], *options: str) -> Iterator[str]:
    """A Prometheus that lets in who has the password, with its data in the folder; its address."""
    _write(folder / "prometheus.yml", config)
    _write(folder / "web.yml", {"basic_auth_users": {"gonogo": _HASH}})
    port = _free_port()
    command = [
        "prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--web.config.file={folder / 'web.yml'}",
        f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
        *options,
    ]  # fmt: skip
    with _running(command, folder / "prometheus.log", f"http://127.0.0.1:{port}", {"Authorization": BASIC}) as address:
        yield address


@contextmanager
def running_alertmanager(folder: Path, config: dict[str, Any] | None = None) -> Iterator[str]:
    """An Alertmanager; its address. Without a configuration of its own it calls nobody."""
    config = config or {
        "route": {"receiver": "nobody", "group_wait": "1s"},
        "receivers": [{"name": "nobody"}],
        "inhibit_rules": [{"source_matchers": ['alertname="Outage"'], "target_matchers": ['tame="yes"']}],
    }
    _write(folder / "alertmanager.yml", config)
    port = _free_port()
    command = [
        "prometheus-alertmanager", f"--config.file={folder / 'alertmanager.yml'}", "--cluster.listen-address=",
        f"--storage.path={folder / 'alerts'}", f"--web.listen-address=127.0.0.1:{port}", "--log.level=warn",
    ]  # fmt: skip
    with _running(command, folder / "alertmanager.log", f"http://127.0.0.1:{port}", {}) as address:
        yield address


@contextmanager
def _running(command: list[str], log: Path, address: str, headers: dict[str, str]) -> Iterator[str]:
    with log.open("wb") as written:
        process = subprocess.Popen(command, stdout=written, stderr=subprocess.STDOUT, cwd=log.parent)

    def ready() -> bool:
        assert process.poll() is None, f"{command[0]} ended:\n{log.read_text()}"
        try:
            return httpx.get(f"{address}/-/ready", headers=headers, trust_env=False).is_success
        except httpx.TransportError:
            return False

    try:
        until(ready, _STARTS_WITHIN, f"{command[0]} is ready")
        yield address
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def until(happened: Callable[[], bool], seconds: float, what: str) -> None:
    """Look until it has happened: another process tells us in no other way. Fails in words."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, f"not within {seconds:.0f} s: {what}"
        time.sleep(_LOOKS_EVERY)


def _write(path: Path, content: object) -> None:
    # JSON is YAML.
    path.write_text(json.dumps(content))


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
