import numpy as np
import pytest
from scipy.spatial.distance import cdist

from segspark.segments import shortlist
from segspark.segments.placement import restored
from segspark.segments.placements.anchors import Anchors
from segspark.segments.shortlist import blocks, closest, nearest_anchor

random = np.random.default_rng(3)
POINTS = random.normal(size=(700, 6))
ANCHORS = random.normal(size=(300, 6))
LABELS = random.integers(0, 4, size=300)


def test_the_nearest_anchors_are_those_of_scipy():
    distances = cdist(POINTS, ANCHORS)
    number, squares = nearest_anchor(POINTS, ANCHORS)
    assert (number == distances.argmin(axis=1)).all()
    assert np.sqrt(squares) == pytest.approx(distances.min(axis=1))
    (block,) = blocks(POINTS, ANCHORS)
    numbers, exact = closest(block, ANCHORS, 5)
    assert (numbers == np.argsort(distances, axis=1)[:, :5]).all()
    assert np.sqrt(exact) == pytest.approx(np.sort(distances, axis=1)[:, :5])


@pytest.mark.parametrize("votes", [1, 5])
def test_a_user_has_the_same_numbers_to_the_last_bit_in_whatever_batch(votes, monkeypatch):
    placement = Anchors(ANCHORS, LABELS, votes=votes)
    whole = placement.place(POINTS)
    monkeypatch.setattr(shortlist, "CELLS", 300 * 11)
    parts = [placement.place(POINTS[start : start + 37]) for start in range(0, 700, 37)]
    for name in whole._fields:
        assert (np.concatenate([getattr(part, name) for part in parts]) == getattr(whole, name)).all()


def test_far_from_the_origin_rounding_of_the_product_does_not_choose_the_anchor():
    """Squares near 1e14 leave the product no digits for gaps of 1e-3."""
    shift, near = 1e7, random.normal(size=(200, 3)) * 1e-3
    anchors = shift + random.normal(size=(50, 3)) * 1e-3
    points = shift + near
    product = -2 * points @ anchors.T + (anchors**2).sum(axis=1)
    number, _ = nearest_anchor(points, anchors)
    assert (number == cdist(points, anchors).argmin(axis=1)).all()
    assert (product.argmin(axis=1) != number).any()


def test_of_equally_near_anchors_the_first_is_taken():
    number, squares = nearest_anchor(np.zeros((1, 2)), np.array([[3.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, -1.0]]))
    assert (number.tolist(), squares.tolist()) == ([1], [1.0])


def test_the_most_frequent_label_wins_and_of_equals_the_nearest():
    anchors, labels = np.array([[0.0], [1.0], [1.5], [9.0], [9.5]]), np.array([0, 1, 1, 2, 2])
    placed = Anchors(anchors, labels, votes=3).place(np.array([[0.1], [9.2]]))
    assert placed.number.tolist() == [1, 2]
    assert placed.distance == pytest.approx([0.9, 0.2])
    assert placed.confidence.tolist() == pytest.approx([0.0, 1 - 0.2 / 7.7])
    assert Anchors(anchors, labels, votes=2).place(np.array([[0.1]])).number.tolist() == [0]


def test_confidence_is_by_the_nearest_anchor_of_another_segment():
    placement = Anchors(np.array([[0.0], [1.0], [5.0]]), np.array([0, 0, 1]))
    assert placement.place(np.array([[1.0], [2.0]])).confidence.tolist() == pytest.approx([1.0, 1 - 1 / 3])


def test_one_segment_alone_has_no_border():
    placed = Anchors(np.array([[0.0], [1.0]]), np.array([0, 0])).place(np.array([[3.0]]))
    assert (placed.number.tolist(), placed.confidence.tolist()) == ([0], [1.0])


def test_noise_keeps_its_place_through_reordering_and_storage():
    placement = Anchors(ANCHORS, LABELS, outside=2, votes=3)
    turned = placement.reordered(np.array([2, 0, 3, 1]))
    assert (placement.noise, turned.noise) == (2, 0)
    before, after = placement.place(POINTS).number, turned.place(POINTS).number
    assert (np.array([2, 0, 3, 1])[after] == before).all()
    back = restored(turned.kind, turned.arrays())
    assert (back.noise, back.segments) == (0, 4)
    assert (back.place(POINTS).number == after).all()
    assert Anchors(ANCHORS, LABELS).noise is None
