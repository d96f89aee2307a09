"""What the loopback Discord refuses of messages, threads and commands, asked by discord.py's HTTP client."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from typing import Any

import discord
import pytest
from discord import ui

from tests.discord_bot import Bot, layout, logged_in, raw, refused
from tests.fakes.discord import FakeDiscord
from tests.fakes.discord_things import V2

pytestmark = pytest.mark.slow


@pytest.fixture
async def server() -> AsyncIterator[FakeDiscord]:
    async with FakeDiscord() as server:
        yield server


@pytest.fixture
async def bot(server: FakeDiscord) -> AsyncIterator[Bot]:
    async with logged_in(server) as bot:
        yield bot


def text(content: str = "x", **more: Any) -> dict[str, Any]:
    return {"type": 10, "content": content, **more}


def button(custom_id: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "Go", "custom_id": custom_id, **more}


def row(*children: Any) -> dict[str, Any]:
    return {"type": 1, "components": list(children)}


def select(count: int = 1, **more: Any) -> dict[str, Any]:
    options = [{"label": f"o{n}", "value": f"v{n}"} for n in range(count)]
    return {"type": 3, "custom_id": "s", "options": options, **more}


def gallery(*items: dict[str, Any]) -> dict[str, Any]:
    return {"type": 12, "items": list(items)}


def picture(url: str = "https://x.test/a.png", **more: Any) -> dict[str, Any]:
    return {"media": {"url": url}, **more}


def messages(server: FakeDiscord) -> str:
    return f"/channels/{server.place('deployments').id}/messages"


WRONG: list[tuple[str, list[dict[str, Any]]]] = [
    ("Must be between 1 and 4000", [text("")]),
    ("COMPONENT_DISPLAYABLE_TEXT_SIZE", [text("x" * 2001), text("x" * 2000)]),
    ("COMPONENT_MAX_TOTAL", [{"type": 17, "components": [text() for _ in range(40)]}]),
    ("Must be between 1 and 3", [{"type": 9, "components": [text()] * 4, "accessory": button()}]),
    ("accessory", [{"type": 9, "components": [text()]}]),
    ("must be one of (2, 11)", [{"type": 9, "components": [text()], "accessory": select()}]),
    ("Must be between 1 and 5", [row(*(button(str(n)) for n in range(6)))]),
    ("WIDTH", [row(button(), select())]),
    ("WIDTH", [row(select(), select(custom_id="t"))]),
    ("CUSTOM_ID_DUPLICATED", [row(button("a"), button("a"))]),
    ("Must be between 1 and 100", [row(button("x" * 101))]),
    ("Must be between 1 and 100", [row(button(""))]),
    ("Must be 80 or fewer", [row(button(label="x" * 81))]),
    ("MISSING_LABEL", [row(button(label=None))]),
    ("MUTUALLY_EXCLUSIVE", [row(button(style=5, url="https://x.test"))]),
    ("INVALID_SCHEME", [row({"type": 2, "style": 5, "label": "x", "url": "ftp://x"})]),
    ("Must be between 1 and 25", [row(select(26))]),
    (
        "Must be between 1 and 100",
        [row({"type": 3, "custom_id": "s", "options": [{"label": "x" * 101, "value": "v"}]})],
    ),
    ("OPTION_VALUE_DUPLICATED", [row({"type": 3, "custom_id": "s", "options": [{"label": "x", "value": "v"}] * 2})]),
    ("less than or equal to 1", [row(select(1, max_values=2))]),
    ("Must be between 1 and 10", [gallery(*[picture()] * 11)]),
    ("Must be 1024 or fewer", [gallery(picture(description="x" * 1025))]),
    ("ATTACHMENT_NOT_FOUND", [gallery(picture("attachment://no.png"))]),
    ("ATTACHMENT_NOT_FOUND", [{"type": 13, "file": {"url": "attachment://no.png"}}]),
    ("INVALID_SCHEME", [{"type": 13, "file": {"url": "https://x.test/a"}}]),
    ("BASE_TYPE_CHOICES", [{"type": 14, "spacing": 3}]),
    ("16777215", [{"type": 17, "accent_color": 1 << 24, "components": [text()]}]),
    ("UNION_TYPE_CHOICES", [{"type": 17, "components": [{"type": 17, "components": [text()]}]}]),
    ("UNION_TYPE_CHOICES", [button()]),
    ("UNION_TYPE_CHOICES", [{"type": 18, "label": "x", "component": select()}]),
    ("COMPONENT_ID_DUPLICATED", [text(id=5), text(id=5)]),
    ("2147483647", [text(id=1 << 31)]),
]


@pytest.mark.parametrize(("why", "components"), WRONG)
async def test_a_layout_is_judged(server: FakeDiscord, bot: Bot, why: str, components: list[dict[str, Any]]) -> None:
    status, code, words = await refused(bot, "POST", messages(server), {"flags": V2, "components": components})
    assert (status, code) == (400, 50035)
    call = server.calls[-1]
    assert why in words or why in str(call.answer["errors"])
    assert server.messages("deployments") == []


async def test_what_just_fits_is_taken_and_gets_ids(server: FakeDiscord, bot: Bot) -> None:
    forty = [
        {
            "type": 17,
            "accent_color": 0xFFFFFF,
            "components": [text("x" * 100, id=1) if n == 0 else text("x" * 100) for n in range(39)],
        }
    ]
    sent = await raw(bot, "POST", messages(server), {"flags": V2, "components": forty})
    ids = [each["id"] for each in sent["components"][0]["components"]]
    assert ids[0] == 1
    assert len({*ids, sent["components"][0]["id"]}) == 40
    wide = [row(*(button("x" * 99 + str(n), label="x" * 80) for n in range(5))), row(select(25))]
    await raw(bot, "POST", messages(server), {"flags": V2, "components": wide})


async def test_a_layout_stands_alone_and_stays_one(server: FakeDiscord, bot: Bot) -> None:
    path = messages(server)
    for more in ({"content": "x"}, {"embeds": [{"title": "x"}]}):
        _, code, words = await refused(bot, "POST", path, {"flags": V2, "components": [text()], **more})
        assert code == 50035
        assert "IS_COMPONENTS_V2" in words
    assert (await refused(bot, "POST", path, {"components": [text()]}))[1] == 50035
    assert (await refused(bot, "POST", path, {"flags": V2}))[1] == 50006
    sent = await raw(bot, "POST", path, {"flags": V2, "components": [text()]})
    edited = f"{path}/{sent['id']}"
    assert (await refused(bot, "PATCH", edited, {"flags": 0}))[1] == 50035
    assert "CANNOT_REMOVE" in str(server.calls[-1].answer)
    assert (await refused(bot, "PATCH", edited, {"content": "x"}))[1] == 50035
    kept = await raw(bot, "PATCH", edited, {"components": [text("y")]})
    assert kept["flags"] & V2
    plain = await raw(bot, "POST", path, {"content": "x"})
    change = {"flags": V2, "components": [text()]}
    assert (await refused(bot, "PATCH", f"{path}/{plain['id']}", change))[1] == 50035
    await raw(bot, "PATCH", f"{path}/{plain['id']}", change | {"content": None, "embeds": []})


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, 50006),
        ({"content": "x" * 2001}, 50035),
        ({"content": "x", "nonce": "n" * 26}, 50035),
        ({"embeds": [{"title": "x"}] * 11}, 50035),
        ({"embeds": [{"title": "x" * 257}]}, 50035),
        ({"embeds": [{"description": "x" * 3001}] * 2}, 50035),
        ({"content": "x", "components": [row(button(str(n))) for n in range(6)]}, 50035),
        ({"content": "x", "allowed_mentions": {"parse": ["all"]}}, 50035),
        ({"content": "x", "allowed_mentions": {"parse": ["users"], "users": ["1"]}}, 50035),
        ({"content": "x", "allowed_mentions": {"roles": ["1"] * 101}}, 50035),
        ({"content": "x", "attachments": [{"id": 0}]}, 50035),
        ({"content": "x", "message_reference": {"message_id": "1"}}, 50035),
    ],
)
async def test_a_message_is_judged(server: FakeDiscord, bot: Bot, body: dict[str, Any], code: int) -> None:
    assert (await refused(bot, "POST", messages(server), body))[:2] == (400, code)
    assert server.messages("deployments") == []


async def test_a_nonce_is_said_once_in_its_window_and_not_in_the_history(server: FakeDiscord, bot: Bot) -> None:
    path, body = messages(server), {"content": "x", "nonce": "k" * 25, "enforce_nonce": True}
    first, second = [await raw(bot, "POST", path, body) for _ in range(2)]
    assert (first["id"], first["nonce"]) == (second["id"], "k" * 25)
    assert "nonce" not in (await raw(bot, "GET", path))[0]
    server.clock.forward(server.nonce_window + 1)
    assert (await raw(bot, "POST", path, body))["id"] != first["id"]
    assert (await raw(bot, "POST", path, body | {"enforce_nonce": False}))["id"] not in (first["id"], second["id"])
    assert len(server.messages("deployments")) == 3


async def test_whom_a_message_notifies(server: FakeDiscord, bot: Bot) -> None:
    ana, qa, on_call = server.person("ana").id, server.role("qa").id, server.role("on-call").id
    words = f"<@{ana}> <@&{qa}> <@&{on_call}> @everyone"
    channel = await bot.fetch_channel(server.place("deployments").id)
    assert isinstance(channel, discord.TextChannel)
    allowed = discord.AllowedMentions(everyone=False, users=False, roles=[discord.Object(qa), discord.Object(on_call)])
    await channel.send(view=layout(ui.TextDisplay(words)), allowed_mentions=allowed)
    await channel.send(words)
    some = server.messages("deployments")
    assert [server.pings(each) for each in some] == [["@&on-call"], []]
    assert server.text(some[0]) == "@ana @qa @on-call @everyone"
    await raw(bot, "POST", messages(server), {"content": words})
    assert server.pings(server.messages("deployments")[-1]) == ["@ana", "@&on-call"]
    server.allow("deployments", "MENTION_EVERYONE")
    await raw(bot, "POST", messages(server), {"content": words})
    assert server.pings(server.messages("deployments")[-1]) == ["@ana", "@&qa", "@&on-call", "@everyone"]


async def test_files_are_kept_and_shown(server: FakeDiscord, bot: Bot) -> None:
    channel = await bot.fetch_channel(server.place("deployments").id)
    assert isinstance(channel, discord.TextChannel)
    file = discord.File(io.BytesIO(b"\x89PNG..."), "graph.png", description="Errors stay at 0.1 %")
    view = layout(ui.MediaGallery(discord.MediaGalleryItem("attachment://graph.png", description="Errors")))
    sent = await channel.send(view=view, file=file)
    (message,) = server.messages("deployments")
    assert message.attachments[0].content == b"\x89PNG..."
    assert server.calls[-1].files == {"graph.png": b"\x89PNG..."}
    assert server.text(message) == "(image: Errors)"
    assert sent.attachments == [], "what a component shows is said there"
    assert isinstance(gallery := sent.components[0], discord.MediaGalleryComponent)
    assert await bot.http.get_from_cdn(gallery.items[0].media.url) == b"\x89PNG..."
    await sent.edit(view=view)
    assert message.attachments
    assert (
        await refused(
            bot, "PATCH", f"{messages(server)}/{sent.id}", {"attachments": [], "components": message.components}
        )
    )[1] == 50035


async def test_the_history_is_paged_newest_first(server: FakeDiscord, bot: Bot) -> None:
    path = messages(server)
    ids = [(await raw(bot, "POST", path, {"content": str(n)}))["id"] for n in range(5)]

    async def read(query: str) -> list[str]:
        return [each["content"] for each in await raw(bot, "GET", f"{path}?{query}")]

    assert await read("limit=2") == ["4", "3"]
    assert await read(f"limit=2&after={ids[1]}") == ["3", "2"]
    assert await read(f"limit=2&before={ids[3]}") == ["2", "1"]
    assert await read(f"limit=3&around={ids[2]}") == ["3", "2", "1"]
    assert (await refused(bot, "GET", f"{path}?limit=101"))[1] == 50035
    server.forbid("deployments", "READ_MESSAGE_HISTORY")
    assert await read("limit=2") == []
    assert (await refused(bot, "GET", f"{path}/{ids[0]}"))[:2] == (403, 50013)


async def test_what_is_not_there_or_not_ours(server: FakeDiscord, bot: Bot) -> None:
    path = messages(server)
    theirs = server.person("ana").say("hello", channel="deployments")
    assert (await refused(bot, "PATCH", f"{path}/{theirs.id}", {"content": "x"}))[:2] == (403, 50005)
    assert (await refused(bot, "DELETE", f"{path}/{theirs.id}"))[:2] == (403, 50013)
    assert (await raw(bot, "GET", path))[0]["content"] == ""
    assert (await refused(bot, "PATCH", f"{path}/1", {"content": "x"}))[:2] == (404, 10008)
    assert (await refused(bot, "POST", "/channels/1/messages", {"content": "x"}))[:2] == (404, 10003)
    assert (await refused(bot, "GET", "/channels/x"))[:2] == (400, 50035)
    assert (await refused(bot, "GET", "/guilds/1"))[:2] == (404, 10004)
    assert (await refused(bot, "GET", f"/guilds/{server.guild_id}/members/1"))[:2] == (404, 10007)
    assert (await refused(bot, "GET", "/nowhere"))[:2] == (404, 0)
    server.forbid("deployments", "SEND_MESSAGES")
    assert (await refused(bot, "POST", path, {"content": "x"}))[:2] == (403, 50013)
    server.forbid("deployments", "VIEW_CHANNEL")
    assert (await refused(bot, "GET", path))[:2] == (403, 50001)
    server.remove_channel("deployments")
    assert (await refused(bot, "GET", path))[:2] == (404, 10003)
    bot.http.token = "wrong"
    assert (await refused(bot, "GET", "/users/@me"))[:2] == (401, 0)
    assert server.invalid_requests == 5


async def test_the_life_of_a_thread(server: FakeDiscord, bot: Bot) -> None:
    path = messages(server)
    root = await raw(bot, "POST", path, {"content": "card"})
    opening = f"{path}/{root['id']}/threads"
    assert (await refused(bot, "POST", opening, {"name": "x" * 101}))[1] == 50035
    server.forbid("deployments", "CREATE_PUBLIC_THREADS")
    assert (await refused(bot, "POST", opening, {"name": "v1"}))[1] == 50013
    server.allow("deployments", "CREATE_PUBLIC_THREADS")
    thread = await raw(bot, "POST", opening, {"name": "v1", "auto_archive_duration": 1440})
    assert thread["id"] == root["id"]
    assert (await refused(bot, "POST", opening, {"name": "v1"}))[1] == 160004
    inside = f"/channels/{thread['id']}/messages"
    item = await raw(bot, "POST", inside, {"content": "item"})
    assert (await raw(bot, "GET", f"{path}/{root['id']}"))["thread"]["message_count"] == 1
    found = server.thread("v1")
    assert found is not None
    server.archive(found)
    assert (await refused(bot, "PATCH", f"{inside}/{item['id']}", {"content": "x"}))[:2] == (400, 50083)
    assert (await refused(bot, "PATCH", f"/channels/{thread['id']}", {"name": "v2", "archived": True}))[1] == 50083
    assert not (await raw(bot, "PATCH", f"/channels/{thread['id']}", {"archived": False}))["thread_metadata"][
        "archived"
    ]
    await raw(bot, "PATCH", f"{inside}/{item['id']}", {"content": "x"})
    server.archive(found)
    await raw(bot, "POST", inside, {"content": "wakes it"})
    assert not found.archived
    server.archive(found, locked=True)
    assert (await refused(bot, "POST", inside, {"content": "x"}))[1] == 160005
    assert (await refused(bot, "PATCH", f"/channels/{thread['id']}", {"archived": False}))[1] == 50013
    server.allow("deployments", "MANAGE_THREADS")
    await raw(bot, "POST", inside, {"content": "x"})
    server.forbid("deployments", "SEND_MESSAGES_IN_THREADS", "MANAGE_THREADS")
    assert (await refused(bot, "POST", inside, {"content": "x"}))[1] == 50013
    server.remove_thread(found)
    assert (await refused(bot, "POST", inside, {"content": "x"}))[1] == 10003
    await raw(bot, "DELETE", f"{path}/{root['id']}")
    assert (await refused(bot, "DELETE", f"{path}/{root['id']}"))[1] == 10008


def command(name: str = "deploy", **more: Any) -> dict[str, Any]:
    return {"name": name, "description": "x", "type": 1, **more}


def option(name: str = "version", **more: Any) -> dict[str, Any]:
    return {"type": 3, "name": name, "description": "x", **more}


@pytest.mark.parametrize(
    ("why", "rows"),
    [
        ("INVALID_NAME", [command("Deploy")]),
        ("Must be between 1 and 32", [command("x" * 33)]),
        ("Must be between 1 and 100", [command(description="x" * 101)]),
        ("DUPLICATE_NAME", [command(), command()]),
        ("between 0 and 25", [command(options=[option(f"o{n}") for n in range(26)])]),
        ("between 0 and 25", [command(options=[option(choices=[{"name": "x", "value": "x"}] * 26)])]),
        ("Must be between 1 and 100", [command(options=[option(choices=[{"name": "x" * 101, "value": "x"}])])]),
        ("CHOICES_AUTOCOMPLETE", [command(options=[option(choices=[{"name": "x", "value": "x"}], autocomplete=True)])]),
        ("REQUIRED_INVALID", [command(options=[option("a"), option("b", required=True)])]),
        ("ALREADY_EXISTS", [command(options=[option("a"), option("a")])]),
        ("TYPE_INVALID", [command(options=[{"type": 1, "name": "s", "description": "x"}, option()])]),
        (
            "TOO_LARGE",
            [
                command(
                    options=[
                        option(f"o{n}", choices=[{"name": f"{c:0100}", "value": f"{c:099}"} for c in range(25)])
                        for n in range(2)
                    ]
                )
            ],
        ),
    ],
)
async def test_a_command_is_judged(server: FakeDiscord, bot: Bot, why: str, rows: list[dict[str, Any]]) -> None:
    path = f"/applications/{server.application_id}/guilds/{server.guild_id}/commands"
    assert (await refused(bot, "PUT", path, rows))[:2] == (400, 50035)
    assert why in str(server.calls[-1].answer)
    assert await raw(bot, "GET", path) == []


async def test_only_new_commands_count_as_creates(server: FakeDiscord, bot: Bot) -> None:
    path = f"/applications/{server.application_id}/commands"
    first = await raw(bot, "PUT", path, [command()])
    second = await raw(bot, "PUT", path, [command(description="y"), command("status")])
    assert (first[0]["id"], server.command_creates) == (second[0]["id"], 2)


async def test_a_doctor_finds_what_it_looks_for(server: FakeDiscord, bot: Bot) -> None:
    server.add_channel("secret")
    server.forbid("secret", "VIEW_CHANNEL")
    channels = await raw(bot, "GET", f"/guilds/{server.guild_id}/channels")
    assert [each["name"] for each in channels] == ["deployments", "secret"]
    assert channels[1]["permission_overwrites"][0]["deny"] == str(1 << 10)
    me = await raw(bot, "GET", f"/guilds/{server.guild_id}/members/{server.bot_id}")
    assert me["roles"] == [str(server.role("gonogo").id)]
    assert [each["name"] for each in await raw(bot, "GET", f"/guilds/{server.guild_id}/roles")][:2] == [
        "@everyone",
        "gonogo",
    ]
    assert (await raw(bot, "GET", "/users/@me/guilds"))[0]["id"] == str(server.guild_id)
    assert (await raw(bot, "GET", "/applications/@me"))["id"] == str(server.application_id)
    assert (await raw(bot, "GET", "/gateway/bot"))["url"] == server.gateway_url
    with pytest.raises(discord.Forbidden):
        await bot.fetch_channel(server.place("secret").id)
