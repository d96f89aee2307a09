"""The four promises, held against what is left after the play. Independent: its own reading of the facts, its own SQL.

`python tests/faults/checker.py EVIDENCE.json` looks once more at evidence that was kept.
"""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from tests.faults.evidence import Act, Evidence, Said
from tests.faults.replay import LOCKING, Fact, Story, micros, named, story

SECOND = 1_000_000
CATCH_UP = 10.0
"""Seconds of calm after which all must be shown, said and run."""
LATE, MEASURING = 60 * SECOND, 15 * SECOND
"""From when a check says that it ran late, and how long asking may take."""
LEASED = 130 * SECOND
"""After so long a check must have run although who had taken it was killed."""
NOT_DONE = ("nothing was changed", "Something went wrong", "could not be", "Please try again")
READING = ("status", "opens a form")
"""Verbs that change nothing."""
WRITTEN_WITHIN = 2.0
"""Seconds between two clocks that are read one after the other, on a busy machine."""
WRITTEN = ("noted", "check_accepted", "rollback_started", "rolled_back", "cancelled")
"""Facts that hold what somebody wrote into a form."""
_PLAIN = re.compile(r"[^a-z0-9☐✅➖]+")


class Left:
    """The evidence, ready to be asked."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.scenario = evidence, evidence.scenario
        self.tables = evidence.tables
        bodies: dict[str, list[tuple[int, str]]] = {}
        for row in self.tables["events"]:
            bodies.setdefault(row["deployment"], []).append((row["seq"], row["body"]))
        self.stories = {id: story(id, [body for _, body in sorted(rows)]) for id, rows in bodies.items()}
        self.answers = {row["key"]: row["answer"] for row in self.tables["deliveries"]}
        self._keyed: dict[tuple[str, object], list[Said]] = {}
        for said in evidence.said:
            mark: object = said.key if said.chat == "slack" else tuple(said.marker[:2])
            self._keyed.setdefault((said.chat, mark), []).append(said)

    def standing(self, chat: str, key: str) -> list[Said]:
        """The messages that carry this key."""
        return self._keyed.get((chat, key if chat == "slack" else marker(key)), [])

    def answer(self, act: Act) -> str | None:
        """What the database remembers of a delivery; None: nothing."""
        if act.key in self.answers:
            return str(self.answers[act.key])
        begins = (answer for key, answer in self.answers.items() if act.key and key.startswith(f"{act.key}:"))
        return next(begins, None)


def violations(evidence: Evidence) -> list[str]:
    """Every promise that was broken, as sentences; empty if none was."""
    left = Left(evidence)
    rows = (clicks, announcements, cards, strangers, checks, rollbacks, states, left_over, marks)
    return [line for row in rows for line in row(left)]


# --- 1. what was acknowledged is there, once -------------------------------------------------------------------------


def clicks(left: Left) -> Iterator[str]:
    """Every acknowledged act is in the database; every other one is there or was shown as failed."""
    facts = [json.dumps(fact) for told in left.stories.values() for fact in told.facts if fact["kind"] in WRITTEN]
    started = Counter(each.version for each in left.stories.values())
    for act in left.evidence.acts:
        if act.verb in READING:
            continue
        what = f"1: {act.verb} of {act.who} in {act.chat} ({act.deployment or act.version}, {act.key})"
        there = left.answer(act)
        if not act.acked and not act.failed:
            yield f"{what} was neither acknowledged nor shown as failed"
        kept = act.acked and not act.thinking and not any(words in act.told for words in NOT_DONE)
        if kept and there is None:
            yield f"{what} was acknowledged and is not in the database"
        done = there is not None and '"refused": true' not in there.replace('":t', '": t')
        if kept and done:
            yield from (f"{what} {problem}" for problem in _undone(left, act, facts, started))
        once = sum(act.token in fact for fact in facts) if act.token else started[act.version] if act.version else 0
        if once > 1:
            yield f"{what} was done {once} times"


def _undone(left: Left, act: Act, facts: list[str], started: Counter[str]) -> Iterator[str]:
    told = left.stories.get(act.deployment)
    if act.verb == "tick" and not (told and told.had(act.item, act.sent, act.ended + WRITTEN_WITHIN)):
        yield f"of {act.item} was acknowledged, and was not ticked"
    if act.token and not any(act.token in fact for fact in facts):
        yield f"({act.token}) was acknowledged, and there is no such fact"
    if act.version and act.told.startswith("Started") and not started[act.version]:
        yield "was acknowledged, and there is no such deployment"


def marks(left: Left) -> Iterator[str]:
    """No item is ticked twice in a row, no phase completed twice: nothing was done twice."""
    for told in left.stories.values():
        ticked: set[str] = set()
        for fact in told.facts:
            if fact["kind"] == "ticked" and fact["item"] in ticked:
                yield f"1: {fact['item']} in {told.id} was ticked twice in a row"
            if fact["kind"] == "ticked":
                ticked.add(fact["item"])
            if fact["kind"] == "unticked":
                ticked.discard(fact["item"])
        for kind in ("started", "deployed", "ended", "cancelled", "superseded", "rolled_back"):
            if (count := sum(fact["kind"] == kind for fact in told.facts)) > 1:
                yield f"1: {told.id} has {count} facts {kind}"
        for phase, count in Counter(told.done).items():
            if count > 1:
                yield f"1: the phase {phase} of {told.id} was completed {count} times"


# --- 2. said once, and shown as it is --------------------------------------------------------------------------------


def announcements(left: Left) -> Iterator[str]:
    """Every announcement stands in each of its channels exactly once, with its words."""
    took, allowed = left.evidence.settled - left.evidence.calm, CATCH_UP + left.evidence.paced
    if took > allowed:
        why = f"the chats' limits explain {left.evidence.paced:.1f} s; last waited {left.evidence.waited}"
        yield f"2: it took {took:.1f} s of calm until all was shown and said ({why})"
    rows = {row["key"]: row for row in left.tables["outbox"]}
    for told in left.stories.values():
        known = left.scenario["services"][told.service]
        for kind, facts in told.announced.items():
            if len(facts) != 1:
                yield f"2: {kind} of {told.id} was decided {len(facts)} times"
            channels = [known["home"], *known["also"].get(kind, [])]
            for chat in left.scenario["chats"]:
                for channel in channels:
                    yield from _stands(left, chat, f"{told.id}:{kind}:{chat}:{channel}", channel, facts[0]["text"])
    for key, row in rows.items():
        if row["said_at"] is None:
            yield f"2: {key} was never said ({row['why_later']})"
        elif row["said_in"] is not None:
            yield from _stands(left, row["chat"], key, row["said_in"], "")
        kind = key.split(":")[1]
        told_of = left.stories.get(row["deployment"] or "")
        if told_of and kind in left.scenario.get("announcements", ()) and kind not in told_of.announced:
            yield f"2: {key} was put out without a fact"


def _stands(left: Left, chat: str, key: str, channel: str, text: str) -> Iterator[str]:
    found = left.standing(chat, key)
    if len(found) != 1 or found[0].channel != channel:
        yield f"2: {key} stands {len(found)} times in {[each.channel for each in found]}, not once in {channel}"
    elif text and plain(text.splitlines()[0]) not in plain(found[0].text):
        yield f"2: {key} does not say {text.splitlines()[0]!r} but {found[0].text!r}"


def cards(left: Left) -> Iterator[str]:
    """Every card stands once and shows the last state, in every chat."""
    for row in left.tables["posted_cards"]:
        key = f"{row['deployment']}:{row['slot']}"
        found = left.standing(row["chat"], key)
        if len(found) != 1 or found[0].id != row["message"]:
            yield f"2: the card {key} stands {len(found)} times in {row['chat']}, noted as {row['message']}"
    for told in left.stories.values():
        for chat in left.scenario["chats"]:
            here = left.standing(chat, f"{told.id}:card")
            if len(here) == 1:
                yield from (f"2: {chat} {told.id}: {problem}" for problem in _shown(left, told, chat, here[0]))
            else:
                yield f"2: the card of {told.id} stands {len(here)} times in {chat}"


def _shown(left: Left, told: Story, chat: str, card: Said) -> Iterator[str]:
    said = plain(card.text)
    for words in status_words(told):
        if words not in said:
            yield f"it is {told.status}, and the card does not say {words!r}: {card.text!r}"
    phases, back = left.scenario["phases"], left.scenario["rollback"]
    turned = told.status in ("rolling back", "rolled back")
    active = [item for name, items in phases.items() for item in items if (name == back) == turned]
    count = f"{sum(item in told.marked for item in active)} of {len(active)}"
    if count not in said:
        yield f"the card does not say {count!r}: {card.text!r}"
    over = turned or not told.live
    wanted = {
        f"tick:{told.id}:{item}"
        for name in told.opened
        for item in phases[name]
        if item not in told.marked and not (over and name != back)
    }
    thread = [each for each in left.evidence.said if each.chat == chat and each.thread == card.id]
    offered = {named(action) for each in thread for action in each.actions if action.startswith("tick:")}
    if wanted != offered:
        yield f"items offered to be ticked: {sorted(offered)}, open by the facts: {sorted(wanted)}"
    for check, verdict in told.verdicts.items():
        found = left.standing(chat, f"{told.id}:check:{check}:0")
        if len(found) != 1 or verdict not in plain(found[0].text):
            yield f"{check} was {verdict}; its message stands {len(found)} times: {[each.text for each in found]}"
        late = any(fact.get("late_seconds") for runs in told.runs.get(check, {}).values() for fact in runs)
        if late and found and " late" not in found[0].text:
            yield f"{check} ran late, and its message does not say so: {found[0].text!r}"


def status_words(told: Story) -> list[str]:
    """What a card in this state must say."""
    words = {
        "stable": ["stable since"],
        "rolled back": ["rolled back"],
        "cancelled": ["cancelled by"],
        "superseded": ["superseded at"],
        "rolling back": ["rolling back"],
        "deployed": ["deployed"],
        "succeeded": ["success announced"],
    }
    return words.get(told.status, ["phase"])


def strangers(left: Left) -> Iterator[str]:
    """Nothing else stands there."""
    keys = [row["key"] for row in left.tables["outbox"]]
    keys += [f"{row['deployment']}:{row['slot']}" for row in left.tables["posted_cards"]]
    known = {*keys, *map(marker, keys)}
    for said in left.evidence.said:
        if (said.key if said.chat == "slack" else tuple(said.marker[:2])) not in known:
            yield f"2: nobody knows of {said.text!r} in {said.chat} {said.channel} ({said.key or said.marker})"


# --- 3. every check, one verdict; one rollback -----------------------------------------------------------------------


def checks(left: Left) -> Iterator[str]:
    """Every due check ran with exactly one verdict; late ones say so."""
    calm = int(left.evidence.calm * SECOND)
    done = {
        (row["deployment"], row["key"].split(":")[1])
        for row in left.tables["deadlines"]
        if row["done_at"] is not None and row["key"].startswith("check:")
    }
    for told in left.stories.values():
        for check, seconds in left.scenario["checks"].items():
            runs = told.runs.get(check, {})
            due = None if told.t0 is None else told.t0 + int(seconds * SECOND)
            owed = due is not None and (
                told.status == "stable"
                or (told.live and told.watched_until is None and due <= calm)
                or due + LEASED <= (told.watched_until or 0)
            )
            if owed and not runs:
                yield f"3: {check} of {told.id} was due and has no verdict"
            if len(runs) > 1 or any(at != due for at in runs):
                yield f"3: {check} of {told.id} ran for {sorted(runs)}, due was {due}"
            for facts in runs.values():
                if len(facts) != 1:
                    yield f"3: {check} of {told.id} has {len(facts)} verdicts"
                yield from (f"3: {check} of {told.id} {problem}" for problem in _lateness(facts[0]))
            if (
                (told.id, check) in done
                and not runs
                and (told.watched_until is None or (due or 0) < told.watched_until - LEASED)
            ):
                yield f"3: {check} of {told.id} is noted as done and has no verdict"


def _lateness(fact: Fact) -> Iterator[str]:
    after, said = micros(fact["at"]) - micros(fact["due"]), fact.get("late_seconds", 0) * SECOND
    if after < 0:
        yield f"ran {-after / SECOND:.1f} s before it was due"
    if (after >= LATE + MEASURING and not said) or (said and not said <= after <= said + SECOND + MEASURING):
        yield f"ran {after / SECOND:.0f} s after its time and says {fact['late_seconds']} s"
    if after < LATE and said:
        yield f"ran {after / SECOND:.0f} s after its time and says it was late"


def rollbacks(left: Left) -> Iterator[str]:
    """No rollback began or ended twice, and none ended that had not begun."""
    for told in left.stories.values():
        kinds = [fact["kind"] for fact in told.facts if fact["kind"] in ("rollback_started", "rolled_back")]
        if kinds not in ([], ["rollback_started"], ["rollback_started", "rolled_back"]):
            yield f"3: the rollback of {told.id} went {kinds}"


# --- 4. the same state again; nothing stuck, nothing held ------------------------------------------------------------


def states(left: Left) -> Iterator[str]:
    """The facts add up to what the projection says; one lock for a service; nobody is stuck."""
    rows = {row["id"]: row for row in left.tables["deployments"]}
    for id in rows.keys() ^ left.stories.keys():
        yield f"4: {id} has facts without a row, or a row without facts"
    numbers: dict[str, list[int]] = {}
    for row in left.tables["events"]:
        numbers.setdefault(row["deployment"], []).append(row["seq"])
    for id, told in left.stories.items():
        if id not in rows:
            continue
        if sorted(numbers[id]) != list(range(1, len(numbers[id]) + 1)):
            yield f"4: the facts of {id} are numbered {sorted(numbers[id])}"
        row = rows[id]
        kept = {name: row[name] for name in ("status", "revision", "deployed_at", "ended_at")} | {
            "live": bool(row["live"])
        }
        wanted = {
            "status": told.status, "revision": len(told.facts), "deployed_at": told.t0, "ended_at": told.ended,
            "live": told.live,
        }  # fmt: skip
        if kept != wanted:
            yield f"4: {id} is kept as {kept}, its facts say {wanted}"
        if bool(row["locked"]) != told.holds_lock() and told.status != "rolling back":
            yield f"4: {id} is {told.status}, and locked is {bool(row['locked'])}"
    holders = Counter((row["service"], row["environment"]) for row in rows.values() if row["locked"])
    yield from (f"4: {count} deployments hold the lock of {where}" for where, count in holders.items() if count > 1)
    if left.evidence.stopped:
        stuck = [each for each in left.stories.values() if each.live]
        yield from (f"4: {each.id} ({each.service} {each.version}) is stuck: {each.status}" for each in stuck)


def left_over(left: Left) -> Iterator[str]:
    """Nothing that was due is undone, and nothing is held any more."""
    gathered = int(left.evidence.gathered * SECOND)
    for row in left.tables["deadlines"]:
        if row["done_at"] is None and row["due"] <= int(left.evidence.calm * SECOND):
            yield f"4: {row['key']} of {row['deployment']} was due and is not done"
    revisions = {row["id"]: row["revision"] for row in left.tables["deployments"]}
    shown = {(row["deployment"], row["chat"]): row["shown"] for row in left.tables["mirrors"]}
    for id, revision in revisions.items():
        for chat in left.scenario["chats"]:
            if shown.get((id, chat)) != revision:
                yield f"4: {chat} shows revision {shown.get((id, chat))} of {id}, not {revision}"
    if not left.evidence.stopped:
        return
    for name in ("deadlines", "outbox", "mirrors", "leases"):
        for row in left.tables[name]:
            if row["held_by"] is not None and row["held_until"] > gathered:
                yield f"4: {name}: {row.get('key') or row.get('name') or row.get('deployment')} is still held"


# --- words -----------------------------------------------------------------------------------------------------------


def plain(text: str) -> str:
    """Without marks of any chat."""
    return _PLAIN.sub(" ", text.casefold()).strip()


def marker(key: str) -> tuple[int, int]:
    """The ids Discord's messages carry for a key: 30 bits each of its SHA-256, different, never 0."""
    digest = sha256(key.encode()).digest()
    first = int.from_bytes(digest[:4], "big") % 2**30 or 1
    second = int.from_bytes(digest[4:8], "big") % 2**30 or 1
    return first, second if second != first else first % (2**30 - 1) + 1


def main() -> int:
    """Look at kept evidence."""
    found = violations(Evidence.load(Path(sys.argv[1])))
    print("\n".join(found) or "nothing is wrong")
    return 1 if found else 0


__all__ = ["LOCKING", "Left", "marker", "violations"]

if __name__ == "__main__":
    raise SystemExit(main())
