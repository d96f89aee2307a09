"""A person at the sandbox channel, without a browser: a real `gonogo run` process, real HTTP, and what a page would show."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

import httpx

T = TypeVar("T")

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
ROLES = {"qa": "quinn", "product owner": "pat", "tech lead": "theo", "senior engineer": "sam", "VP Engineering": "vera"}


class Process:
    """One `gonogo run`, and how it ends."""

    def __init__(self, folder: Path, *arguments: str, **environment: str) -> None:
        env = {
            **os.environ,
            "GONOGO_PORT": "0",
            "GONOGO_DATABASE_URL": f"sqlite:///{folder / 'gonogo.db'}",
            **environment,
        }
        command = [sys.executable, "-m", "bot", "run", *arguments]
        self.child = subprocess.Popen(
            command, cwd=ROOT, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        line = self.child.stdout.readline() if self.child.stdout else ""
        found = ADDRESS.search(line)
        if found is None:
            _, errors = self.child.communicate(timeout=20)
            raise AssertionError(f"gonogo did not start: {line}{errors}")
        self.address = found[0]

    def stop(self, sig: int = signal.SIGTERM) -> tuple[int, str]:
        """End it with a signal; its exit code, and what it wrote to standard error."""
        self.child.send_signal(sig)
        _, errors = self.child.communicate(timeout=20)
        return self.child.returncode, errors


class _Page(HTMLParser):
    """The buttons of a message, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.actions: list[str] = []
        self.words: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = dict(attributes)
        if action := found.get("data-action"):
            self.actions.append(action)

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.words.append(data.strip())


class Channel:
    """What somebody does and reads in #deployments."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, headers={"Origin": address}, timeout=60)

    def close(self) -> None:
        self._http.close()

    def command(self, text: str, who: str = "ann", key: str | None = None) -> dict[str, Any]:
        """Type a command; the answer only its author sees."""
        return self._post("command", key=key or uuid.uuid4().hex, persona=who, channel="#deployments", text=text)

    def click(self, action: str, who: str = "ann", key: str | None = None) -> dict[str, Any]:
        """Press a button."""
        return self._post("click", key=key or uuid.uuid4().hex, persona=who, channel="#deployments", action=action)

    def submit(self, action: str, who: str = "ann", key: str | None = None, **values: str) -> dict[str, Any]:
        """Send a form."""
        return self._post(
            "submit", key=key or uuid.uuid4().hex, persona=who, channel="#deployments", action=action, values=values
        )

    def move(self, by: str) -> dict[str, Any]:
        """Move the clock: 5m, 30m, 2h, 24h, next."""
        return self._post("clock", key=uuid.uuid4().hex, by=by)

    def health(self, health: str) -> None:
        """How the service is: healthy, slow, failing, no data."""
        self._post("health", health=health)

    def messages(self, channel: str = "#deployments") -> list[dict[str, Any]]:
        """The messages of a channel, oldest first."""
        return list(self._get("messages", channel=channel)["messages"])

    def thread(self, message: int) -> list[dict[str, Any]]:
        """The messages under one, oldest first."""
        return list(self._get("messages", thread=str(message))["messages"])

    def said(self, channel: str = "#deployments") -> list[str]:
        """Everything said in a channel letter for letter: the announcements."""
        return [message["text"] for message in self.messages(channel) if "verbatim" in message["html"]]

    def status(self) -> str:
        """Where the deployment stands, for a screen reader."""
        return str(self.command("/deploy status")["text"])

    def card(self) -> dict[str, Any]:
        """The newest deployment's card in the channel, once it says what `/deploy status` says."""
        return self.until(lambda: next((m for m in reversed(self.messages()) if m["text"] == self.status()), None))

    def checks(self) -> list[dict[str, Any]]:
        """The messages of checks in the deployment's thread."""
        return [m for m in self.thread(self.card()["id"]) if re.search(r", [^.]*check: ", m["text"])]

    def until(self, look: Callable[[], T | None], seconds: float = 10) -> T:
        """What `look` finds as soon as it finds something; the channel follows the database within moments."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if (found := look()) is not None:
                return found
            time.sleep(0.02)
        raise AssertionError("it did not come to stand in the channel")

    def actions(self, verb: str) -> list[str]:
        """The buttons of one kind that `/deploy status` and `/deploy items` offer now."""
        pages = [_Page(self.command(f"/deploy {name}")["card"] or "") for name in ("status", "items")]
        return [action for page in pages for action in page.actions if action.startswith(f"{verb}:")]

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

    def tick(self, action: str) -> None:
        """Tick one item; whoever holds its role, if it has one."""
        for who in ("ann", *ROLES.values()):
            answer = self.click(action, who)
            if "You cannot do that" not in (answer.get("text") or ""):
                return
        raise AssertionError(f"nobody may {action}")

    def run_to_deployed(self) -> None:
        """All phases up to T0, then Deployed."""
        for _ in range(40):
            self.tick_all()
            if ready := self.actions("deployed"):
                self.click(ready[0])
                return
            self.click(self.actions("advance")[0])
        raise AssertionError("the phases do not end")

    def _post(self, path: str, **body: Any) -> dict[str, Any]:
        answer = self._http.post(f"/api/{path}", json=body)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def _get(self, path: str, **query: str) -> dict[str, Any]:
        answer = self._http.get(f"/api/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return dict(answer.json())


@contextlib.contextmanager
def talking(folder: Path, *arguments: str, **environment: str) -> Iterator[Channel]:
    """A running gonogo and somebody at its channel; it must stop cleanly and without a word on standard error."""
    process = Process(folder, *arguments, **environment)
    channel = Channel(process.address)
    try:
        yield channel
    except BaseException:
        channel.close()
        process.child.kill()
        process.child.communicate()
        raise
    channel.close()
    code, errors = process.stop()
    assert (code, errors) == (0, ""), (code, errors)
