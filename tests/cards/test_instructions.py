"""What is read in a rollback: lines to follow and commands ready to copy, with the versions that are meant."""

from __future__ import annotations

from bot.cards.card import Code, Heading, Text
from bot.cards.placeholders import beware, filled
from bot.cards.prose import MOST_BLOCKS, prose_blocks
from bot.cards.view import View
from bot.domain import moves
from checklists.document import PhaseKind
from tests.cards.drawn import shop
from tests.domain.runs import START

STEPS = """
1. **Assess severity**:
   - Critical → roll back
2. Then:
   ```bash
   git revert HEAD
   ```

| who | what |
| --- | --- |
| DBA | schema |

### After
Tell the team.
"""


def test_steps_become_lines_and_commands_in_order() -> None:
    assert prose_blocks(STEPS) == [
        Text("1. **Assess severity**:"),
        Text("  • Critical → roll back"),
        Text("2. Then:"),
        Code("git revert HEAD"),
        Text("who · what"),
        Text("DBA · schema"),
        Heading("After"),
        Text("Tell the team."),
    ]


def test_a_long_part_says_that_there_is_more() -> None:
    blocks = prose_blocks("\n\n".join(f"line {number}" for number in range(100)))
    assert len(blocks) == MOST_BLOCKS
    assert blocks[-1] == Text("… the rest is in the document.", small=True)


def view(*, back: str = "") -> View:
    course = shop()
    if back:
        course.do(moves.roll_back, back, "slow", "")
    return View(course.plan, course.state, START)


def test_known_placeholders_are_filled_and_unknown_ones_left() -> None:
    now = view()
    version = now.state.started.version
    assert filled("tag {{ VERSION }} <version> [Version] [name]", now, PhaseKind.RUN) == (
        f"tag {version} {version} {version} [name]"
    )
    assert filled("release v[VERSION] $VERSION", now, PhaseKind.RUN) == "release v[VERSION] $VERSION"


def test_a_rollback_is_filled_with_the_version_gone_back_to() -> None:
    now = view(back="v1.0.9")
    assert filled("deploy <previous-version> {{ version }}", now, PhaseKind.ROLLBACK) == "deploy v1.0.9 v1.0.9"


def test_a_sample_version_in_a_command_is_named() -> None:
    now = view(back="v1.0.9")
    assert beware("gh workflow run rollback.yml --field version=v9.1.0", now) == (
        "Written for v9.1.0: change the version before you run it."
    )
    assert beware("deploy v1.0.9 --timeout 10m 127.0.0.1", now) == ""
