"""Neighbours against dense numpy, on any small table."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy import sparse

from segspark.recommend.neighbours.measures import Measure
from segspark.recommend.similarity import Nearest, nearest_rows
from tests.unit.recommend.neighbours import dense

MANY = settings(max_examples=150, deadline=None)
FEW = settings(max_examples=4, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
NAMES = ["cosine", "adjusted_cosine", "pearson"]


@st.composite
def tables(draw):
    """Values 1 to 5 or missing; now and then a row of equal values and a row that is twice another."""
    rows, columns = draw(st.integers(1, 12)), draw(st.integers(1, 9))
    cells = st.lists(st.one_of(st.just(0), st.integers(1, 5)), min_size=columns, max_size=columns)
    table = np.array(draw(st.lists(cells, min_size=rows, max_size=rows)), float)
    if rows > 2 and draw(st.booleans()):
        table[0] = np.where(table[0] > 0, 3, 0)
        table[1] = 2 * table[2]
    return table


measures = st.builds(
    Measure, st.sampled_from(NAMES), shrinkage=st.sampled_from([0.0, 0.5, 10.0]), min_overlap=st.integers(1, 4)
)


def expected_of(table, measure, size):
    similar = dense.similarity(table, table > 0, measure.name, measure.shrinkage, measure.min_overlap)
    return dense.neighbours(similar, size, measure.keeps_negative)


def assert_same(found, expected):
    assert [row[:3] for row in found] == [row[:3] for row in expected]
    assert [row[3] for row in found] == pytest.approx([row[3] for row in expected], abs=1e-9)


def assert_sound(found):
    """Symmetric where both directions fit, within [-1, 1], never a row's own, ranks without gaps."""
    pairs = {(row, other): similarity for row, _, other, similarity in found}
    assert all(pairs.get((other, row), similarity) == similarity for (row, other), similarity in pairs.items())
    assert all(-1 <= similarity <= 1 and similarity != 0 for similarity in pairs.values())
    assert all(row != other for row, other in pairs)
    for row in {row for row, *_ in found}:
        ranks = [rank for number, rank, *_ in found if number == row]
        assert ranks == list(range(1, len(ranks) + 1))


@MANY
@given(tables(), measures, st.integers(1, 5), st.integers(1, 13))
def test_blocks_find_the_neighbours_of_a_dense_computation(table, measure, block_rows, size):
    seen = table > 0
    if measure.name == "adjusted_cosine":  # what around_column_means does in Spark
        means = table.sum(axis=0) / np.maximum(seen.sum(axis=0), 1)
        centred = np.where(seen, table - means, 0.0)
    else:
        centred = table
    whole = sparse.csr_matrix((centred[seen], np.nonzero(seen)), shape=table.shape)
    starts = range(0, len(table), block_rows)
    blocks = [measure.prepare(whole[start : start + block_rows]) for start in starts]
    found = []
    for start, block in zip(starts, blocks, strict=True):
        nearest = Nearest(block, start, size, measure)
        for first, other in zip(starts, blocks, strict=True):
            nearest.offer(other, first)
        row, *rest = nearest.best.ranked()
        found += [tuple(each) for each in zip(row + start, *rest, strict=True)]
    assert_same(found, expected_of(table, measure, size))
    assert_sound(found)


@FEW
@given(tables(), st.integers(1, 5), st.integers(1, 13))
@pytest.mark.parametrize("name", NAMES)
def test_spark_finds_the_neighbours_of_a_dense_computation(spark, name, table, block_rows, size):
    measure = Measure(name)
    triples = [(int(r), int(c), table[r, c].item()) for r, c in zip(*table.nonzero(), strict=True)]
    odd = [(0, 0, float("nan"))] if table[0, 0] == 0 else []
    frame = spark.createDataFrame(triples + odd, "item_no int, user_no int, weight double").repartition(3)
    rows = nearest_rows(frame, "item_no", "user_no", *table.shape, block_rows, size, measure).collect()
    found = sorted((row.row_no, row["rank"], row.neighbour_no, row.similarity) for row in rows)
    assert_same(found, expected_of(table, measure, size))
    assert_sound(found)
