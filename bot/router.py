"""A command, a click or a form -> the service that does it -> the answer: what implements the Dialogue port."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from bot.actions import check_and_number, clean, meant, parts
from bot.cards import forms, replies
from bot.cards.admission import lane_form
from bot.cards.card import Answer, Card, Option, escape
from bot.cards.help import help_answer
from bot.cards.refusals import no
from bot.commands import PLACED, USAGES, Command, Mistake, parse_command
from bot.domain import admission, moves, watch
from bot.domain import events as e
from bot.domain.deployment import Deployment, Status
from bot.domain.errors import Unwell
from bot.domain.people import Who
from bot.ports import Clock, DeploymentRow, Store
from bot.services.checklists import ENVIRONMENTS, Checklists
from bot.services.checks import Checks
from bot.services.completion import Completion, is_of, recent
from bot.services.delivery import answered
from bot.services.deployments import Deployments, Request, planned_time
from bot.services.freezes import Freezes
from bot.services.gate import Gate
from bot.services.lobby import Lobby
from bot.services.locks import Locks
from bot.services.questions import ASKED, Questions
from bot.services.records import UnknownDeployment
from bot.services.starting import WHEN_OPEN
from bot.services.views import Views
from bot.services.whys import Whys
from bot.services.workflows import Dispatches
from checklists.library import ChecklistError
from checklists.plan import Plan
from checklists.policy_file import PolicyError
from checklists.reader import DocumentError

Move = Callable[[Plan, Deployment, datetime], list[e.Event]]


class Router:
    """Every chat hands in here; every answer to its author comes from here."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        gate: Gate,
        checklists: Checklists,
        deployments: Deployments,
        checks: Checks,
        freezes: Freezes,
        locks: Locks,
        views: Views,
    ) -> None:
        self._store, self._clock, self._gate, self._checklists = store, clock, gate, checklists
        self._deployments, self._checks, self._views = deployments, checks, views
        self._freezes, self._locks = freezes, locks
        self._completion = Completion(store, checklists)
        self._whys = Whys(store, clock)
        self._questions = Questions(store, views)
        self._lobby = Lobby(store, clock, gate, checklists, views)
        self.faults: Callable[[], tuple[str, ...]] = tuple
        """What is wrong with the chats just now, in sentences; shown with the status."""
        self.dispatches: Dispatches | None = None

    async def command(self, text: str, *, who: Who, key: str, channel: str) -> Answer:
        """What stands behind `/deploy`."""
        return await _said(self._command(clean(text), who, key))

    async def click(self, action: str, *, who: Who, key: str, channel: str) -> Answer:
        """A button."""
        return await _said(self._click(clean(action), who, key))

    async def submit(self, action: str, values: Mapping[str, str], *, who: Who, key: str, channel: str) -> Answer:
        """A form."""
        return await _said(self._submit(clean(action), values, who, key))

    async def complete(self, text: str, *, who: Who) -> list[Option]:
        """Ways to go on with a half-typed command."""
        return await self._completion.complete(clean(text))

    async def opening_form(self, *, who: Who, answers: Mapping[str, str]) -> Answer:
        """The form that starts a deployment, saying whether the gate is open for what is answered so far."""
        return await _said(self._lobby.opening_form({name: clean(value) for name, value in answers.items()}))

    async def home(self, *, who: Who) -> Card:
        """What is going on, for one person."""
        return await self._lobby.home(who)

    async def cards(self, deployment: str) -> tuple[Card, ...]:
        """The cards of a deployment as they stand now; empty if there is none of this id."""
        return await self._lobby.cards(deployment)

    # --- commands ---

    async def _command(self, text: str, who: Who, key: str) -> Answer:
        if (before := await answered(self._store, key)) is not None:
            return before  # which deployment was meant may be told no more
        names, rows = await self._checklists.names(), await recent(self._store)
        services = dict.fromkeys([*names, *(row.service for row in rows)])
        environments = dict.fromkeys([*ENVIRONMENTS, *(row.environment for row in rows)])
        if text.split(" ")[0].casefold() in PLACED:
            services |= dict.fromkeys(await self._checklists.services())
            environments |= dict.fromkeys(await self._checklists.environments())
        command = parse_command(text, services=services, environments=environments)
        match command.name:
            case "start":
                return await self._start(command, tuple(environments), who, key)
            case "schedule":
                return await self._schedule(command, tuple(environments), rows, who, key)
            case "why":
                return await self._whys.why(command.service, command.environment, command.text, rows)
            case "list":
                return replies.listing(rows, self._clock.now())
            case "window":
                return await self._window(command)
            case "freeze":
                return await self._freeze(command, who, key)
            case "incident":
                return await self._incident(command, who, key)
            case "lock" | "unlock" | "queue":
                return await self._lock(command, who, key)
            case "checklist":
                return await self._checklist(command.service or command.text)
            case "help":
                usages = [(usage.name, usage.arguments, usage.does) for usage in USAGES]
                return help_answer(usages, names, await self._checklists.default(), await self._checklists.lanes())
            case _:
                return await self._on_running(command, rows, who, key)

    async def _start(self, command: Command, environments: tuple[str, ...], who: Who, key: str) -> Answer:
        if command.text:
            # A misspelt environment must not end as a note of a production deployment.
            raise Mistake(
                f"What is “{escape(command.text, limit=60)}”? After the version come a checklist, an environment "
                f"({escape(', '.join(environments))}) and `at` with a time, and nothing else."
            )
        service = command.service or await self._checklists.default()
        if service is None:
            return forms.start_form(command.version, await self._checklists.names(), environments)
        request = Request(
            command.version, service, command.environment or "production", command.when,
            lane=command.lane, reason=command.reason, confirmed=command.confirmed,
        )  # fmt: skip
        return await self._deployments.start(request, who=who, key=key)

    async def _schedule(
        self, command: Command, environments: tuple[str, ...], rows: list[DeploymentRow], who: Who, key: str
    ) -> Answer:
        """A new one, or another time for the one that waits with this version."""
        service = command.service or await self._checklists.default()
        if service is None:
            return forms.start_form(command.version, await self._checklists.names(), environments)
        environment = command.environment or "production"
        for row in rows:
            same = is_of(row, service) and (row.environment, row.version) == (environment, command.version)
            if same and row.status == Status.WAITING and command.when:
                return await self._deployments.reschedule(row.id, command.when, who=who, key=key)
        request = Request(command.version, service, environment, command.when or WHEN_OPEN, confirmed=True)
        return await self._deployments.start(request, who=who, key=key)

    async def _window(self, command: Command) -> Answer:
        name = command.service or await self._checklists.default()
        if name is None:
            return replies.checklist_names(await self._checklists.names())
        policy = (await self._checklists.load(name)).policy
        environment, now = command.environment or "production", self._clock.now()
        at = planned_time(command.when, now, policy.timezone) or now
        read = await self._gate.read_calendars(policy, environment, at)
        service = policy.service or name
        async with self._store.read() as unit:
            opening = await self._gate.answer(
                unit, policy, service=service, environment=environment, at=at, now=now, read=read
            )
        return replies.window(service, environment, opening, at, now)

    async def _freeze(self, command: Command, who: Who, key: str) -> Answer:
        match command.sub:
            case "ask":
                return forms.freeze_form("")
            case "add":
                return await self._freezes.add(command.when, command.text, command.service, who=who, key=key)
            case "remove":
                return await self._freezes.remove(command.text, who=who, key=key)
            case _:
                return await self._freezes.list()

    async def _lock(self, command: Command, who: Who, key: str) -> Answer:
        service, environment = command.service, command.environment or "production"
        if command.name == "queue":
            return await self._locks.queue(service, environment, who=who, key=key)
        if command.name == "unlock":
            return await self._locks.lift(service, environment, command.text, who=who, key=key)
        return await self._locks.set(
            service, environment, command.text, command.when, take=command.confirmed, who=who, key=key
        )

    async def _incident(self, command: Command, who: Who, key: str) -> Answer:
        match command.sub:
            case "open":
                return await self._freezes.open_incident(command.text, command.service, who=who, key=key)
            case "close":
                return await self._freezes.close_incident(command.text, who=who, key=key)
            case _:
                return await self._freezes.incidents()

    async def _checklist(self, name: str) -> Answer:
        if not name:
            known = await self._checklists.names()
            if len(known) != 1:
                return replies.checklist_names(known)
            name = known[0]
        return replies.checklist((await self._checklists.load(name)).checklist, name)

    async def _on_running(self, command: Command, known: list[DeploymentRow], who: Who, key: str) -> Answer:
        """A command about a deployment that runs: the only one, or the one named."""
        named = [row for row in known if not command.service or is_of(row, command.service)]
        named = [row for row in named if command.environment in ("", row.environment)]
        rows = [row for row in named if row.live]
        if not rows and command.name == "status":
            rows = named[:1]
        if not rows and command.name == "rollback":
            # What was cancelled never was in production: what came before it still is.
            last = [row for row in named if row.status != Status.CANCELLED][:1]
            rows = [row for row in last if row.status == Status.STABLE]
        rows = meant(rows)
        if len(rows) > 1:
            busy = [row for row in rows if row.locked]
            if len(busy) != 1 or command.name == "status":
                return replies.which(rows, command.name)
            rows = busy
        if not rows:
            return replies.none_running(command.service, command.environment)
        if command.name == "status":
            return replies.status(await self._views.view(rows[0].id), self.faults())
        view = await self._views.bare(rows[0].id)
        match command.name:
            case "items":
                return replies.items(view)
            case "advance":
                return await self._go(view.id, lambda p, s, now: moves.advance(p, s, who, now), key, loud=True)
            case "deployed":
                return await self._go(view.id, lambda p, s, now: moves.deployed(p, s, who, now), key, loud=True)
            case "approve":
                return await self._move(view.id, lambda p, s, now: admission.approve(p, s, who, now), key, loud=True)
            case "go":
                return await self._deployments.admit(view.id, who=who, key=key)
            case "cancel":
                if not command.text:
                    return await self._questions.ask("cancel", view.id, who=who)
                text = command.text
                return await self._move(view.id, lambda p, s, now: moves.cancel(p, s, text, who, now), key, loud=True)
            case _:
                if not command.text:
                    return await self._questions.ask("rollback", view.id, command.version, who=who)
                version = command.version or view.state.started.previous_version or ""
                answers = {"version": version, "reason": command.text}
                return await self._submit(f"rollback:{view.id}", answers, who, key)

    # --- clicks and forms ---

    async def _click(self, action: str, who: Who, key: str) -> Answer:
        verb, deployment, argument = parts(action)
        if verb == "queue":
            return await self._locks.queue(deployment, argument, who=who, key=key)
        if verb in ("wait", "lane"):
            return await self._instead(verb, action, who, key)
        if verb in ("run", "rerun", "dispatch") and self.dispatches is not None:
            return await self.dispatches.click(verb, deployment, argument, who=who, key=key)
        if verb == "read":
            return replies.checklist_part((await self._checklists.load(deployment)).checklist, argument)
        match verb:
            case "tick":
                return await self._move(deployment, lambda p, s, now: moves.tick(p, s, argument, who, now), key)
            case "untick":
                return await self._move(deployment, lambda p, s, now: moves.untick(p, s, argument, who, now), key)
            case "advance":
                return await self._go(deployment, lambda p, s, now: moves.advance(p, s, who, now), key)
            case "deployed":
                return await self._go(deployment, lambda p, s, now: moves.deployed(p, s, who, now), key)
            case "approve":
                return await self._move(deployment, lambda p, s, now: admission.approve(p, s, who, now), key)
            case "go":
                return await self._deployments.admit(deployment, who=who, key=key)
            case "acknowledge":
                return await self._move(deployment, lambda p, s, now: watch.acknowledge(p, s, who, now), key)
            case "measure":
                return await self._checks.measure_item(deployment, argument, who=who, key=key)
            case "again":
                check, number = check_and_number(argument)
                return await self._checks.again(deployment, check, number, who=who, key=key)
        if verb in ASKED:
            return await self._questions.ask(verb, deployment, argument, who=who)
        return no("That button is from an older release. `/deploy status` shows the current ones.")

    async def _instead(self, verb: str, action: str, who: Who, key: str) -> Answer:
        """What a start that was turned away offered: to wait for the window, or a lane past it."""
        lane, _, place = action.partition(":")[2].rpartition(":")
        service, _, rest = place.partition("|")
        environment, _, version = rest.partition("|")
        if verb == "lane":
            way = (await self._checklists.load(service)).policy.overrides.get(lane)
            return lane_form(lane, way, service, environment, version, await self._checklists.names())
        request = Request(version, service, environment, WHEN_OPEN, confirmed=True)
        return await self._deployments.start(request, who=who, key=key)

    async def _submit(self, action: str, values: Mapping[str, str], who: Who, key: str) -> Answer:
        verb, deployment, argument = parts(action)
        answers = {name: clean(value).strip()[:4_000] for name, value in values.items()}
        reason = answers.get("reason", "")
        match verb:
            case "start":
                environment = answers.get("environment") or "production"
                asked = Request(
                    answers.get("version", ""),
                    answers.get("service", ""),
                    environment,
                    when=answers.get("when", ""),
                    note=answers.get("note", ""),
                    lane=deployment,
                    reason=reason,
                    confirmed=argument == "yes",
                )
                return await self._deployments.start(asked, who=who, key=key)
            case "freeze":
                return await self._freezes.add(answers.get("when", ""), reason, "", who=who, key=key)
            case "excuse":
                return await self._move(
                    deployment, lambda p, s, now: moves.excuse(p, s, argument, reason, who, now), key
                )
            case "note":
                text = answers.get("text", "")
                return await self._move(deployment, lambda p, s, now: moves.note(p, s, argument, text, who, now), key)
            case "accept":
                check, number = check_and_number(argument)
                return await self._move(
                    deployment, lambda p, s, now: moves.accept(p, s, check, number, reason, who, now), key
                )
            case "stop":
                return await self._move(deployment, lambda p, s, now: watch.stop_rollback(p, s, reason, who, now), key)
            case "cancel":
                return await self._move(deployment, lambda p, s, now: moves.cancel(p, s, reason, who, now), key)
            case "rollback":
                version, steps = answers.get("version", ""), answers.get("next_steps", "")
                return await self._deployments.roll_back(deployment, version, reason, steps, who=who, key=key)
            case "rolledback":
                status = answers.get("status") or "not said"
                return await self._move(deployment, lambda p, s, now: moves.rolled_back(p, s, status, who, now), key)
        return no("That form is from an older release. `/deploy help` lists what there is.")

    async def _move(self, deployment: str, move: Move, key: str, *, loud: bool = False) -> Answer:
        return await self._deployments.act(deployment, move, replies.moved if loud else replies.quiet, key=key)

    async def _go(self, deployment: str, move: Move, key: str, *, loud: bool = False) -> Answer:
        return await self._deployments.go(deployment, move, replies.moved if loud else replies.quiet, key=key)


async def _said(answer: Awaitable[Answer]) -> Answer:
    """What cannot be acted on becomes one clear sentence; nothing was changed."""
    try:
        return await answer
    except Mistake as mistake:
        return no(str(mistake))
    except UnknownDeployment:
        return replies.gone()
    except PolicyError as problems:
        return no("The checklist's policy has errors:\n" + "\n".join(escape(str(p)) for p in problems.problems[:5]))
    except Unwell as error:
        return no(str(error))
    except (ChecklistError, DocumentError) as error:
        return no(escape(str(error), limit=600))
