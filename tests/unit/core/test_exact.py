"""Whole ten-thousandths against Python's decimals."""

import random
from decimal import ROUND_HALF_UP, Decimal

from pyspark.sql import functions as F

from segspark.core.exact import whole


def test_amounts_round_as_decimals_do_with_halves_away_from_zero(spark):
    draw = random.Random(5)
    edges = [0.0, -0.0, 0.00005, -0.00005, 0.00015, 0.00025, -0.00025, 0.49999999999999994 / 10_000, 1e14 + 0.5]
    halves = [(draw.randint(-(10**9), 10**9) + 0.5) / 10_000 for _ in range(500)]
    others = [draw.uniform(-1e6, 1e6) for _ in range(500)]
    amounts = [*edges, *halves, *others]
    frame = spark.createDataFrame([(amount,) for amount in amounts], "amount double")
    found = [row[0] for row in frame.select(whole(F.col("amount"))).collect()]
    scaled = [Decimal(repr(amount * 10_000.0)) for amount in amounts]
    exact = [int(float(value.quantize(Decimal(1), ROUND_HALF_UP))) for value in scaled]
    assert found == exact


def test_what_is_no_amount_has_no_whole(spark):
    frame = spark.createDataFrame([(x,) for x in (None, float("nan"), float("inf"), -1e30)], "amount double")
    assert [row[0] for row in frame.select(whole(F.col("amount"))).collect()] == [None] * 4
