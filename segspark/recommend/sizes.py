"""How large blocks are: from configuration and the data's own counts, never from the machine."""

from __future__ import annotations

from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig

PAIRS_PER_ALS_BLOCK = 500_000  # fewer make more messages than work, more do not spread over a cluster
LEAST_ALS_BLOCKS = 2
PAIRS_PER_BUCKET = 10_000_000  # of as many pairs one task sorts the ids when they are numbered: seldom above a million
LEAST_USER_BLOCKS = 8  # so that a small shop still keeps more than one core busy
LEAST_USER_BLOCK_ROWS = 512
SCORES_PER_CALL = 20_000_000  # fewer take less time than a Python worker does to start
FOLD_IN_BYTES = 64 * 1024 * 1024  # of the equations of one block of users or items that are folded in


def als_blocks(pairs: int, config: RecommendConfig) -> int:
    """Blocks of users and of items in ALS; the last digits of the factors depend on it."""
    return config.blocks or max(LEAST_ALS_BLOCKS, ceil(pairs / PAIRS_PER_ALS_BLOCK))


def id_buckets(pairs: int) -> int:
    """Ranges in which the ids of so many pairs are numbered apart; the numbers do not depend on it."""
    return max(1, ceil(pairs / PAIRS_PER_BUCKET))


def similarity_block_rows(rows: int, pairs: int, config: RecommendConfig) -> int:
    """Rows of one block of a sparse matrix: as many for each block, and on average no more pairs or rows than the
    configured bounds. Every block meets every other, so few and large ones cost least.
    """
    count = max(ceil(pairs / config.similarity_block_pairs), ceil(rows / config.similarity_block_rows), 1)
    return max(1, ceil(rows / count))


def user_block_rows(users: int, config: RecommendConfig) -> int:
    """Users of one block when lists are made."""
    return min(config.user_block_rows, max(LEAST_USER_BLOCK_ROWS, ceil(users / LEAST_USER_BLOCKS)))


def tasks_at_once(tasks: int, scores: int) -> int:
    """Tasks of lists that one call works on, of so many that together compute `scores` products."""
    return max(1, tasks * SCORES_PER_CALL // max(scores, 1))


def fold_in_block_rows(rank: int) -> int:
    """Users or items that one task folds in: each has rank * (rank + 1) / 2 doubles."""
    return max(1, FOLD_IN_BYTES // (4 * rank * (rank + 1)))


def block_count(rows: int, block_rows: int) -> int:
    """Blocks that hold rows 0 to rows - 1."""
    return max(1, ceil(rows / block_rows))
