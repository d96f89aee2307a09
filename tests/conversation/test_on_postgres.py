"""Web and worker apart, on PostgreSQL: the same conversation."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from tests.conversation.small import folder_with
from tests.process import Process, gonogo
from tests.talk import Channel


@pytest.mark.slow
def test_web_and_worker_apart_play_a_deployment_to_stable_and_say_each_thing_once(
    tmp_path: Path, postgres_url: str
) -> None:
    settings = {
        "GONOGO_DATABASE_URL": postgres_url,
        "GONOGO_CHECKLISTS": folder_with(tmp_path),
        "GONOGO_CHECKLIST": "shop",
    }
    assert gonogo("migrate", folder=tmp_path, **settings).returncode == 0
    channel = Channel(tmp_path, role="web", **settings)
    port = channel.process.address.rpartition(":")[2]
    worker = Process(tmp_path, role="worker", wait=False, **{**settings, "GONOGO_PORT": port})
    try:
        while channel.says("/deploy start v1.2.0").startswith("shop v1.2.0 → production cannot start"):
            channel.move("next")
        channel.run_to_deployed()
        channel.move("30m")
        channel.tick_all()
        channel.until(lambda: True if any("Complete" in text for text in channel.said()) else None)
        assert worker.stop(signal.SIGKILL)[0] == -signal.SIGKILL
        worker = Process(tmp_path, role="worker", wait=False, **{**settings, "GONOGO_PORT": port})
        channel.move("24h")
        channel.until(lambda: True if "Deployment stable: shop v1.2.0" in channel.said() else None)
        first_lines = [text.splitlines()[0] for text in channel.said()]
        assert first_lines == [
            "🚀 Production Deployment Starting",
            "✅ Production Deployment Complete",
            "Deployment stable: shop v1.2.0",
        ]
        assert "Stable since" in channel.card()["text"]
        assert worker.child.stdout is not None
        assert worker.child.stdout.readline().startswith("gonogo: working")
        assert worker.stop() == (0, "")
        channel.stop()
    finally:
        worker.stop(signal.SIGKILL)
        channel.abandon()
