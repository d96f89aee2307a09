from __future__ import annotations

import contextlib
import hashlib
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from checklists.reader import AS_WRITTEN, DocumentError, Reading, headings, read_checklist
from tests.checklists.reading import items, read, texts


def test_bytes_are_utf_8_else_windows_1252() -> None:
    assert texts_of("- [ ] naïve\n".encode()) == texts_of("\ufeff- [ ] naïve\n".encode()) == ["naïve"]
    assert texts_of("- [ ] naïve “x”\n".encode("cp1252")) == ["naïve “x”"]
    assert texts_of("- [ ] naïve\n".encode("utf-16")) == ["naïve"]


def texts_of(raw: bytes) -> list[str]:
    return [item.text for item in read(raw).items()]


def test_what_is_no_text_is_refused_with_the_place_and_a_way_out() -> None:
    with pytest.raises(DocumentError) as refused:
        read_checklist(b"# T\r\nab\x81", name="a.md")
    error = refused.value
    assert (error.file, error.line, error.column) == ("a.md", 2, 3)
    assert str(error) == (
        "a.md:2:3: this is not text: byte 0x81 fits neither UTF-8 nor Windows-1252. Save the file as UTF-8."
    )


def test_the_digest_is_of_the_exact_bytes() -> None:
    raw = b"\xef\xbb\xbf- [ ] a\r\n"
    assert read(raw).digest == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(
    "text", ["“quotes” don’t ﬁ ｗｉｄｅ &amp; é é — …", "Ã la carte", "naïve café", "你好 مرحبا שלום"]
)
def test_text_that_is_not_mis_decoded_stays_as_it_is(text: str) -> None:
    assert texts(f"- [ ] {text}\n") == [text]


def test_an_id_stays_when_the_neighbours_the_title_or_the_line_wraps_change() -> None:
    before = items("# Release 1\n## A\n- [ ] one\n- [ ] two words\n- [ ] three\n")
    after = items("# Release 2\n## A\n\nText\n\n* [x] new\n* [x] three\n* [ ] two\n  words\n* [ ] one\n")
    assert {item.id for item in before} <= {item.id for item in after}


def test_an_id_tells_apart_items_alike_by_parent_and_order() -> None:
    found = items("- [ ] a\n  - [ ] x\n- [ ] b\n  - [ ] x\n  - [ ] x\n- group\n  - [ ] x\n")
    assert len({item.id for item in found}) == len(found)


@pytest.mark.parametrize("text", ["部署", "развернуть", "نشر", "🚀"])
def test_other_scripts_have_ids_too(text: str) -> None:
    (item,) = items(f"## {text}\n- [ ] {text}\n")
    assert re.fullmatch("[0-9a-f]{8}", item.id)


def test_a_file_of_many_items_is_read_in_linear_time() -> None:
    def seconds(count: int) -> float:
        text = "# T\n" + "".join(f"## P{n}\n- [ ] same words\n  - note\n  - [ ] child\n" for n in range(count))
        start = time.process_time()
        assert len(items(text)) == 2 * count
        return time.process_time() - start

    seconds(50)
    assert seconds(1600) < 40 * max(seconds(200), 0.01)


PIECES = st.one_of(
    st.sampled_from(
        ["- ", "* ", "1. ", "3) ", "[ ] ", "[x] ", "[ ]", "# ", "## ", "---", "```", "  ", "    ", "\t", "> "]
    ),
    st.sampled_from(["\n", "\n\n", "\r\n", "\r", "\x00", "\u2028"]),
    st.sampled_from(["| ", "|-|", "<br>", "<!--", "-->", "<details>", "<summary>s</summary>", "</details>", "[l]: u"]),
    st.sampled_from(["a", "Go", "**b**", "é", "â‰¥", "部", "☐ ", "(if x)", "- @a", "`", "\\", "T-1h", "&amp;", "[l]"]),
)
MARKDOWN = st.lists(PIECES, max_size=60).map("".join)
SOURCES = Reading(sources=frozenset({"tables", "symbols", "lists"}), split=frozenset({"Go"}))


@settings(max_examples=300, deadline=None)
@given(text=st.one_of(st.text(), MARKDOWN), reading=st.sampled_from([AS_WRITTEN, SOURCES]))
def test_any_text_is_read_with_unique_ids(text: str, reading: Reading) -> None:
    checklist = read(text, reading)
    headings(text, name="x", reading=reading)
    found = list(checklist.items())
    ids = [item.id for item in found]
    parts = [part.id for part in checklist.phases] + [s.id for part in checklist.phases for s in part.sections]
    assert len(set(ids)) == len(ids)
    assert len(set(parts)) == len(parts)
    assert all(re.fullmatch("[a-z0-9-]{1,40}", made) for made in ids + parts)
    assert all(item.parent is None or item.parent in ids for item in found)


@settings(max_examples=200, deadline=None)
@given(MARKDOWN)
def test_every_items_text_stands_in_its_line(text: str) -> None:
    lines = re.split("\r\n|\r|\n", text.replace("\x00", "\ufffd").replace("â‰¥", "≥"))
    for item in items(text):
        assert item.text in lines[item.line - 1]


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(raw: bytes) -> None:
    with contextlib.suppress(DocumentError):
        read(raw)


@settings(max_examples=100, deadline=None)
@given(MARKDOWN.map(lambda text: text.replace("\r", "")))
def test_line_ends_change_no_id(text: str) -> None:
    assert [item.id for item in items(text)] == [item.id for item in items(text.replace("\n", "\r\n"))]


@settings(max_examples=100, deadline=None)
@given(
    words=st.lists(st.sampled_from(["a", "b", "Go", "部", "x (if needed)", "`c`"]), min_size=1, max_size=8),
    data=st.data(),
)
def test_the_order_of_siblings_changes_no_id(words: list[str], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(words))

    def ids(order: list[str]) -> set[str]:
        return {item.id for item in items("# T\n## P\n" + "".join(f"- [ ] {word}\n" for word in order))}

    assert ids(words) == ids(shuffled)
