"""The one HTTP server of a process: the front's own pages and requests, and beside them the doors for programs."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount
from starlette.types import ASGIApp


def with_doors(front: ASGIApp, doors: Sequence[BaseRoute]) -> ASGIApp:
    """The doors first, then the front. Each door checks by itself who comes in; what is no door's is the front's."""
    return Starlette(routes=[*doors, Mount("/", front)]) if doors else front
