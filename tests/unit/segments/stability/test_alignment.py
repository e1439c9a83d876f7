"""Factors of two fits in one space, against scipy."""

import numpy as np
import pytest
from scipy.linalg import orthogonal_procrustes
from scipy.stats import ortho_group

from segspark.segments.stability.alignment import rotation_of, sum_products, turned
from tests.unit.segments.blobs import vectors_of


def frame_of(spark, now, then):
    rows = [([float(v) for v in a], [float(v) for v in b]) for a, b in zip(now, then, strict=True)]
    return spark.createDataFrame(rows, "now array<float>, then array<float>")


def test_a_turned_space_is_turned_back_and_noise_gives_what_scipy_gives(spark):
    random = np.random.default_rng(3)
    then = random.normal(size=(60, 3))
    turn = ortho_group.rvs(3, random_state=1)
    now = then @ turn + random.normal(size=(60, 3)) * 0.05
    rotation = rotation_of(sum_products(frame_of(spark, now, then).repartition(3), 3).collect(), 3)
    theirs, _ = orthogonal_procrustes(now, then)
    assert np.allclose(rotation.turn, theirs, atol=1e-5)
    assert rotation.congruence > 0.99
    found = turned(vectors_of(spark, now), rotation).orderBy("user_id").collect()
    assert np.allclose([row.features for row in found], now @ theirs, atol=1e-4)
    assert np.abs(np.array([row.features for row in found]) - then).max() < 0.3


def test_spaces_that_have_nothing_to_do_with_each_other_are_told_by_a_low_congruence():
    random = np.random.default_rng(4)
    both = np.hstack([random.normal(size=(500, 4)), random.normal(size=(500, 4))])
    products = both.T @ both * (1 << 24)
    rows = [{"side": s, "other": o, "total": products[s, o]} for s, o in np.ndindex(8, 8)]
    assert rotation_of(rows, 4).congruence < 0.2
    same = np.hstack([both[:, :4], 3 * both[:, :4]])
    products = same.T @ same * (1 << 24)
    rows = [{"side": s, "other": o, "total": products[s, o]} for s, o in np.ndindex(8, 8)]
    assert rotation_of(rows, 4).congruence == pytest.approx(1.0)


def test_without_a_common_item_nothing_is_turned():
    assert rotation_of([], 3) is None
