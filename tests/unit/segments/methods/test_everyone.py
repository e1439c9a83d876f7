import numpy as np
import pytest
from pyspark.sql import functions as F

from segspark.segments.config import SchemeConfig
from segspark.segments.methods.method import Everyone
from segspark.segments.methods.registry import METHODS
from tests.unit.segments.blobs import blobs, vectors_of

POINTS, _ = blobs([[0, 0, 0], [2, 0, 0], [0, 2, 2]], [130, 100, 70], spread=0.8)


@pytest.mark.parametrize(
    "given",
    [
        {"algorithm": "bisecting", "fit_partitions": 3},
        {"algorithm": "mixture", "fit_partitions": 3},
        {"algorithm": "kmeans", "distance": "cosine", "fit_partitions": 3},
        {"algorithm": "ward", "sample": 100, "fit_sample": 200, "micro_clusters": 50},
    ],
    ids=lambda given: given["algorithm"],
)
def test_neither_order_nor_partitions_of_the_input_change_the_fit_to_everyone(spark, given):
    config, vectors = SchemeConfig(fit_starts=1, **given), vectors_of(spark, POINTS)
    together, scattered = (
        METHODS[config.algorithm].fit_everyone(Everyone(frame, len(POINTS)), {"k": 3}, config, 7)
        for frame in (vectors.coalesce(1), vectors.repartition(5, F.rand(3)))
    )
    assert list(together) == list(scattered) != []
    for name, placement in together.items():
        for part, values in placement.arrays().items():
            np.testing.assert_array_equal(values, scattered[name].arrays()[part])
