"""What a program sends. Strict: an unknown key or another type is an error that names the field."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationInfo
from pydantic import field_validator as validator
from pydantic_core import ErrorDetails, PydanticCustomError

from bot.domain.pipeline_facts import DEPLOYED, FAILED
from checklists.addresses import web_address
from checklists.names import fold

_OURS = {
    "lane": "a token cannot choose a lane: a person starts it in chat, with /deploy start VERSION --LANE REASON",
    "override": "a token cannot pass a window or freeze: who may does, in chat, with /deploy start VERSION --override",
}
"""Keys that are refused with why."""


def _reachable(value: str) -> str:
    if value and not web_address(value):
        raise PydanticCustomError("link", "write an address like https://ci.example.com/runs/42")
    return value


def _printable(value: object) -> object:
    if isinstance(value, str) and not value.replace("\n", " ").replace("\t", " ").isprintable():
        raise PydanticCustomError("printable", "there are control characters in it; leave them out")
    return value


_Text = BeforeValidator(_printable)
Service = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80), _Text]
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80), _Text]
When = Annotated[str, StringConstraints(strip_whitespace=True, max_length=80), _Text]
Step = Annotated[str, StringConstraints(strip_whitespace=True, max_length=300), _Text]
Words = Annotated[str, StringConstraints(strip_whitespace=True, max_length=500), _Text]
Link = Annotated[str, StringConstraints(strip_whitespace=True, max_length=1000), _Text, AfterValidator(_reachable)]


class Ask(BaseModel):
    """What every request has in common."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class GateQuery(Ask):
    """Whether a deployment may start."""

    service: Service = Field("", description="The service, or its checklist; default: the token's own.")
    environment: Name = Field("production", description="Where it would be deployed.")
    at: When = Field(
        "",
        description="When: ISO 8601, or in the words of `/deploy start … at` (`fri 16:55`). Without an offset in the "
        "checklist's zone. Default: now.",
    )


class StartBody(Ask):
    """Start a deployment, or let it wait."""

    service: Service = Field("", description="The service, or its checklist; default: the token's own.")
    version: Name = Field(description="A tag, branch or commit.", examples=["v1.2.0"])
    environment: Name = Field("production", description="Where it is deployed.")
    when: When = Field(
        "",
        description="A time like `tue 10:00`, or `open`: as soon as the window opens. Default: now.",
        examples=["open"],
    )
    note: Words = Field("", description="Kept with the deployment.")


class EventBody(Ask):
    """Something has happened in the pipeline."""

    event: Literal["step", "deployed", "failed"] = Field(
        description="`step`: a step is done. `deployed`: it is in production, the checks count from now. `failed`: "
        "something went wrong; the team is told."
    )
    step: Step = Field(
        "",
        validate_default=True,
        description="Which step: as the policy's `event` names it, or the words of an item. With `failed`: what.",
        examples=["image pushed"],
    )
    link: Link = Field(
        "", description="Where it can be read: the item links there.", examples=["https://ci.example.com/runs/42"]
    )
    detail: Words = Field("", description="A few words more.", examples=["412 tests in 3 min"])

    @validator("step")
    @classmethod
    def _fits_the_event(cls, value: str, info: ValidationInfo) -> str:
        event = info.data.get("event")
        if event == "step" and not value:
            raise PydanticCustomError("step", "say which step is done")
        if event == "step" and fold(value) in (DEPLOYED, FAILED):
            raise PydanticCustomError("step", "that is an event of its own: send it as `event`, without a step")
        if event == "deployed" and value:
            raise PydanticCustomError("step", "`deployed` has no step; leave it out")
        return value


class LiveEventBody(EventBody):
    """The same, of the live deployment of a service and environment: for a pipeline that did not start it."""

    service: Service = Field("", description="The service; default: the token's own.")
    environment: Name = Field("production", description="Where it is deployed.")
    version: Service = Field("", description="Needed only where several are live.")


def first_problem(errors: list[ErrorDetails]) -> tuple[str, str]:
    """The field of the first error, and what to do about it in one sentence."""
    error = errors[0]
    field = ".".join(str(part) for part in error["loc"])
    match error["type"]:
        case "extra_forbidden":
            why = _OURS.get(field, "there is no such field; /api/docs lists those there are")
        case "missing":
            why = "it is missing"
        case _:
            why = error["msg"][:1].lower() + error["msg"][1:]
    return field, f"{field}: {why}." if field else f"The body: {why}."
