import numpy as np
import pandas as pd
import pytest

from segspark.segments.personas import Share
from segspark.segments.profiles import ProfilePlan, join_segments
from segspark.segments.reasons.explain import explain

PLAN = ProfilePlan({"age_18_25": Share(feature="age", lower=18, upper=25)}, top_values=2, sample=1000, seed=7)


@pytest.fixture(scope="module")
def users():
    random = np.random.default_rng(2)
    ages = random.integers(16, 70, size=300).astype(float)
    return pd.DataFrame(
        {
            "user_id": [f"u{number}" for number in range(300)],
            "monetary": random.lognormal(3, 1, size=300),
            "age": np.where(random.random(300) < 0.2, np.nan, ages),
            "income": np.nan,
            "region": random.choice(["north", "south", "east"], p=[0.6, 0.3, 0.1], size=300),
            "segment_id": random.choice(3, size=300),
        }
    )


@pytest.fixture(scope="module")
def profiles(spark, users):
    rows = [tuple(None if value != value else value for value in row) for row in users.itertuples(index=False)]
    schema = "user_id string, monetary double, age double, income double, region string, segment_id int"
    frame = spark.createDataFrame(rows, schema)
    sizes = users["segment_id"].value_counts().sort_index().to_dict()
    joined = join_segments(frame.drop("segment_id"), frame.select("user_id", "segment_id"))
    return explain(joined, sizes, PLAN, depth=2).profiles


@pytest.mark.parametrize("feature", ["monetary", "age"])
@pytest.mark.parametrize("segment", [None, 0, 2])
def test_means_and_percentiles_are_those_of_pandas(users, profiles, feature, segment):
    chosen = users if segment is None else users[users["segment_id"] == segment]
    found = (profiles.everyone if segment is None else profiles.segments[segment])[feature]
    values = chosen[feature]
    assert found.mean == pytest.approx(values.mean())
    expected = values.quantile([0.1, 0.5, 0.9]).tolist()
    assert [found.p10, found.median, found.p90] == pytest.approx(expected)


def test_shares_are_over_the_users_whose_value_is_known(users, profiles):
    second = users[users["segment_id"] == 1]
    known = second["age"].dropna()
    assert profiles.segments[1]["age_18_25"].mean == pytest.approx(known.between(18, 25).mean())
    assert profiles.segments[1]["region=south"].mean == pytest.approx((second["region"] == "south").mean())


def test_of_a_category_only_the_most_frequent_values_are_told(profiles):
    assert [name for name in profiles.everyone if "=" in name] == ["region=north", "region=south"]


def test_a_feature_that_nobody_has_is_without_numbers(profiles):
    assert profiles.everyone["income"].mean is None
