"""Alerts of a monitoring system, on the card and as messages. Their texts are foreign: nothing in them is obeyed."""

from __future__ import annotations

from collections.abc import Iterator

from bot.cards.card import Block, Card, Slot, Text, Tone, escape
from bot.cards.view import View
from bot.cards.words import LONGEST_TITLE, count, plain, short
from bot.domain.alerts import Alert, every, firing
from checklists.addresses import web_address
from checklists.policy import Announcement
from checklists.quantities import say_duration

_NAMED = 3
"""As many alerts are named on the card."""
_SYSTEMS = {"alertmanager": "Alertmanager", "datadog": "Datadog", "sentry": "Sentry"}


def alert_lines(view: View) -> Iterator[str]:
    """The line on the card: how many fire, which, and since when. None while none does."""
    alerts = firing(view.state.alerts)
    if not alerts:
        return
    named = [f"{_linked(alert)} since {view.when(alert.since)}" for alert in alerts[:_NAMED]]
    more = [f"and {len(alerts) - _NAMED} more"] if len(alerts) > _NAMED else []
    yield f"🔔 {count(len(alerts), 'alert')}: {' · '.join(named + more)}"


def alert_slots(view: View) -> list[Slot]:
    """One message in the channel for each alert that has one, edited when it clears or fires again."""
    return [Slot(f"alert:{alert.id}", _card(view, alert)) for alert in every(view.state.alerts) if alert.shown]


def alert_words(alert: Alert) -> str:
    """An alert's name and severity, as plain text: "HighErrorRate (critical)"."""
    severity = short(alert.latest.severity, 20)
    return short(alert.latest.name, 80) + (f" ({severity})" if severity else "")


def _linked(alert: Alert) -> str:
    """The same as inline Markdown that leads to the alert."""
    words, address = escape(alert_words(alert)), web_address(alert.latest.link)
    return f"[{words}]({address})" if address else words


def _card(view: View, alert: Alert) -> Card:
    name, ended = alert_words(alert), alert.ended
    since = f"since {view.clock(alert.since)}"
    if ended is not None:
        title, tone = f"✅ {name} cleared after {say_duration(ended - alert.since)}", Tone.GOOD
        when, spoken = f"from {view.when(alert.since)} to {view.when(ended)}", title.removeprefix("✅ ")
    elif alert.worse:
        title, tone = f"🔔 {name} has become worse", Tone.PLAIN
        when, spoken = f"since {view.when(alert.since)}", title.removeprefix("🔔 ")
    else:
        title, tone = f"🔔 {name}", Tone.BAD if alert.calls else Tone.WARN
        when, spoken = f"since {view.when(alert.since)}", f"alert {name} {since}"
    again = f" · raised {alert.times} times" if alert.times > 1 else ""
    blocks: list[Block] = [Text(f"{view.safe_name} · {when}{again}")]
    if alert.latest.summary:
        blocks.append(Text(escape(alert.latest.summary, limit=500)))
    if address := web_address(alert.latest.link):
        blocks.append(Text(f"[Open in {_SYSTEMS[alert.latest.source]}]({address})", small=True))
    summary = f" {short(alert.latest.summary, 300)}" if alert.latest.summary and alert.firing else ""
    return Card(
        title=short(title, LONGEST_TITLE),
        text=f"{view.name}: {plain(escape(spoken))}.{summary}",
        blocks=tuple(blocks),
        tone=tone,
        mentions=("on_call",) if alert.firing and alert.calls and not _announced(view, alert) else (),
    )


def _announced(view: View, alert: Alert) -> bool:
    """Whether an issue was announced because of it, which calls the on-call: nobody is called twice for one thing."""
    issue = view.state.announced.get(Announcement.ISSUE)
    return issue is not None and issue.at == alert.latest.at
