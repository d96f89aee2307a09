"""What cannot be acted on: one clear sentence, and nothing has changed."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conversation.small import MARKDOWN, POLICY, TUESDAY, folder_with
from tests.process import gonogo, new_database
from tests.talk import Channel, talking

NOT_A_VERSION = (
    " is not a version. Use a tag, branch or commit: letters, digits and . _ + / - ; at most 64 characters, "
)
TYPED = {
    "start v1.2.0 xyz": "There is no checklist 'xyz'. There are: broken, other, shop.",
    "start v1.2.0 shpo": "There is no checklist 'shpo'. Did you mean 'shop'? There are: broken, other, shop.",
    "start v1.2.0 ../../etc/passwd": "'../../etc/passwd' is not a name of a checklist: letters, digits, dots, dashes "
    "and underscores. There are: broken, other, shop.",
    "start <!channel> shop": f"“<!channel>”{NOT_A_VERSION}like v1.2.0.",
    "start <@U123> shop": f"“<@U123>”{NOT_A_VERSION}like v1.2.0.",
    "start @everyone shop": f"“@everyone”{NOT_A_VERSION}like v1.2.0.",
    "start *v1* shop": f"“*v1*”{NOT_A_VERSION}like v1.2.0.",
    "start <http://x.example|v1> shop": f"“<http://x.example|v1>”{NOT_A_VERSION}like v1.2.0.",
    f"start {'9' * 1_500} shop": f"“{'9' * 39}…”{NOT_A_VERSION}like v1.2.0.",
    f"start {'9' * 5_000} shop": "That command has 5,011 characters, and no command needs more than 2,000.",
    "start v1.2.0 shop stagng": "What is “stagng”? After the version come a checklist, an environment (production, "
    "staging) and at with a time, and nothing else.",
    "start v1 shop at noonish": "'noonish' is not a time; write it like 'fri 16:55', '24 nov 10:00', "
    "'2026-11-24 10:00' or 'in 2h'",
    "freeze add soon because shop": "'soon' is not a time; write it like '24 dec', '1 dec - 3 jan', "
    "'fri 12:00-24:00' or '2026-12-20 18:00 - 2026-12-27 08:00'",
}


@pytest.fixture
def channel(tmp_path: Path) -> Iterator[Channel]:
    """A running deployment of the small team; beside it another team, and one whose policy is broken."""
    folder = folder_with(tmp_path)
    folder_with(tmp_path, "# Other\n\n- [ ] Another thing\n", None, "other")
    folder_with(tmp_path, MARKDOWN, POLICY.replace("  Deploy: {deployed: true}", "  Deploy: {deployed: true"), "broken")
    with talking(
        tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder, GONOGO_CHECKLIST="shop", mistakes="broken .+\n"
    ) as channel:
        channel.command("/deploy start v1.2.0 shop")
        yield channel


def test_what_is_typed_wrong_is_told_in_one_sentence_and_nothing_changes(channel: Channel) -> None:
    channel.until(lambda: channel.messages() or None)
    before = channel.records.everything()
    answers = {text: channel.says(f"/deploy {text}") for text in TYPED}
    assert answers == TYPED
    broken = channel.says("/deploy start v1.2.0 broken")
    assert broken.startswith("The checklist's policy has errors: broken.yaml:8:8: policy-yaml ")
    assert channel.records.everything() == before
    assert len(channel.messages()) == 1


@pytest.mark.slow
def test_what_is_clicked_wrong_is_told_in_one_sentence_and_nothing_changes(channel: Channel) -> None:
    first, sign_off = channel.actions("tick")
    mine = first.split(":")[1]
    channel.command("/deploy start v2.0.0 other")
    wanted = "Another thing"
    other = channel.until(lambda: next((m for m in channel.thread() if wanted in m["html"]), None))
    theirs = other["html"].partition("tick:")[2].partition('"')[0].split(":")
    before = channel.records.everything()
    strange = "That deployment is not in this database. /deploy list shows those that are."
    no_item = "shop v1.2.0 → production has no such item. Use the buttons in its thread, or /deploy items to see them."
    old_button = "That button is from an older release. /deploy status shows the current ones."
    clicks = {
        f"tick:{mine}:{theirs[1]}": no_item,
        f"excuse:{mine}:{theirs[1]}": no_item,
        f"tick:{mine}:": no_item,
        "tick:00000000:x": strange,
        "advance:00000000": strange,
        f"explode:{mine}": old_button,
        f"again:{mine}:t30:0": "There is no result of that check. Its message in the thread shows the latest.",
        f"deployed:{mine}": "Not yet: “Before” still needs 2 items ticked or excused: • Tests pass • QA sign-off (QA)",
        sign_off: "You cannot do that: “QA sign-off” is for QA to tick. Ask one of them.",
    }
    assert {action: channel.click(action)["text"] for action in clicks} == clicks
    # What only some may do.
    reason = {"version": "v1.1.0", "reason": "I do not like it"}
    assert channel.submit(f"rollback:{mine}", "pat", **reason)["text"] == (
        "You cannot do that: this is for engineer or on-call. Ask one of them."
    )
    assert channel.submit(f"explode:{mine}")["text"] == (
        "That form is from an older release. /deploy help lists what there is."
    )
    assert channel.submit(f"rollback:{mine}", reason="")["text"] == (
        "Please write a reason; it is kept with the deployment."
    )
    assert channel.submit(f"accept:{mine}:t30:0", reason="x")["text"] == (
        "There is no result of that check to decide about."
    )
    assert channel.records.everything() == before


@pytest.mark.slow
def test_the_same_click_twenty_times_at_once_is_one_tick_and_one_answer(channel: Channel) -> None:
    first, sign_off = channel.actions("tick")
    key = uuid.uuid4().hex
    with ThreadPoolExecutor(20) as hands:
        answers = [each.result() for each in [hands.submit(channel.click, first, "ann", key) for _ in range(20)]]
    assert all(answer == answers[0] for answer in answers)
    assert len(channel.records.facts("ticked")) == 1
    # Undone meanwhile: the late repeat of that click does not tick it again, and a refused one stays refused.
    channel.click(first.replace("tick:", "untick:", 1))
    assert channel.click(first, key=key) == answers[0]
    assert len(channel.records.facts("ticked")) == 1
    # Twenty different clicks on one item: one tick, and the others are told so.
    with ThreadPoolExecutor(20) as hands:
        clicks = [hands.submit(channel.click, sign_off, "quinn") for _ in range(20)]
        told = [click.result()["text"] for click in clicks]
    assert sorted(text is None for text in told) == [False] * 19 + [True]
    assert all(text is None or text.startswith("It is so already") for text in told)
    assert len(channel.records.facts("ticked")) == 2


def test_the_same_start_ten_times_at_once_is_one_deployment(tmp_path: Path) -> None:
    with talking(tmp_path, at=TUESDAY, GONOGO_CHECKLISTS=folder_with(tmp_path)) as channel:
        with ThreadPoolExecutor(10) as hands:
            starts = [hands.submit(channel.says, "/deploy start v1.2.0", who) for who in ["ann", "sam"] * 5]
            told = [start.result() for start in starts]
        assert sum(text.startswith("Started shop") for text in told) == 1
        assert sum("is already being deployed to production" in text for text in told) == 9
        assert len(channel.records.rows("SELECT 1 FROM deployments")) == 1
        channel.root()
        assert len(channel.messages()) == 1


@pytest.mark.slow
def test_requests_no_page_would_send_are_turned_away(channel: Channel) -> None:
    before = channel.records.everything()
    address = channel.process.address
    said = {"key": uuid.uuid4().hex, "persona": "ann", "channel": "#deployments", "text": "/deploy cancel shop because"}
    with httpx.Client(base_url=address) as http:
        assert http.post("/api/command", json=said, headers={"Origin": "http://evil.example"}).status_code == 403
        assert http.post("/api/command", json=said, headers={"Host": "evil.example"}).status_code == 403
        assert http.post("/api/command", json={**said, "persona": "mallory"}).status_code == 422
        assert http.post("/api/command", json={**said, "key": ""}).status_code == 422
        assert http.post("/api/command", content=b"{", headers={"Content-Type": "application/json"}).status_code == 422
        assert http.post("/api/command", content=json.dumps(said)).status_code == 415
        assert http.get("/api/messages", params={"thread": "x"}).status_code == 422
        assert http.get("/api/messages", params={"thread": "99999"}).status_code == 404
        answers = [http.post("/api/clock", json={"key": uuid.uuid4().hex, "by": "1y"}), http.get("/api/nothing")]
        assert [answer.status_code for answer in answers] == [422, 404]
    assert channel.records.everything() == before


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 2 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    done = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if not done or done.returncode:
        pytest.skip("a small disk cannot be mounted here; it needs root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.slow
def test_a_full_disk_loses_nothing_and_says_so(tiny_disk: Path, tmp_path: Path) -> None:
    records = new_database(tiny_disk, TUESDAY)
    channel = Channel(tiny_disk, GONOGO_CHECKLISTS=folder_with(tmp_path), GONOGO_LOG_LEVEL="CRITICAL")
    try:
        channel.command("/deploy start v1.2.0")
        channel.card()
        first, _ = channel.actions("tick")
        filler = tiny_disk / "filler"
        with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * 4096)
        before = records.everything()
        ask = {"persona": "ann", "channel": "#deployments", "action": first}
        refused = None
        for _ in range(40):  # what is left of the log's last pages may take a few more
            answer = httpx.post(
                f"{channel.process.address}/api/click", json={**ask, "key": uuid.uuid4().hex}, timeout=30
            )
            if answer.status_code != 200:
                refused = answer
                break
            before = records.everything()
            ask["action"] = first if "untick" in ask["action"] else first.replace("tick:", "untick:", 1)
        assert refused is not None
        assert refused.status_code == 503
        assert "disk" in refused.json()["error"]
        assert "full" in refused.json()["error"]
        assert records.everything() == before
        filler.unlink()
        channel.until(lambda: True if channel.click(ask["action"])["text"] is None else None)
        assert len(records.everything()) > len(before)
        channel.card()
    finally:
        channel.abandon()


@pytest.mark.slow
def test_a_disk_that_cannot_be_written_is_told_at_the_start(tiny_disk: Path) -> None:
    new_database(tiny_disk)
    done = subprocess.run(["mount", "-o", "remount,ro", str(tiny_disk)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("a disk cannot be made read-only here")
    with pytest.raises(OSError, match="Read-only"):
        (tiny_disk / "x").write_text("")
    told = gonogo("run", folder=tiny_disk, GONOGO_DATABASE_URL=f"sqlite:///{tiny_disk / 'gonogo.db'}")
    assert told.returncode == 1
    assert len(told.stderr.strip().splitlines()) == 1
    assert "cannot be" in told.stderr
