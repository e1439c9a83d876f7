"""What every method does where there is hardly anything to fit to."""

import numpy as np
import pytest

from segspark.segments.checks import possible
from segspark.segments.choice import best, try_candidates
from segspark.segments.config import SchemeConfig
from segspark.segments.methods.registry import METHODS
from tests.unit.segments.blobs import sample_of

LEARNED = [name for name in METHODS if name not in ("rfm", "activity")]
POINTS = {
    "two users": np.array([[0.0, 0.0], [1.0, 1.0]]),
    "two kinds of user": np.repeat([[0.0, 0.0], [1.0, 1.0]], [50, 3], axis=0),
    "one user far from all others, who are the same": np.vstack([np.zeros((40, 2)), [[1e6, 1e6]]]),
    "fewer users than features": np.random.default_rng(0).normal(size=(20, 40)),
    "a feature that is always the same": np.column_stack([np.arange(30.0), np.zeros(30)]),
}


@pytest.mark.parametrize("name", LEARNED)
@pytest.mark.parametrize("points", POINTS.values(), ids=POINTS)
def test_a_model_comes_out_and_everyone_has_a_place(name, points):
    config = SchemeConfig(algorithm=name, k_range=(2, 4), splits=2, refits=1, micro_clusters=50, starts=2)
    wanted = possible(METHODS[name].candidates(config, points), points, config, "segments.value")
    chosen = best(try_candidates(sample_of(points), wanted, config, 7))
    placed = chosen.placement.place(points)
    assert 1 <= chosen.k <= len(np.unique(points, axis=0))
    assert set(placed.number) <= set(range(chosen.placement.segments))
    assert np.isfinite([placed.distance, placed.confidence, placed.cost]).all()
    assert 0.0 <= chosen.prediction_strength <= 1.0
