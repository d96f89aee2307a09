"""An opsdroid that answers every button with a message. Runs in opsdroid's own environment, so it imports nothing of
ours."""

from __future__ import annotations

import json
import socket
import sys
from pathlib import Path

SKILL = """
from opsdroid.connector.slack.events import BlockActions
from opsdroid.events import Message
from opsdroid.matchers import match_event
from opsdroid.skill import Skill


class Answer(Skill):
    @match_event(BlockActions)
    async def pressed(self, event):
        await event.respond(Message("done", target="C1"))
"""


def main() -> None:
    """Writes the skill and the configuration, says where it listens, runs."""
    api, folder = sys.argv[1], Path(sys.argv[2])
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "answer.py").write_text(SKILL)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    from opsdroid.cli.start import start
    from opsdroid.connector.slack import ConnectorSlack

    begin = ConnectorSlack.__init__

    def elsewhere(self: ConnectorSlack, *arguments: object, **named: object) -> None:
        begin(self, *arguments, **named)
        self.slack_web_client.base_url = api
        self.slack_web_client.ssl = None

    ConnectorSlack.__init__ = elsewhere
    config = {
        "logging": {"level": "critical", "console": False},
        "welcome-message": False,
        "web": {"host": "127.0.0.1", "port": port},
        "connectors": {"slack": {"bot-token": "xoxb-bench", "socket-mode": False, "default-room": "C1"}},
        "skills": {"answer": {"path": str(folder / "answer.py")}},
    }
    (folder / "configuration.yaml").write_text(json.dumps(config))  # JSON is YAML
    print(f"http://127.0.0.1:{port}", flush=True)
    start(["-f", str(folder / "configuration.yaml")])


if __name__ == "__main__":
    main()
