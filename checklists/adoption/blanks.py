"""The blanks and sample values of a message, and the variables they stand for."""

from __future__ import annotations

import re

from checklists.adoption.draft import slug

KNOWN = {
    "version": "version", "new_version": "version", "release": "version", "tag": "version",
    "release_version": "version",
    "ver": "version", "deployed_version": "version", "app_version": "version", "target_version": "version",
    "previous_version": "previous_version", "prev_version": "previous_version", "old_version": "previous_version",
    "rolled_back_to": "previous_version", "rollback_version": "previous_version", "last_version": "previous_version",
    "service": "service", "service_name": "service", "app": "service", "application": "service", "project": "service",
    "component": "service", "system": "service", "environment": "environment", "env": "environment",
    "target": "environment", "started_by": "started_by", "deployer": "started_by", "engineer": "started_by",
    "author": "started_by", "release_manager": "started_by", "initiated_by": "started_by",
    "deployed_by": "deployed_by", "on_call": "on_call", "oncall": "on_call", "on_call_engineer": "on_call",
    "started_at": "started_at", "start_time": "started_at", "started": "started_at", "start": "started_at",
    "deployed_at": "deployed_at", "deployed": "deployed_at", "date": "deployed_at", "time": "deployed_at",
    "datetime": "deployed_at", "timestamp": "deployed_at", "deploy_date": "deployed_at", "date_time": "deployed_at",
    "deployment_date": "deployed_at", "deployment_time": "deployed_at", "released": "deployed_at",
    "finished_at": "finished_at", "end_time": "finished_at", "completed_at": "finished_at", "completed": "finished_at",
    "finished": "finished_at", "duration": "duration", "total_time": "duration", "downtime": "downtime",
    "eta": "eta", "expected_duration": "eta", "estimated_time": "eta", "estimated_duration": "eta",
    "starts_in": "starts_in", "changes": "changes", "changelog": "changes", "link_to_changelog": "changes",
    "change_list": "changes", "what_s_new": "changes", "release_notes": "changes", "summary_of_changes": "changes",
    "brief_description": "changes", "highlights": "changes", "verification": "verification", "checks": "verification",
    "verified": "verification", "metrics": "metrics", "status": "status", "reason": "reason", "cause": "reason",
    "explanation": "reason", "rollback_reason": "reason", "why": "reason", "next_steps": "next_steps",
    "investigation_plan": "next_steps", "next": "next_steps", "next_step": "next_steps", "issues": "issues",
    "known_issues": "issues", "issue": "issue", "issue_description": "issue", "problem": "issue",
    "error": "issue", "description": "issue", "severity": "severity", "action": "action",
}  # fmt: skip
"""Words for a blank, or before a colon -> the variable of a template."""
LISTS = {"changes", "verification", "metrics", "issues"}

_JINJA = re.compile(r"\{\{-?\s*([^{}]{1,60}?)\s*-?\}\}")
_BLANK = re.compile(
    r"\$\{([A-Za-z_][\w.]{0,40})\}|\$([A-Za-z_]\w{1,40})|\[([^\[\]\n]{1,60})\](?!\()|<([A-Za-z][^<>\n]{0,60})>"
    r"|(?<![\w])([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?![\w])|\{([A-Za-z_][\w ]{0,40})\}|(_{3,})|\b(X{2,}|TBD|TODO)\b"
)
_CAPITALS = re.compile(r"(?<![\w#@])(VERSION|SERVICE|ENVIRONMENT|DATE|DURATION|REASON|ETA(?=\s*$))(?![\w:])")
_VERSION = re.compile(r"\bv\d+(?:\.(?:\d+|[xyzXYZ]))+(?:-[\w.]+)?\b|\bv?[xX]\.[yYxX]\.[zZxX]\b|\bvX(?:\.[XYZ])+\b")
_DATE = re.compile(r"\b\d{4}-\d{2}-\d{2}(?:[ T]\d{1,2}:\d{2}(?::\d{2})?)?(?:\s?(?:UTC|GMT|Z|[A-Z]{2,4}))?\b")
_STARTS_IN = re.compile(r"\b(in )(\d{1,3}(?:\s?-\s?\d{1,3})?\s?(?:minutes?|mins?|hours?|hrs?|m|h)\b)", re.IGNORECASE)
_ENVIRONMENT = re.compile(r"(?<![\w/.-])(production|prod|staging)(?![\w/-]|\.\w)", re.IGNORECASE)


def variable(words: str) -> str | None:
    """The variable that a blank's or a label's words name: `[link to CHANGELOG]` -> changes."""
    key = slug(words.removeprefix("env.").removeprefix("."), 60)
    for end in ("_here", "_name", "_number", "_value"):
        key = key.removesuffix(end) if key.removesuffix(end) in KNOWN else key
    for start in ("insert_", "your_", "the_", "enter_", "current_"):
        if key not in KNOWN and key.startswith(start):
            key = key.removeprefix(start)
    return KNOWN.get(key)


def literal(text: str) -> str:
    """Text that a template prints as it is."""
    return re.sub(r"\{[{%#]|[%#}]\}", lambda found: "{{ '" + found[0] + "' }}", text)


def printed(name: str) -> str:
    """How a variable stands in the middle of a line."""
    if name in ("changes", "issues"):
        return "{{ " + name + " | join('; ') }}"
    return "{{ " + name + " | join(' | ') }}" if name in LISTS else "{{ " + name + " }}"


def fill(text: str, unknown: list[str], *, announces: str) -> str:
    """A line of a message with its blanks and sample values as variables. Blanks nobody knows go into `unknown` and
    stay as words in brackets."""
    pieces: list[str] = []

    def keep(made: str) -> str:
        pieces.append(made)
        return f"\x00{len(pieces) - 1}\x01"

    def blank(words: str, whole: str) -> str:
        if name := variable(words):
            return keep(printed(name))
        unknown.append(whole)
        return keep(literal(f"[{words.strip()}]"))

    text = text.replace("\x00", " ").replace("\x01", " ")
    text = _JINJA.sub(lambda found: blank(found[1], found[0]), text)
    text = _BLANK.sub(lambda found: blank(next(filter(None, found.groups())), found[0]), text)
    text = _CAPITALS.sub(lambda found: blank(found[1], found[0]), text)
    version = "previous_version" if announces in ("rolled_back", "rollback_started") else "version"
    text = _VERSION.sub(lambda found: keep(printed(version)), text)
    moment = "started_at" if announces in ("starting", "started") else "deployed_at"
    text = _DATE.sub(lambda found: keep(printed(moment)), text)
    if announces == "starting":
        text = _STARTS_IN.sub(lambda found: found[1] + keep("{{ starts_in }}"), text)
    text = _ENVIRONMENT.sub(lambda found: keep(_environment(found[1])), text)
    return re.sub("\x00(\\d+)\x01", lambda found: pieces[int(found[1])], literal(text))


def _environment(word: str) -> str:
    if word.isupper():
        return "{{ environment | upper }}"
    return "{{ environment | capitalize }}" if word[0].isupper() else "{{ environment }}"
