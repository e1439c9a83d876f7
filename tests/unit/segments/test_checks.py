import numpy as np
import pytest
from pydantic import ValidationError

from segspark.core.errors import ConfigError, InputError
from segspark.segments.checks import VectorFacts, check, look_at, possible
from segspark.segments.config import SchemeConfig, SegmentsConfig
from segspark.segments.methods.kmeans import KMeans
from tests.unit.segments.blobs import VECTORS


@pytest.mark.parametrize(
    ("vectors", "message"),
    [
        ([], "no users"),
        ([[1.0, 2.0]], "one user only"),
        ([[1.0, 2.0], [1.0, 2.0], [1.0, 2.0]], "all 3 users have the same features"),
        ([[1.0, 2.0], [1.0, float("nan")]], "1 of 2 users have a number that is missing, NaN or infinite in aov;"),
        ([[float("-inf"), 2.0], [1.0, 2.0]], "1 of 2 users have a number that is missing, NaN or infinite in age;"),
        ([[1.0, None], None, [1.0, 2.0]], "2 of 3 users have a number that is missing, NaN or infinite in aov;"),
        ([None, [1.0, 2.0]], "1 of 2 users have a number that is missing, NaN or infinite; make the table again"),
        ([[1.0, 2.0], [1.0]], "vectors have 1 to 2 numbers"),
    ],
)
def test_vectors_that_nothing_can_be_fitted_to_are_refused(spark, vectors, message):
    frame = spark.createDataFrame([(f"u{number}", vector) for number, vector in enumerate(vectors)], VECTORS)
    with pytest.raises(InputError, match=f"prepared_features: .*{message}"):
        check(look_at(frame), "prepared_features", ("age", "aov"))


@pytest.mark.parametrize(
    ("table", "stage"),
    [("prepared_features", "features"), ("user_features", "features"), ("user_factors", "factors")],
)
def test_a_broken_vector_names_few_columns_and_the_stage_that_makes_its_table(table, stage):
    facts = VectorFacts(users=9, shortest=5, longest=5, broken=2, all_equal=False, places=(0, 2, 3, 4))
    with pytest.raises(InputError, match=f"infinite in a, c, d and 1 more; .* --only {stage}`, then"):
        check(facts, table, "abcde")
    with pytest.raises(InputError, match="infinite; make"):
        check(facts, table)


def test_more_segments_than_users_who_differ_are_refused_with_the_key():
    points = np.array([[1.0], [1.0], [2.0], [3.0]])

    def allowed(config):
        return possible(KMeans().candidates(config, points), points, config, "segments.value")

    with pytest.raises(ConfigError, match=r"segments.value.k: 4 segments need 4 users who differ; there are 3 among 4"):
        allowed(SchemeConfig(k=4))
    with pytest.raises(ConfigError, match=r"segments.value.k_range: 5 segments need"):
        allowed(SchemeConfig(k_range=(5, 9)))
    assert allowed(SchemeConfig()) == [{"k": 2}, {"k": 3}]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"k": 1}, "1 is neither auto nor a whole number from 2 to 100"),
        ({"k": "many"}, "'many' is neither auto"),
        ({"k_range": [1, 5]}, "1 is below 2; two segments are the least that can be told apart"),
        ({"k_range": [6, 5]}, "6 is above 5"),
        ({"clusters": 3}, "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_scheme_says_what_is_allowed(values, message):
    with pytest.raises(ValidationError, match=message):
        SegmentsConfig.model_validate({"value": values})


def test_taste_keeps_its_own_defaults_where_it_is_configured_in_part():
    config = SegmentsConfig.model_validate({"taste": {"k": 4}})
    assert (config.taste.k, config.taste.unit_length, config.taste.names) == (4, True, "tastes")
