"""What a workflow is started with: its ref and inputs, filled in from the deployment. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from bot.domain.deployment import Deployment
from checklists.plan import Plan
from checklists.policy import Workflow
from checklists.templates import VARIABLES, TemplateError, Unknown, render

_REF = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._/+-]{0,198}[A-Za-z0-9_+-])?")
_MISSING = "\ue000"
"""Stands around a name that has no value; a letter of the private use area, which no value holds."""


class Unfilled(ValueError):
    """The workflow cannot be started like this; the sentence says what is missing. Nothing was started."""


@dataclass(frozen=True, slots=True)
class Filled:
    """Exactly what is sent."""

    ref: str
    inputs: dict[str, str]


def filled(plan: Plan, state: Deployment, workflow: Workflow) -> Filled:
    """The ref and inputs of this workflow now. Raises Unfilled: nothing is ever started with a guess."""
    values = _values(plan, state)
    ref = _one("ref", workflow.ref, values)
    if not _REF.fullmatch(ref) or ".." in ref:
        raise Unfilled(f"{workflow.workflow}: its ref would be {ref[:60]!r}, which is no branch or tag")
    return Filled(ref, {name: _one(name, template, values) for name, template in workflow.inputs.items()})


def _one(name: str, template: str, values: dict[str, object]) -> str:
    try:
        text = render(template, values)
    except TemplateError as error:
        raise Unfilled(f"{name}: {error}") from None
    missing = re.findall(f"{_MISSING}([a-z_]+){_MISSING}", text)
    if missing:
        raise Unfilled(f"{name}: nobody knows {_words(missing)} yet")
    return text


def _values(plan: Plan, state: Deployment) -> dict[str, object]:
    """What is known for certain. Everything else that a template may name is missing."""
    started, rollback = state.started, state.rollback
    back_to = rollback.to_version if rollback is not None else ""
    known: dict[str, object] = {
        "version": started.version,
        "previous_version": back_to or started.previous_version,
        "service": started.service,
        "environment": started.environment,
        "checklist": started.checklist,
        "started_by": started.by.name,
        "deployed_by": state.deployed_by.name if state.deployed_by is not None else None,
        "reason": rollback.reason if rollback is not None else started.reason,
        "next_steps": rollback.next_steps if rollback is not None else None,
        "automatic": rollback is not None and rollback.by.is_gonogo,
    }
    values: dict[str, object] = {name: Unknown(f"{_MISSING}{name}{_MISSING}") for name in VARIABLES}
    values |= {name: value for name, value in known.items() if value not in (None, "")}
    return values | {"links": plan.policy.links}


def _words(names: Iterable[str]) -> str:
    return " and ".join(f"{{{{ {name} }}}}" for name in dict.fromkeys(names))
