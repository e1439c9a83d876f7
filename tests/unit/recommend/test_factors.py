import numpy as np
import pytest

from segspark.core.errors import SegsparkError
from segspark.recommend.config import RecommendConfig
from segspark.recommend.factors import arranged, fit_implicit, require_checkpoints

CONFIG = RecommendConfig(rank=4, iterations=3, reg_param=0.3, alpha=2.0)


@pytest.fixture(scope="module")
def weights():
    random = np.random.default_rng(3)
    return (random.random((30, 20)) < 0.3) * random.integers(1, 6, (30, 20)).astype(float)


def fitted(spark, weights, partitions, descending=False):
    cells = sorted(zip(*np.nonzero(weights), strict=True), reverse=descending)
    rows = [(int(u), int(i), float(weights[u, i])) for u, i in cells]
    pairs = spark.createDataFrame(rows, "user_no int, item_no int, weight double").repartition(partitions)
    factors = fit_implicit(arranged(pairs, 2).localCheckpoint(), CONFIG, blocks=2, seed=7)
    return [
        np.array([row.factors for row in frame.orderBy(number).collect()])
        for frame, number in ((factors.users, "user_no"), (factors.items, "item_no"))
    ]


def test_each_users_vector_solves_the_normal_equations_for_the_items_vectors(spark, weights):
    users, items = fitted(spark, weights, 2)
    gram = items.T @ items
    for row, vector in zip(weights, users, strict=True):
        mine = np.flatnonzero(row)
        confidence = CONFIG.alpha * row[mine]
        left = gram + (items[mine].T * confidence) @ items[mine] + CONFIG.reg_param * len(mine) * np.eye(CONFIG.rank)
        right = items[mine].T @ (1 + confidence)
        assert vector == pytest.approx(np.linalg.solve(left, right), abs=1e-4)


def test_order_and_partitions_of_the_input_do_not_change_the_vectors(spark, weights):
    first, second = fitted(spark, weights, 1), fitted(spark, weights, 5, descending=True)
    assert all(np.abs(a - b).max() < 1e-4 for a, b in zip(first, second, strict=True))


@pytest.fixture
def without_checkpoints(spark):
    context = spark.sparkContext
    before = context.getCheckpointDir()
    getattr(context._jsc.sc(), "checkpointDir_$eq")(context._jvm.scala.Option.empty())
    yield spark
    getattr(context._jsc.sc(), "checkpointDir_$eq")(context._jvm.scala.Option.apply(before))


def test_a_session_with_a_checkpoint_folder_is_accepted(spark):
    require_checkpoints(spark)


def test_a_session_without_a_checkpoint_folder_is_refused(without_checkpoints):
    with pytest.raises(SegsparkError, match="checkpoint folder"):
        require_checkpoints(without_checkpoints)
