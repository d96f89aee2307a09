"""The table of routes that the parts of the loopback Discord fill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tests.fakes.discord_drafts import Upload
from tests.fakes.discord_things import JSON, Refused, unknown
from tests.fakes.discord_world import World


@dataclass
class Request:
    """One request with its body read. `args`: what stands in the path."""

    args: dict[str, str]
    body: JSON = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)
    uploads: dict[int, Upload] = field(default_factory=dict)

    def number(self, name: str) -> int:
        """A snowflake in the path. What is none is 50035."""
        value = self.args[name]
        if not value.isdigit():
            at = {
                f"{name}_id": {
                    "_errors": [{"code": "NUMBER_TYPE_COERCE", "message": f'Value "{value}" is not snowflake.'}]
                }
            }
            raise Refused(400, 50035, "Invalid Form Body", at)
        return int(value)


@dataclass(frozen=True)
class Route:
    """`token`: the bot's is needed. The 204 of a route that says nothing is `None`."""

    method: str
    path: str
    run: Callable[[World, Request], Any]
    token: bool = True


ROUTES: list[Route] = []
Handler = Callable[[World, Request], Any]


def route(method: str, path: str, *, token: bool = True) -> Callable[[Handler], Handler]:
    """Puts a function into the table; it answers with JSON, or None for 204, or raises Refused."""

    def note(run: Handler) -> Handler:
        ROUTES.append(Route(method, path, run, token))
        return run

    return note


def place(world: World, request: Request, name: str = "channel") -> Any:
    """The channel or thread in the path, that the bot can see: 10003 or 50001."""
    key = request.number(name)
    found = world.channels.get(key) or world.threads.get(key)
    if found is None:
        raise unknown("Channel", 10003)
    world.need(found)
    return found
