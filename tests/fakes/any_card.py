"""Any card at all: every block, with any words in every place that takes words."""

from __future__ import annotations

import string

from hypothesis import strategies as st

from bot.cards import card as c
from bot.cards.card import Card


def any_card(words: st.SearchStrategy[str] = st.text(max_size=40)) -> st.SearchStrategy[Card]:  # noqa: B008
    """Cards of these words."""
    buttons = st.builds(
        c.Button,
        label=words,
        action=st.text(string.ascii_letters + ":", min_size=1, max_size=100),
        style=st.sampled_from(["plain", "primary", "danger"]),
    )
    facts = st.builds(c.Fact, label=words, value=words, target=words, ok=st.sampled_from([True, False, None]))
    items = st.builds(
        c.ItemRow,
        id=words,
        markdown=words,
        state=st.sampled_from(c.ItemState),
        depth=st.integers(1, 9),
        group=st.none() | words,
        status=words,
        hints=st.lists(words, max_size=3).map(tuple),
        command=st.none() | words,
        buttons=st.lists(buttons, max_size=3).map(tuple),
    )
    blocks = st.one_of(
        st.builds(c.Text, words, small=st.booleans()),
        st.builds(c.Verbatim, words),
        st.builds(c.Code, words),
        st.builds(c.Progress, st.integers(0, 999), st.integers(0, 999), words),
        st.builds(c.Heading, words),
        items,
        st.builds(c.Buttons, st.lists(buttons, max_size=3).map(tuple)),
        st.builds(c.Facts, st.lists(facts, max_size=3).map(tuple)),
    )
    return st.builds(
        Card,
        title=words,
        text=words,
        blocks=st.lists(blocks, max_size=5).map(tuple),
        tone=st.sampled_from(c.Tone),
        mentions=st.lists(words, max_size=2).map(tuple),
    )
