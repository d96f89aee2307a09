"""What stands in a button's action and in what people type, taken apart."""

from __future__ import annotations

from bot.domain.summary import DeploymentRow


def clean(text: str) -> str:
    """What people and their keyboards send, without what no database keeps: NUL and halves of characters."""
    return text.encode("utf-8", "replace").decode().replace("\0", "")


def parts(action: str) -> tuple[str, str, str]:
    """`verb:deployment:argument`."""
    verb, _, rest = action.partition(":")
    deployment, _, argument = rest.partition(":")
    return verb, deployment, argument


def check_and_number(argument: str) -> tuple[str, int]:
    """`t30:0`: a check and which of its runs; -1 for no number."""
    check, _, number = argument.rpartition(":")
    return check, int(number) if number.isascii() and number.isdigit() and len(number) < 9 else -1


def meant(rows: list[DeploymentRow]) -> list[DeploymentRow]:
    """One deployment for each service and environment: the one that runs, not an older one that is still watched."""
    ordered = sorted(rows, key=lambda row: (not row.locked, -row.started_at.timestamp()))
    found: dict[tuple[str, str], DeploymentRow] = {}
    for row in ordered:
        found.setdefault((row.service, row.environment), row)
    return list(found.values())
