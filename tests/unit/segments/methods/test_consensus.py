import numpy as np
import pytest
from pydantic import ValidationError
from sklearn.metrics import adjusted_rand_score

from segspark.segments.config import SchemeConfig
from segspark.segments.keeping import array_rows, model_from
from segspark.segments.methods.consensus import by_agreement, co_associated, matched, settled
from segspark.segments.methods.method import Everyone
from segspark.segments.methods.registry import METHODS
from segspark.segments.model import SegmentModel
from segspark.segments.placements.centres import NearestCentre
from segspark.segments.placements.panel import Panel, most_voted
from tests.unit.segments.blobs import blobs, needs_wholesale, vectors_of, wholesale

CONFIG = SchemeConfig(algorithm="consensus", starts=3, micro_clusters=300)


def planted(seed, spread):
    """Four groups of unequal sizes in features of unequal widths."""
    random = np.random.default_rng(seed)
    points, groups = blobs(random.normal(size=(4, 4)) * 3, [400, 300, 200, 100], spread=spread, seed=seed)
    return points * random.uniform(0.5, 2, size=4), groups


def against_truth(points, groups, clusters):
    """Adjusted Rand index of the consensus, and of each member."""
    found = METHODS["consensus"].fit(points, {"k": clusters}, CONFIG, 7).place(points).number
    members = [METHODS[name].fit(points, {"k": clusters}, CONFIG, 7).place(points).number for name in CONFIG.members]
    return adjusted_rand_score(groups, found), [adjusted_rand_score(groups, member) for member in members]


@pytest.mark.slow
def test_on_planted_groups_the_consensus_is_no_worse_than_its_median_member():
    gains = []
    for spread in (0.8, 1.2, 1.6):
        for seed in range(6):
            ours, members = against_truth(*planted(seed, spread), 4)
            gains.append(ours - np.median(members))
    assert min(gains) >= -0.005
    assert np.mean(gains) > 0


@needs_wholesale
def test_on_wholesale_customers_the_consensus_is_no_worse_than_its_median_member():
    ours, members = against_truth(*wholesale(), 2)
    assert ours >= np.median(members)


def test_co_association_joins_whom_most_members_keep_together():
    """Kind 2 goes with 0 and 1 for two members of three."""
    kinds = np.array([[0, 0, 0], [0, 0, 1], [0, 0, 2], [1, 1, 1], [1, 1, 2]])
    assert co_associated(kinds, np.array([5, 5, 5, 7, 7]), 2).tolist() == [0, 0, 0, 1, 1]
    assert len(set(co_associated(kinds, np.ones(5), 5))) == 5


def test_a_members_segments_stand_for_those_that_most_of_their_users_are_in():
    own, label, users = np.array([0, 0, 1, 2]), np.array([1, 0, 0, 0]), np.array([9, 1, 5, 3])
    assert matched(own, label, users, 2).tolist() == [1, 0, 0]


def test_once_settled_the_vote_leaves_everyone_where_they_are():
    kinds = np.unique(np.random.default_rng(1).integers(0, 3, size=(40, 3)), axis=0)
    users = np.random.default_rng(2).integers(1, 50, size=len(kinds))
    votes = settled(kinds, users, co_associated(kinds, users, 3), 3)
    label, _ = most_voted([stands_for[own] for stands_for, own in zip(votes, kinds.T, strict=True)])
    again = settled(kinds, users, label, 3)
    assert [stands_for.tolist() for stands_for in again] == [stands_for.tolist() for stands_for in votes]


def test_the_vote_goes_to_the_most_and_of_equals_to_the_earliest():
    number, share = most_voted([np.array([0, 2, 1]), np.array([1, 0, 1]), np.array([1, 1, 1])])
    assert number.tolist() == [1, 2, 1]
    assert share == pytest.approx([2 / 3, 1 / 3, 1.0])


def test_who_agrees_most_with_the_others_comes_first():
    odd, one, other = np.arange(8) % 2, np.arange(8) // 4, np.array([0, 0, 0, 1, 1, 1, 1, 1])
    assert by_agreement([odd, one, other])[-1] == 0
    assert by_agreement([one, one, one]) == [0, 1, 2]


def test_a_panel_can_be_reordered_and_comes_back_from_its_rows():
    points, groups = planted(1, 0.8)
    placement = METHODS["consensus"].fit(points, {"k": 4}, CONFIG, 7)
    turned = placement.reordered(np.array([3, 1, 0, 2]))
    zeros = np.zeros((4, 2))
    rows = array_rows("value", SegmentModel(turned, np.arange(4), zeros, np.arange(4), np.zeros(2), zeros))
    back = model_from(rows).placement.place(points)
    assert (np.array([3, 1, 0, 2])[back.number] == placement.place(points).number).all()
    assert set(np.round(back.confidence * 3)) <= {1.0, 2.0, 3.0}
    assert adjusted_rand_score(groups, back.number) > 0.8


def test_a_panel_of_one_mind_is_sure():
    centres = NearestCentre(np.array([[0.0], [9.0]]))
    placed = Panel((centres, centres), (np.array([0, 1]), np.array([0, 1])), 2).place(np.array([[1.0], [8.0]]))
    assert (placed.number.tolist(), placed.confidence.tolist(), placed.cost.tolist()) == ([0, 1], [1, 1], [0, 0])


def test_members_must_be_several_and_told_how_many_segments_to_make():
    for members in (["kmeans"], ["kmeans", "kmeans"], ["kmeans", "dbscan"]):
        with pytest.raises(ValidationError, match="members"):
            SchemeConfig(algorithm="consensus", members=members)


def test_everyone_is_fused_from_a_sample(spark):
    points, groups = blobs([[0, 0], [6, 0], [0, 6]], [60, 50, 40])
    config = SchemeConfig(algorithm="consensus", sample=100, fit_sample=120, starts=2)
    found = METHODS["consensus"].fit_everyone(Everyone(vectors_of(spark, points), 150), {"k": 3}, config, 7)
    assert list(found) == ["sample of 120"]
    assert adjusted_rand_score(groups, found["sample of 120"].place(points).number) == 1.0
