"""Ranges of days, for any number of rows on any days."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from segspark.core.days import bridged, contiguous
from segspark.features.layout import FEW, lay_out

FIRST = date(2020, 1, 1)
ROWS = st.dictionaries(
    st.integers(0, 6000).map(lambda number: FIRST + timedelta(days=number)), st.integers(0, 10**8), max_size=60
)


@given(rows=ROWS, usual=st.floats(0, 10**6), full=st.integers(10**6, 10**8))
def test_ranges_follow_one_another_and_no_task_has_more_than_twice_a_file_of_rows(rows, usual, full):
    layout = lay_out(rows, rows, usual, full)
    assert list(layout.starts) == sorted(set(layout.starts))
    assert len(layout.slices) == len(layout.starts) + 1
    expected = {day: max(count, usual) for day, count in rows.items()}
    sums = [0.0] * len(layout.slices)
    for day, count in expected.items():
        sums[sum(day >= start for start in layout.starts)] += count
    assert all(count <= 2 * full * slices for count, slices in zip(sums, layout.slices, strict=True))
    assert layout.tasks <= 1 + 2 * sum(expected.values()) / full
    assert layout.is_few == (sum(expected.values()) <= FEW)


@given(
    days=st.sets(st.integers(0, 6000).map(lambda number: FIRST + timedelta(days=number)), max_size=200),
    ranges=st.integers(1, 40),
)
def test_bridged_days_hold_all_days_and_reach_no_farther_in_as_few_ranges_as_asked(days, ranges):
    found = bridged(days, ranges)
    assert days <= found and len(contiguous(found)) <= ranges
    if days:
        assert (min(found), max(found)) == (min(days), max(days))
    if len(contiguous(days)) <= ranges:
        assert found == days
