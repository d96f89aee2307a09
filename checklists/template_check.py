"""What a template may contain. Everything that is not on the lists here is refused, with its line. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from jinja2 import nodes

from checklists.names import did_you_mean

LISTS = ("changes", "verification", "metrics", "issues")
"""The variables that are lists."""
FILTERS = frozenset({"upper", "lower", "capitalize", "title", "trim", "join", "length", "first", "last", "default"})
TESTS = frozenset({"known", "met"})
METRIC = ("name", "value", "target", "ok")
LOOP = ("index", "first", "last", "length")

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.Name, nodes.Const, nodes.For, nodes.If, nodes.CondExpr,
    nodes.Getattr, nodes.Filter, nodes.Test, nodes.Compare, nodes.Operand, nodes.Not, nodes.And, nodes.Or,
    nodes.Keyword,
)  # fmt: skip
_CALLED = {
    nodes.Call: "calls",
    nodes.Include: "include",
    nodes.Import: "import",
    nodes.FromImport: "import",
    nodes.Extends: "extends",
    nodes.Macro: "macros",
    nodes.Assign: "set",
    nodes.Getitem: "[…]; write links.NAME",
    nodes.BinExpr: "arithmetic",
}


@dataclass(frozen=True, slots=True)
class TemplateProblem:
    """`line` counts from 1 within the template."""

    line: int
    message: str


def problems(tree: nodes.Template, variables: Collection[str], links: Sequence[str] | None) -> list[TemplateProblem]:
    """Everything a parsed template asks for and cannot have."""
    return list(dict.fromkeys(_walk(tree, variables, links, {})))


def _walk(
    node: nodes.Node, variables: Collection[str], links: Sequence[str] | None, loops: dict[str, tuple[str, ...]]
) -> Iterator[TemplateProblem]:
    if not isinstance(node, _ALLOWED):
        kind = next(
            (words for refused, words in _CALLED.items() if isinstance(node, refused)), type(node).__name__.lower()
        )
        yield TemplateProblem(node.lineno, f"a template prints, chooses and repeats; it cannot use {kind}")
        return
    if isinstance(node, nodes.Name) and node.name not in variables and node.name not in loops:
        yield TemplateProblem(node.lineno, f"nothing is called {node.name!r}{did_you_mean(node.name, variables)}")
    elif isinstance(node, nodes.Filter) and node.name not in FILTERS:
        hint = did_you_mean(node.name, FILTERS) or f"; there are {', '.join(sorted(FILTERS))}"
        yield TemplateProblem(node.lineno, f"there is no filter {node.name!r}{hint}")
    elif isinstance(node, nodes.Test) and node.name not in TESTS:
        yield TemplateProblem(node.lineno, f"there is no test {node.name!r}; there are `is known` and `is met`")
    elif isinstance(node, nodes.Getattr):
        yield from _attribute(node, links, loops)
    elif isinstance(node, nodes.For):
        yield from _loop(node, variables, links, loops)
        return
    for child in node.iter_child_nodes():
        yield from _walk(child, variables, links, loops)


def _attribute(
    node: nodes.Getattr, links: Sequence[str] | None, loops: dict[str, tuple[str, ...]]
) -> Iterator[TemplateProblem]:
    owner = node.node.name if isinstance(node.node, nodes.Name) else ""
    if owner == "links":
        if links is not None and node.attr not in links:
            yield TemplateProblem(node.lineno, f"the policy has no link {node.attr!r}{did_you_mean(node.attr, links)}")
    elif owner in loops:
        if node.attr not in loops[owner]:
            yield TemplateProblem(node.lineno, f"{owner!r} has no {node.attr!r}{did_you_mean(node.attr, loops[owner])}")
    else:
        yield TemplateProblem(
            node.lineno, f".{node.attr} can be asked only of links, of loop, and of one of the metrics"
        )


def _loop(
    node: nodes.For, variables: Collection[str], links: Sequence[str] | None, loops: dict[str, tuple[str, ...]]
) -> Iterator[TemplateProblem]:
    if loops:
        yield TemplateProblem(node.lineno, "a loop inside a loop is not needed in a message")
    elif not isinstance(node.iter, nodes.Name) or node.iter.name not in LISTS:
        yield TemplateProblem(node.lineno, f"`for` goes through one of {', '.join(LISTS)}")
    elif not isinstance(node.target, nodes.Name) or node.recursive or node.test is not None:
        yield TemplateProblem(node.lineno, "write `for NAME in LIST`")
    else:
        fields = METRIC if node.iter.name == "metrics" else ()
        inner: dict[str, tuple[str, ...]] = {node.target.name: fields, "loop": LOOP}
        for child in node.body:
            yield from _walk(child, variables, links, inner)
        for child in node.else_:
            yield from _walk(child, variables, links, loops)
