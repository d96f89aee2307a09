"""`bot.ports.Pictures` by matplotlib: what can be seen on a phone, and what it costs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from adapters.pictures.pictures import MatplotlibPictures
from bot.cards.chart import Chart, Curve, Limit, Mark
from tests.adapters.pictures.charts import SLOW, STEADY, T0, at, chart, curve, image, near

BLUE, GREEN, VERMILLION, INK = "#0072b2", "#009e73", "#d55e00", "#1a1a1a"
FULL = chart(STEADY, SLOW, marks=[Mark(at(5), "deployed v1.2.0")])


@pytest.fixture(scope="module")
def pictures() -> MatplotlibPictures:
    return MatplotlibPictures()


@pytest.fixture(scope="module")
def full(pictures: MatplotlibPictures) -> bytes:
    """Drawn once."""
    return asyncio.run(pictures.png(FULL))


def test_a_picture_is_a_png_twice_as_wide_as_a_phone(full: bytes) -> None:
    assert full.startswith(b"\x89PNG\r\n")
    width, height = image(full).size
    assert width == 720
    assert 480 <= height <= 720
    assert len(full) < 150_000


async def test_the_same_chart_is_the_same_bytes(pictures: MatplotlibPictures, full: bytes) -> None:
    assert await MatplotlibPictures().png(FULL) == full
    other = chart(STEADY, SLOW, marks=[Mark(at(6), "deployed v1.2.0")])
    assert await pictures.png(other) != full


def test_nothing_of_this_machine_is_written_into_it(full: bytes) -> None:
    assert b"Software" not in full
    assert b"tEXt" not in full


async def test_curves_limits_and_marks_are_seen(pictures: MatplotlibPictures, full: bytes) -> None:
    seen = image(full)
    upper, lower = seen.crop((0, 0, 720, seen.height // 2)), seen.crop((0, seen.height // 2, 720, seen.height))
    assert min(len(near(upper, BLUE)), len(near(lower, BLUE))) > 500
    assert len(near(upper, GREEN)) > 200 > len(near(lower, GREEN))
    assert len(near(lower, VERMILLION)) > 200 > len(near(upper, VERMILLION))
    without = image(await pictures.png(chart(STEADY, SLOW, title=FULL.title)))
    columns = [sum(1 for y in range(300, 420) if seen.getpixel((x, y)) == (26, 26, 26)) for x in range(720)]
    assert max(columns) > 40, "the line of the mark goes through the panels"
    assert without.height < seen.height, "and its words have a row"


async def test_where_nothing_was_measured_there_is_no_line(pictures: MatplotlibPictures) -> None:
    whole = curve(*((float(n), 1.0) for n in range(30)))
    holed = curve(*((float(n), 1.0) for n in range(30) if not 8 < n < 22))
    columns = [{x for x, y in near(image(await pictures.png(chart(one))), BLUE) if y > 95} for one in (whole, holed)]
    assert set(range(130, 670)) <= columns[0]
    missing = set(range(130, 670)) - columns[1]
    assert max(missing) - min(missing) > 200


def test_it_brings_its_own_light_ground(full: bytes) -> None:
    seen = image(full)
    corners = [seen.getpixel((x, y)) for x in (8, 711) for y in (8, seen.height - 9)]
    assert corners == [(252, 252, 252)] * 4
    assert seen.mode == "RGB"


async def test_a_small_one_is_lower(pictures: MatplotlibPictures) -> None:
    small = image(await pictures.png(chart(STEADY, small=True)))
    assert (small.width, small.height < 400) == (720, True)


async def test_words_of_any_script_are_drawn_without_a_warning_or_a_formula(pictures: MatplotlibPictures) -> None:
    odd = curve((0, 1.0), (1, 2.0), name="$\\frac{1}{0}$ 注意 🎉 العربية", limits=(Limit("$x < 1%", 1.0),))
    named = Mark(T0, "deployed $v1\\n 🚀 " * 9)
    assert image(await pictures.png(chart(odd, marks=[named], title="a\nb\0" * 60))).width == 720


@pytest.mark.parametrize("minutes", [0.5, 3, 59, 119, 179, 24 * 60, 47 * 60, 20 * 24 * 60, 500 * 24 * 60])
async def test_any_span_has_an_axis(pictures: MatplotlibPictures, minutes: float) -> None:
    assert await pictures.png(chart(curve((0, 1.0), (minutes / 2, 2.0), (minutes, 1.0))))


async def test_what_is_no_number_is_left_out(pictures: MatplotlibPictures) -> None:
    drawn = curve((0, 1.0), (1, float("nan")), (2, float("inf")), (3, 2.0))
    assert image(await pictures.png(chart(drawn))).width == 720


@pytest.mark.parametrize("values", [(-3.2e-9, 1.5e12), (-500.0, -30.0), (0.0, 0.0), (1e-300, 1e300)])
async def test_any_numbers_have_an_axis(pictures: MatplotlibPictures, values: tuple[float, float]) -> None:
    limits = (Limit("target < 1", 1.0), Limit("alert > 1e9", 1e9, True))
    drawn = curve((0, values[0]), (30, values[1]), (60, values[0]), limits=limits)
    assert len(near(image(await pictures.png(chart(drawn))), BLUE)) > 500


async def test_a_night_in_which_the_clock_goes_back_is_drawn_in_order(pictures: MatplotlibPictures) -> None:
    start = datetime(2026, 10, 24, 22, tzinfo=UTC)
    points = tuple((start + timedelta(minutes=10 * number), 1.0 + number) for number in range(37))
    night = Chart("shop v1", "Europe/Berlin", start, points[-1][0], (Curve("Error rate", "%", points),))
    line = near(image(await pictures.png(night)).crop((0, 110, 700, 300)), BLUE)
    tops = [min(y for x, y in line if x == column) for column in range(150, 640, 10)]
    assert all(after < before + 3 for before, after in pairwise(tops)), "no hour is drawn over another"
    assert tops[-1] < tops[0] - 50


@pytest.mark.parametrize("empty", [Chart("t", "UTC", T0, T0, ()), chart(curve()), chart(curve((0, float("nan"))))])
async def test_a_chart_without_a_point_is_refused(pictures: MatplotlibPictures, empty: Chart) -> None:
    with pytest.raises(ValueError, match="without any point"):
        await pictures.png(empty)


async def test_who_asks_at_once_gets_one_drawing_and_only_the_latest_are_kept() -> None:
    drawer = MatplotlibPictures(kept=2)
    one, two, three = (chart(curve((0, 1.0), (1, value))) for value in (1.0, 2.0, 3.0))
    first, again = await asyncio.gather(drawer.png(one), drawer.png(one))
    assert first is again
    assert await drawer.png(one) is first
    await drawer.png(two)
    await drawer.png(three)
    later = await drawer.png(one)
    assert later == first
    assert later is not first


async def test_the_event_loop_goes_on_while_it_draws() -> None:
    drawer, turns = MatplotlibPictures(), 0
    drawing = asyncio.create_task(drawer.png(FULL))
    while not drawing.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10


async def test_one_who_gives_up_does_not_take_it_from_another() -> None:
    drawer = MatplotlibPictures()
    patient, hasty = asyncio.create_task(drawer.png(FULL)), asyncio.create_task(drawer.png(FULL))
    await asyncio.sleep(0)
    hasty.cancel()
    assert (await patient).startswith(b"\x89PNG")


def test_matplotlib_is_not_loaded_before_the_first_picture() -> None:
    code = (
        "import sys; from adapters.pictures.pictures import MatplotlibPictures; MatplotlibPictures();"
        "import bot.fronts; sys.exit('matplotlib' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
