from itertools import pairwise

import numpy as np
import pytest
from scipy.cluster import hierarchy

from segspark.bi.report.dendrogram import LEAVES, tree_of, truncated
from segspark.segments.keeping import array_rows
from segspark.segments.model import SegmentModel
from segspark.segments.placements.anchors import Anchors
from segspark.segments.placements.tree import CutTree
from tests.unit.bi.report.fake_run import SMALL, tree_arrays


@pytest.fixture(scope="module")
def grown():
    """Merges of 80 points, users of each, and the segments of a cut into six, numbered from 1."""
    rng = np.random.default_rng(3)
    points = rng.normal(size=(80, 3)) + 4 * rng.integers(0, 3, size=(80, 1))
    merges = hierarchy.linkage(points, "ward")
    return merges, rng.integers(1, 40, 80).astype(float), hierarchy.fcluster(merges, 6, "maxclust")


@pytest.mark.parametrize("leaves", [12, 80])
def test_branches_lie_where_scipy_draws_them(grown, leaves):
    merges, users, segments = grown
    drawn = hierarchy.dendrogram(merges, p=leaves, truncate_mode="lastp", no_plot=True)
    own = {(branch.places, branch.heights) for branch in truncated(merges, users, segments, leaves).branches}
    assert len(own) == leaves - 1
    assert own == {
        (tuple((np.array(x) - 5) / 10), tuple(y)) for x, y in zip(drawn["icoord"], drawn["dcoord"], strict=True)
    }


def test_a_leaf_has_the_users_of_its_points_and_not_their_number(grown):
    merges, users, segments = grown
    tree = truncated(merges, users, segments, 12)
    cut = hierarchy.fcluster(merges, 12, "maxclust")  # scipy's own cut into as many groups
    assert sorted(leaf.users for leaf in tree.leaves) == sorted(np.bincount(cut, weights=users)[1:])


def test_each_segment_has_its_leaves_side_by_side_and_all_of_its_users(grown):
    merges, users, segments = grown
    tree = truncated(merges, users, segments, 20)
    assert len(tree.segments) == 1 + sum(a.segment_id != b.segment_id for a, b in pairwise(tree.leaves)) == 6
    for segment_id in tree.segments:
        own = sum(leaf.users for leaf in tree.leaves if leaf.segment_id == segment_id)
        assert own == users[segments == segment_id].sum()


def test_the_line_cuts_the_tree_into_the_segments_and_only_what_is_below_it_has_a_colour(grown):
    merges, users, segments = grown
    tree = truncated(merges, users, segments, 20)
    assert np.array_equal(hierarchy.fcluster(merges, tree.cut, "distance"), segments)
    assert all((max(branch.heights) < tree.cut) == (branch.segment_id is not None) for branch in tree.branches)


def test_no_segment_is_lost_where_there_are_more_than_leaves(grown):
    merges, users, _ = grown
    segments = hierarchy.fcluster(merges, 15, "maxclust")
    assert len(truncated(merges, users, segments, 4).leaves) == 15


def test_the_tree_of_a_scheme_is_read_from_its_arrays():
    tree = tree_of(tree_arrays(), "taste")
    assert [(leaf.users, leaf.segment_id) for leaf in tree.leaves] == [
        *((300, 0), (300, 0), (198, 0), (400, 1)),
        *((396, 1), (500, 2), (294, 2), (SMALL, 3)),
    ]
    assert tree.cut == 3.75  # between the merges at 2.5 and 5


def test_the_arrays_of_a_model_as_the_segments_room_keeps_them_are_a_tree(grown):
    merges, users, segments = grown
    placement = CutTree(Anchors(np.zeros((80, 3)), segments - 1), users, merges)
    places = np.zeros((6, 2))
    model = SegmentModel(placement, ids=np.arange(1, 7), centres=places, sizes=np.ones(6), origin=places, axes=places)
    assert tree_of(array_rows("tree", model), "tree") == truncated(merges, users, segments, LEAVES)


def test_segment_ids_are_those_of_the_tables_and_not_the_models_positions():
    arrays = [{**row, "cells": [7.0, 5.0, 9.0, 8.0]} if row["name"] == "ids" else row for row in tree_arrays()]
    assert tree_of(arrays, "taste").segments == [7, 5, 9, 8]


def test_a_scheme_without_merges_has_no_tree():
    alone = {"placement: cut tree: labels": [0], "placement: cut tree: weights": [9], "placement: cut tree: merges": []}
    shapes = {"placement: cut tree: merges": [0, 4]}
    one_point = [
        {**row, "shape": shapes.get(row["name"], [1]), "cells": alone.get(row["name"], [0.0])} for row in tree_arrays()
    ]
    assert tree_of(one_point, "taste") is None
    assert tree_of(tree_arrays(), "value") is None
    assert tree_of(tree_arrays()[1:], "taste") is None
