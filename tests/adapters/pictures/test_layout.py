"""Where everything stands: nothing over another, and no line where nothing was measured."""

from __future__ import annotations

from itertools import combinations, pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.pictures import layout
from adapters.pictures.layout import RIGHT, WIDTH, Panel, extent, page, place_labels, place_words, say, stretches
from bot.cards.chart import Limit
from tests.adapters.pictures.charts import at, curve

PANEL = Panel(40, 112)


def minutes(*given: float) -> list[int]:
    """How many points each stretch has."""
    return [len(stretch) for stretch in stretches([(at(minute), 1.0) for minute in given])]


def test_one_missing_measurement_of_a_series_is_a_gap() -> None:
    assert minutes(0, 1, 2, 3, 5, 6, 7) == [4, 3]


def test_a_series_that_comes_a_few_seconds_late_has_no_gap() -> None:
    assert minutes(0, 1.05, 2, 3.1, 4, 5.02) == [6]


def test_the_night_before_the_last_check_is_a_gap() -> None:
    assert minutes(0, 30, 120, 24 * 60) == [3, 1]


def test_of_two_points_a_gap_cannot_be_told() -> None:
    assert minutes(0, 30) == [2]
    assert minutes(0) == [1]
    assert stretches([]) == []


def test_a_panel_begins_at_nought_unless_the_curve_stays_far_from_it() -> None:
    assert extent(curve((0, 0.02), (1, 0.08)), 112).low == 0
    assert extent(curve((0, 99.91), (1, 99.97)), 112).low > 99


def test_a_far_limit_is_named_and_does_not_flatten_the_curve() -> None:
    far, near = Limit("roll back > 5%", 5, True), Limit("target < 0.1%", 0.1)
    found = extent(curve((0, 0.05), (1, 0.08), limits=(near, far)), 112)
    assert (found.inside, found.above, found.below) == ((near,), (far,), ())
    assert found.high < 0.2
    close = extent(curve((0, 0.05), (1, 3.0), limits=(near, far)), 112)
    assert close.inside == (near, far)
    assert close.high > 5


def test_a_limit_far_below_is_named_at_the_bottom() -> None:
    far = Limit("alert < 95%", 95, True)
    found = extent(curve((0, 99.9), (1, 99.95), limits=(Limit("target > 99.9%", 99.9), far)), 112)
    assert found.below == (far,)
    words = place_words(PANEL, found, lambda text: 80.0, [])
    assert [one.text for one in words if one.bad] == ["↓ alert < 95%"]
    assert words[-1].y > PANEL.top + PANEL.height - 20


def test_a_curve_of_nothing_but_noughts_can_be_drawn() -> None:
    found = extent(curve((0, 0.0), (1, 0.0)), 112)
    assert found.low == 0 < found.high


def test_words_go_where_they_hide_less_of_the_curve() -> None:
    limit = Limit("target < 100ms", 100)
    found = extent(curve((0, 150), (1, 50), limits=(limit,)), 112)
    y = PANEL.top + PANEL.height * (found.high - 100) / (found.high - found.low)
    above = [(float(x), y - 8) for x in range(60, WIDTH - RIGHT, 2)]
    (words,) = place_words(PANEL, found, lambda text: 90.0, above)
    assert words.y > y
    (words,) = place_words(PANEL, found, lambda text: 90.0, [])
    assert (words.y < y, words.right) == (True, WIDTH - RIGHT)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.floats(0.01, 10), min_size=2, max_size=5, unique=True), st.lists(st.booleans(), min_size=4, max_size=4)
)
def test_whatever_the_limits_each_has_words_inside_the_picture(values: list[float], bad: list[bool]) -> None:
    limits = tuple(Limit(f"limit {number}", value, bad[number]) for number, value in enumerate(values[:2]))
    found = extent(curve((0, values[-1]), (1, values[-1] / 3), limits=limits), PANEL.height)
    words = place_words(PANEL, found, lambda text: 70.0, [])
    assert sorted(one.text.removeprefix("↑ ").removeprefix("↓ ") for one in words) == sorted(x.label for x in limits)
    assert all(PANEL.top - 14 < one.y < PANEL.top + PANEL.height + 10 for one in words)
    assert all(abs(a.y - b.y) >= 9 or abs(a.right - b.right) >= 70 for a, b in combinations(words, 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(56, 348), st.floats(20, 150)), max_size=6))
def test_labels_of_marks_never_cover_each_other_and_stay_inside(marks: list[tuple[float, float]]) -> None:
    marks = sorted(marks)
    placed = [(place, width) for place, (_, width) in zip(place_labels(marks), marks, strict=True) if place is not None]
    assert all(left >= 0 and left + width <= WIDTH for (left, _), width in placed)
    for ((left, row), width), ((other, its_row), its_width) in combinations(placed, 2):
        assert row != its_row or left + width < other or other + its_width < left


def test_the_later_mark_has_the_lower_row() -> None:
    labels = place_labels([(60.0, 90.0), (70.0, 90.0), (80.0, 90.0)])
    assert [place and place[1] for place in labels] == [2, 1, 0]


def test_every_panel_follows_the_one_above() -> None:
    panels = page(3, rows=2, small=False).panels
    assert all(upper.top + upper.height < lower.top for upper, lower in pairwise(panels))
    assert page(1, rows=1, small=True).height < page(1, rows=1, small=False).height
    assert layout.MOST_PANELS == 3


def test_values_are_said_with_their_unit_and_no_false_precision() -> None:
    assert [say(0.078921, "%"), say(99.9512, "%"), say(0.0, "%")] == ["0.0789%", "99.95%", "0%"]
    assert [say(218.4, "ms"), say(3.25, "ms"), say(1.2, "s"), say(2.1, "x")] == ["218ms", "3.25ms", "1.2s", "2.1 x"]
