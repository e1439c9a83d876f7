"""The population stability index against hand arithmetic and numpy, on plain arrays."""

from math import log

import numpy as np
import pytest

from segspark.features.preparation.drift import (
    Drift,
    bins_of,
    borders_of,
    by_chance,
    compare,
    count_bins,
    stability_index,
)


def counts_of(values, borders):
    return np.bincount(bins_of(np.asarray(values, dtype=float), borders), minlength=len(borders) + 2)


def drift_of(then, now, bound=0.25):
    (borders,) = borders_of(np.asarray(then, dtype=float)[:, None])
    (drift,) = compare(["f"], [counts_of(then, borders)], [counts_of(now, borders)], bound)
    return drift


def test_the_index_is_the_sum_by_hand():
    """(.2 - .5) ln(.2 / .5) + (.8 - .5) ln(.8 / .5) for halves that become a fifth and four fifths."""
    by_hand = 0.3 * log(0.5 / 0.2) + 0.3 * log(0.8 / 0.5)
    assert stability_index(np.array([50, 50]), np.array([20, 80])) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(0.4159, abs=1e-4)


def test_an_empty_bin_counts_as_half_a_user():
    by_hand = (0.5 / 9 - 1) * log(0.5 / 9) + (1 - 0.5 / 7) * log(7 / 0.5)
    assert stability_index(np.array([7, 0]), np.array([0, 9])) == pytest.approx(by_hand)


def test_bins_are_deciles_and_a_border_belongs_to_the_bin_below():
    values = np.arange(1, 101, dtype=float)
    (borders,) = borders_of(values[:, None])
    assert borders == pytest.approx(np.quantile(values, np.arange(1, 10) / 10))
    assert counts_of(values, borders).tolist() == [10] * 10 + [0]
    assert bins_of(np.array([borders[0], np.nextafter(borders[0], 1e9)]), borders).tolist() == [0, 1]


def test_the_value_of_many_has_a_bin_of_its_own_so_that_leaving_it_either_way_shows():
    then = [5.0] * 80 + list(np.linspace(6, 9, 20))
    assert not drift_of(then, then).has_drifted
    assert drift_of(then, [4.0] * 80 + then[80:]).has_drifted
    assert drift_of([5.0] * 100, [3.0] * 100).has_drifted


def test_unchanged_users_have_not_drifted_and_shifted_ones_have():
    draw = np.random.default_rng(3)
    then = draw.lognormal(3, 1, 2000)
    assert drift_of(then, draw.permutation(then)) == Drift("f", 0.0, 0.25)
    again = drift_of(then, draw.lognormal(3, 1, 2000))
    assert 0 < again.psi < 0.05 and not again.has_drifted
    assert drift_of(then, then * 2).has_drifted
    assert drift_of(then, np.where(draw.random(2000) < 0.4, np.nan, then)).has_drifted


def test_few_users_drawn_again_from_one_shop_have_hardly_ever_drifted():
    """The bound follows the number of users: a fixed one would find drift in every second pair of small draws."""
    draw = np.random.default_rng(4)
    pairs = [(draw.normal(size=40), draw.normal(size=40)) for _ in range(300)]
    found = [drift_of(then, now) for then, now in pairs]
    assert sum(drift.has_drifted for drift in found) <= 5
    assert sum(drift.psi > 0.25 for drift in found) > 100
    assert by_chance(np.array([10_000] * 10), np.array([10_000] * 10)) < 0.001


def test_a_feature_that_nobody_has_any_more_has_vanished():
    assert drift_of([1.0, 2.0, 3.0], [np.nan, np.inf, np.nan]).has_vanished
    assert not drift_of([np.nan, np.nan], [np.nan, np.nan]).has_vanished
    assert not drift_of([np.nan, np.nan], [1.0, 2.0]).has_vanished


def test_users_of_both_runs_are_counted_in_one_pass_however_they_are_spread(spark):
    draw = np.random.default_rng(5)
    values = draw.normal(size=(200, 2))
    values[::7, 1] = np.nan
    borders = borders_of(values)
    rows = [(f"u{n}", *(None if np.isnan(v) else float(v) for v in row)) for n, row in enumerate(values)]
    frame = spark.createDataFrame(rows, "user_id string, a double, b double").repartition(5)
    fewer = frame.where("a > 0")
    counted = count_bins([frame, fewer], ["a", "b"], borders).coalesce(1).collect()
    found = {(row.frame, row.feature, row.bin): row.users for row in counted}
    expected = {}
    for place, part in enumerate((values, values[values[:, 0] > 0])):
        for feature, own in enumerate(borders):
            expected |= {(place, feature, b): users for b, users in enumerate(counts_of(part[:, feature], own))}
    assert found == expected
