"""Whole ten-thousandths against Python's decimals."""

import random
from decimal import ROUND_HALF_UP, Decimal

from pyspark.sql import functions as F

from segspark.core.exact import exact_sum, sum_of, whole

DRAW = random.Random(5)
EDGES = [0.0, -0.0, 0.00005, -0.00005, 0.00015, 0.00025, -0.00025, 0.49999999999999994 / 10_000, 1e14 + 0.5]
HALVES = [(DRAW.randint(-(10**9), 10**9) + 0.5) / 10_000 for _ in range(500)]
AMOUNTS = [*EDGES, *HALVES, *(DRAW.uniform(-1e6, 1e6) for _ in range(500))]
EXACT = [
    int(float(Decimal(repr(amount * 10_000.0)).quantize(Decimal(1), ROUND_HALF_UP)))  # ten-thousandths
    for amount in AMOUNTS
]


def test_amounts_round_as_decimals_do_with_halves_away_from_zero(spark):
    frame = spark.createDataFrame([(amount,) for amount in AMOUNTS], "amount double")
    assert [row[0] for row in frame.select(whole(F.col("amount"))).collect()] == EXACT


def test_numbers_of_the_driver_round_and_add_up_as_decimals_do():
    assert [sum_of([amount]) for amount in AMOUNTS] == [wholes / 10_000 for wholes in EXACT]
    assert sum_of(AMOUNTS) == sum_of(reversed(AMOUNTS)) == sum(EXACT) / 10_000


def test_numbers_of_the_driver_and_of_a_frame_have_the_same_sum(spark):
    for amounts in (HALVES, [None, 0.1, float("inf"), 0.2], [None, float("nan"), -1e30]):
        frame = spark.createDataFrame([(amount,) for amount in amounts], "amount double")
        assert [sum_of(amounts)] == [row[0] for row in frame.select(exact_sum(F.col("amount"))).collect()]


def test_what_is_no_amount_has_no_whole(spark):
    frame = spark.createDataFrame([(x,) for x in (None, float("nan"), float("inf"), -1e30)], "amount double")
    assert [row[0] for row in frame.select(whole(F.col("amount"))).collect()] == [None] * 4
