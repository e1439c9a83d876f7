import pytest
from pyspark.sql import functions as F

from segspark.core.contracts import RATINGS, USER_ITEM_DAYS
from segspark.recommend.config import EventWeights, RecommendConfig
from segspark.recommend.interactions import (
    BOUGHT,
    RATED,
    VIEWED,
    leave_out_bots,
    popularity,
    weigh_interactions,
    weigh_parts,
)
from segspark.recommend.numbering import number_ids
from tests.builders import at, day, rows_of

AS_OF = day("2024-03-11")
ODD_IDS = ["9223372036854775807", "9223372036854775806", "10", "9", "a,b", "🦊", "🦊🦊", "é", "Z", "z", " ", 'q"']


def weigh(spark, days, ratings=(), **settings):
    frames = rows_of(spark, USER_ITEM_DAYS, *days), rows_of(spark, RATINGS, *ratings)
    rows = weigh_interactions(*frames, RecommendConfig(**settings), AS_OF).collect()
    return {(row.user_id, row.item_id): (row.weight, row.action) for row in rows}


def acted(user, item, on, **counts):
    return {"user_id": user, "item_id": item, "day": day(on), **counts}


def test_weights_are_the_sum_of_acts_halved_for_each_half_life(spark):
    days = [
        acted("u", "i", "2024-03-01", views=2, order_lines=1),  # 10 days old: (2 + 5) / 2
        acted("u", "i", "2024-03-11", views=100),  # not before as_of
        acted("u", "j", "2024-02-20", carts=1, wishlists=1, clicks=1),  # 20 days old: (3 + 2 + 1) / 4
        acted("v", "i", "2024-03-10", views=1),
    ]
    found = weigh(spark, days, half_life_days=10)
    assert found["u", "i"] == (3.5, BOUGHT)
    assert found["u", "j"] == (1.5, 4)
    assert found["v", "i"] == (pytest.approx(0.5**0.1, abs=1e-6), VIEWED)


def test_the_event_and_the_order_line_of_one_purchase_count_once(spark):
    days = [acted("u", "i", "2024-03-10", purchases=2, order_lines=1)]
    assert weigh(spark, days, half_life_days=None) == {("u", "i"): (10.0, BOUGHT)}


def test_a_rating_counts_as_an_act_and_days_without_any_act_do_not(spark):
    ratings = [{"user_id": "u", "item_id": "i", "rated_at": at("2024-03-10 12:00"), "rating": 1.0}]
    settings = {"half_life_days": None, "event_weights": EventWeights(rating=4)}
    assert weigh(spark, [acted("u", "j", "2024-03-10")], ratings, **settings) == {("u", "i"): (4.0, RATED)}


def test_the_last_act_is_known_by_its_day_and_a_rating_by_its_time(spark):
    days = [acted("u", "i", "2024-03-09", views=1), acted("u", "j", "2024-03-10", views=1)]
    days += [acted("u", "i", "2024-03-02", views=9), acted("u", "i", "2024-03-11", views=9)]
    rating = {"user_id": "u", "item_id": "i", "rated_at": at("2024-03-09 12:30"), "rating": 1.0}
    frames = rows_of(spark, USER_ITEM_DAYS, *days), rows_of(spark, RATINGS, rating)
    rows = weigh_interactions(*frames, RecommendConfig(), AS_OF).collect()
    last = {row.item_id: row.last_at for row in rows}
    assert last == {"i": at("2024-03-09 12:30"), "j": at("2024-03-10 00:00")}


def test_parts_are_what_was_known_on_the_day_of_the_split_and_the_strongest_act_that_followed(spark):
    days = [
        acted("u", "i", "2024-03-01", views=2, order_lines=1),
        acted("u", "i", "2024-03-06", carts=1),
        acted("u", "i", "2024-03-07", views=1),
        acted("u", "j", "2024-03-05", wishlists=1),
        acted("v", "i", "2024-03-08", order_lines=1),
        acted("v", "j", "2024-03-11", order_lines=1),  # not before as_of
    ]
    ratings = [{"user_id": "v", "item_id": "i", "rated_at": at("2024-03-04 12:00"), "rating": 1.0}]
    frames, split = (rows_of(spark, USER_ITEM_DAYS, *days), rows_of(spark, RATINGS, *ratings)), day("2024-03-06")
    found = weigh_parts(*frames, RecommendConfig(half_life_days=10), split, AS_OF).collect()
    known = weigh_interactions(*frames, RecommendConfig(half_life_days=10), split).collect()
    assert {(r.user_id, r.item_id): (r.weight, r.action) for r in found if r.action is not None} == {
        (r.user_id, r.item_id): (r.weight, r.action) for r in known
    }
    assert {(r.user_id, r.item_id): r.tested for r in found} == {("u", "i"): 4, ("u", "j"): None, ("v", "i"): BOUGHT}


def test_bots_are_left_out_and_popularity_is_the_sum_of_weights(spark):
    acts = spark.createDataFrame(
        [("u", "i", 1.5), ("v", "i", 0.25), ("bot", "i", 99.0)], "user_id string, item_id string, weight double"
    )
    features = spark.createDataFrame([("u", False), ("bot", True), ("v", None)], "user_id string, is_bot boolean")
    assert popularity(leave_out_bots(acts, features), "item_id").collect() == [("i", 1.75)]


@pytest.mark.parametrize("buckets", [1, 3])
def test_ids_are_numbered_in_their_order_without_gaps_whatever_the_ranges_and_partitions(spark, buckets):
    ids = ODD_IDS + [f"user-{number}" for number in range(300)]
    frame = spark.createDataFrame([(each,) for each in ids + ids[:50]], "id string").repartition(5)
    numbers = dict(number_ids(frame, "id", "no", buckets).collect())
    assert numbers == {each: number for number, each in enumerate(sorted(ids, key=str.encode))}


def test_numbers_fit_the_32_bits_that_als_takes(spark):
    frame = number_ids(spark.range(3).select(F.col("id").cast("string")), "id", "no", 1)
    assert dict(frame.dtypes)["no"] == "int"
