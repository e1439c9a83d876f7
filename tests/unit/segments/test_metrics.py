import numpy as np
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score

from segspark.segments import metrics
from segspark.segments.geometry import nearest

random = np.random.default_rng(4)
POINTS = random.normal(size=(400, 5)) + np.repeat(np.eye(4, 5) * 3, 100, axis=0)
CENTRES = np.eye(4, 5) * 3
LABELS = nearest(POINTS, CENTRES).label


def test_calinski_harabasz_and_davies_bouldin_are_those_of_scikit_learn():
    assert metrics.calinski_harabasz(POINTS, LABELS) == pytest.approx(calinski_harabasz_score(POINTS, LABELS))
    assert metrics.davies_bouldin(POINTS, LABELS) == pytest.approx(davies_bouldin_score(POINTS, LABELS))


def test_the_simplified_silhouette_of_three_points_by_hand():
    points, centres = np.array([[0.0], [1.0], [5.0]]), np.array([[0.0], [4.0]])
    by_hand = [(4 - 0) / 4, (3 - 1) / 3, (5 - 4 + 0) / 5 * 0 + (5 - 1) / 5]
    assert metrics.simplified_silhouette(points, centres) == pytest.approx(np.mean(by_hand))


def test_prediction_strength_by_hand():
    """The first cluster keeps 3 of its 6 pairs (three of four stay together), the second 1 of 1, the third 1 of 3."""
    own = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
    carried = np.array([1, 1, 1, 0, 0, 0, 2, 2, 1])
    assert metrics.prediction_strength(own, carried, 3, 3) == pytest.approx(1 / 3)
    assert metrics.prediction_strength(own[:6], carried[:6], 2, 2) == pytest.approx(3 / 6)


def test_a_cluster_of_one_point_has_no_pair_that_could_be_kept():
    assert metrics.prediction_strength(np.array([0, 0, 1]), np.array([0, 0, 1]), 2, 2) == 0.0
