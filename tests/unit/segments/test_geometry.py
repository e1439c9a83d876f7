import numpy as np
import pytest
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA

from segspark.segments.geometry import confidence, nearest, principal_axes, project
from segspark.segments.model import ordered

random = np.random.default_rng(3)
POINTS = random.normal(size=(500, 7))
CENTRES = random.normal(size=(6, 7))


def test_the_nearest_centres_and_distances_are_those_of_scipy():
    found, distances = nearest(POINTS, CENTRES), cdist(POINTS, CENTRES)
    by_distance = np.sort(distances, axis=1)
    assert (found.label == distances.argmin(axis=1)).all()
    assert np.sqrt(found.first) == pytest.approx(by_distance[:, 0])
    assert np.sqrt(found.second) == pytest.approx(by_distance[:, 1])


def test_of_equally_near_centres_the_first_is_taken_and_confidence_is_zero():
    found = nearest(np.array([[1.0, 0.0]]), np.array([[2.0, 0.0], [0.0, 0.0]]))
    assert found.label.tolist() == [0]
    assert confidence(found.first, found.second).tolist() == [0.0]


def test_confidence_is_one_less_the_ratio_of_the_distances():
    found = nearest(np.array([[1.0], [0.0]]), np.array([[0.0], [4.0]]))
    assert confidence(found.first, found.second).tolist() == pytest.approx([1 - 1 / 3, 1.0])


def test_a_point_has_the_same_distances_to_the_last_bit_in_whatever_batch_it_comes():
    whole = nearest(POINTS, CENTRES)
    parts = [nearest(POINTS[start : start + 37], CENTRES) for start in range(0, 500, 37)]
    assert (np.concatenate([part.first for part in parts]) == whole.first).all()


def test_places_on_the_map_are_those_of_scikit_learn_up_to_the_sign_of_an_axis():
    origin, axes = principal_axes(POINTS)
    ours, theirs = project(POINTS, origin, axes), PCA(2).fit_transform(POINTS)
    assert np.abs(ours) == pytest.approx(np.abs(theirs), abs=1e-5)
    assert (axes[np.arange(2), np.abs(axes).argmax(axis=1)] > 0).all()


def test_one_feature_gives_a_map_of_one_axis():
    origin, axes = principal_axes(POINTS[:, :1])
    assert axes.tolist() == [[1.0], [0.0]]
    assert project(POINTS[:, :1], origin, axes)[:, 1].tolist() == [0.0] * 500


def test_segments_are_numbered_by_size_and_then_by_their_coordinates():
    centres = np.array([[5.0, 1.0], [2.0, 9.0], [2.0, 3.0], [0.0, 0.0]])
    assert ordered(centres, np.array([10, 7, 7, 30])).tolist() == [3, 0, 2, 1]
