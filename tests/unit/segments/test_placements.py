"""What is true of every kind of placement."""

import subprocess
import sys

import numpy as np
import pytest

from segspark.segments.config import SchemeConfig
from segspark.segments.fit import count_under
from segspark.segments.methods.method import Everyone
from segspark.segments.methods.registry import METHODS
from segspark.segments.placement import KINDS, restored
from segspark.segments.placements.cells import Cells
from tests.unit.segments.blobs import blobs, vectors_of

POINTS, _ = blobs([[0, 0, 0], [3, 0, 0], [0, 3, 3]], [70, 60, 50], spread=0.7)
COMMON = {"starts": 2, "micro_clusters": 60, "k": 3}
CONFIGS = {name: {"algorithm": name} for name in METHODS} | {
    "rfm": {"algorithm": "rfm", "source": "raw"},
    "activity": {"algorithm": "activity", "source": "raw"},
    "cosine": {"algorithm": "kmeans", "distance": "cosine"},
}


def fitted(name):
    config = SchemeConfig(**CONFIGS[name], **COMMON)
    method, points = METHODS[config.algorithm], POINTS[:, :1] if name == "activity" else POINTS
    return method.fit(points, method.candidates(config, points)[-1], config, 7), points


def fields_of(placed):
    return np.column_stack([placed.number, placed.distance, placed.confidence, placed.cost])


@pytest.mark.parametrize("name", CONFIGS)
def test_a_user_has_the_same_numbers_to_the_last_bit_in_whatever_batch(name):
    placement, points = fitted(name)
    parts = [fields_of(placement.place(points[start : start + 7])) for start in range(0, len(points), 7)]
    assert (np.vstack(parts) == fields_of(placement.place(points))).all()


@pytest.mark.parametrize("name", CONFIGS)
def test_in_another_order_and_back_from_its_arrays_everyone_keeps_their_company(name):
    placement, points = fitted(name)
    order = np.random.default_rng(1).permutation(placement.segments)
    turned = placement.reordered(order)
    kept = {part: np.asarray(values, dtype=np.float64) for part, values in turned.arrays().items()}
    before, after = placement.place(points), restored(turned.kind, kept).place(points)
    assert (order[after.number] == before.number).all()
    assert (fields_of(after)[:, 1:] == fields_of(before)[:, 1:]).all()


@pytest.mark.parametrize("name", CONFIGS)
def test_numbers_are_in_their_ranges(name):
    placement, points = fitted(name)
    placed = placement.place(np.vstack([points, points * 50]) if name != "activity" else points)
    assert set(placed.number) <= set(range(placement.segments))
    assert (placed.distance >= 0).all() and np.isfinite(placed.cost).all()
    assert ((placed.confidence >= 0) & (placed.confidence <= 1)).all()


@pytest.mark.parametrize("name", CONFIGS)
def test_a_fit_is_the_same_for_the_same_seed(name):
    one, other = fitted(name)[0].arrays(), fitted(name)[0].arrays()
    assert one.keys() == other.keys()
    assert all((one[part] == other[part]).all() for part in one)


def test_every_kind_is_made_by_some_method():
    assert {fitted(name)[0].kind for name in CONFIGS} == set(KINDS)


def test_executors_need_neither_scikit_learn_nor_pydantic_to_place_users():
    modules = "segspark.segments.placement, segspark.segments.placements.cells, segspark.segments.assign"
    asked = f"import sys, {modules}; print([m for m in ('sklearn', 'pydantic', 'yaml') if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


def test_every_kind_counts_on_executors_as_on_the_driver(spark):
    placements = [fitted(name)[0] for name in CONFIGS if name != "activity"] + [Cells(POINTS[:50])]
    counts = count_under(Everyone(vectors_of(spark, POINTS).repartition(3), len(POINTS)), placements, 3)
    for placement, count in zip(placements, counts, strict=True):
        placed = placement.place(POINTS)
        assert count.sizes.tolist() == np.bincount(placed.number, minlength=placement.segments).tolist()
        assert count.costs.sum() == pytest.approx(placed.cost.sum())
