"""The parts of an interaction that are read here, and their types (docs.discord.com: interactions, receiving and
responding). discord.py hands `data` on as it came, and takes any name for a name."""

from __future__ import annotations

from typing import Annotated, Any

import discord
import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, TypeAdapter, ValidationError

log = structlog.get_logger(__name__)


def _storable(text: str) -> str:
    text.encode()  # a lone surrogate, which JSON can spell and no database takes
    return text


Said = Annotated[str, AfterValidator(_storable)]


class _Shape(BaseModel):
    """Strict in what is read, blind to everything else."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _Option(_Shape):
    type: int
    name: Said
    value: Said | int | float | bool | None = None
    focused: bool | None = None
    options: list[_Option] | None = None


class _Answered(_Shape):
    type: int | None = None
    custom_id: Said | None = None
    value: Said | None = None
    values: list[Said] | None = None
    component: _Answered | None = None
    components: list[_Answered] | None = None


class _Data(_Shape):
    """Of a command, a completion, a click or a form."""

    custom_id: Said | None = None
    options: list[_Option] | None = None
    values: list[Said] | None = None
    components: list[_Answered] | None = None


_said = TypeAdapter(Said, config=ConfigDict(strict=True))


def fits(interaction: discord.Interaction[Any]) -> bool:
    """Whether everything that is read of an interaction has its type."""
    user: object = interaction.user  # left out by discord.py where the payload names nobody
    if not isinstance(user, discord.abc.User):
        return False
    try:
        _Data.model_validate(interaction.data or {})
        _said.validate_python(interaction.user.display_name)
        _said.validate_python(interaction.token)
    except (ValidationError, RecursionError) as problem:
        log.warning("discord.misshapen", problem=type(problem).__name__)
        return False
    return True
