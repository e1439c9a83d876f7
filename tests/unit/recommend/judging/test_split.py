from collections import Counter

import pytest
from pydantic import ValidationError

from segspark.recommend.config import EvaluationConfig
from segspark.recommend.interactions import BOUGHT, VIEWED
from segspark.recommend.judging.split import is_hit, is_of_sample, mark_held_out, split_day
from tests.builders import at, day

PAIRS = "user_id string, item_id string, last_at timestamp"
NUMBERS = "user_no int, item_no int, action int, tested int"


def held_out(spark, rows, seed=7, parts=3, **settings):
    pairs = spark.createDataFrame(rows, PAIRS).repartition(parts)
    marked = mark_held_out(pairs, EvaluationConfig(**settings), seed).collect()
    assert len(marked) == len(rows)
    return {(row.user_id, row.item_id) for row in marked if row.held_out}


def test_the_split_day_is_so_many_days_or_a_share_of_the_history_before_as_of():
    first, as_of = day("2024-01-01"), day("2024-04-10")
    assert split_day(as_of, first, EvaluationConfig(test_days=10)) == day("2024-03-31")
    assert split_day(as_of, first, EvaluationConfig(test_share=0.25)) == day("2024-03-16")
    assert split_day(as_of, as_of, EvaluationConfig(test_share=0.25)) == day("2024-04-09")


LATE = [
    ("u", "a", at("2024-03-03 09:00")),
    ("u", "b", at("2024-03-03 08:00")),
    ("u", "c", at("2024-03-03 09:00")),
    ("u", "d", at("2024-03-01 10:00")),
    ("v", "a", at("2024-01-01 00:00")),
    ("w", "a", at("2024-01-01 00:00")),
    ("w", "b", at("2024-01-01 00:00")),
]


def test_last_holds_out_the_newest_pairs_with_ties_by_item_id_and_leaves_every_user_one(spark):
    assert held_out(spark, LATE, split="last") == {("u", "c"), ("w", "b")}
    assert held_out(spark, LATE, split="last", last_items=2) == {("u", "c"), ("u", "a"), ("w", "b")}
    assert held_out(spark, LATE, split="last", last_items=9) == {("u", "a"), ("u", "b"), ("u", "c"), ("w", "b")}


def test_last_takes_a_share_of_each_users_pairs_and_at_least_one(spark):
    assert held_out(spark, LATE, split="last", test_share=0.5) == {("u", "c"), ("u", "a"), ("w", "b")}
    assert held_out(spark, LATE, split="last", test_share=0.01) == {("u", "c"), ("w", "b")}


def test_random_holds_out_about_its_share_whatever_the_partitions_and_another_one_for_another_seed(spark):
    rows = [(f"u{user}", f"i{item}", None) for user in range(60) for item in range(50)]
    found = held_out(spark, rows, split="random", test_share=0.2)
    assert len(found) == pytest.approx(600, abs=4 * (3000 * 0.2 * 0.8) ** 0.5)
    assert found == held_out(spark, rows, split="random", test_share=0.2, parts=1)
    other = held_out(spark, rows, split="random", test_share=0.2, seed=8)
    assert len(found & other) == pytest.approx(120, abs=4 * (3000 * 0.04) ** 0.5)
    by_user = Counter(user for user, _ in found)
    assert len(by_user) == 60 and max(by_user.values()) < 25


def test_random_without_a_share_is_refused():
    with pytest.raises(ValidationError, match="test_share"):
        EvaluationConfig(split="random")


def test_hits_are_what_was_bought_and_is_not_left_out(spark):
    rows = [
        (0, 0, BOUGHT, BOUGHT),
        (0, 1, VIEWED, BOUGHT),
        (0, 2, None, VIEWED),
        (1, 0, VIEWED, VIEWED),
        (1, 1, VIEWED, None),
    ]
    pairs = spark.createDataFrame(rows, NUMBERS)

    def hits(relevant, leave_out):
        found = pairs.select("user_no", "item_no", is_hit(relevant, leave_out).alias("is_hit")).collect()
        assert {row.is_hit for row in found} == {True, False}
        return {(row.user_no, row.item_no) for row in found if row.is_hit}

    assert hits("bought", BOUGHT) == {(0, 1)}
    assert hits("bought", None) == {(0, 0), (0, 1)}
    assert hits("touched", BOUGHT) == {(0, 1), (0, 2), (1, 0)}
    assert hits("touched", VIEWED) == {(0, 2)}


def test_a_smaller_sample_of_users_lies_in_a_larger_and_has_all_their_pairs(spark):
    pairs = spark.createDataFrame(
        [(user, item) for user in range(500) for item in range(2)], "user_no int, item_no int"
    )
    large, small = (Counter(r.user_no for r in pairs.where(is_of_sample(500, n, 7)).collect()) for n in (200, 50))
    assert set(small) < set(large)
    assert len(small) == pytest.approx(50, abs=25)
    assert set(large.values()) == {2}
    assert pairs.where(is_of_sample(500, 500, 7)).count() == 1000
