"""What a policy says of the team's own pipeline: workflows that are started, and alerts that come in."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, field_validator, model_validator

from checklists.matchers import check_matchers
from checklists.policy_types import Model


class Workflow(Model):
    """A workflow of GitHub Actions with `on: workflow_dispatch`. Started after a person has confirmed it."""

    workflow: str
    """The file's name: `deploy.yml`."""
    ref: str = "{{ version }}"
    """The branch or tag it runs on; a template."""
    inputs: dict[str, str] = Field(default={}, max_length=25)
    """Its inputs, as templates: `{{ version }}`, `{{ previous_version }}`, `{{ environment }}`, `{{ reason }}`."""

    @field_validator("workflow")
    @classmethod
    def _file_name(cls, value: str) -> str:
        if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}\.ya?ml", value):
            raise ValueError(f"{value!r} is no workflow's file; write it like deploy.yml")
        return value


class PipelinePolicy(Model):
    """The workflows of the document, in the policy's `repository`."""

    deploy: Workflow | None = None
    """Offered when T0 is next: **Run deploy.yml…**."""
    rollback: Workflow | None = None
    """Offered with a rollback; started without being asked where `rollback.mode` is `automatic`."""
    environments: dict[str, str] = {}
    """GitHub's environment → ours, where they are called differently; for its protection rule and its events."""


class AlertPolicy(Model):
    """Alerts of a monitoring system that belong to this service: they are attached to its running deployment."""

    source: Literal["alertmanager", "datadog", "sentry"] = Field(alias="from")
    matching: str = Field(min_length=1)
    """Alertmanager: matchers, `namespace="production",service="api"`. Datadog: a tag, `service:api`, or several with
    commas. Sentry: the project's slug."""
    environments: tuple[str, ...] = ("production",)
    """Environments whose deployments they are attached to."""

    @model_validator(mode="after")
    def _can_match(self) -> AlertPolicy:
        if self.source == "alertmanager":
            check_matchers(self.matching)
        elif self.source == "datadog" and not all(re.fullmatch(r"[^\s,]+", tag) for tag in self.tags):
            raise ValueError(f"{self.matching!r} is no tag; write it like service:api")
        elif self.source == "sentry" and not re.fullmatch(r"[A-Za-z0-9_-]+", self.matching):
            raise ValueError(f"{self.matching!r} is no project's slug; copy it from the project's address")
        return self

    @property
    def tags(self) -> frozenset[str]:
        """Datadog's tags, all of which an alert must have."""
        return frozenset(tag.strip().casefold() for tag in self.matching.split(","))
