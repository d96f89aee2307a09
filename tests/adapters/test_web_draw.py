"""Cards and forms as HTML: every block is drawn, and no string of anybody becomes markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.web.draw import draw_card, draw_form, parts
from adapters.web.inline import inline, spoken
from bot.cards import card as c
from bot.cards.card import Card
from tests.fakes.any_card import any_card

ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:x)",
    "![x](javascript:alert(1))",
    '![x](https://example.org/a.png "onload=alert(1)")',
    "<javascript:alert(1)>",
    '[x](https://example.org/"onmouseover="alert(1))',
    "</textarea></pre></code><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "&lt;script&gt;",
    "<!--",
    "]]>",
    "`<b>`",
]
TAGS = {
    "a", "b", "br", "button", "code", "details", "div", "em", "form", "footer", "h2", "h3", "h4", "header", "input",
    "label", "li", "option", "p", "pre", "progress", "s", "select", "span", "strong", "summary", "table", "tbody", "td",
    "textarea", "th", "tr", "ul",
}  # fmt: skip


class Markup(HTMLParser):
    """The tags of a piece of HTML, and what is wrong with them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.wrong: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in TAGS:
            self.wrong.append(f"<{tag}>")
        for name, value in attrs:
            if name.startswith("on") or name in {"style", "src", "srcdoc", "formaction"}:
                self.wrong.append(f"{name}={value}")
            if name == "href" and not (value or "").startswith(("https://", "http://", "mailto:")):
                self.wrong.append(f"href={value}")

    def handle_comment(self, data: str) -> None:
        self.wrong.append(f"<!--{data}")

    def handle_data(self, data: str) -> None:
        self.words += data

    def all(self, tag: str, **having: str) -> list[dict[str, str | None]]:
        names = {name.replace("_", "-"): value for name, value in having.items()}
        return [found for kind, found in self.tags if kind == tag and all(found.get(n) == v for n, v in names.items())]


def draw(*blocks: c.Block, **card: object) -> Markup:
    return Markup(draw_card(Card("Title", "text", blocks, **card)))  # type: ignore[arg-type]


def row(state: c.ItemState = c.ItemState.OPEN, id: str = "i1", **more: object) -> c.ItemRow:
    return c.ItemRow(id, "All `tests` pass", state, **more)  # type: ignore[arg-type]


# --- every block ------------------------------------------------------------------------------------------------------


def test_title_tone_and_mentions() -> None:
    drawn = draw(tone=c.Tone.BAD, mentions=("on_call", "vp_engineering"))
    assert drawn.all("div", **{"class": "card tone-bad"})
    assert [found["data-role"] for found in drawn.all("span", **{"class": "mention"})] == ["on_call", "vp_engineering"]
    assert "@on-call" in drawn.words
    assert "@VP Engineering" in drawn.words


def test_a_card_without_blocks_says_its_text() -> None:
    assert "what it says" in Markup(draw_card(Card("Title", "what it says"))).words
    assert "what it says" not in Markup(draw_card(Card("T", "what it says", (c.Text("other"),)))).words


def test_text_is_inline_markdown_with_line_breaks() -> None:
    drawn = draw(c.Text("**bold** `code` [docs](https://example.org/a)\nnext"), c.Text("small", small=True))
    assert [tag for tag, _ in drawn.tags if tag in {"strong", "code", "a", "br"}] == ["strong", "code", "a", "br"]
    link = drawn.all("a")[0]
    assert (link["rel"], link["target"]) == ("noopener noreferrer nofollow", "_blank")
    assert drawn.all("p", **{"class": "text small"})


def test_verbatim_is_letter_for_letter() -> None:
    text = "✅ Done **not bold**\n  - kept & <kept>\n\n{{ kept }}"
    assert text in draw(c.Verbatim(text)).words


def test_code_has_a_button_that_copies_it() -> None:
    drawn = draw(c.Code("kubectl get pods\nkubectl logs <pod>"))
    assert "kubectl get pods\nkubectl logs <pod>" in drawn.words
    assert drawn.all("button", aria_label="Copy command")


def test_progress_is_a_bar_with_a_name() -> None:
    assert draw(c.Progress(61, 107, "61 of 107")).all("progress", max="107", value="61", aria_label="61 of 107")
    assert draw(c.Progress(0, 0, "nothing to do")).all("progress", max="1", value="0")


def test_facts_say_in_words_whether_they_are_met() -> None:
    facts = (
        c.Fact("Error rate", "7.2%", "< 0.1%", False),
        c.Fact("Latency", "61ms", "< 100ms", True),
        c.Fact("Queries", "no data", "< 50ms"),
        c.Fact("Version", "v1.2.0"),
    )
    drawn = draw(c.Facts(facts))
    assert [found["class"] for found in drawn.all("tr")] == ["missed", "ok", "unknown", "plain"]
    signs = [found["aria-label"] for found in drawn.all("span", role="img")]
    assert signs == ["misses the target", "meets the target", "unknown"]


def test_buttons_carry_their_action() -> None:
    drawn = draw(
        c.Buttons((c.Button("Next phase", "advance:d1", "primary"), c.Button("Roll back…", "rb:d1", "danger")))
    )
    assert [(found["class"], found["data-action"]) for found in drawn.all("button")] == [
        ("button primary", "advance:d1"),
        ("button danger", "rb:d1"),
    ]


def test_an_open_item_has_a_tick_named_after_it_and_a_menu() -> None:
    tick, excuse = c.Button("Tick", "tick:d1:i1", "primary"), c.Button("Not applicable…", "excuse:d1:i1")
    drawn = draw(row(buttons=(tick, excuse), command="npm test", hints=("sign-off: **QA**",), depth=3))
    assert drawn.all("button", data_action="tick:d1:i1", aria_label="Tick: All tests pass")
    assert drawn.all("summary", aria_label="More for: All tests pass")
    assert drawn.all("button", data_action="excuse:d1:i1", aria_label="Not applicable…: All tests pass")
    assert drawn.all("button", aria_label="Copy command of All tests pass")
    assert drawn.all("li", **{"class": "item open depth-3", "data-key": "item:i1"})


@pytest.mark.parametrize(("state", "name"), [(c.ItemState.TICKED, "Ticked"), (c.ItemState.EXCUSED, "Not applicable")])
def test_a_settled_item_says_so_and_by_whom(state: c.ItemState, name: str) -> None:
    drawn = draw(row(state, status="Ann 10:04", buttons=(c.Button("Undo", "untick:d1:i1"),)))
    assert drawn.all("span", role="img", aria_label=name)
    assert "Ann 10:04" in drawn.words
    assert drawn.all("button", data_action="untick:d1:i1")


def test_another_main_button_keeps_its_words() -> None:
    drawn = draw(row(buttons=(c.Button("Approve", "tick:d1:i1", "primary"),)))
    assert drawn.all("button", aria_label="Approve: All tests pass", **{"class": "button primary"})
    assert not drawn.all("details")


def test_a_group_is_named_once() -> None:
    drawn = draw(row(id="a", group="**Storage**"), row(id="b", group="**Storage**"), row(id="c"))
    assert drawn.words.count("Storage") == 1


# --- folding ----------------------------------------------------------------------------------------------------------


def test_a_complete_part_is_folded_and_an_open_one_is_not() -> None:
    drawn = draw(c.Heading("Done"), row(c.ItemState.TICKED), c.Heading("Open"), row(id="i2"))
    folds = drawn.all("details")
    assert [("open" in found, found["class"]) for found in folds] == [(False, "part complete"), (True, "part")]


def test_a_heading_without_items_does_not_fold() -> None:
    assert not draw(c.Heading("Words"), c.Text("only")).all("details")


def test_what_follows_the_items_stays_outside_the_fold() -> None:
    buttons = c.Buttons((c.Button("Next", "advance:d1"),))
    found = parts((c.Text("first"), c.Heading("H"), c.Text("note"), row(), buttons))
    assert [(part.heading, len(part.blocks)) for part in found] == [(None, 1), ("H", 2), (None, 1)]


# --- inline Markdown --------------------------------------------------------------------------------------------------


def test_links_into_the_teams_own_repository_are_words() -> None:
    assert inline("[runbook](docs/run.md)") == '<span class="local-link" title="docs/run.md">runbook</span>'


def test_images_are_links() -> None:
    assert inline("![chart](https://example.org/c.png)").startswith('<a href="https://example.org/c.png"')
    assert inline("![chart](c.png)") == '<span class="local-link" title="c.png">chart</span>'


def test_spoken_is_without_marks() -> None:
    assert spoken("**All** `tests` [pass](https://example.org)\nnow ~~not~~") == "All tests pass now not"


def test_what_people_typed_comes_back_as_typed() -> None:
    for typed in ATTACKS:
        assert Markup(inline(c.escape(typed))).words == " ".join(typed.split())


# --- attacks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_string_of_a_card_becomes_markup(attack: str) -> None:
    button = c.Button(attack, attack, "primary")
    blocks: tuple[c.Block, ...] = (
        c.Text(attack),
        c.Verbatim(attack),
        c.Code(attack),
        c.Progress(1, 2, attack),
        c.Heading(attack),
        c.ItemRow(attack, attack, c.ItemState.OPEN, 1, attack, attack, (attack,), attack, (button, button)),
        c.ItemRow("2", attack, c.ItemState.OPEN, buttons=(c.Button("Tick", attack, "primary"),)),
        c.Buttons((button,)),
        c.Facts((c.Fact(attack, attack, attack, None),)),
    )
    drawn = Markup(draw_card(Card(attack, attack, blocks, mentions=(attack,))))
    assert drawn.wrong == []
    assert drawn.words.count("49") == 0
    assert Markup(draw_card(Card("", attack))).wrong == []


@pytest.mark.parametrize("attack", ATTACKS)
def test_no_string_of_a_form_becomes_markup(attack: str) -> None:
    fields = tuple(
        c.Field(attack, attack, kind, attack, True, attack, (c.Option(attack, attack),))  # type: ignore[arg-type]
        for kind in ("line", "paragraph", "choice")
    )
    drawn = Markup(draw_form(c.Form(attack, attack, fields, attack, attack)))
    assert drawn.wrong == []
    assert drawn.all("form", data_action=attack)
    assert len(drawn.all("form")) == 1
    assert drawn.all("input", value=attack)
    assert drawn.all("option", value=attack)


@given(any_card(st.sampled_from(ATTACKS) | st.text("<>\"'&`[]()!*_\\ \nax:/", max_size=30)))
@settings(max_examples=150)
def test_no_card_at_all_becomes_markup(card: Card) -> None:
    assert Markup(draw_card(card)).wrong == []


# --- forms ------------------------------------------------------------------------------------------------------------


def test_a_form_labels_its_fields_and_says_which_are_optional() -> None:
    options = (c.Option("v1", "Version 1"), c.Option("v2", "Version 2"))
    form = c.Form(
        "Roll back",
        "rollback:d1",
        (
            c.Field("version", "Back to", "choice", value="v2", options=options),
            c.Field("reason", "Reason", hint="It is announced."),
            c.Field("next", "Next steps", "paragraph", value="\nkept", required=False),
        ),
        submit="Roll back",
        text="This is announced.",
    )
    drawn = Markup(draw_form(form))
    assert [found["for"] for found in drawn.all("label")] == ["field-1", "field-2", "field-3"]
    assert drawn.all("option", value="v2", selected=None)  # type: ignore[arg-type]
    assert drawn.all("input", name="reason", required=None, aria_describedby="field-2-hint field-2-error")  # type: ignore[arg-type]
    assert "required" not in drawn.all("textarea")[0]
    assert "\nkept" in drawn.words
    assert "optional" in drawn.words


def test_a_choice_without_a_value_asks_for_one() -> None:
    field = c.Field("version", "Back to", "choice", options=(c.Option("v1", "Version 1"),))
    assert "Choose…" in Markup(draw_form(c.Form("F", "f:1", (field,)))).words
