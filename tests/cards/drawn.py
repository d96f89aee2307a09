"""A small shop drawn as cards, and what can be read on them."""

from __future__ import annotations

from bot.cards import card as c
from bot.cards.deployment import deployment_card, slots
from bot.cards.view import View
from bot.cards.words import plain
from bot.domain import moves
from bot.domain.calendar import opening, rules_for
from tests.domain.runs import Course, plan

SHOP = """
# Before
- [ ] tests
- [ ] sign-off
- [ ] flags (optional)
# Deploy
- [ ] switch
# After
- [ ] look
# Back
- [ ] switch back
"""
POLICY = """
windows: {production: ["tue-thu 10:00-14:00"]}
phases: {Deploy: {deployed: true}, After: {opens: T+30m}, Back: {kind: rollback}}
items: {sign-off: {role: qa}, switch: {probe: health}, look: {due: T+2h}}
probes: {health: {http: "https://example.org"}, error_rate: {say: Error rate, datadog: x, unit: ratio}}
watch:
  - {at: T+0, name: First minutes, every: 1m, for: 5m, probes: [health]}
  - {at: T+30m, name: 30-minute check, measure: {error_rate: "< 1%"}, phase: After, then: announce succeeded}
  - {at: T+2h, name: 2-hour check, measure: {error_rate: "< 1%"}}
  - {at: T+24h, name: 24-hour check, measure: {error_rate: "< 1%"}, then: announce stable}
"""


def shop(yaml: str = POLICY, text: str = SHOP, **more: object) -> Course:
    return Course(plan(text, yaml, Back="rollback"), **more)  # type: ignore[arg-type]


def view(course: Course) -> View:
    running = course.state.status.value == "running"
    rules = rules_for(course.plan.policy, course.plan.environment)
    return View(course.plan, course.state, course.now, opening(rules, course.now) if running else None)


def lines(card: c.Card) -> list[str]:
    """What the paragraphs of a card say."""
    return [plain(block.markdown) for block in card.blocks if isinstance(block, c.Text)]


def main(course: Course) -> list[str]:
    return lines(deployment_card(view(course)))


def buttons(card: c.Card) -> list[str]:
    return [button.label for block in card.blocks if isinstance(block, c.Buttons) for button in block.buttons]


def posted(course: Course) -> dict[str, c.Card]:
    return {slot.name: slot.card for slot in slots(view(course))}


def rows(card: c.Card) -> dict[str, c.ItemRow]:
    return {block.id: block for block in card.blocks if isinstance(block, c.ItemRow)}


def ready() -> Course:
    course = shop()
    course.tick("tests", "sign-off")
    course.do(moves.advance)
    return course


def live(**span: float) -> Course:
    course = ready()
    course.do(moves.deployed)
    if span:
        course.go(**span)
    return course
