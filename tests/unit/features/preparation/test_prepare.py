"""The preparation against numpy and scikit-learn."""

import numpy as np
import pytest
from pyspark.ml import PipelineModel
from sklearn.decomposition import PCA
from sklearn.preprocessing import RobustScaler, StandardScaler

from segspark.core.errors import ConfigError, InputError
from segspark.features.config import Block, PrepareConfig
from segspark.features.preparation.prepare import check_names, fit_preparation, numbers_of, prepare
from segspark.features.preparation.sampling import draw_users

NAMES = ("even", "skewed", "holed", "twin", "flat", "rare", "empty")
USERS = 300


@pytest.fixture(scope="module")
def numbers():
    draw = np.random.default_rng(5)
    even, skewed = draw.normal(10, 3, USERS), draw.lognormal(3, 1.2, USERS)
    holed = np.where(draw.random(USERS) < 0.2, np.nan, draw.normal(0, 1, USERS))
    rare = np.where(np.arange(USERS) == 7, 1.0, 0.0)
    return np.column_stack([even, skewed, holed, even * 2 + 1, np.full(USERS, 4.0), rare, np.full(USERS, np.nan)])


@pytest.fixture(scope="module")
def features(spark, numbers):
    schema = "user_id string, is_bot boolean, gender string, " + ", ".join(f"{name} double" for name in NAMES)
    rows = [
        (f"u{n:03}", False, ("f", "m", None)[n % 3], *(None if np.isnan(v) else float(v) for v in row))
        for n, row in enumerate(numbers)
    ]
    bot = ("bot", True, "x", *[1e9] * len(NAMES))
    infinite = ("zz", False, "f", float("inf"), float("nan"), *[0.0] * 5)
    return spark.createDataFrame([*rows, bot, infinite], schema).cache()


def config(*columns, **more):
    return PrepareConfig(blocks={"all": Block(columns=columns)}, **more)


def fitted(features, config):
    """A preparation that is fitted to a sample of those users."""
    columns = [*numbers_of(config), *config.categories]
    (sample,) = draw_users([features], columns, config.fit_users, seed=1)
    return fit_preparation(features.sparkSession, sample, config)


def vectors(features, preparation):
    rows = prepare(features, preparation.model).orderBy("user_id").collect()
    assert "bot" not in {row.user_id for row in rows}
    return np.array([row.features for row in rows])


def by_numpy(features, quantile=0.01):
    """even, skewed and holed as they are before scaling: filled, winsorised, the skewed as a logarithm."""
    rows = features.where("not is_bot").orderBy("user_id").toPandas()
    columns = []
    for name in ("even", "skewed", "holed"):
        values = rows[name].to_numpy(dtype=float)
        known = values[np.isfinite(values)]
        values = np.where(np.isfinite(values), values, np.median(known))
        columns.append(np.clip(values, *np.quantile(known, [quantile, 1 - quantile])))
    columns[1] = np.log1p(columns[1])
    return np.column_stack(columns)


def test_vectors_are_what_numpy_and_scikit_learn_make_of_the_features(features):
    preparation = fitted(features, config("even", "skewed", "holed"))
    expected = by_numpy(features)
    expected = (expected - expected.mean(axis=0)) / expected.std(axis=0, ddof=1)
    assert [choice.log_scaled for choice in preparation.choices] == [False, True, False]
    assert np.allclose(vectors(features, preparation), expected, atol=1e-5)


def test_robust_scaling_is_by_median_and_quartiles(features):
    found = vectors(features, fitted(features, config("even", "skewed", "holed", scaling="robust")))
    expected = RobustScaler().fit_transform(by_numpy(features))
    assert np.allclose(found, expected, atol=0.02), "scikit-learn interpolates between the middle values"


def test_components_hold_the_share_of_variance_that_scikit_learn_says(features):
    preparation = fitted(features, config("even", "skewed", "holed", pca_share=0.6))
    scaled = StandardScaler().fit_transform(by_numpy(features))
    shares = np.cumsum(PCA().fit(scaled).explained_variance_ratio_)
    found = vectors(features, preparation)
    assert found.shape[1] == int(np.argmax(shares >= 0.6)) + 1
    projected = PCA(found.shape[1]).fit_transform(scaled) * np.sqrt(1 - 1 / len(scaled))
    assert np.allclose(np.abs(found), np.abs(projected), atol=1e-3)


def test_features_that_tell_nothing_are_left_out_and_say_why(features):
    preparation = fitted(features, config(*NAMES, max_missing=0.9))
    reasons = {choice.feature: choice.reason for choice in preparation.choices}
    assert {name for name, reason in reasons.items() if reason is None} == {"even", "skewed", "holed"}
    assert reasons["twin"] == "duplicates even (correlation 0.99)", "one user has infinity for even and 0 for its twin"
    assert reasons["flat"].startswith("constant") and reasons["rare"] == "constant between the quantiles 0.01 and 0.99"
    assert reasons["empty"] == "missing for 100% of users"


def test_weights_multiply_a_block_and_categories_become_one_column_each(features):
    blocks = {"a": Block(columns=("even",)), "b": Block(columns=("holed",), weight=3)}
    weighted = PrepareConfig(blocks=blocks, categories=("gender",), category_weight=0.5)
    found = vectors(features, fitted(features, weighted))
    plain = vectors(features, fitted(features, config("even", "holed")))
    assert np.allclose(found[:, :2], plain * [1, 3], atol=1e-5)
    assert found[:3, 2:].tolist() == [[0.5, 0.0], [0.0, 0.5], [0.0, 0.0]]


def test_the_fit_does_not_depend_on_partitions_and_is_the_same_after_saving(features, tmp_path):
    few = config("even", "skewed", "holed", fit_users=100)
    one, other = (fitted(frame, few) for frame in (features, features.repartition(7)))
    assert one.choices == other.choices
    assert np.array_equal(vectors(features, one), vectors(features, other))
    one.model.write().save(str(tmp_path / "preparation"))
    loaded = PipelineModel.load(str(tmp_path / "preparation"))
    first = loaded.transform(features.where("not is_bot")).orderBy("user_id").first()
    assert np.allclose(first.prepared.toArray(), vectors(features, one)[0], atol=1e-6)


def test_users_who_do_not_differ_and_unknown_features_are_refused_in_one_line(features):
    with pytest.raises(InputError, match="all features are constant or missing over 301 users"):
        fitted(features, config("flat", "rare", max_correlation=1))
    with pytest.raises(ConfigError, match=r"^features.prepare.blocks.all.columns: .*evn; try even"):
        check_names(features.schema, config("evn"))
