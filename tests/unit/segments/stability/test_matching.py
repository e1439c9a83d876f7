"""Matching of segments on plain tables of users, against hand arithmetic and exhaustive search."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from segspark.segments.methods.kmeans import fit_centres
from segspark.segments.placement import NearestCentre
from segspark.segments.stability.matching import LINK, SAME, Link, jaccard, links, match, number
from tests.unit.segments.blobs import blobs
from tests.unit.segments.test_fit import QUICK


def table(*rows):
    return np.array(rows, dtype=float)


def told(ids, then, users):
    found = links(np.array(ids), np.array(then, dtype=int), users)
    return [(link.from_segment, link.to_segment, link.kind) for link in found]


def test_the_overlap_is_the_index_of_jaccard_by_hand():
    users = table([30, 10], [0, 60])
    assert jaccard(users) == pytest.approx(table([30 / 40, 10 / 100], [0, 60 / 70]))
    assert jaccard(table([0, 0])) == pytest.approx(table([0, 0]))


def test_segments_are_matched_by_the_largest_sum_and_not_one_after_the_other():
    """The pair with the largest index, 1/2, is given up for two of 1/3."""
    users = table([60, 30], [30, 0])
    assert jaccard(users) == pytest.approx(table([1 / 2, 1 / 3], [1 / 3, 0]))
    assert match(users).tolist() == [1, 0]


@given(arrays(int, st.tuples(st.integers(1, 5), st.integers(1, 5)), elements=st.integers(0, 50)))
def test_no_other_matching_has_a_larger_sum(users):
    weights = jaccard(users.astype(float))
    weights[weights < SAME] = 0
    found = match(users.astype(float))
    own = sum(weights[row, column] for row, column in enumerate(found) if column >= 0)
    wide = weights if weights.shape[0] <= weights.shape[1] else weights.T
    every = permutations(range(wide.shape[1]), wide.shape[0])
    assert own == pytest.approx(max(sum(wide[row, column] for row, column in enumerate(way)) for way in every))
    taken = [column for column in found if column >= 0]
    assert len(set(taken)) == len(taken)


def test_a_pair_that_shares_too_little_is_not_the_same_segment():
    assert match(table([19, 100], [100, 0])).tolist() == [1, 0]
    assert match(table([10, 45], [45, 0])).tolist() == [1, 0]
    assert match(table([15, 85])).tolist() == [1]
    assert match(table([10], [90])).tolist() == [-1, 0]
    assert match(np.zeros((2, 0))).tolist() == [-1, -1]


def test_those_who_belong_nowhere_are_matched_with_themselves_alone():
    users = table([5, 90], [80, 3])
    assert match(users).tolist() == [1, 0]
    assert match(users, noise_now=0, noise_then=0).tolist() == [0, -1]
    assert match(users, noise_now=0).tolist() == [-1, 0]


def test_a_new_segment_gets_an_id_that_no_segment_ever_had():
    assert number(np.array([1, -1, 0, -1]), np.array([3, 7]), last_id=9).tolist() == [7, 10, 3, 11]
    assert number(np.array([-1, -1]), np.array([], dtype=int), last_id=-1).tolist() == [0, 1]


def test_splits_merges_births_and_deaths_are_told_apart():
    users = table([60, 0, 0, 0], [40, 0, 0, 0], [0, 70, 80, 0], [0, 0, 0, 0])
    assert told([4, 10, 6, 11], [4, 5, 6, 7], users) == [
        (4, 4, "same"),
        (4, 10, "split"),
        (5, 6, "merge"),
        (6, 6, "same"),
        (7, None, "ended"),
        (None, 11, "born"),
    ]


def test_a_link_tells_the_overlap_and_a_small_part_is_no_link():
    share = int(100 * LINK)
    users = table([100 - share, 100], [share - 1, 0])
    found = links(np.array([2, 9]), np.array([1, 2]), users)
    assert Link(1, 2, "merge", (100 - share) / (200 - share + share - 1)) in found
    assert [link.kind for link in found if link.to_segment == 9] == ["split"], "all of 9 comes from 1"
    scattered = table([90, 0, 0, 0], [0, 90, 0, 0], [0, 0, 90, 0], [0, 0, 0, 90], [4, 4, 4, 4])
    assert (None, 5, "born") in told([0, 1, 2, 3, 5], [0, 1, 2, 3], scattered)


def test_a_first_run_is_all_births():
    assert told([0, 1], [], np.zeros((2, 0))) == [(None, 0, "born"), (None, 1, "born")]


@given(
    arrays(int, st.tuples(st.integers(1, 5), st.integers(0, 5)), elements=st.integers(0, 50)),
    st.integers(0, 20),
)
def test_every_segment_of_either_run_stands_in_the_lineage_and_ids_are_unique(users, above):
    then = np.arange(users.shape[1]) * 2
    last_id = int(then.max(initial=-1)) + above
    ids = number(match(users.astype(float)), then, last_id)
    assert len(set(ids.tolist())) == len(ids)
    assert all(segment_id in then or segment_id > last_id for segment_id in ids)
    found = links(ids, then, users.astype(float))
    assert {link.to_segment for link in found} - {None} == set(ids.tolist())
    assert {link.from_segment for link in found} - {None} == set(then.tolist())
    assert len({(link.from_segment, link.to_segment) for link in found}) == len(found)


@pytest.mark.parametrize("seed", range(6))
def test_other_order_and_seed_never_swap_the_segments_of_groups_that_lie_apart(seed):
    """Sizes are alike, so that numbers by size alone would swap; users grow older and some leave in between."""
    from segspark.segments.config import SchemeConfig

    points, groups = blobs([[0, 0], [6, 0], [0, 6], [6, 6]], [100, 101, 99, 100], seed=2)
    config = SchemeConfig(k=4, **QUICK)
    then = NearestCentre(fit_centres(points, 4, config, seed=0)).place(points).number
    random = np.random.default_rng(seed)
    stay = random.permutation(len(points))[:350]
    moved = points[stay] + random.normal(size=(350, 2)) * 0.1
    now = NearestCentre(fit_centres(moved, 4, config, seed=seed)).place(moved).number
    users = np.zeros((4, 4))
    np.add.at(users, (now, then[stay]), 1)
    ids = number(match(users), np.arange(4), last_id=3)
    assert (ids[now] == then[stay]).all()
    assert len({(group, segment) for group, segment in zip(groups[stay], ids[now], strict=True)}) == 4
