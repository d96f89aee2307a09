"""Pictures in Slack: uploaded once, shown with their words; and the words alone whenever anything goes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from adapters.pictures.pictures import MatplotlibPictures
from adapters.slack import blocks, limits, packing
from adapters.slack.adapter import SlackAdapter
from adapters.slack.chat import SlackChat
from adapters.slack.client import Api
from adapters.slack.config import SlackConfig
from adapters.slack.pictures import Uploads
from adapters.slack.weights import weigh, weight_of
from bot.cards.card import Answer, Card, Facts, Picture, Text
from bot.cards.chart import Chart, Curve
from tests.adapters.slack.cards import messages
from tests.adapters.slack.kit import PEOPLE, Core, unpaced, whispered
from tests.fakes.slack import FakeSlack, Fault
from tests.fakes.slack_blocks import problems

T0 = datetime(2026, 11, 24, 10, 4, tzinfo=UTC)
WORDS = "Error rate 0.05% (target < 0.1%)."
UPLOAD = ["files.getUploadURLExternal", "files.completeUploadExternal"]
FAULTS = [Fault.status(503), Fault.error("internal_error"), Fault.drop()]


def picture(last: float = 0.05, alt: str = WORDS) -> Picture:
    curve = Curve("Error rate", "%", ((T0, 0.02), (T0 + timedelta(minutes=30), last)))
    return Picture(alt, Chart("shop v1", "UTC", T0, T0 + timedelta(minutes=30), (curve,)))


def card(last: float = 0.05, said: str = "All well") -> Card:
    return Card("30-minute check: healthy", "healthy", (Text(said), picture(last)))


@pytest.fixture(scope="module")
def pictures() -> MatplotlibPictures:
    return MatplotlibPictures()


@pytest.fixture
async def chat(api: Api, pictures: MatplotlibPictures, nothing_is_refused: None) -> AsyncIterator[SlackChat]:
    uploads = Uploads(unpaced(api), pictures, patience=30.0)
    chat = SlackChat(api, lambda: PEOPLE, uploads)
    yield chat
    await chat.close()
    await uploads.close()


def images(slack: FakeSlack) -> list[dict[str, object]]:
    return [block for message in slack.messages("C1") for block in message.blocks if block["type"] == "image"]


def uploads(slack: FakeSlack) -> int:
    return len(slack.called("files.completeUploadExternal"))


async def test_a_picture_is_uploaded_and_processed_before_the_message_shows_it(
    slack: FakeSlack, chat: SlackChat
) -> None:
    slack.file_checks = 2
    await chat.post("#deployments", card(), key="d1:check:t30:0")
    (image,) = images(slack)
    (file,) = slack.files.values()
    assert image["slack_file"] == {"id": file.id}
    assert image["alt_text"] == WORDS
    assert file.ready
    assert (file.content or b"").startswith(b"\x89PNG")
    assert len(slack.called("files.info")) == 3
    assert file.shares == [], "it stands in the message and nowhere else"


async def test_an_unchanged_picture_is_uploaded_once(slack: FakeSlack, chat: SlackChat) -> None:
    message = await chat.post("#deployments", card(), key="d1:check:t30:0")
    await chat.update("#deployments", message, card(said="Somebody has looked"))
    assert uploads(slack) == 1
    assert len(images(slack)) == 1
    await chat.update("#deployments", message, card(last=0.09))
    assert uploads(slack) == 2
    assert images(slack)[0]["slack_file"] == {"id": list(slack.files)[-1]}


async def test_two_messages_at_once_upload_it_once(slack: FakeSlack, chat: SlackChat) -> None:
    await asyncio.gather(*(chat.post("#deployments", card(), key=f"d1:{n}") for n in range(2)))
    assert uploads(slack) == 1
    assert len(images(slack)) == 2


@pytest.mark.parametrize("method", UPLOAD)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_an_upload_that_fails_once_is_made_again(
    slack: FakeSlack, chat: SlackChat, method: str, fault: Fault
) -> None:
    slack.faults.script(method, fault)
    await chat.post("#deployments", card(), key="d1:check:t30:0")
    assert len(images(slack)) == 1


@pytest.mark.parametrize("method", UPLOAD)
@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_an_upload_that_fails_leaves_the_words(
    slack: FakeSlack, chat: SlackChat, method: str, fault: Fault
) -> None:
    slack.faults.script(method, fault, times=2)
    message = await chat.post("#deployments", card(), key="d1:check:t30:0")
    assert images(slack) == []
    assert WORDS.replace("<", "&lt;") in str(slack.message("C1", message).blocks)
    assert len(slack.messages("C1")) == 1


@pytest.mark.parametrize("fault", FAULTS, ids=str)
async def test_a_look_at_the_file_that_is_not_answered_is_repeated(
    slack: FakeSlack, chat: SlackChat, fault: Fault
) -> None:
    slack.faults.script("files.info", fault, times=2)
    await chat.post("#deployments", card(), key="d1:check:t30:0")
    assert len(images(slack)) == 1
    assert uploads(slack) == 1, "the file was there"


async def test_a_file_that_cannot_be_looked_at_leaves_the_words(
    slack: FakeSlack, api: Api, pictures: MatplotlibPictures
) -> None:
    uploads = Uploads(unpaced(api), pictures, patience=0.5)
    chat = SlackChat(api, lambda: PEOPLE, uploads)
    slack.faults.script("files.info", Fault.status(503), times=99)
    await chat.post("#deployments", card(), key="d1:check:t30:0")
    assert len(slack.called("files.info")) >= 2
    assert images(slack) == []
    await chat.close()
    await uploads.close()


async def test_a_missing_scope_leaves_the_words_and_says_how_to_mend_it(slack: FakeSlack, chat: SlackChat) -> None:
    slack.scopes -= {"files:write"}
    await chat.post("#deployments", card(), key="d1:check:t30:0")
    assert images(slack) == []
    assert any("files:write" in fault and "reinstall" in fault for fault in chat.faults())


async def test_a_slow_upload_does_not_hold_up_the_message_and_the_next_one_has_it(
    slack: FakeSlack, api: Api, pictures: MatplotlibPictures
) -> None:
    uploads = Uploads(unpaced(api), pictures, patience=0.05)
    chat = SlackChat(api, lambda: PEOPLE, uploads)
    slack.file_checks = 2
    message = await chat.post("#deployments", card(), key="d1:check:t30:0")
    assert images(slack) == []
    await slack.until(lambda: len(slack.called("files.info")) == 3, what="the picture to be processed")
    async with asyncio.timeout(3):
        while not images(slack):
            await chat.update("#deployments", message, card())
    assert len(slack.files) == 1
    await chat.close()
    await uploads.close()


async def test_a_picture_slack_does_not_take_is_said_in_words_and_uploaded_anew(
    slack: FakeSlack, api: Api, pictures: MatplotlibPictures
) -> None:
    uploads = Uploads(unpaced(api), pictures)
    chat = SlackChat(api, lambda: PEOPLE, uploads)
    message = await chat.post("#deployments", card(), key="d1:check:t30:0")
    slack.files.clear()  # somebody has deleted it
    await chat.update("#deployments", message, card(said="Somebody has looked"))
    assert images(slack) == []
    assert "Somebody has looked" in slack.text(slack.message("C1", message))
    assert chat.faults() == ()
    await chat.update("#deployments", message, card(said="Again"))
    assert len(images(slack)) == 1
    await chat.close()
    await uploads.close()


async def test_a_chart_that_cannot_be_drawn_is_said_in_words(slack: FakeSlack, chat: SlackChat) -> None:
    empty = Picture(WORDS, Chart("t", "UTC", T0, T0, ()))
    await chat.post("#deployments", Card("t", "t", (empty,)), key="d1:x")
    assert images(slack) == []
    assert slack.called("files.getUploadURLExternal") == []


async def test_status_is_whispered_with_its_picture(slack: FakeSlack, pictures: MatplotlibPictures) -> None:
    core = Core(replies={"status": Answer(card=card())})
    config = SlackConfig(bot_token=slack.bot_token, app_token=slack.app_token, api_url=slack.api_url)
    adapter = SlackAdapter(config, core, lambda: PEOPLE, pictures)
    await adapter.start()
    try:
        await slack.user("U1").command("/deploy", "status", channel="C1")
        said = await whispered(slack, "All well")
        assert [block["alt_text"] for block in said.blocks if block["type"] == "image"] == [WORDS]
    finally:
        await adapter.stop()
        await adapter.close()


def test_words_of_a_picture_keep_slacks_limit() -> None:
    for alt in ("é" * 3_000, "line\nbreak " * 400, " "):
        one = picture(alt=alt)
        drawn = blocks.draw_block(one, files={one.chart: "F0123456789"})
        assert problems(drawn) == []
        assert len(drawn[0]["alt_text"]) <= 2_000


def test_a_card_of_pictures_fits_its_messages_with_them_and_without() -> None:
    many = Card("Checks", "checks", tuple(picture(n / 100, "Error rate <&> " * 100) for n in range(12)))
    messages(many)
    parts = packing.parts(many)
    assert len(parts) > 1
    for part in parts:
        files = {block.chart: "F" * 16 for block in part.blocks if isinstance(block, Picture)}
        assert limits.fits(blocks.message(part, people={}, files=files)["blocks"])


def test_a_picture_weighs_as_much_as_the_heavier_of_the_two() -> None:
    one = picture()
    drawn = weigh(blocks.draw_block(one, files={one.chart: "F" * 11}))
    assert drawn.within(weight_of(one))
    assert weigh(blocks.draw_block(one)).within(weight_of(one))
    assert weight_of(Facts(())).blocks == 0
