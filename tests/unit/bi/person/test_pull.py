import numpy as np
import pytest
from scipy.spatial.distance import cdist

from segspark.bi.person.pull import Segment, pull_in_words, pulls

NAMES = ("frequency", "aov", "refund_share")
LOYAL, RARE, FAR = (
    Segment(4, "loyal", (2.0, 0.0, 0.0)),
    Segment(0, "rare", (0.0, 1.0, 0.0)),
    Segment(1, "far", (9.0,) * 3),
)


def test_pulls_by_hand_add_up_to_one():
    """Squared gaps to rare (2, 0 and 0.25) less those to loyal (0, 1 and 0.25): 4 - 1 = 3 in all."""
    found = pulls((2.0, 1.0, 0.5), NAMES, 4, [LOYAL, RARE, FAR])
    assert found.next_best == "rare"
    assert [(pull.feature, pull.share) for pull in found.features] == [
        ("frequency", pytest.approx(4 / 3)),
        ("refund_share", 0.0),
        ("aov", pytest.approx(-1 / 3)),
    ]


def test_the_sum_of_the_pulls_is_the_difference_of_scipys_distances():
    random = np.random.default_rng(2)
    centres, point = random.normal(size=(5, 6)), random.normal(size=6)
    distances = cdist([point], centres, "sqeuclidean")[0]
    own, nearest = np.argsort(distances)[:2]
    segments = [Segment(number, f"s{number}", centre.tolist()) for number, centre in enumerate(centres)]
    found = pulls(point.tolist(), [f"f{number}" for number in range(6)], int(own), segments)
    assert found.next_best == f"s{nearest}"
    total = distances[nearest] - distances[own]
    by_name = {pull.feature: pull.share * total for pull in found.features}
    expected = (point - centres[nearest]) ** 2 - (point - centres[own]) ** 2
    assert [by_name[f"f{number}"] for number in range(6)] == pytest.approx(expected)


def test_nothing_is_explained_that_distances_do_not_explain():
    assert pulls((0.0, 1.0, 0.0), NAMES, 4, [LOYAL, RARE]) is None  # rare is nearer
    assert pulls((2.0, 0.0, 0.0), NAMES, 4, [LOYAL]) is None
    assert pulls((2.0, 0.0), NAMES, 4, [LOYAL, RARE]) is None
    assert pulls((2.0, 0.0, 0.0), NAMES, 7, [LOYAL, RARE]) is None


def test_the_words_say_value_segment_and_weight_for_and_against():
    found = pulls((2.0, 1.0, 0.5), NAMES, 4, [LOYAL, RARE])
    text = pull_in_words(found, {"frequency": 12.0, "aov": 30.5, "refund_share": None}, {"frequency": 10.0})
    assert text == ("rather than rare: Orders 12.0, segment 10.0 (+133%); against it: Average order value 30.5 (-33%)")
