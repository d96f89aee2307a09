"""A person at the sandbox channel, without a browser: a real `gonogo run`, real HTTP, and what a page would show."""

from __future__ import annotations

import contextlib
import re
import signal
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

import httpx

from tests.process import Process, Records, new_database

T = TypeVar("T")

MAIN = "#deployments"
WHO_IS = {
    "QA": "quinn",
    "product owner": "pat",
    "tech lead": "theo",
    "senior engineer": "sam",
    "on-call": "olu",
    "VP Engineering": "vera",
}
"""Who holds a role, by the words gonogo calls it."""
_FOR_A_ROLE = re.compile(r"You cannot do that: .* is for (.+?) to tick\.")


class Page(HTMLParser):
    """The buttons of a message, the fields of a form, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.actions: list[str] = []
        self.fields: list[str] = []
        self.values: dict[str, str] = {}
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        """Collects."""
        found = dict(attributes)
        if action := found.get("data-action"):
            self.actions.append(action)
        if tag in ("input", "textarea", "select") and (name := found.get("name")):
            self.fields.append(name)
            self.values[name] = found.get("value") or ""

    def handle_data(self, data: str) -> None:
        """Collects."""
        if data.strip():
            self.words.append(data.strip())


def untimed(text: str) -> str:
    """Without what depends on how fast this machine is: the time left, and how long a probe took."""
    return re.sub(r" in \d+ ms", "", re.sub(r"\d+ h( \d+ m)? left|\d+ m left", "… left", text))


class Channel:
    """What somebody does and reads in a channel; `home` is the one in which the deployment's card stands."""

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        home: str = MAIN,
        role: str = "run",
        mistakes: str = "",
        **environment: str,
    ) -> None:
        self._role, self._mistakes = role, mistakes
        self.folder, self.home = folder, home
        self.records = Records(folder)
        self.ticked_by: dict[str, str] = {}
        """Item id -> who ticked it here."""
        self._arguments, self._environment = arguments, environment
        self.start()

    # --- the process behind it ---

    def start(self) -> None:
        """Start gonogo on this channel's database."""
        self.process = Process(self.folder, *self._arguments, role=self._role, **self._environment)
        address = self.process.address
        self._http = httpx.Client(base_url=address, headers={"Origin": address}, timeout=60)

    def stop(self) -> None:
        """Ask it to end, as every supervisor does: it does, with 0 and without a word but of the `mistakes` (a regular
        expression) in its checklists."""
        self._http.close()
        code, errors = self.process.stop()
        assert (code, re.sub(self._mistakes, "", errors)) == (0, "")

    def kill(self) -> None:
        """As a power cut."""
        self._http.close()
        assert self.process.stop(signal.SIGKILL) == (-signal.SIGKILL, "")

    def abandon(self) -> None:
        """End it however it stands, after something has failed."""
        self._http.close()
        self.process.stop(signal.SIGKILL)

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()

    # --- what a person does ---

    def command(self, text: str, who: str = "ann", key: str | None = None) -> dict[str, Any]:
        """Type a command; the answer only its author sees."""
        return self._spoken("command", who, key, text=text)

    def says(self, text: str, who: str = "ann") -> str:
        """Type a command; the words of its answer."""
        return str(self.command(text, who)["text"])

    def click(self, action: str, who: str = "ann", key: str | None = None) -> dict[str, Any]:
        """Press a button."""
        return self._spoken("click", who, key, action=action)

    def submit(self, action: str, who: str = "ann", key: str | None = None, **values: str) -> dict[str, Any]:
        """Send a form."""
        return self._spoken("submit", who, key, action=action, values=values)

    def move(self, by: str) -> dict[str, Any]:
        """Move the clock: 5m, 30m, 2h, 24h, next."""
        return self._post("clock", key=uuid.uuid4().hex, by=by)

    def health(self, health: str) -> None:
        """How the service is: healthy, slow, failing, no data."""
        self._post("health", health=health)

    # --- what a person reads ---

    def messages(self, channel: str = "") -> list[dict[str, Any]]:
        """The messages of a channel, oldest first."""
        return list(self._get("messages", channel=channel or self.home)["messages"])

    def thread(self, message: int | None = None) -> list[dict[str, Any]]:
        """What hangs under a message (the newest deployment's card), oldest first."""
        root = self.root()["id"] if message is None else message
        return list(self._get("messages", thread=str(root))["messages"])[1:]

    def said(self, channel: str = "") -> list[str]:
        """Everything said in a channel letter for letter: the announcements."""
        return [message["text"] for message in self.messages(channel) if "verbatim" in message["html"]]

    def hear(self, count: int, channel: str = "") -> list[str]:
        """Everything announced in a channel, once so many announcements stand there."""
        return self.until(lambda: said if len(said := self.said(channel)) >= count else None)

    def status(self, service: str = "") -> str:
        """Where the deployment stands, for a screen reader."""
        return self.says(f"/deploy status {service}".strip())

    def root(self) -> dict[str, Any]:
        """The newest deployment's card in the channel, whatever it says."""
        return self.until(lambda: next((m for m in reversed(self.messages()) if " → " in m["title"]), None))

    def card(self) -> dict[str, Any]:
        """The newest deployment's card in the channel, once it says what `/deploy status` says.

        But for the time left until the window closes, which a card is told anew once a minute.
        """
        return self.until(lambda: card if untimed((card := self.root())["text"]) == untimed(self.status()) else None)

    def checks(self) -> list[str]:
        """What the messages of checks in the deployment's thread say, without how long a probe took."""
        found = (m["text"] for m in self.thread() if re.search(r", [^.]*check: ", m["text"]))
        return [untimed(text) for text in found]

    def in_thread(self, title: str) -> dict[str, Any]:
        """The latest message in the deployment's thread whose title has these words."""
        return self.until(lambda: next((m for m in reversed(self.thread()) if title in m["title"]), None))

    def until(self, look: Callable[[], T | None], seconds: float = 10) -> T:
        """What `look` finds as soon as it finds something; the channel follows the database within moments."""
        end = time.monotonic() + seconds
        while True:
            if (found := look()) is not None:
                return found
            assert time.monotonic() < end, "it did not come to stand in the channel"
            time.sleep(0.02)

    def actions(self, verb: str) -> list[str]:
        """The buttons of one kind that `/deploy status` and `/deploy items` offer now."""
        pages = [Page(self.command(f"/deploy {name}")["card"] or "") for name in ("status", "items")]
        return [action for page in pages for action in page.actions if action.startswith(f"{verb}:")]

    def action(self, verb: str) -> str:
        """The one button of a kind."""
        (found,) = self.actions(verb)
        return found

    # --- what takes several steps ---

    def tick(self, action: str) -> None:
        """Tick one item; if it belongs to a role, gonogo says so to whoever tries, and then who holds it does."""
        who, answer = "ann", self.click(action)
        if needed := _FOR_A_ROLE.search(answer["text"] or ""):
            who = WHO_IS[needed[1].partition(" or ")[0]]
            answer = self.click(action, who)
        assert answer["text"] is None or answer["text"].startswith("It is so already"), answer["text"]
        self.ticked_by[action.rpartition(":")[2]] = who

    def tick_all(self) -> int:
        """Tick everything that is open, each by somebody who may; how many it were."""
        ticked = 0
        for _ in range(20):
            actions = self.actions("tick")
            if not actions:
                return ticked
            for action in actions:
                self.tick(action)
            ticked += len(actions)
        raise AssertionError("there is always something left to tick")

    def run_to_deployed(self, *, press: bool = True) -> None:
        """All phases up to T0, then Deployed (unless it is left to the caller)."""
        for _ in range(40):
            self.tick_all()
            if ready := self.actions("deployed"):
                if press:
                    self.click(ready[0])
                return
            self.click(self.action("advance"))
        raise AssertionError("the phases do not end")

    def _spoken(self, path: str, who: str, key: str | None, **body: Any) -> dict[str, Any]:
        return self._post(path, key=key or uuid.uuid4().hex, persona=who, channel=self.home, **body)

    def _post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self._http.post(f"/api/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self._http.get(f"/api/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@contextlib.contextmanager
def talking(folder: Path, *arguments: str, at: str = "", home: str = MAIN, **environment: str) -> Iterator[Channel]:
    """A running gonogo and somebody at its channel; in the end it must stop cleanly, without a word on standard error.

    `at` is what its clock says in the beginning, UTC.
    """
    if not (folder / "gonogo.db").exists():
        new_database(folder, at)
    channel = Channel(folder, *arguments, home=home, **environment)
    try:
        yield channel
    except BaseException:
        channel.abandon()
        sys.stderr.write(channel.process.errors)
        raise
    channel.stop()
