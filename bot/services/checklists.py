"""Checklists as deployments need them: found by name, frozen by content hash, put together as a plan."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

from bot.ports import FrozenChecklist, Unit, UnknownRecord
from checklists.library import ChecklistError, Loaded, from_texts, load, names
from checklists.plan import Plan, make_plan
from checklists.policy_file import PolicyError
from checklists.reader import DocumentError

ENVIRONMENTS = ("production", "staging")
UNREADABLE = (ChecklistError, DocumentError, PolicyError)
"""What a checklist that cannot be used raises."""


class Checklists:
    """The team's folders of checklists, or a single `file`.

    Files are read anew at every start, off the event loop; a running deployment keeps its own copy.
    """

    def __init__(self, folders: tuple[Path, ...], default: str | None, *, file: Path | None = None) -> None:
        self._folders = folders
        self._default = default
        self._file = file

    async def names(self) -> tuple[str, ...]:
        """All that exist, by name; with a single file, only that."""
        return (self._file.stem,) if self._file else await asyncio.to_thread(names, self._folders)

    async def default(self) -> str | None:
        """The one meant when none is named: the one the settings name, or the only one there is."""
        known = await self.names()
        if self._default is not None and self._default in known:
            return self._default
        return known[0] if len(known) == 1 else None

    async def load(self, name: str) -> Loaded:
        """A checklist and its policy by checklist or service name. Raises ChecklistError, DocumentError,
        PolicyError."""
        if self._file is not None:
            loaded = await asyncio.to_thread(load, self._file, self._folders)
            if name.casefold() not in (self._file.stem.casefold(), service_of(loaded).casefold()):
                raise ChecklistError(f"There is no checklist {name[:60]!r} here. There is: {self._file.stem}.")
            return loaded
        try:
            return await asyncio.to_thread(load, name, self._folders)
        except ChecklistError:
            for loaded in await self._readable():
                if service_of(loaded).casefold() == name.casefold():
                    return loaded
            raise

    async def service(self, name: str) -> str:
        """What deployments of a checklist call their service; the name itself if it cannot be read."""
        try:
            return service_of(await self.load(name))
        except UNREADABLE:
            return name

    async def services(self) -> tuple[str, ...]:
        """What the readable checklists call their services."""
        return tuple(dict.fromkeys(service_of(loaded) for loaded in await self._readable()))

    async def lanes(self) -> dict[str, tuple[str, ...]]:
        """The lanes past the ordinary run, by the name of their checklist; one that has none is left out."""
        return {
            loaded.source.name: tuple(loaded.policy.overrides)
            for loaded in await self._readable()
            if loaded.policy.overrides
        }

    async def environments(self) -> tuple[str, ...]:
        """Every environment that some checklist knows."""
        return tuple(dict.fromkeys(known for loaded in await self._readable() for known in environments_of(loaded)))

    async def _readable(self) -> list[Loaded]:
        """All checklists without errors, in order of their names."""
        found = []
        for one in [self._file] if self._file is not None else await self.names():
            with contextlib.suppress(*UNREADABLE):
                found.append(await asyncio.to_thread(load, one, self._folders))
        return found


def service_of(loaded: Loaded) -> str:
    """The service a checklist deploys: as its policy says, else its own name."""
    return loaded.policy.service or loaded.source.name


def environments_of(loaded: Loaded) -> tuple[str, ...]:
    """The environments of a checklist: those its windows name, then production and staging."""
    return tuple(dict.fromkeys([*loaded.policy.windows, *ENVIRONMENTS]))


def freeze(loaded: Loaded) -> FrozenChecklist:
    """The exact texts, to be kept with the deployment."""
    source = loaded.source
    return FrozenChecklist(source.digest, source.name, source.markdown, source.policy)


async def frozen_plan(unit: Unit, digest: str, environment: str, lane: str = "") -> Plan:
    """The plan of a deployment from the texts it started with. Raises StoreError if they were never kept, and
    UnknownRecord if they say what only another release knows: what is kept could be read when it started."""
    cached = _PLANS.get((digest, environment, lane))
    if cached is None:
        kept = await unit.checklist(digest)
        cached = _plan(kept, environment, lane)
        if len(_PLANS) >= PLANS:
            _PLANS.pop(next(iter(_PLANS)))
        _PLANS[digest, environment, lane] = cached
    return cached


PLANS = 1_000
"""How many are remembered: one of a long checklist takes 75 ms to read and 200 kB to keep."""
_PLANS: dict[tuple[str, str, str], Plan] = {}


def _plan(kept: FrozenChecklist, environment: str, lane: str) -> Plan:
    try:
        loaded = from_texts(kept.name, kept.markdown, kept.policy)
    except (DocumentError, PolicyError) as error:
        raise UnknownRecord(
            f"The checklist {kept.name!r} that a deployment keeps was read by another version of gonogo "
            f"({str(error).splitlines()[0]}). Install the newest one."
        ) from error
    return make_plan(loaded.checklist, loaded.policy, environment=environment, lane=lane)
