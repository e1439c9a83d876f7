from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score, silhouette_score

from segspark.segments.choice import Candidate, best, four_of_five, scored, try_candidates
from segspark.segments.config import SchemeConfig
from segspark.segments.geometry import nearest
from segspark.segments.methods.kmeans import fit_centres
from segspark.segments.placement import NearestCentre
from tests.unit.segments.blobs import blobs, sample_of

CONFIG = SchemeConfig(splits=3, starts=4)
FOUR = [[0, 0, 0], [4, 0, 0], [0, 4, 0], [4, 4, 4]]


def choose(points, numbers=range(2, 8), config=CONFIG):
    return best(try_candidates(sample_of(points), [{"k": k} for k in numbers], config, seed=7))


def candidate(k, strength, share=0.1, index=1.0, spread=1.0):
    """`index` is Calinski-Harabasz, `spread` Davies-Bouldin."""
    return Candidate({"k": k}, NearestCentre(np.zeros((k, 1))), k, 1.0, 0.5, spread, index, strength, 1.0, share, 0.5)


@pytest.mark.parametrize("k", [3, 4, 5])
def test_the_number_of_well_separated_groups_is_found(k):
    centres = np.eye(5)[:k] * 5
    points, groups = blobs(centres.tolist(), [200] * k, spread=0.7, seed=k)
    chosen = choose(points)
    assert chosen.k == k
    assert adjusted_rand_score(groups, chosen.placement.place(points).number) > 0.99


def test_a_handful_of_outliers_makes_no_segment_though_it_would_please_the_silhouette():
    points, _ = blobs([[0, 0], [3, 0], [0, 3]], [330, 330, 330], spread=0.6)
    outliers, _ = blobs([[9, 9]], [6], spread=0.1)
    points = np.vstack([points, outliers])
    labels = {k: nearest(points, fit_centres(points, k, CONFIG, 7)).label for k in range(2, 7)}
    silhouettes = {k: silhouette_score(points, found) for k, found in labels.items()}
    assert max(silhouettes, key=lambda k: silhouettes[k]) == 4
    assert np.bincount(labels[4]).min() == 6
    assert choose(points, range(2, 7)).k == 3


def test_of_well_supported_numbers_the_largest_is_chosen():
    candidates = scored([candidate(2, 1.0), candidate(3, 0.9), candidate(4, 0.81), candidate(5, 0.79)], CONFIG)
    assert best(candidates).k == 4


def test_of_two_well_supported_neighbours_a_clear_peak_of_calinski_harabasz_decides():
    below, peak, above = candidate(6, 1.0, index=1200), candidate(7, 1.0, index=1365), candidate(8, 0.9, index=1239)
    assert best(scored([below, peak, above], CONFIG)).k == 7
    assert best(scored([below, peak, candidate(8, 0.9, index=1340)], CONFIG)).k == 8
    assert best(scored([below, candidate(7, 0.85, index=1365), above], CONFIG)).k == 8


def test_a_group_cut_in_three_loses_to_the_whole_where_both_indices_say_so():
    """A shop whose seventh persona was cut twice: seven segments at strength .997, nine at .839."""
    six, eight = candidate(6, 1.0, index=1004, spread=0.82), candidate(8, 0.83, index=1200, spread=0.84)
    seven, nine = candidate(7, 0.997, index=1212, spread=0.79), candidate(9, 0.839, index=1150, spread=0.86)
    assert best(scored([six, seven, eight, nine], CONFIG)).k == 7
    seven_of_one_index = candidate(7, 0.997, index=1190, spread=0.79)
    assert best(scored([six, seven_of_one_index, eight, candidate(9, 0.839, index=1195)], CONFIG)).k == 9


def test_a_calinski_harabasz_index_that_only_falls_does_not_lead_down_to_two_segments():
    falling = [candidate(2, 1.0, index=2000), candidate(3, 0.95, index=1600), candidate(4, 0.85, index=1300)]
    assert best(scored(falling, CONFIG)).k == 4


def test_where_no_number_is_well_supported_the_strongest_is_chosen_and_ties_go_by_calinski_harabasz():
    candidates = scored([candidate(2, 0.6, index=3.0), candidate(3, 0.6, index=5.0), candidate(4, 0.5)], CONFIG)
    assert best(candidates).k == 3


def test_a_number_with_a_tiny_segment_loses_to_any_without():
    assert best(scored([candidate(2, 1.0, share=0.009), candidate(3, 0.1, share=0.01)], CONFIG)).k == 3


def test_skewed_data_is_not_cut_into_bulk_and_tail():
    """Three groups on the logarithm's scale, standardised, with the long tails that money has."""
    random = np.random.default_rng(11)
    points, _ = blobs([[0, 0, 0], [5, 0, 3], [0, 5, 3]], [700, 500, 300], spread=0.8)
    points += random.standard_t(4, size=points.shape) * 0.4
    points = (points - points.mean(axis=0)) / points.std(axis=0)
    chosen = choose(points)
    assert (chosen.k, chosen.min_share > 0.1) == (3, True)


def test_where_every_number_has_a_tiny_segment_support_decides():
    assert best(scored([candidate(2, 1.0, share=0.002), candidate(3, 0.9, share=0.002)], CONFIG)).k == 3


def test_a_number_near_the_number_of_points_is_measured_as_unsupported():
    points = np.arange(8.0).reshape(-1, 1)
    (tried,) = try_candidates(sample_of(points), [{"k": 8}], CONFIG, seed=7)
    assert (tried.prediction_strength, tried.stability) == (0.0, 0.0)


def test_refits_leave_out_a_fifth_each_and_not_the_same():
    bits = np.random.default_rng(1).integers(-(2**63), 2**63 - 1, size=20_000)
    kept = [four_of_five(bits, number) for number in range(20)]
    assert all(abs(part.mean() - 0.8) < 0.02 for part in kept)
    both = [(one & other).mean() for one, other in pairwise(kept)]
    assert all(abs(share - 0.64) < 0.02 for share in both)
    assert abs((kept[0] & (bits & 1 == 0)).mean() - 0.4) < 0.02


def test_stability_is_one_where_groups_are_separated_and_low_where_there_are_none():
    config = SchemeConfig(splits=1, starts=1, refits=5)
    apart, _ = blobs([[0, 0], [9, 0], [0, 9]], [200, 150, 100])
    even = np.random.default_rng(2).normal(size=(450, 8))
    (steady,), (loose,) = (try_candidates(sample_of(p), [{"k": 3}], config, 7) for p in (apart, even))
    assert steady.stability == 1.0
    assert loose.stability < 0.8


def test_stability_is_that_of_scikit_learns_index_between_the_fit_and_its_refits():
    points, _ = blobs([[0, 0], [1.5, 0]], [200, 150])
    sample, config = sample_of(points), SchemeConfig(splits=1, refits=2)
    (tried,) = try_candidates(sample, [{"k": 3}], config, 7)
    whole = nearest(points, fit_centres(points, 3, config, 7)).label
    parts = [points[four_of_five(sample.bits, number)] for number in range(2)]
    refits = [nearest(points, fit_centres(part, 3, config, 7)).label for part in parts]
    assert tried.stability == pytest.approx(np.mean([adjusted_rand_score(whole, again) for again in refits]))


@pytest.mark.parametrize("algorithm", ["kmeans", "mixture"])
def test_candidates_are_measured_alike_on_any_number_of_cores(algorithm, monkeypatch):
    points, _ = blobs([[0, 0, 0], [2, 0, 0], [0, 2, 0]], [200, 150, 100], spread=0.8)
    sample, config = sample_of(points), SchemeConfig(algorithm=algorithm, starts=2)
    found = []
    for cores in (1, 5):
        monkeypatch.setattr("os.cpu_count", lambda cores=cores: cores)
        found.append(try_candidates(sample, [{"k": k} for k in range(2, 5)], config, 7))
    assert [replace(one, placement=None) for one in found[0]] == [replace(one, placement=None) for one in found[1]]
