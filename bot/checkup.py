"""`gonogo doctor`: whether all that a process needs is there, and how to mend what is not. Changes nothing."""

from __future__ import annotations

from collections.abc import Iterator

from adapters.discord.client import Api
from adapters.discord.doctor import examine as examine_discord
from adapters.discord.invite import invite_url
from adapters.slack.doctor import Finding
from adapters.slack.doctor import examine as examine_slack
from adapters.store.engine import address, file_of
from adapters.store.migrate import check
from bot.chats_front import chats_of, discord_config, slack_config
from bot.front import people_of
from bot.ports import StoreError
from bot.services.checklists import UNREADABLE, Checklists
from bot.services.records import home_of
from bot.settings import Settings
from checklists.plan import make_plan
from checklists.policy import Policy
from checklists.policy_file import PolicyError

_CHATS = {
    "slack": ("Slack", "`slack: U…` or `slack: S…`"),
    "discord": ("Discord", "`discord: NUMBER` or `discord: role:NUMBER`"),
}
SIGNS = {True: "ok ", False: "NO ", None: "-- "}


async def examine_all(settings: Settings) -> list[Finding]:
    """Checklists, database, and the chats that are set up."""
    folder = settings.checklist_file.parent if settings.checklist_file else settings.checklists
    checklists = Checklists((folder,), settings.checklist, file=settings.checklist_file)
    found, policies = await _checklists(checklists, chats_of(settings) or ("slack",))
    found.append(await _database(settings.database_url))
    chats = chats_of(settings)
    people = await people_of(checklists)
    meant = policies.get(await checklists.default() or "")
    needed = {home_of(policy) for policy in ([meant] if meant else policies.values())}
    named = {channel for policy in policies.values() for channel in (home_of(policy), *policy.channels.values())}
    channels, also = sorted(needed), sorted(named - needed)
    found += _webhooks(settings, policies)
    if "slack" in chats:
        found += await examine_slack(slack_config(settings), channels=channels, also=also, people=lambda: people)
    elif "discord" not in chats or settings.slack_app_token.get_secret_value():
        found += _no_slack(settings)
    if "discord" in chats:
        seen = await examine_discord(discord_config(settings), channels=channels, also=also, people=lambda: people)
        found += [Finding(each.ok, each.what, each.mend) for each in seen]
    return found


async def discord_invite(settings: Settings) -> str:
    """The address that adds the bot to a server. Raises ChatError when Discord does not say which bot it is."""
    config = discord_config(settings)
    api = Api(config)
    try:
        return invite_url((await api.identify()).id, config.guild)
    finally:
        await api.close()


def lines(found: list[Finding]) -> Iterator[str]:
    """For a terminal: what is right, what is not (NO), what is worth knowing (--), and what to do about it."""
    for finding in found:
        yield f"{SIGNS[finding.ok]} {finding.what}"
        if finding.mend and finding.ok is not True:
            yield f"    {finding.mend}"


async def _checklists(checklists: Checklists, chats: tuple[str, ...]) -> tuple[list[Finding], dict[str, Policy]]:
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
            for chat in chats:
                nobody = sorted(role for role in signed if not (role in people and getattr(people[role], chat)))
                if nobody:
                    where, write = _CHATS[chat]
                    what = f"{name}: nobody in {where} holds {', '.join(nobody)}, so nobody there can sign for them"
                    found.append(Finding(None, what, f"write {write} under `people` of {name}.yaml"))
    return found or [Finding(False, "There is a checklist", "put a Markdown file into GONOGO_CHECKLISTS")], policies


def _webhooks(settings: Settings, policies: dict[str, Policy]) -> Iterator[Finding]:
    """What policies ask for and the settings do not let in or out."""
    bearer = settings.alerts_token, "GONOGO_ALERTS_TOKEN"
    doors = {
        "alertmanager": bearer,
        "datadog": bearer,
        "sentry": (settings.sentry_webhook_secret, "GONOGO_SENTRY_WEBHOOK_SECRET"),
    }
    for name, policy in policies.items():
        for source in sorted({entry.source for entry in policy.alerts}):
            secret, setting = doors[source]
            if not secret.get_secret_value().strip():
                yield Finding(None, f"{name}: alerts of {source} do not come in", f"set {setting}: docs/alerts.md")
        if policy.lock_webhook and not settings.webhook_secret.get_secret_value().strip():
            yield Finding(None, f"{name}: its `lock_webhook` is not told", "set GONOGO_WEBHOOK_SECRET: docs/alerts.md")


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
