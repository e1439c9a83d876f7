import numpy as np
import pytest

from segspark.recommend.ranking import Best, best_first


@pytest.mark.parametrize("lengths", [[40, 43, 38, 0, 41], [1, 900, 2, 1], [], [7]])
def test_the_order_is_that_of_one_sort_by_all_three_keys_however_uneven_the_rows(lengths):
    random = np.random.default_rng(1)
    row = random.permutation(np.repeat(np.arange(len(lengths)), np.array(lengths, int)))
    number = random.permutation(len(row))
    score = random.integers(-3, 3, len(row)) / 4  # mostly ties
    assert best_first(row, number, score).tolist() == np.lexsort((number, -score, row)).tolist()


def test_the_best_of_pieces_are_the_best_of_all():
    random = np.random.default_rng(2)
    score = random.integers(0, 9, (6, 50)) / 8.0
    best = Best(6, 5)
    for piece in np.array_split(random.permutation(50), 4):
        row = np.repeat(np.arange(6), len(piece))
        number = np.tile(piece, 6)
        best.merge(row, number, score[row, number])
    expected = [sorted(range(50), key=lambda n, r=r: (-score[r, n], n))[:5] for r in range(6)]
    assert best.numbers.tolist() == expected
