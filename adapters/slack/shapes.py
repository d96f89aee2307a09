"""The parts of Slack's payloads that are read here, and their types. What a payload says beyond them is left alone.

A signed payload of another shape is nothing Slack documents (docs.slack.dev/reference/interaction-payloads): nothing in
it is acted on.
"""

from __future__ import annotations

from typing import Annotated, Any

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

log = structlog.get_logger(__name__)


class Shape(BaseModel):
    """Strict in what is read, blind to everything else."""

    model_config = ConfigDict(extra="ignore", strict=True)


def _storable(text: str) -> str:
    text.encode()  # a lone surrogate, which JSON can spell and no database takes
    return text


Said = Annotated[str, AfterValidator(_storable)]


class _User(Shape):
    id: Said
    team_id: Said | None = None
    username: Said | None = None
    name: Said | None = None


class _Named(Shape):
    id: Said | None = None
    name: Said | None = None


class _Container(Shape):
    message_ts: Said | None = None
    channel_id: Said | None = None
    thread_ts: Said | None = None
    view_id: Said | None = None


class _Message(Shape):
    thread_ts: Said | None = None


class _Block(Shape):
    type: Said | None = None
    block_id: Said


class _State(Shape):
    values: dict[str, dict[str, dict[str, Any]]] | None = None


class _View(Shape):
    id: Said
    type: Said
    callback_id: Said | None = None
    team_id: Said | None = None
    app_installed_team_id: Said | None = None
    hash: Said | None = None
    private_metadata: Said | None = None
    blocks: list[_Block] | None = None
    state: _State | None = None


class _Option(Shape):
    value: Said | None = None


class _Action(Shape):
    type: Said | None = None
    value: Said | None = None
    selected_option: _Option | None = None
    action_id: Said
    block_id: Said | None = None
    action_ts: Said | None = None


class _Payload(Shape):
    """What Bolt reads of every payload before anybody hears of it."""

    type: Said | None = None
    team: _Named | Said | None = None
    enterprise: _Named | Said | None = None
    team_id: Said | None = None
    enterprise_id: Said | None = None
    is_enterprise_install: bool | Said | None = None
    trigger_id: Said | None = None
    response_url: Said | None = None
    event: None = None
    subtype: Said | None = None
    callback_id: Said | None = None


class Typed(_Payload):
    """A slash command."""

    command: Said
    user_id: Said
    user_name: Said | None = None
    channel_id: Said | None = None
    channel_name: Said | None = None
    text: Said | None = None


class Click(_Payload):
    """`block_actions`, of a message, a modal or the Home tab."""

    user: _User
    channel: _Named | None = None
    container: _Container | None = None
    message: _Message | None = None
    view: _View | None = None
    actions: Annotated[list[_Action], Field(min_length=1)]


class _Form(_View):
    callback_id: Said


class Sent(_Payload):
    """`view_submission`."""

    user: _User
    channel: _Named | None = None
    view: _Form


class _Authorization(Shape):
    team_id: Said | None = None
    enterprise_id: Said | None = None
    user_id: Said | None = None
    is_bot: bool | None = None
    is_enterprise_install: bool | None = None


class _Looked(Shape):
    type: Said
    user: Said
    tab: Said | None = None
    channel: Said | None = None
    bot_id: Said | None = None
    subtype: Said | None = None
    team: Said | None = None
    view: _View | None = None


class Happened(_Payload):
    """An event: the one that is subscribed to is `app_home_opened`."""

    event: _Looked  # type: ignore[assignment]
    authorizations: list[_Authorization] | None = None


def fits(body: object) -> bool:
    """Whether a payload has the shape that its kind is read in. Of a kind nobody listens to, only that it is an
    object."""
    if not isinstance(body, dict):
        return False
    match body.get("type"):
        case "block_actions":
            shape: type[Shape] = Click
        case "view_submission":
            shape = Sent
        case "event_callback":
            shape = Happened
        case None:
            shape = Typed
        case kind:
            return kind in ("url_verification", "ssl_check")
    try:
        shape.model_validate(body)
    except ValidationError as problem:
        places = [".".join(map(str, error["loc"])) for error in problem.errors(include_input=False, include_url=False)]
        log.warning("slack.misshapen", shape=shape.__name__, places=places[:5])
        return False
    return True
