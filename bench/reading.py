"""Reading a checklist of 500 items with its policy's help ÷ what markdown-it-py needs to parse the same text."""

from __future__ import annotations

from markdown_it import MarkdownIt

from bench.report import Line, in_turn, line, middle, over, say
from checklists.reader import read_checklist

ITEMS, PHASES, ROUNDS = 500, 10, 15


def text() -> str:
    """Ten phases of two sections each; every fifth item has a command below it, every tenth an owner and a link."""
    lines = ["# Service deployment checklist", ""]
    each = ITEMS // PHASES
    for phase in range(PHASES):
        lines += [f"## Phase {phase}: something to be done", "", "A sentence that says what it is about.", ""]
        for item in range(each):
            if item in (0, each // 2):
                lines += ["", f"### Section {item}", ""]
            number = phase * each + item
            more = " (@ops, see [the runbook](https://runbook.test/it))" if number % 10 == 0 else ""
            lines.append(f"- [ ] **Item {number}** is `ready` and checked by somebody{more}")
            if number % 5 == 0:
                lines += ["  ```bash", f"  kubectl get pods --selector app={number}", "  ```"]
        lines.append("")
    return "\n".join(lines)


def measure() -> list[Line]:
    """Both, in turn."""
    markdown = text().encode()
    bare = MarkdownIt()
    checklist = read_checklist(markdown, name="long")
    found = sum(len(section.items) for phase in checklist.phases for section in phase.sections)
    assert found == ITEMS, found
    ours, theirs = in_turn(ROUNDS, lambda: read_checklist(markdown, name="long"), lambda: bare.parse(markdown.decode()))
    note = f"{middle(ours) * 1000:.0f} ms, {middle(theirs) * 1000:.0f} ms"
    return [line("a checklist of 500 items read ÷ markdown-it-py's bare parse", over(ours, theirs), "≤", 3, note=note)]


if __name__ == "__main__":
    say(measure())
