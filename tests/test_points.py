"""The forty points: each is shown by a test, each mark names one, and the page of them is current."""

from __future__ import annotations

from pathlib import Path

from mithril_elt.acceptance.points import POINTS
from points import PAGE, page, shown

NUMBERS = range(1, 41)


def test_there_are_forty_points() -> None:
    """Numbered from 1, none said twice."""
    assert [point.number for point in POINTS] == list(NUMBERS)
    assert len({point.holds for point in POINTS}) == len(POINTS)


def test_each_point_has_a_test() -> None:
    """And no test shows a point that there is not."""
    marked = {point for test in shown() for point in test.points}
    assert set(NUMBERS) - marked == set(), "no test shows these points"
    assert marked - set(NUMBERS) == set(), "these marks name no point"


def test_the_page_is_current() -> None:
    """`make points` would write it as it is."""
    assert PAGE.read_text("utf-8") == page(shown())


def test_marks_are_read_where_they_stand(tmp_path: Path) -> None:
    """From any file of tests, with other marks beside; what has no mark shows nothing."""
    code = (
        "@pytest.mark.usefixtures('a')\n@pytest.mark.shows(3, 41)\n@pytest.mark.parametrize('n', [1])\n"
        "def test_a_key_is_good(n): ...\ndef test_other(): ...\n"
    )
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "test_a.py").write_text(code)
    [one] = shown(tmp_path)
    assert (one.file, one.sentence, one.points) == ("deep/test_a.py", "A key is good", (3, 41))
    assert "| 3 | A good key is accepted. | A key is good ([deep/test_a.py](deep/test_a.py)) |" in page([one])
