"""Touches, however they are divided into packed and single ones, add up to the same."""

from collections import Counter, defaultdict

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from segspark.features.touches import arrays_of, sums_of
from tests.unit.features.test_touches import CATEGORIES, by_hand, task

row = st.tuples(st.sampled_from("abc"), st.sampled_from(sorted(CATEGORIES)), st.integers(0, 4))
rows = st.lists(row, min_size=1, max_size=40)


def listed(batch: pa.RecordBatch):
    return {tuple(map(str, row.values())) for row in batch.to_pylist()}


def packed(touches):
    """Rows for the next task, as the table would hold them."""
    return [tuple(row.values()) for row in arrays_of(touches).to_pylist()] if touches else []


@given(rows, st.integers(0, 40), st.integers(0, 40), st.integers(1, 9))
def test_any_split_of_the_rows_gives_the_sums_by_hand(rows, first, second, batch):
    first, second = sorted((first, second))
    once = packed(task(rows[:first], batch=batch))
    twice = packed(task(rows[first:second], once, batch=batch))
    found = task(rows[second:], twice, batch=batch)
    counts = defaultdict(Counter)
    for user, item, n in rows:
        counts[user][item] += n
    assert {row.pop("user_id"): row for row in sums_of(found).to_pylist()} == {
        user: by_hand(counts[user]) for user in counts
    }
    assert listed(arrays_of(found)) == listed(arrays_of(task(rows)))
