from math import log, sqrt

import pytest

from segspark.core.contracts import ITEMS
from segspark.recommend.config import ContentWeights
from segspark.recommend.neighbours.content import content_triples
from segspark.recommend.similarity import nearest_rows
from tests.builders import rows_of

ONLY = dict.fromkeys(ContentWeights.model_fields, 0.0)


def numbered(spark, *rows):
    frame = rows_of(spark, ITEMS, *({"item_id": str(n), "price": None, **row} for n, row in enumerate(rows)))
    return frame.withColumn("item_no", frame.item_id.cast("int"))


def triples(items, **weights):
    return content_triples(items, ContentWeights(**weights))


def similar(items, count, **weights):
    rows = triples(items, **weights)
    features = rows.select("feature_no").distinct().count()
    found = nearest_rows(rows, "item_no", "feature_no", count, features, 2, count)
    return {(row.row_no, row.neighbour_no): row.similarity for row in found.collect()}


def test_items_with_the_same_parts_are_as_similar_as_the_weighted_mean_of_their_parts(spark):
    shoe, boot = (
        {"category": "shoes", "brand": "a,b", "price": 40.0},
        {"category": "shoes", "brand": "🦊", "price": 41.0},
    )
    found = similar(numbered(spark, shoe, boot, {"category": "hats"}), 3, category=2, brand=1, price=0.5)
    assert found == pytest.approx({(0, 1): 2.5 / 3.5, (1, 0): 2.5 / 3.5})


def test_words_count_by_frequency_and_rarity(spark):
    """By hand: 3 texts; red and cup are in 2 of them, a is in all and counts 0, mug and blue are in 1."""
    texts = ["A red cup, a RED cup", "a red mug", "a blue cup"]
    found = similar(numbered(spark, *({"description": text} for text in texts), {"description": " .,! "}), 4)
    often, seldom = log(4 / 3), log(4 / 2)
    one = 2 * often * often / (sqrt(8) * often * sqrt(often**2 + seldom**2))
    assert found == pytest.approx({(0, 1): one, (1, 0): one, (0, 2): one, (2, 0): one}, abs=1e-9)


def test_given_vectors_are_compared_by_cosine_and_odd_ones_are_none(spark):
    rows = [[1.0, 0.0], [3.0, 3.0], [0.0, 0.0], [float("nan"), 1.0], [None, 1.0], None, []]
    found = similar(numbered(spark, *({"embedding": row} for row in rows)), 7)
    assert found == pytest.approx({(0, 1): sqrt(0.5), (1, 0): sqrt(0.5)}, abs=1e-9)


def test_a_price_band_ends_where_the_price_is_some_1_4_times_its_beginning(spark):
    rows = [{"price": price} for price in (16.0, 22.6, 22.7, 0.0, -5.0, float("nan"))]
    assert set(similar(numbered(spark, *rows), 6)) == {(0, 1), (1, 0)}


def test_a_part_of_weight_0_is_not_there_and_an_item_without_parts_has_no_row(spark):
    items = numbered(spark, {"category": "x", "brand": "y"}, {"category": " ", "brand": "y"}, {"brand": "z"}, {})
    rows = triples(items, **{**ONLY, "category": 1.0}).collect()
    assert [(row.item_no, row.feature_no, row.weight) for row in rows] == [(0, 0, 1.0)]
    assert {row.item_no for row in triples(items).collect()} == {0, 1, 2}


def test_how_the_items_are_partitioned_changes_no_bit(spark):
    words = [f"word{n % 7} word{n % 3} and word{n % 5}" for n in range(20)]
    rows = [
        {"description": text, "embedding": [n / 7, n % 3 / 3, 0.1], "price": 1.7**n} for n, text in enumerate(words, 1)
    ]
    items = numbered(spark, *rows)
    answers = [sorted(map(tuple, triples(items.repartition(n)).collect())) for n in (1, 4)]
    assert answers[0] == answers[1]
    numbers = {number for _, number, _ in answers[0]}
    assert numbers == set(range(len(numbers)))


def test_items_of_which_nothing_is_known_have_no_neighbours(spark):
    items = numbered(spark, {}, {"category": ""})
    assert triples(items).collect() == []
    assert nearest_rows(triples(items), "item_no", "feature_no", 2, 1, 2, 5).collect() == []
