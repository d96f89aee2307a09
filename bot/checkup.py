"""`gonogo doctor`: whether all that a process needs is there, and how to mend what is not. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.slack.doctor import Finding, examine
from adapters.store.engine import address, file_of
from adapters.store.migrate import check
from bot.fronts import people_of, slack_config
from bot.ports import StoreError
from bot.services.checklists import UNREADABLE, Checklists
from bot.services.records import home_of
from bot.settings import Settings
from checklists.plan import make_plan
from checklists.policy import Policy
from checklists.policy_file import PolicyError

SIGNS = {True: "ok ", False: "NO ", None: "-- "}


async def examine_all(settings: Settings) -> list[Finding]:
    """Checklists, database, and Slack where it is set up."""
    folder = settings.checklist_file.parent if settings.checklist_file else settings.checklists
    checklists = Checklists((folder,), settings.checklist, file=settings.checklist_file)
    found, policies = await _checklists(checklists)
    found.append(await _database(settings.database_url))
    if settings.slack_bot_token.get_secret_value():
        people = await people_of(checklists)
        meant = policies.get(await checklists.default() or "")
        needed = {home_of(policy) for policy in ([meant] if meant else policies.values())}
        named = {channel for policy in policies.values() for channel in (home_of(policy), *policy.channels.values())}
        found += await examine(
            slack_config(settings), channels=sorted(needed), also=sorted(named - needed), people=lambda: people
        )
    else:
        found += _no_slack(settings)
    return found


def lines(found: list[Finding]) -> Iterator[str]:
    """For a terminal: what is right, what is not (NO), what is worth knowing (--), and what to do about it."""
    for finding in found:
        yield f"{SIGNS[finding.ok]} {finding.what}"
        if finding.mend and finding.ok is not True:
            yield f"    {finding.mend}"


async def _checklists(checklists: Checklists) -> tuple[list[Finding], dict[str, Policy]]:
    found: list[Finding] = []
    policies: dict[str, Policy] = {}
    for name in await checklists.names():
        try:
            loaded = await checklists.load(name)
        except PolicyError as problems:
            said = "; ".join(map(str, problems.problems[:3]))
            found.append(Finding(False, f"The policy of {name} can be read", said))
        except UNREADABLE as problem:
            found.append(Finding(False, f"The checklist {name} can be read", str(problem)))
        else:
            policies[name] = loaded.policy
            plan = make_plan(loaded.checklist, loaded.policy, environment="production")
            count = sum(len(step.tasks) for step in plan.every_step())
            found.append(Finding(True, f"The checklist {name} can be read: {count} items"))
            signed = {task.role for step in plan.every_step() for task in step.tasks if task.role and task.required}
            signed |= {role for allowed in loaded.policy.may.values() for role in allowed}
            people = loaded.policy.people
            nobody = sorted(role for role in signed if not (role in people and people[role].slack))
            if nobody:
                what = f"{name}: nobody in Slack holds {', '.join(nobody)}, so nobody there can sign for them"
                found.append(Finding(None, what, f"write `slack: U…` or `slack: S…` under `people` of {name}.yaml"))
    return found or [Finding(False, "There is a checklist", "put a Markdown file into GONOGO_CHECKLISTS")], policies


async def _database(url: str) -> Finding:
    what = "The database can be reached and has the tables of this release"
    try:
        file = file_of(address(url))
        if file is not None and not file.exists():
            return Finding(None, f"There is no database at {file} yet", "`gonogo run` makes it")
        await check(url)
    except StoreError as problem:
        return Finding(False, what, str(problem))
    return Finding(True, what)


def _no_slack(settings: Settings) -> list[Finding]:
    if settings.slack_app_token.get_secret_value() or settings.slack_signing_secret.get_secret_value():
        return [Finding(False, "GONOGO_SLACK_BOT_TOKEN is set", "copy the Bot User OAuth Token (xoxb-…) of the app")]
    how = "for Slack set GONOGO_SLACK_BOT_TOKEN and GONOGO_SLACK_APP_TOKEN: `gonogo slack manifest` is the first step"
    return [Finding(None, "Slack is not set up: `gonogo run` shows the sandbox channel", how)]
