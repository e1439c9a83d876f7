import numpy as np
import pytest
from scipy import sparse

from segspark.recommend.neighbours.measures import Measure, comparer, keep_cells, pattern, spread_rows
from tests.unit.recommend.neighbours import dense

MEASURES = [
    Measure("cosine", shrinkage=2.5, min_overlap=2),
    Measure("pearson"),
    Measure("pearson", shrinkage=3, min_overlap=3),
]


def ratings(seed, rows=14, columns=9, share=0.6):
    random = np.random.default_rng(seed)
    return random.integers(1, 6, (rows, columns)).astype(float), random.random((rows, columns)) < share


def compared(values, seen, measure):
    matrix = measure.prepare(sparse.csr_matrix(np.where(seen, values, 0.0)))
    return comparer(matrix, measure)(matrix).toarray()


@pytest.mark.parametrize("measure", MEASURES)
@pytest.mark.parametrize("seed", range(5))
def test_a_comparison_of_blocks_is_that_of_pairs_one_by_one(measure, seed):
    values, seen = ratings(seed)
    found = compared(values, seen, measure)
    expected = dense.similarity(values, seen, measure.name, measure.shrinkage, measure.min_overlap)
    assert found == pytest.approx(expected, abs=1e-12)
    assert (found == found.T).all()


def test_pearson_has_no_cell_where_common_values_are_equal_or_only_one_is_common():
    values = np.array([[3, 3, 3, 0], [1, 2, 5, 0], [0, 0, 4, 2], [1, 2, 5, 9]], float)
    found = compared(values, values > 0, Measure("pearson"))
    assert found[0].tolist() == [0, 0, 0, 0]
    assert found[1, 2] == 0
    assert found[1, 3] == pytest.approx(1)
    assert found[2, 3] == pytest.approx(-1)


def test_pearson_does_not_depend_on_where_a_scale_starts_or_on_its_unit():
    values, seen = ratings(7)
    plain, moved = (compared(each, seen, Measure("pearson")) for each in (values, 1e6 + 1e-3 * values))
    assert moved == pytest.approx(plain, abs=1e-5)


def test_shrinkage_multiplies_by_n_over_n_plus_s():
    values = np.array([[1, 2, 3, 4], [2, 4, 6, 8]], float)
    assert compared(values, values > 0, Measure("cosine", shrinkage=4))[0, 1] == pytest.approx(4 / 8)
    assert compared(values, values > 0, Measure("pearson", shrinkage=1))[0, 1] == pytest.approx(4 / 5)


def test_least_overlap_is_kept_and_one_less_is_not():
    values = np.array([[1, 2, 3, 0], [2, 4, 7, 8], [0, 4, 7, 8]], float)
    found = compared(values, values > 0, Measure("cosine", min_overlap=3))
    assert (found[0, 1] > 0, found[0, 2], found[1, 2] > 0) == (True, 0, True)


def test_an_overlap_whose_sum_of_products_is_0_takes_no_other_pair_s_count():
    centred = sparse.csr_matrix(np.array([[1, -1, 0], [1, 1, 0], [0, 1, 1]], float))
    found = comparer(centred, Measure("adjusted_cosine", shrinkage=1))(centred).toarray()
    assert found.tolist() == [[2 * 2 / 3, 0, -0.5], [0, 2 * 2 / 3, 0.5], [-0.5, 0.5, 2 * 2 / 3]]


def test_rows_are_spread_over_1_to_2_and_empty_ones_stay_empty():
    matrix = sparse.csr_matrix(np.array([[0, 0, 0], [5, 3, 4], [7, 0, 7], [0, 0, 0]], float))
    assert spread_rows(matrix).toarray().tolist() == [[0, 0, 0], [2, 1, 1.5], [1, 0, 1], [0, 0, 0]]
    assert spread_rows(sparse.csr_matrix((2, 3))).nnz == 0


def test_cells_are_kept_under_their_rows_and_a_pattern_counts_cells_of_0():
    matrix = sparse.csr_matrix((np.array([0.0, 2, 3]), np.array([0, 2, 1]), np.array([0, 2, 3])), shape=(2, 3))
    assert pattern(matrix).toarray().tolist() == [[1, 0, 1], [0, 1, 0]]
    kept = keep_cells(matrix, np.array([7.0, 8, 9]), np.array([False, True, True]))
    assert kept.toarray().tolist() == [[0, 0, 8], [0, 9, 0]]
