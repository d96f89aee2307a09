"""The command line of tokens: `gonogo token --help`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Annotated, Any, NoReturn, TypeVar

import typer

from bot.settings import Settings

T = TypeVar("T")


def commands(settings: Callable[[], Settings], stop: Callable[[str], NoReturn]) -> typer.Typer:
    """`add`, `list` and `revoke`. `settings` reads the environment, `stop` ends the process with a sentence."""
    group = typer.Typer(help="Tokens with which pipelines use the HTTP API.", no_args_is_help=True)

    @group.command()
    def add(
        service: Annotated[
            str | None, typer.Argument(help="The service it works for: a policy's, or a checklist's name.")
        ] = None,
        name: Annotated[str, typer.Option(help="Who comes with it, as people read it: “reported by ci”.")] = "ci",
        metrics: Annotated[
            bool, typer.Option("--metrics", help="Instead: it reads /metrics, and nothing else.")
        ] = False,
    ) -> None:
        """Make a token for a service and print it, this once: only its digest is kept."""
        from bot import tokening

        if metrics == (service is not None):
            stop("Name the service it works for, or write --metrics: `gonogo token add azora`.")
        token, text = _done(tokening.add(settings(), service, name), stop)
        what = "/metrics" if token.for_metrics else token.service
        typer.echo(f"Token {token.id} for {what}. Keep it as a secret; it is shown this once:", err=True)
        typer.echo(text)

    @group.command("list")
    def every() -> None:
        """List tokens: id, service, name, when it was made and last used. Never the token itself."""
        from bot import tokening

        lines = _done(tokening.every(settings()), stop)
        for line in lines or ["There is no token. `gonogo token add SERVICE` makes one."]:
            typer.echo(line)

    @group.command()
    def revoke(id: Annotated[str, typer.Argument(help="Its id, as `gonogo token list` says it.")]) -> None:
        """Make a token useless, at once and for good."""
        from bot import tokening

        if not _done(tokening.revoke(settings(), id), stop):
            stop(f"There is no token {id!r}. `gonogo token list` names them.")
        typer.echo(f"Token {id} works no longer.")

    return group


def _done(work: Coroutine[Any, Any, T], stop: Callable[[str], NoReturn]) -> T:
    from bot.domain.errors import Unwell
    from bot.ports import StoreError

    try:
        return asyncio.run(work)
    except (Unwell, StoreError) as problem:
        stop(str(problem))
