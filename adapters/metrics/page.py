"""The page that is scraped. Counters live in this process and begin at 0 with it; what the database knows is asked for
at each scrape, by questions that stay as cheap however long the history is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.exposition import choose_encoder

from bot.domain.deployment import Status
from bot.domain.events import Outcome, Verdict
from bot.meters import Figures
from bot.ports import Clock, StoreError

ANSWERED_WITHIN = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0)
"""Seconds. Slack and Discord show what is not answered within three as failed."""
ASKED_FOR = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0)
"""Seconds. A probe's own time ends after its policy's `timeout`, and its turn may take ten more."""

Read = Callable[[datetime, Sequence[str]], Awaitable[Figures]]

log = structlog.get_logger(__name__)


class MetricsPage:
    """`bot.meters.Meters`, and their page. Labels are words of gonogo's own (statuses, verdicts, kinds of sources,
    chats): nothing that people wrote, and no version, service or person, ever becomes one."""

    def __init__(
        self, read: Read, clock: Clock, chats: Sequence[str], connected: Callable[[], Mapping[str, bool]]
    ) -> None:
        self._read, self._clock, self._chats, self._connected = read, clock, chats, connected
        mine = self.registry = CollectorRegistry()
        ProcessCollector(registry=mine)
        self._checks = Counter(
            "gonogo_checks",
            "Checks that were measured, tries included, by what they found.",
            ["verdict"],
            registry=mine,
        )
        self._probes = Counter(
            "gonogo_probes", "Questions to sources, by how they ended.", ["source", "outcome"], registry=mine
        )
        self._probe_seconds = Histogram(
            "gonogo_probe_seconds",
            "How long a source took, with the wait for its turn.",
            ["source"],
            registry=mine,
            buckets=ASKED_FOR,
        )
        self._answers = Counter(
            "gonogo_acknowledgements", "What people did in chat, by how it ended.", ["kind", "how"], registry=mine
        )
        self._answer_seconds = Histogram(
            "gonogo_acknowledgement_seconds",
            "From a command, click or form until it is durable and its answer known.",
            ["kind"],
            registry=mine,
            buckets=ANSWERED_WITHIN,
        )
        self._deployments = Gauge("gonogo_deployments", "Live deployments, by status.", ["status"], registry=mine)
        self._due = Gauge(
            "gonogo_due_work",
            "Work that is due and not done: waiting, or begun by a process.",
            ["state"],
            registry=mine,
        )
        self._lag = Gauge(
            "gonogo_due_lag_seconds", "Since when the oldest work has been due that is not done.", registry=mine
        )
        self._behind = Gauge(
            "gonogo_cards_behind", "Deployments whose cards do not yet show the newest state.", ["chat"], registry=mine
        )
        self._unsaid = Gauge(
            "gonogo_announcements_waiting", "Messages that do not stand in their channel yet.", ["chat"], registry=mine
        )
        self._chat = Gauge(
            "gonogo_chat_connected",
            "Whether this process hears the chat; one of several does.",
            ["chat"],
            registry=mine,
        )
        self._database = Gauge(
            "gonogo_database_up",
            "Whether the database answered this scrape; 0: its figures are left out.",
            registry=mine,
        )
        for verdict in Verdict:
            self._checks.labels(verdict.value)
        for kind in ("command", "click", "submit"):
            self._answer_seconds.labels(kind)
            for how in ("done", "refused", "failed"):
                self._answers.labels(kind, how)

    def checked(self, verdict: Verdict) -> None:
        """A check was measured."""
        self._checks.labels(verdict.value).inc()

    def asked(self, source: str, outcome: Outcome, seconds: float) -> None:
        """A source was asked."""
        self._probes.labels(source, outcome.value).inc()
        self._probe_seconds.labels(source).observe(seconds)

    def answered(self, kind: str, how: str, seconds: float) -> None:
        """Somebody in the chat was answered."""
        self._answers.labels(kind, how).inc()
        self._answer_seconds.labels(kind).observe(seconds)

    async def text(self, accept: str) -> tuple[bytes, str]:
        """The page and its content type, in the format that `accept` asks for. Without its database it still says what
        this process counted."""
        figures: Figures | None = None
        try:
            figures = await self._read(self._clock.now(), self._chats)
        except StoreError as problem:
            log.warning("metrics.database", problem=str(problem))
        # From here on nothing is awaited: two scrapes at once do not mix.
        self._show(figures)
        encode, content_type = choose_encoder(accept)
        page: bytes = encode(self.registry)
        return page, content_type

    def _show(self, figures: Figures | None) -> None:
        self._database.set(figures is not None)
        for gauge in (self._deployments, self._due, self._behind, self._unsaid, self._chat):
            gauge.clear()
        for chat, there in self._connected().items():
            self._chat.labels(chat).set(there)
        self._lag.set(figures.lag if figures is not None else float("nan"))
        if figures is None:
            return
        live = {status.value: 0 for status in Status if not status.ended}
        for status, count in {**live, **figures.deployments}.items():
            self._deployments.labels(status).set(count)
        self._due.labels("waiting").set(figures.waiting)
        self._due.labels("begun").set(figures.begun)
        for chat, count in figures.behind.items():
            self._behind.labels(chat).set(count)
        for chat, count in figures.unsaid.items():
            self._unsaid.labels(chat).set(count)
