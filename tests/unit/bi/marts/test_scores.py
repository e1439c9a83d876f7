from datetime import date, timedelta

import numpy as np
import pandas as pd

from segspark.bi.marts.scores import count_ranks, cut_fifths, describe

AS_OF = date(2024, 3, 15)


def to_three_digits(wholes):
    return wholes.map(lambda w: int(f"{w:d}"[:3]) * 10 ** max(len(f"{w:d}") - 3, 0))


def test_scores_are_the_fifths_of_buyers_that_pandas_ranks(spark):
    rng = np.random.default_rng(3)
    users = pd.DataFrame({"user_id": [f"u{n}" for n in range(400)], "orders": rng.geometric(0.4, 400) - 1})
    users["wholes"] = np.where(users.orders > 0, rng.lognormal(13, 2, 400).astype(int), 0)
    users["wholes_30d"] = users.wholes // 2
    users["last_order_day"] = [AS_OF - timedelta(days=int(d)) for d in rng.integers(1, 500, 400)]
    users.loc[users.orders == 0, "last_order_day"] = None
    users["first_order_month"] = [date(2023, 1, 1)] * 400
    schema = (
        "user_id string, orders bigint, wholes bigint, wholes_30d bigint, last_order_day date, first_order_month date"
    )
    rows = [tuple(row) for row in users[[part.split()[0] for part in schema.split(", ")]].astype(object).values]
    totals = spark.createDataFrame([[None if v is pd.NaT else v for v in row] for row in rows], schema)
    cuts = cut_fifths(row.asDict() for row in count_ranks(totals, AS_OF).collect())
    found = describe(totals.repartition(3), cuts, AS_OF).toPandas().set_index("user_id")
    buyers = users[users.orders > 0].set_index("user_id")
    ranked = {
        "recency_score": -pd.Series([(AS_OF - d).days for d in buyers.last_order_day], buyers.index),
        "frequency_score": buyers.orders,
        "monetary_score": to_three_digits(buyers.wholes),
    }
    for name, values in ranked.items():
        expected = 1 + (5 * (values.rank(method="min").astype(int) - 1)) // len(buyers)
        assert found.loc[buyers.index, name].astype(int).to_dict() == expected.to_dict(), name
        assert found.drop(buyers.index)[name].isna().all()
    assert found.revenue.to_dict() == (users.set_index("user_id").wholes / 10_000).to_dict()


def test_equal_buyers_have_one_score_so_that_a_fifth_may_be_missing():
    users = {1: 5, 3: 1, 2: 4}  # by rank, of ten buyers
    assert cut_fifths({"measure": "frequency", "rank": rank, "users": n} for rank, n in users.items()) == {
        "frequency": {1: 1, 3: 2, 5: 3}  # none rank below 1, five below 2, nine below 3
    }
    assert cut_fifths([]) == {}
