import pytest

from segspark.recommend.config import RecommendConfig
from segspark.recommend.sizes import block_count, id_buckets, similarity_block_rows

CONFIG = RecommendConfig(similarity_block_rows=1000, similarity_block_pairs=50_000)


@pytest.mark.parametrize(
    ("rows", "pairs", "height"),
    [
        (10, 20, 10),  # all in one block
        (1001, 20, 501),  # one row too many: two blocks of the same height
        (900, 120_000, 300),  # three times the pairs of a block
        (1, 120_000, 1),  # a row is never cut
        (0, 0, 1),
    ],
)
def test_blocks_of_similarity_are_as_few_as_both_bounds_allow_and_equally_high(rows, pairs, height):
    assert similarity_block_rows(rows, pairs, CONFIG) == height


def test_a_last_block_that_is_not_full_is_counted():
    assert [block_count(rows, 4) for rows in (0, 1, 4, 5)] == [1, 1, 1, 2]


def test_ids_are_numbered_in_more_ranges_where_there_are_more_pairs():
    assert [id_buckets(pairs) for pairs in (0, 10_000_000, 10_000_001, 95_000_000)] == [1, 1, 2, 10]
