"""Touches added up in arrays, against sums by hand."""

import math
from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql import functions as F

from segspark.core.exact import whole
from segspark.features import touches
from segspark.features.touches import NUMBERS, Packed, arrays_of, day_to_pack_to, n_log_n, read_touches, sums_of
from tests.builders import day

CATEGORIES = {-9: 0, -1: 2, 5: 1, 8: 2, 2**62: 0}  # by item key; 0 is no category
SCHEMA = pa.schema(
    [
        (name, {"string": pa.string(), "bigint": pa.int64()}.get(kind, pa.list_(pa.int64())))
        for name, kind in touches.PARTS.items()
    ]
)


def task(single=(), packed=(), categories=None, batch=3):
    """What a task is sent, in batches of few rows: (user, item, touches) and (user, items, touches), and the items."""
    categories = CATEGORIES if categories is None else categories
    rows = [{"user_id": user, "item_key": item, "touches": n} for user, item, n in single]
    rows[1:1] = [{"item_key": item, "category_no": number} for item, number in categories.items()]
    rows[3:3] = [{"user_id": user, "item_keys": items, "item_touches": n} for user, items, n in packed]
    batches = [pa.RecordBatch.from_pylist(rows[n : n + batch], SCHEMA) for n in range(0, len(rows), batch)]
    return read_touches(pa.Table.from_batches(batches))


def sums(*parts, **named):
    return {row.pop("user_id"): row for row in sums_of(task(*parts, **named)).to_pylist()}


def by_hand(counts):
    """The sums of one user from touches by item key."""
    named = Counter()
    for item, n in counts.items():
        if CATEGORIES[item] > 0:
            named[CATEGORIES[item]] += n
    known = {
        "distinct_categories": len(named),
        "named_touches": sum(named.values()),
        "log_touches": sum(round(n * math.log(n) * 10_000) if n else 0 for n in named.values()),
        "best_touches": max((n * NUMBERS + NUMBERS - number for number, n in named.items()), default=None),
    }
    return {"distinct_items": len(counts), **(known if named else dict.fromkeys(known))}


def test_a_user_of_one_item_and_one_of_all_have_their_sums():
    single = [("one", 5, 3), *(("all", item, 2) for item in CATEGORIES), ("all", 8, 1)]
    found = sums(single)
    assert found == {"one": by_hand({5: 3}), "all": by_hand({**dict.fromkeys(CATEGORIES, 2), 8: 3})}
    assert found["one"]["log_touches"] == 32_958, "3 ln 3 = 3.29584"
    assert found["all"]["best_touches"] == 5 * NUMBERS + NUMBERS - 2, "category 2 with its two items"


def test_items_without_a_category_count_as_items_only():
    assert sums([("ann", -9, 4), ("ann", 2**62, 1)]) == {"ann": by_hand({-9: 4, 2**62: 1})}
    assert sums([("bob", -9, 4), ("bob", 5, 0)])["bob"]["distinct_categories"] == 1, "bought but never looked at"


def test_of_two_categories_with_equal_touches_the_first_is_the_heaviest():
    best = sums([("ann", 8, 2), ("ann", 5, 2)])["ann"]["best_touches"]
    assert NUMBERS - best % NUMBERS == 1


def test_packed_touches_add_up_with_single_ones_of_the_same_item_and_user():
    packed = [("ann", [-1, 5], [2, 0]), ("bob", [8], [1])]
    found = sums([("ann", 5, 3), ("cid", -9, 1), ("ann", -9, 1)], packed)
    assert found == {"ann": by_hand({-1: 2, 5: 3, -9: 1}), "bob": by_hand({8: 1}), "cid": by_hand({-9: 1})}


def test_packing_again_gives_each_item_once_and_rising():
    rows = arrays_of(task([("ann", 8, 3), ("ann", -9, 1), ("ann", 8, 0)], [("ann", [-1, 8], [2, 1])])).to_pylist()
    assert rows == [{"user_id": "ann", "item_keys": [-9, -1, 8], "item_touches": [1, 2, 4]}]


def test_a_task_without_touches_has_none_and_an_unknown_item_is_an_error():
    assert task() is None
    with pytest.raises(ValueError, match="list of items does not have"):
        task([("ann", 6, 1)])
    with pytest.raises(ValueError, match="list of items does not have"):
        task([("ann", 2**62 + 1, 1)])


def test_n_ln_n_is_rounded_as_sql_rounds_it(spark):
    n = F.col("id")
    rounded = whole(F.when(n > 0, n * F.ln(n.cast("double"))).otherwise(F.lit(0.0)))
    expected = spark.range(200_000).select(rounded.alias("whole")).toPandas()["whole"].to_numpy()
    np.testing.assert_array_equal(n_log_n(np.arange(200_000)), expected)


def test_touches_are_packed_up_to_a_week_before_as_of_once_a_tenth_more_could_be(monkeypatch):
    monkeypatch.setattr(touches, "WORTH_PACKING", 100)
    rows = {day(f"2024-03-{n:02}"): 10 for n in range(1, 29)}
    as_of = day("2024-03-29")
    assert day_to_pack_to(rows, as_of, None) == day("2024-03-22")
    assert day_to_pack_to(rows, as_of, day("2024-03-21")) == day("2024-03-21"), "10 rows beside 200"
    assert day_to_pack_to(rows, as_of, day("2024-03-19")) == day("2024-03-22"), "30 rows beside 180"
    assert day_to_pack_to(rows, as_of, day("2024-03-25")) == day("2024-03-25"), "later than a week before"
    monkeypatch.setattr(touches, "WORTH_PACKING", 211)
    assert day_to_pack_to(rows, as_of, None) is None


def test_what_is_packed_serves_later_runs_until_one_of_its_days_changes():
    packed = Packed(day("2024-03-10"), "s", None)
    assert packed.serves(day("2024-03-10"), "s")
    assert not packed.serves(day("2024-03-09"), "s")
    assert not packed.serves(day("2024-03-20"), "t")
    assert Packed(packed.day, "s", day("2024-03-10")).serves(day("2024-03-20"), "s")
    assert not Packed(packed.day, "s", day("2024-03-09")).serves(day("2024-03-20"), "s")
