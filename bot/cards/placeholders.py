"""Commands of the document, with what this deployment knows filled in; the rest is left as written."""

from __future__ import annotations

import re

from bot.cards.view import View
from checklists.document import PhaseKind

_VERSION = re.compile(r"(?<!\w)(?:\{\{ *version *\}\}|<version>|\[version\])(?!\w)", re.IGNORECASE)
_PREVIOUS = re.compile(
    r"(?<!\w)(?:\{\{ *previous[_ -]version *\}\}|<previous[_ -]version>|\[previous[_ -]version\])(?!\w)", re.IGNORECASE
)
_LITERAL = re.compile(r"(?<![\w.-])v?\d+\.\d+\.\d+(?:-[\w.]+)?(?![\w.])")


def filled(command: str, view: View, kind: PhaseKind) -> str:
    """The command with its version placeholders filled: in a rollback with the version gone back to."""
    back = (view.state.rollback.to_version if view.state.rollback else "") or view.state.started.previous_version or ""
    version = back if kind is PhaseKind.ROLLBACK else view.state.started.version
    if version:
        command = _VERSION.sub(lambda _: version, command)
    return _PREVIOUS.sub(lambda _: back, command) if back else command


def beware(command: str, view: View) -> str:
    """A warning for a command with a sample version in it; empty without one."""
    others = other_versions(command, view)
    return f"Written for {', '.join(others)}: change the version before you run it." if others else ""


def other_versions(command: str, view: View) -> tuple[str, ...]:
    """Versions that a command spells out and this deployment is not about: samples of the document, to be changed."""
    started, rollback = view.state.started, view.state.rollback
    ours = {started.version, started.previous_version or "", rollback.to_version if rollback else ""}
    known = {version.removeprefix("v") for version in ours if version}
    found = dict.fromkeys(match[0] for match in _LITERAL.finditer(command))
    return tuple(version for version in found if version.removeprefix("v") not in known)
