import numpy as np
import pytest

from segspark.recommend.neighbours.measures import Measure
from segspark.recommend.similarity import CELLS_AT_A_TIME, nearest_rows, raised_bounds


def triples_of(spark, matrix):
    rows = [(int(r), int(c), float(matrix[r, c])) for r, c in zip(*np.nonzero(matrix), strict=True)]
    return spark.createDataFrame(rows, "item_no int, user_no int, weight double")


def nearest(spark, matrix, block_rows, neighbours, partitions=3, name="cosine"):
    triples = triples_of(spark, matrix).repartition(partitions)
    sizes = (*matrix.shape, block_rows, neighbours)
    found = nearest_rows(triples, "item_no", "user_no", *sizes, Measure(name)).collect()
    return sorted((row.row_no, row["rank"], row.neighbour_no, row.similarity) for row in found)


def dense_answer(matrix, neighbours):
    """Cosine by numpy; rounded as documented, ties by number, pairs without overlap left out."""
    norms = np.linalg.norm(matrix, axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosine = np.round(matrix @ matrix.T / np.outer(norms, norms), 10)
    rows = []
    for row in range(len(matrix)):
        others = [other for other in range(len(matrix)) if other != row and cosine[row, other] > 0]
        others.sort(key=lambda other: (-cosine[row, other], other))
        rows += [(row, rank, other, cosine[row, other]) for rank, other in enumerate(others[:neighbours], 1)]
    return rows


def random_matrix(seed, rows=23, columns=17, density=0.25):
    random = np.random.default_rng(seed)
    return (random.random((rows, columns)) < density) * random.integers(1, 4, (rows, columns)).astype(float)


@pytest.mark.parametrize(("seed", "block_rows", "neighbours"), [(1, 4, 5), (2, 100, 3), (3, 7, 50)])
def test_neighbours_are_those_of_a_dense_computation_whatever_the_blocks(spark, seed, block_rows, neighbours):
    matrix = random_matrix(seed)
    matrix[5] = 2 * matrix[3]  # the same direction: a tie with everything else
    matrix[8] = 0  # nobody's item
    found, expected = nearest(spark, matrix, block_rows, neighbours), dense_answer(matrix, neighbours)
    assert [row[:3] for row in found] == [row[:3] for row in expected]
    assert [row[3] for row in found] == pytest.approx([row[3] for row in expected], abs=1e-9)


def test_similarity_is_symmetric_within_bounds_and_never_of_a_row_to_itself(spark):
    found = nearest(spark, random_matrix(4), block_rows=5, neighbours=50)
    pairs = {(row, other): similarity for row, _, other, similarity in found}
    assert pairs and all(pairs[other, row] == similarity for (row, other), similarity in pairs.items())
    assert all(0 < similarity <= 1 for similarity in pairs.values())
    assert all(row != other for row, other in pairs)


def test_an_item_that_everybody_touched_is_compared_like_any_other(spark):
    matrix = random_matrix(5, rows=40)
    matrix[0] = 1
    found, expected = nearest(spark, matrix, 6, 4), dense_answer(matrix, 4)
    assert [row[:3] for row in found] == [row[:3] for row in expected]
    assert [row[3] for row in found] == pytest.approx([row[3] for row in expected], abs=1e-9)


def test_a_block_whose_product_is_made_in_parts_gives_the_same_neighbours(spark):
    matrix, block_rows = random_matrix(7, rows=600, columns=90, density=0.1), 32_768
    assert CELLS_AT_A_TIME // block_rows < len(matrix)
    found, expected = nearest(spark, matrix, block_rows, 4), dense_answer(matrix, 4)
    assert [row[:3] for row in found] == [row[:3] for row in expected]


@pytest.mark.parametrize("name", ["cosine", "adjusted_cosine", "pearson"])
def test_how_the_input_is_partitioned_and_cut_into_blocks_changes_no_bit(spark, name):
    matrix = random_matrix(6, density=0.5) * np.pi
    answer = nearest(spark, matrix, 6, 5, partitions=1, name=name)
    assert answer and answer == nearest(spark, matrix, 4, 5, partitions=4, name=name)


def test_a_weight_that_is_not_finite_counts_as_missing(spark):
    matrix, odd = random_matrix(8, rows=6), random_matrix(8, rows=6)
    odd[matrix == 0] = np.resize([np.nan, np.inf, 0], (matrix == 0).sum())
    for name in ("cosine", "pearson"):
        assert nearest(spark, odd, 4, 5, name=name) == nearest(spark, matrix, 4, 5, name=name)


def test_a_free_row_s_bound_is_its_nth_highest_cell_where_it_is_long_and_stays_where_places_are_taken():
    cells, indptr = np.array([5.0, 1, 4, 2, 3, 9, 7.0, 8, 1, 2, 3, 4, 5]), np.array([0, 5, 8, 13])
    bounds = np.array([-np.inf, -np.inf, 0.25])
    assert raised_bounds(bounds, cells, indptr, 1).tolist() == [5.0, -np.inf, 0.25]
