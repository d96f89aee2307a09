"""What each monitoring system says, as one signal each."""

from __future__ import annotations

import copy
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from starlette.datastructures import Headers

from adapters.alerts import alertmanager, datadog, sentry
from bot.domain.alerts import Alerts, Signal, every, news, note
from tests.adapters.alerts import bodies

AT = datetime(2026, 11, 24, 10, 4, tzinfo=UTC)
NONE = Headers()


def told(read: Any, body: object, **headers: str) -> Signal:
    (signal,) = read(json.dumps(body).encode(), Headers(headers))
    assert isinstance(signal, Signal)
    return signal


def by_sentry(resource: str, body: object) -> list[Signal]:
    return sentry.read(json.dumps(body).encode(), Headers({"sentry-hook-resource": resource}))


# --- Alertmanager -----------------------------------------------------------------------------------------------------


def test_an_alert_of_alertmanager_has_its_name_severity_summary_link_and_time() -> None:
    found = told(alertmanager.read, bodies.alertmanager())
    assert (found.source, found.fingerprint, found.firing) == ("alertmanager", "9b6a3f9d2f0c1a44", True)
    assert (found.name, found.severity, found.summary) == ("HighErrorRate", "critical", "5xx above 5 %")
    assert found.link.startswith("http://prometheus.azora.io/graph?")
    assert (found.since, found.ended) == (AT, None)
    assert found.labels["namespace"] == "production"


def test_a_resolved_one_says_when_it_ended() -> None:
    found = told(alertmanager.read, bodies.alertmanager(ended="2026-11-24T10:10:00Z"))
    assert (found.firing, found.ended) == (False, datetime(2026, 11, 24, 10, 10, tzinfo=UTC))


def test_a_group_brings_all_its_alerts() -> None:
    group = bodies.alertmanager()
    group["alerts"] += bodies.alertmanager(name="Slow", fingerprint="2")["alerts"]
    assert [each.name for each in alertmanager.read(json.dumps(group).encode(), NONE)] == ["HighErrorRate", "Slow"]


def test_an_old_alertmanager_without_fingerprints_is_known_by_its_labels() -> None:
    one, same, other = (bodies.alertmanager(service=name) for name in ("api", "api", "web"))
    keys = []
    for body in (one, same, other):
        del body["alerts"][0]["fingerprint"]
        keys.append(told(alertmanager.read, body).fingerprint)
    assert keys[0] == keys[1] != keys[2]


def test_what_is_too_long_is_cut_and_a_long_fingerprint_stays_the_same() -> None:
    body = bodies.alertmanager(name="n" * 5_000, fingerprint="f" * 5_000)
    body["alerts"][0]["annotations"] = {"summary": "two\nlines\x00 " + "s" * 5_000}
    body["alerts"][0]["generatorURL"] = "https://prometheus.example.org/" + "g" * 5_000
    found = told(alertmanager.read, body)
    assert (len(found.name), len(found.summary), len(found.fingerprint)) == (200, 1_000, 64)
    assert found.summary.startswith("two lines s")
    assert found.link == "http://alertmanager.azora.io"
    assert found.fingerprint == told(alertmanager.read, body).fingerprint


# --- Datadog ----------------------------------------------------------------------------------------------------------


def test_the_payload_of_the_page_says_all_that_is_needed() -> None:
    found = told(datadog.read, bodies.datadog())
    assert (found.source, found.firing, found.since) == ("datadog", True, AT)
    assert found.fingerprint == "1234:9bd4ac313a4d1e8fae2482df7b77628"
    assert (found.name, found.severity) == ("High error rate", "P1")
    assert found.summary == "5xx above 5 % for 5 minutes"
    assert found.link == "https://app.datadoghq.com/event/jump_to?event_id=123456"
    assert found.tags == {"monitor", "service:api", "env:production"}


@pytest.mark.parametrize(
    ("transition", "firing"),
    [
        ("Triggered", True), ("Re-Triggered", True), ("Renotify", True), ("Warn", True), ("No Data", True),
        ("Recovered", False), ("Recovered from Warn", False), ("Warn Recovered", False), ("No Data Recovered", False),
    ],
)  # fmt: skip
def test_every_transition_fires_or_clears(transition: str, firing: bool) -> None:
    found = told(datadog.read, bodies.datadog(ALERT_TRANSITION=transition))
    assert (found.firing, found.fingerprint) == (firing, "1234:9bd4ac313a4d1e8fae2482df7b77628")


def test_a_warning_is_one_whatever_the_monitors_priority() -> None:
    assert told(datadog.read, bodies.datadog(ALERT_TRANSITION="Warn")).severity == "warning"


def test_variables_that_do_not_apply_are_nothing() -> None:
    gone = {name: f"${name}" for name in ("ALERT_PRIORITY", "LINK", "TAGS", "DATE", "TEXT_ONLY_MSG")}
    found = told(datadog.read, bodies.datadog(**gone))
    assert (found.severity, found.link, found.tags, found.since, found.summary) == ("", "", frozenset(), None, "")


def test_a_notification_about_no_monitor_is_none_and_one_without_an_id_is_refused() -> None:
    other = json.dumps(bodies.datadog(ALERT_TRANSITION="$ALERT_TRANSITION")).encode()
    assert datadog.read(other, NONE) == []
    nobody = json.dumps(bodies.datadog(ALERT_ID="", AGGREG_KEY="")).encode()
    with pytest.raises(ValueError, match="which monitor is it"):
        datadog.read(nobody, NONE)


# --- Sentry -----------------------------------------------------------------------------------------------------------


def test_an_issue_alert_is_known_by_its_issue_and_belongs_to_its_project() -> None:
    (found,) = by_sentry("event_alert", bodies.SENTRY_EVENT)
    assert (found.source, found.fingerprint, found.firing) == ("sentry", "issue:1170820242", True)
    assert (found.name, found.severity) == ("ReferenceError: heck is not defined", "fatal")
    assert (found.summary, found.since) == ("Very Important Alert Rule!", AT)
    assert found.projects == {"petforce-api"}


def test_the_issue_that_is_resolved_clears_the_alert_about_it() -> None:
    (raised,), (cleared,) = by_sentry("event_alert", bodies.SENTRY_EVENT), by_sentry("issue", bodies.SENTRY_ISSUE)
    assert (cleared.fingerprint, cleared.firing, cleared.projects) == (raised.fingerprint, False, raised.projects)


@pytest.mark.parametrize(
    ("action", "firing"),
    [("created", True), ("unresolved", True), ("resolved", False), ("archived", False), ("ignored", False)],
)
def test_an_issue_fires_from_its_creation_until_it_is_resolved_or_archived(action: str, firing: bool) -> None:
    (found,) = by_sentry("issue", bodies.SENTRY_ISSUE | {"action": action})
    assert (found.firing, found.link) == (firing, "https://sentry.io/organizations/petforce/issues/1170820242/")


@pytest.mark.parametrize(
    ("action", "firing", "severity"),
    [("critical", True, "critical"), ("warning", True, "warning"), ("resolved", False, "")],
)
def test_a_metric_alert_fires_with_its_own_severity(action: str, firing: bool, severity: str) -> None:
    (found,) = by_sentry("metric_alert", bodies.SENTRY_METRIC | {"action": action})
    assert (found.fingerprint, found.firing, found.severity) == ("metric:4", firing, severity)
    assert (found.name, found.projects) == ("Too many errors", {"petforce-api"})


@pytest.mark.parametrize(
    ("resource", "action"), [("installation", "created"), ("comment", "created"), ("issue", "assigned")]
)
def test_what_tells_of_no_alert_is_none(resource: str, action: str) -> None:
    assert by_sentry(resource, bodies.SENTRY_ISSUE | {"action": action}) == []


# --- all of them ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("read", [alertmanager.read, datadog.read, sentry.read])
@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"[]", b"{", b'{"version": "4"}', b'"a"', b"[" * 5_000, b'{"version": 4, "alerts": {}}', b"\xff"],
)
def test_junk_is_refused_with_a_reason(read: Any, body: bytes) -> None:
    with pytest.raises(ValidationError):
        read(body, Headers({"sentry-hook-resource": "event_alert"}))


@pytest.mark.parametrize("resource", ["event_alert", "metric_alert", "issue"])
def test_keys_nobody_knows_change_nothing(resource: str) -> None:
    known = {"event_alert": bodies.SENTRY_EVENT, "metric_alert": bodies.SENTRY_METRIC, "issue": bodies.SENTRY_ISSUE}
    body: dict[str, Any] = copy.deepcopy(known[resource])
    body["new"] = body["data"]["new"] = {"a": [1]}
    assert by_sentry(resource, body) == by_sentry(resource, known[resource])


VALID: list[tuple[Any, str, Any]] = [
    (alertmanager.read, "", bodies.alertmanager()),
    (alertmanager.read, "", bodies.alertmanager(ended="2026-11-24T10:10:00Z")),
    (datadog.read, "", bodies.datadog()),
    (sentry.read, "event_alert", bodies.SENTRY_EVENT),
    (sentry.read, "metric_alert", bodies.SENTRY_METRIC),
    (sentry.read, "issue", bodies.SENTRY_ISSUE | {"action": "created"}),
]
INSTANTS = [
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:59-12:00",
    "1970-01-01T00:00:00+14:00",
    "2026-11-24T10:04:00",
    -1,
    1e18,
]
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(INSTANTS),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


def places(body: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = body.items() if isinstance(body, dict) else enumerate(body) if isinstance(body, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


@settings(max_examples=150)
@given(st.data())
def test_whatever_stands_in_a_body_it_is_read_or_refused_and_never_more(data: st.DataObject) -> None:
    read, resource, valid = data.draw(st.sampled_from(VALID))
    body: Any = {"it": copy.deepcopy(valid)}
    *way, last = "it", *data.draw(st.sampled_from(places(valid)))
    inner = body
    for key in way:
        inner = inner[key]
    inner[last] = data.draw(ANYTHING)
    try:
        found = read(json.dumps(body["it"]).encode(), Headers({"sentry-hook-resource": resource}))
    except ValueError:  # pydantic's is one
        return
    for fact in news({}, found, AT, takes=True):
        known: Alerts = {}
        note(known, fact)
        assert type(fact).model_validate_json(fact.model_dump_json()) == fact
        (alert,) = every(known)
        assert alert.since <= AT
