import numpy as np
import pandas as pd
import pytest
from pyspark.sql import functions as F

from segspark.campaigns.planning import ranking
from segspark.campaigns.planning.ranking import _piece, steps_of, with_better


def drawn(users, seed=5):
    """Half of the surpluses of one value, the others spread; two groups of different sizes."""
    rng = np.random.default_rng(seed)
    spread = rng.normal(size=users).round(3)
    return pd.DataFrame(
        {
            "user_id": [f"u{n}" for n in range(users)],
            "action": rng.choice(["a", "b"], size=users, p=[0.9, 0.1]),
            "surplus": np.where(rng.random(users) < 0.5, 0.25, spread),
            "tie": rng.random(users).round(2),
            "holdout": rng.random(users) < 0.2,
        }
    )


def better_by_pandas(rows):
    ordered = rows.sort_values(["surplus", "tie", "user_id"], ascending=[False, True, True])
    takes = (~ordered.holdout).astype(int)
    return dict(zip(ordered.user_id, takes.groupby(ordered.action).cumsum() - takes, strict=True))


@pytest.mark.parametrize("steps", [[], [0.25], [-9.0, 0.0, 0.25, 0.2500001, 9.0], None])
def test_a_place_is_the_same_whatever_pieces_the_order_is_cut_into(spark, monkeypatch, steps):
    rows = drawn(600)
    frame = spark.createDataFrame(rows).repartition(3)
    if steps is None:
        monkeypatch.setattr(ranking, "LONG", 100)
        steps = steps_of(frame, 600)
        assert len(steps) > 20
    found = {row.user_id: row["__better"] for row in with_better(frame, "action", steps).collect()}
    assert found == better_by_pandas(rows)


def test_no_piece_of_a_long_order_is_large_though_half_of_the_surpluses_are_the_same(spark, monkeypatch):
    monkeypatch.setattr(ranking, "LONG", 100)
    frame = spark.createDataFrame(drawn(20_000))
    sizes = frame.groupBy("action", _piece(steps_of(frame, 20_000))).count().agg(F.max("count")).first()
    assert sizes[0] < 20_000 / 40


def test_a_short_order_is_not_cut(spark):
    assert steps_of(spark.createDataFrame(drawn(10)), 10) == []
