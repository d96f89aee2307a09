"""The command line: `gonogo --help`."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import sys
from collections.abc import Coroutine, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn

import structlog
import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from bot import loading
from bot.settings import Settings, UnknownSetting
from bot.tokens_cli import commands as token_commands

cli = typer.Typer(
    help="""Turns a team's Markdown deployment checklist into a live go/no-go in chat.

    Begin with `gonogo run` and open the address it prints: a channel that stands in for yours. There, type
    /deploy start v1.2.0.

    Your own file: `gonogo run --checklist PATH.md`. How it is read: `gonogo checklist show PATH.md`. A first policy
    from its words: `gonogo checklist adopt PATH.md > PATH.yaml`; then `gonogo checklist lint PATH.md`.

    On Slack: `gonogo slack manifest`, two tokens, `gonogo doctor`. On Discord: one token, `gonogo discord invite`,
    `gonogo doctor`.
    """,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
checklist = typer.Typer(help="Read, check and adopt checklists.", no_args_is_help=True)
cli.add_typer(checklist, name="checklist")
slack = typer.Typer(help="Set Slack up.", no_args_is_help=True)
cli.add_typer(slack, name="slack")
discord = typer.Typer(help="Set Discord up.", no_args_is_help=True)
cli.add_typer(discord, name="discord")

File = Annotated[Path, typer.Argument(help="A Markdown checklist, or its policy.")]
Named = Annotated[str, typer.Argument(help="A checklist's name, or a path to a Markdown file.")]


@cli.command()
def run(
    checklist: Annotated[
        Path | None, typer.Option(help="Your own Markdown checklist, to see what it becomes.", dir_okay=False)
    ] = None,
) -> None:
    """Start everything in one process: in Slack when GONOGO_SLACK_BOT_TOKEN is set, in Discord when
    GONOGO_DISCORD_TOKEN is, in both with both, else with the sandbox channel.

    GONOGO_PORT moves the page (default 8642), GONOGO_DATABASE_URL the database (default sqlite:///var/gonogo.db).
    """
    from bot.unusable import why_unusable

    settings = _settings()
    if checklist is not None:
        if not checklist.is_file():
            _stop(f"There is no file {checklist}.")
        if problem := why_unusable(checklist):
            _stop(problem)
        settings = settings.model_copy(update={"checklist_file": checklist.resolve(), "checklist": checklist.stem})
    _serve(settings)


@cli.command()
def web() -> None:
    """Serve the page only; another process does the work (`gonogo worker`). For PostgreSQL."""
    _serve(_settings(), work=False)


@cli.command()
def worker() -> None:
    """Do the due work and keep the channel in step, without the page. For PostgreSQL."""
    _serve(_settings(), web=False)


@cli.command()
def migrate() -> None:
    """Bring the database up to this release. Safe to repeat."""
    from adapters.store.migrate import migrate as upgrade

    _run(upgrade(_settings().database_url))
    typer.echo("The database is up to date.")


@cli.command()
def schema() -> None:
    """Print the JSON Schema of policies, for your editor."""
    from checklists.policy_file import policy_schema

    typer.echo(json.dumps(policy_schema(), indent=2, ensure_ascii=False))


@cli.command()
def doctor() -> None:
    """Look whether everything is there: checklists, database, Slack, Discord. Exit code 1 if something is wrong."""
    from bot.checkup import examine_all, lines

    settings = _settings()
    _must_have_checklists(settings)
    found = asyncio.run(examine_all(settings))
    for line in lines(found):
        typer.echo(line)
    raise typer.Exit(1 if any(finding.ok is False for finding in found) else 0)


@cli.command()
def render(
    checklist: Named,
    chat: Annotated[Literal["slack", "discord"], typer.Option(help="The chat.")] = "slack",
    phase: Annotated[str, typer.Option(help="Id or title of a phase; the first one if it is left out.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="All phases.")] = False,
    state: Annotated[Literal["fresh", "half", "done"], typer.Option(help="How much of it is done.")] = "fresh",
    event: Annotated[
        Literal["started", "check", "succeeded", "stable", "issue", "rolled_back"] | None,
        typer.Option(help="An announcement or a check instead of a phase."),
    ] = None,
) -> None:
    """Print as JSON exactly what would be sent to the chat; nothing is sent."""
    from bot import preview
    from bot.domain.errors import Unwell

    loaded = _load(checklist)
    try:
        if event is not None:
            sent = asyncio.run(preview.occasion(loaded, preview.Occasion(event), chat=preview.Chat(chat)))
        else:
            sent = preview.phases(
                loaded, preview.State(state), phase=phase, everything=everything, chat=preview.Chat(chat)
            )
    except Unwell as problem:
        _stop(str(problem))
    typer.echo(json.dumps(sent, indent=2, ensure_ascii=False))


@cli.command()
def gate(
    checklist: Named,
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where it would be deployed.")] = "production",
    at: Annotated[
        str, typer.Option(metavar="ISO", help="When; without an offset in the checklist's zone. Default: now.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="For a program.")] = False,
) -> None:
    """May a deployment start? Exit code 0: open, 1: closed, 2: nobody can tell, because of an error."""
    from bot import gating
    from bot.domain.errors import Unwell
    from bot.ports import StoreError

    try:
        with _reading():
            found, line, left_out = asyncio.run(gating.gate(_settings(), checklist, environment, at=at))
    except (Unwell, StoreError) as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
    except typer.Exit:
        raise typer.Exit(2) from None
    except Exception:
        # Python's own exit code, 1, would say that the gate is closed.
        structlog.get_logger().exception("gate.failed")
        raise typer.Exit(2) from None
    for sentence in left_out:
        typer.echo(sentence, err=True)
    typer.echo(gating.as_json(found) if as_json else line)
    raise typer.Exit(0 if found.open else 1)


@cli.command()
def probe(
    checklist: Named,
    name: Annotated[str | None, typer.Argument(help="One probe of its policy; all of them if it is left out.")] = None,
    environment: Annotated[str, typer.Option("--environment", "-e", help="Where it is deployed.")] = "production",
    version: Annotated[str, typer.Option("--version", "-v", help="The deployed one, where probes ask of it.")] = "",
) -> None:
    """Ask the probes now. Exit code 0: all healthy, 1: one is failing or degraded, 2: one is unknown or refused."""
    from bot import probing
    from bot.domain.errors import Unwell

    try:
        rows = asyncio.run(probing.ask(_settings(), _load(checklist), name, environment=environment, version=version))
    except Unwell as problem:
        typer.echo(str(problem), err=True)
        raise typer.Exit(2) from None
    except typer.Exit:
        raise typer.Exit(2) from None
    for line in probing.table(rows):
        typer.echo(line)
    raise typer.Exit(probing.exit_code(rows))


@slack.command()
def manifest(
    http: Annotated[
        str | None, typer.Option(metavar="URL", help="The public https address, for HTTP instead of Socket Mode.")
    ] = None,
) -> None:
    """Print the app manifest to paste at api.slack.com/apps: Create New App, From a manifest, JSON."""
    from adapters.slack.manifest import manifest as made

    try:
        typer.echo(json.dumps(made(http), indent=2, ensure_ascii=False))
    except ValueError as problem:
        _stop(str(problem))


@discord.callback()
def _discord() -> None:
    """Set Discord up."""


@discord.command()
def invite() -> None:
    """Print the address that adds the bot to a server, with exactly the permissions it needs."""
    from bot.checkup import discord_invite
    from bot.ports import ChatError

    settings = _settings()
    if not settings.discord_token.get_secret_value().strip():
        _stop("GONOGO_DISCORD_TOKEN is missing: copy the token under Bot in the developer portal.")
    try:
        typer.echo(asyncio.run(discord_invite(settings)))
    except ChatError as problem:
        _stop(str(problem))


@checklist.command()
def show(
    name: Named, as_json: Annotated[bool, typer.Option("--json", help="Everything, for a program.")] = False
) -> None:
    """Print a checklist as it is read: phases, sections, items."""
    from bot.cards.outline import outline, outline_json

    loaded = _load(name)
    typer.echo(json.dumps(outline_json(loaded.checklist), ensure_ascii=False, indent=2) if as_json else outline(loaded))


@checklist.command()
def lint(
    files: Annotated[list[Path], typer.Argument(help="Checklists or policies; each pair is checked once.")],
) -> None:
    """Check checklists and their policies. Prints FILE:LINE:COLUMN: error: CODE MESSAGE, `warning:` or `note:`; exit
    code 1 on any error."""
    from bot.linting import lint_files

    problems, failed = lint_files(files, now=datetime.now(UTC))
    for problem in problems:
        typer.echo(problem.marked)
    raise typer.Exit(1 if failed else 0)


@checklist.command()
def adopt(file: File) -> None:
    """Draft the policy of a document from its prose, each line with where it came from."""
    from checklists.adopt import adopt as draft

    if not file.is_file():
        _stop(f"There is no file {file}.")
    with _reading():
        typer.echo(draft(file.read_bytes(), name=file.stem))


def main() -> NoReturn:
    """The console script `gonogo`."""
    loading.begin()
    cli()
    sys.exit(0)


def _settings() -> Settings:
    try:
        settings = Settings()
    except UnknownSetting as error:
        _stop(f"The settings cannot be used:\n{error}\nREADME.md lists them all, under Settings.")
    except ValidationError as error:
        lines = [f"GONOGO_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors()]
        _stop("The settings cannot be used:\n" + "\n".join(lines))
    except SettingsError:
        # It does not say what was wrong; only one setting is written as JSON.
        _stop('GONOGO_COMMANDS is no JSON. Write it like {"smoke": ["/opt/checks/smoke", "--quick"]}.')
    level = logging.getLevelNamesMapping().get(settings.log_level.upper())
    if level is None:
        _stop(f"GONOGO_LOG_LEVEL: {settings.log_level!r} is no level. Write DEBUG, INFO, WARNING or ERROR.")
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # A plain traceback: one with local variables would write what people typed, and secrets, into the log.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return settings


def _serve(settings: Settings, *, web: bool = True, work: bool = True) -> None:
    from bot.app import serve
    from bot.unusable import looking

    _must_have_checklists(settings)
    _must_have_a_way_in(settings)
    with looking(settings.checklists, settings.checklist_file, functools.partial(typer.echo, err=True)) as look:

        def tell(line: str) -> None:
            loading.loaded()
            typer.echo(line)
            if web:
                look()

        _run(serve(settings, tell, web=web, work=work))


def _must_have_checklists(settings: Settings) -> None:
    """What was set by hand must be there; an empty folder is a beginning."""
    from checklists.library import names

    if settings.checklist_file is not None:
        if not settings.checklist_file.is_file():
            _stop(f"GONOGO_CHECKLIST_FILE: there is no file {settings.checklist_file}.")
        return
    folder = settings.checklists
    if not folder.is_dir():
        _stop(f"GONOGO_CHECKLISTS: there is no folder {folder}.")
    known = names((folder,))
    if "checklist" in settings.model_fields_set and settings.checklist not in known:
        there = f"There are: {', '.join(known)}." if known else "There are none."
        _stop(f"GONOGO_CHECKLIST: there is no checklist {settings.checklist!r} in {folder}. {there}")


def _must_have_a_way_in(settings: Settings) -> None:
    """Half of what Slack needs is a mistake, not a wish for the sandbox."""
    bot, app, secret = (
        bool(value.get_secret_value().strip())
        for value in (settings.slack_bot_token, settings.slack_app_token, settings.slack_signing_secret)
    )
    if bot and not (app or secret):
        _stop(
            "GONOGO_SLACK_BOT_TOKEN is set, but there is no way in for clicks and commands: set GONOGO_SLACK_APP_TOKEN "
            "(xapp-…, no public address needed) or GONOGO_SLACK_SIGNING_SECRET."
        )
    if not bot and (app or secret):
        _stop("GONOGO_SLACK_BOT_TOKEN is missing: copy the Bot User OAuth Token (xoxb-…) of the app.")


def _run(work: Coroutine[Any, Any, None]) -> None:
    from adapters.github.errors import Unusable
    from bot.app import PortTaken, Unreachable
    from bot.ports import StoreError

    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        return
    except (StoreError, PortTaken, Unreachable, Unusable) as error:
        _stop(str(error))


def _load(name: str) -> Any:
    from checklists.library import load

    with _reading():
        return load(name, (_settings().checklists,), files=True)


@contextlib.contextmanager
def _reading() -> Iterator[None]:
    """A checklist that cannot be read ends the command with what to do."""
    from checklists.library import ChecklistError
    from checklists.policy_file import PolicyError
    from checklists.reader import DocumentError

    try:
        yield
    except (ChecklistError, DocumentError) as error:
        _stop(str(error))
    except PolicyError as problems:
        _stop("\n".join(map(str, problems.problems)))


def _stop(sentence: str) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(1)


cli.add_typer(token_commands(_settings, _stop), name="token")

if __name__ == "__main__":
    main()
