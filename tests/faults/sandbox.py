"""Power cuts on the sandbox page, where the clock can be moved: kill -9 at any moment, jumps over hours and days."""

from __future__ import annotations

import random
import re
import signal
import threading
import time
import uuid
from collections import Counter
from pathlib import Path
from typing import Any

import httpx

from tests.faults.outcome import Options, Result
from tests.faults.verify import Acked, behind, violations
from tests.process import Process, Records, new_database
from tests.talk import MAIN, WHO_IS, Page, untimed

CHECKLIST = """\
# Shop

## Before
- [ ] Tests pass
- [ ] Backup made
- [ ] QA sign-off

## Deploy
- [ ] Traffic switched

## After
- [ ] Shop looks right
- [ ] Orders come in

## Rollback
- [ ] Old version is back
- [ ] Everybody knows
"""
POLICY = """\
service: shop
timezone: UTC
channels: {deployments: "#deployments", incidents: "#incidents"}
also_in: {issue: incidents, rolled_back: incidents, succeeded: incidents}
phases:
  Deploy: {deployed: true}
  After: {opens: T+0}
  Rollback: {kind: rollback}
items:
  QA sign-off: {role: qa}
  Backup made: {probe: backups}
probes:
  backups: {say: Backups, prometheus: backups, unit: count, target: "> 0 count"}
  error_rate: {say: Error rate, prometheus: errors, unit: ratio}
watch:
  - at: T+0
    name: First minutes
    every: 1m
    for: 5m
    phase: After
    measure: {error_rate: "< 1%"}
    alert: {error_rate: "> 5%"}
  - {at: T+30m, name: 30-minute check, phase: After, measure: {error_rate: "< 1%"}, then: announce succeeded}
  - {at: T+2h, name: 2-hour check, measure: {error_rate: "< 1%"}}
  - {at: T+24h, name: 24-hour check, measure: {error_rate: "< 1%"}, then: announce stable}
people: {qa: {name: QA}}
"""
CATCH_UP = 10.0
"""Seconds after a start in which everything that was committed must be shown, said and run."""
_DAYS = re.compile(r"(tomorrow |\w{3} \d{1,2} \w{3} )?\d\d:\d\d")


class Person:
    """Does the next sensible thing, again and again; what was not answered is sent once more after the power cut."""

    def __init__(self, name: str, dice: random.Random, shared: Shared) -> None:
        self.name, self._dice, self._shared = name, dice, shared
        self._pending: tuple[str, dict[str, Any]] | None = None
        self._http = httpx.Client()

    def work(self, address: str, stop: threading.Event) -> None:
        """Until told to stop, or the process is gone."""
        with httpx.Client(base_url=address, headers={"Origin": address}, timeout=30) as self._http:
            try:
                while not stop.is_set():
                    if self._pending is None:
                        self._decide()
                    self._send()
            except httpx.TransportError:
                return

    def _decide(self) -> None:
        newest = self._shared.newest()
        if newest is None:
            return self._say(f"start v{self._shared.next_version()}")
        deployment, status = newest
        actions = self._buttons(deployment)
        chance = self._dice.random()
        if status in ("stable", "rolled back", "cancelled", "superseded") or (status == "succeeded" and chance < 0.1):
            return self._say(f"start v{self._shared.next_version()}")
        if chance < 0.02 and "rollback" in actions:
            return self._fill(actions["rollback"][0], version="v0", reason="A bad feeling", next_steps="Look closer")
        if chance < 0.04 and "cancel" in actions:
            return self._fill(actions["cancel"][0], reason="Another day")
        if ticks := actions.get("tick"):
            return self._click(self._dice.choice(ticks))
        if undecided := actions.get("accept"):
            return self._fill(undecided[0], reason="It is all right")
        for verb in ("deployed", "advance"):
            if verb in actions:
                return self._click(actions[verb][0])
        if "rolledback" in actions:
            return self._fill(actions["rolledback"][0], status="Stable")
        if chance < 0.3:
            health = {"health": self._dice.choice(["healthy", "healthy", "failing", "no data"])}
            self._shared.note("health", health, self._http.post("/api/health", json=health))
        self._plan("clock", by=self._dice.choice(["next", "next", "5m", "30m", "2h"]))
        return None

    def _buttons(self, deployment: str) -> dict[str, list[str]]:
        """What the channel offers now for a deployment: verb -> actions."""
        page = self._get(channel=MAIN)
        roots = [m for m in page["messages"] if f":{deployment}" in m["html"] or " → " in m["title"]]
        messages = [roots[-1]] if roots else []
        if roots:
            messages += self._get(thread=str(roots[-1]["id"]))["messages"]
        found: dict[str, list[str]] = {}
        for message in messages:
            for action in dict.fromkeys(Page(message["html"]).actions):
                verb, _, rest = action.partition(":")
                if rest.startswith(deployment) and action not in found.setdefault(verb, []):
                    found[verb].append(action)
        return found

    def _say(self, text: str) -> None:
        self._plan("command", persona="ann", channel=MAIN, text=f"/deploy {text}")

    def _click(self, action: str) -> None:
        self._plan("click", persona="quinn" if "qa-" in action else "ann", channel=MAIN, action=action)

    def _fill(self, action: str, **values: str) -> None:
        self._plan(
            "submit", persona=self._dice.choice(["ann", WHO_IS["on-call"]]), channel=MAIN, action=action, values=values
        )

    def _plan(self, path: str, **body: Any) -> None:
        self._pending = (path, {"key": uuid.uuid4().hex, **body})

    def _send(self) -> None:
        if self._pending is None:
            return
        path, body = self._pending
        answer = self._http.post(f"/api/{path}", json=body)
        self._pending = None
        self._shared.note(path, body, answer)

    def _get(self, **query: str) -> dict[str, Any]:
        answer = self._http.get("/api/messages", params=query)
        self._shared.note("messages", {}, answer)
        return dict(answer.json()) if answer.status_code == 200 else {"messages": []}


class Shared:
    """What all people know, and what they were told."""

    def __init__(self, records: Records, result: Result) -> None:
        self.records, self.result, self.acked, self.wrong = records, result, Acked(), list[str]()
        self._versions = 0
        self._turn = threading.Lock()

    def newest(self) -> tuple[str, str] | None:
        """The newest deployment and where it stands."""
        rows = self.records.rows("SELECT id, status FROM deployments ORDER BY started_at DESC, id LIMIT 1")
        return rows[0] if rows else None

    def next_version(self) -> str:
        """A version nobody has deployed."""
        with self._turn:
            self._versions += 1
            return f"1.{self._versions}.0"

    def note(self, path: str, body: dict[str, Any], answer: httpx.Response) -> None:
        """Remember what was acked."""
        with self._turn:
            if answer.status_code != 200:
                self.wrong.append(f"{path} {body} was answered {answer.status_code}: {answer.text[:200]}")
            elif path == "clock":
                self.result.faults["clock jump"] += 1
            elif path == "health":
                self.result.faults[f"probes {body['health']}"] += 1
            elif path in ("click", "submit"):
                self.result.acts["sandbox acknowledged"] += 1
                if answer.json()["text"] is None:
                    self.acked.keys[body["key"]] = self.records.now()
                    if body["action"].startswith("tick:"):
                        _, deployment, item = body["action"].split(":", 2)
                        self.acked.ticks.add((deployment, item))


def play(options: Options, folder: Path) -> Result:
    """Play, kill, look."""
    result, dice = Result(), random.Random(options.seed)
    records = new_database(folder, "2026-11-24 10:00")
    end = time.monotonic() + options.seconds
    (folder / "lists").mkdir()
    (folder / "lists" / "shop.md").write_text(CHECKLIST)
    (folder / "lists" / "shop.yaml").write_text(POLICY)
    shared = Shared(records, result)
    people = [Person(name, random.Random(dice.random()), shared) for name in ("first", "second")]
    while time.monotonic() < end and result.kills.total() < options.kills:
        if took := _one_life(folder, people, shared, dice):
            result.calms.append(round(took, 1))
            if took > CATCH_UP:
                shared.wrong.append(f"after a start it took {took:.1f} s until the channel was up to date")
    result.violations += shared.wrong + _at_rest(folder, shared)
    ends = "SELECT status, count(*) FROM deployments GROUP BY status"
    result.deployments = Counter(dict(records.rows(ends)))
    ((result.checks,),) = records.rows("SELECT count(*) FROM events WHERE kind = 'check_ran'")
    ((result.announcements,),) = records.rows("SELECT count(*) FROM events WHERE kind = 'announced'")
    return result


def _one_life(folder: Path, people: list[Person], shared: Shared, dice: random.Random) -> float:
    """Start, work, power cut; how long the channel needed to be up to date after the start."""
    process = _start(folder)
    if dice.random() < 0.15:  # cut before it has come up
        time.sleep(dice.uniform(0.05, 1.0))
        process.stop(signal.SIGKILL)
        shared.result.kills["starting"] += 1
        return 0.0
    try:
        if not process.started():
            raise AssertionError(f"it did not start again: {process.errors}")
        took = _catch_up(shared.records) if dice.random() < 0.4 else 0.0
        stop = threading.Event()
        work = [threading.Thread(target=person.work, args=(process.address, stop)) for person in people]
        for thread in work:
            thread.start()
        time.sleep(dice.uniform(0.1, 2.5))
        process.child.send_signal(signal.SIGKILL)
        shared.result.kills["any moment"] += 1
        stop.set()
        for thread in work:
            thread.join()
    finally:
        process.stop(signal.SIGKILL)
    if "Traceback" in process.errors or "error" in process.errors:
        shared.wrong.append(f"on standard error: {process.errors[-400:]}")
    return took


def _start(folder: Path) -> Process:
    return Process(folder, wait=False, GONOGO_CHECKLISTS=str(folder / "lists"), GONOGO_CHECKLIST="shop")


def _catch_up(records: Records, limit: float = 70.0) -> float:
    begun = time.monotonic()
    while behind(records) and time.monotonic() - begun < limit:
        time.sleep(0.05)
    return time.monotonic() - begun


def _at_rest(folder: Path, shared: Shared) -> list[str]:
    """Start once more, let everything settle, stop in peace, and look."""
    process = _start(folder)
    try:
        if not process.started():
            return [f"it did not start again: {process.errors}"]
        took = _catch_up(shared.records)
        found = [f"still {what}" for what in behind(shared.records)]
        if took > CATCH_UP:
            found.append(f"after the last start it took {took:.1f} s until the channel was up to date")
        found += _card_and_status(process.address, shared)
    finally:
        code, errors = process.stop()
    if (code, errors) != (0, ""):
        found.append(f"it ended with {code} and said {errors[-400:]!r}")
    return found + violations(shared.records, shared.acked)


def _card_and_status(address: str, shared: Shared) -> list[str]:
    live = [version for (version,) in shared.records.rows("SELECT version FROM deployments WHERE live")]
    if len(live) > 1 or shared.newest() is None:
        return []
    with httpx.Client(base_url=address, headers={"Origin": address}, timeout=30) as http:
        ask = {"key": uuid.uuid4().hex, "persona": "ann", "channel": MAIN, "text": "/deploy status"}
        status = http.post("/api/command", json=ask).json()["text"]
        cards = [m["text"] for m in http.get("/api/messages").json()["messages"] if " → " in m["title"]]
    # The status is that of the one that is live, though a later one may have come and gone.
    card = [text for text in cards if not live or f" {live[0]} → " in text][-1]
    said = [_DAYS.sub("…", untimed(text)) for text in (card, status)]
    return [] if said[0] == said[1] else [f"the card says {card!r}, status says {status!r}"]
