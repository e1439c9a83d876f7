"""What similarity and lists will cost, from the data's own counts, before they run: block sizes that fit, or a refusal.

Bytes per cell, place and pair were measured on the worker functions alone; tests hold predictions against them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING, TypeVar

from segspark.core.errors import ConfigError
from segspark.recommend.degrees import Degrees
from segspark.recommend.similarity import CELLS_AT_A_TIME
from segspark.recommend.sizes import block_count, similarity_block_rows, user_block_rows
from segspark.recommend.topn import CELLS_AT_A_TIME as SCORES_AT_A_TIME

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig
    from segspark.recommend.topn import ListPlan

MOST_BLOCKS = 1024  # of similarity: each meets every other
LEAST_USERS, LEAST_ITEMS = 256, 256  # the smallest blocks of lists
MB = 1_000_000
ARROW_BATCH = 64 * MB  # bytes of blocks that Spark hands over at once

SPARSE_PAIR = 12  # bytes of a pair in a block: its column and its cell
PACKING_PAIR = 70  # while a block is made of pairs
BLOCK_PAIR = 60  # a task's own block, a slice of it, another and that one turned around
CELL, ALIKE_CELL = 22, 80  # of a product; and of a cell that ties with the others of its row
PLACE = 76  # of a list of neighbours or items: kept, ranked, written
OWN_PAIR = 45  # an item that a user has
SCORE, CAPPED_SCORE = 10, 24
VECTOR_COPIES = 4  # of all items' vectors where reasons are given: as they came, joined, scaled, squared


@dataclass(frozen=True)
class SimilarityPlan:
    """One product of a sparse matrix with itself."""

    block_rows: int
    blocks: int
    multiply_adds: int
    cells: int  # of the result, at most
    shuffle_bytes: int
    task_bytes: int  # what arrays one task holds at its highest

    def told(self, what: str) -> str:
        """One line for a person."""
        return (
            f"{what}: {self.multiply_adds:,} multiply-adds for at most {self.cells:,} pairs, each of {self.blocks:,}"
            f" blocks of {self.block_rows:,} rows with every other; {in_mb(self.shuffle_bytes)} to shuffle,"
            f" {in_mb(self.task_bytes)} a task"
        )


@dataclass(frozen=True)
class Lists:
    """What lists are made of, beside what ListPlan says."""

    items: int
    rank: int
    own: Degrees  # the users' items


@dataclass(frozen=True)
class PlannedLists:
    """The list plan that fits, and what it costs."""

    plan: ListPlan
    scores: int
    shuffle_bytes: int
    task_bytes: int

    def told(self) -> str:
        """One line for a person."""
        users, items = min(self.plan.user_block_rows, self.plan.users), self.plan.item_block_rows
        return (
            f"{self.scores:,} scores in blocks of {users:,} users and {items:,} items;"
            f" {in_mb(self.shuffle_bytes)} to shuffle, {in_mb(self.task_bytes)} a task"
        )


Plan = TypeVar("Plan", SimilarityPlan, PlannedLists)


def plan_similarity(
    own: Degrees, columns: Degrees, neighbours: int, config: RecommendConfig, what: str
) -> SimilarityPlan:
    """The largest blocks whose tasks stay within task_memory_mb; halved from what sizes.py would take.

    Raises ConfigError where 1,024 blocks are still too large.
    """
    plans = (
        _similarity_in(height, own, columns, neighbours)
        for height in halved(similarity_block_rows(own.rows, own.pairs, config), ceil(own.rows / MOST_BLOCKS))
    )
    plan = first_that_fits(plans, config)
    if plan.task_bytes > config.task_memory_mb * MB:
        raise ConfigError(
            f"recommend.task_memory_mb: {what} of {own.rows:,} rows and {own.pairs:,} pairs, {own.most:,} of them in"
            f" one row and {columns.most:,} in one column, takes {in_mb(plan.task_bytes)} a task even in blocks of"
            f" {plan.block_rows:,} rows; {config.task_memory_mb:,} MB are allowed: allow"
            f" {ceil(plan.task_bytes / MB):,}, with as much memory for each core of an executor"
        )
    return plan


def plan_lists(plan: ListPlan, lists: Lists, config: RecommendConfig) -> PlannedLists:
    """The same plan with the largest blocks whose tasks stay within task_memory_mb. Raises ConfigError as above."""
    start = replace(plan, user_block_rows=user_block_rows(plan.users, config), item_block_rows=config.item_block_rows)
    fewer_users = [replace(start, user_block_rows=height) for height in halved(start.user_block_rows, LEAST_USERS)]
    fewer_items = [
        replace(fewer_users[-1], item_block_rows=width) for width in halved(start.item_block_rows, LEAST_ITEMS)
    ]
    planned = (_lists_in(each, lists) for each in fewer_users + fewer_items)
    found = first_that_fits(planned, config)
    if found.task_bytes > config.task_memory_mb * MB:
        reasons = _reason_bytes(lists)
        way = f"allow {ceil(found.task_bytes / MB):,}, with as much memory for each core of an executor"
        if plan.explain and found.task_bytes - reasons <= config.task_memory_mb * MB:
            way += f", or set recommend.explain_max_items below {lists.items:,}: reasons take {in_mb(reasons)} of it"
        raise ConfigError(
            f"recommend.task_memory_mb: lists for {plan.users:,} users of {lists.items:,} items take"
            f" {in_mb(found.task_bytes)} a task even in the smallest blocks, as one user has {lists.own.most:,} items;"
            f" {config.task_memory_mb:,} MB are allowed: {way}"
        )
    return found


def _similarity_in(height: int, own: Degrees, columns: Degrees, neighbours: int) -> SimilarityPlan:
    """What blocks of `height` rows cost. A block's products may all lie within one other block."""
    pairs, multiply_adds = own.fullest(height), columns.squares
    share = pairs / max(own.pairs, 1)
    cells = min(CELLS_AT_A_TIME, height**2, ceil(multiply_adds * share))
    held = BLOCK_PAIR * pairs + 8 * columns.rows + CELL * cells + ALIKE_CELL * min(cells, own.alike)
    blocks = block_count(own.rows, height)
    streamed = blocks * (SPARSE_PAIR * own.pairs + 4 * own.rows)
    held += PLACE * height * neighbours + min(ARROW_BATCH, streamed // blocks)
    return SimilarityPlan(
        block_rows=height,
        blocks=blocks,
        multiply_adds=multiply_adds,
        cells=min(multiply_adds, own.rows**2),
        shuffle_bytes=streamed,
        task_bytes=max(held, PACKING_PAIR * pairs),
    )


def _lists_in(plan: ListPlan, lists: Lists) -> PlannedLists:
    """What lists in blocks of the plan's sizes cost."""
    vector, users = 4 * lists.rank, min(plan.user_block_rows, plan.users)
    pairs, blocks = lists.own.fullest(plan.user_block_rows), block_count(plan.users, plan.user_block_rows)
    per_score = CAPPED_SCORE if plan.max_per_category else SCORE
    scores = min(max(SCORES_AT_A_TIME, plan.item_block_rows), users * min(plan.item_block_rows, lists.items))
    everything = lists.items * (vector + 4) + (8 * lists.items if plan.max_per_category else 0)
    held = per_score * scores + (PLACE * plan.top_n + 2 * vector) * users + OWN_PAIR * pairs
    held += 3 * vector * min(plan.item_block_rows, lists.items) + min(ARROW_BATCH, everything)
    held += 16 * lists.items if plan.max_per_category else 0
    held += _reason_bytes(lists) if plan.explain else 0
    return PlannedLists(
        plan=plan,
        scores=plan.users * lists.items,
        shuffle_bytes=blocks * everything + plan.users * vector + SPARSE_PAIR * lists.own.pairs,
        task_bytes=held,
    )


def _reason_bytes(lists: Lists) -> int:
    """All items' vectors, and once more those of the user who has most."""
    return 4 * lists.rank * (VECTOR_COPIES * lists.items + lists.own.most)


def halved(start: int, least: int) -> list[int]:
    """The start, its half, and so on, down to `least`."""
    sizes = [start]
    while sizes[-1] > max(least, 1):
        sizes.append(max(least, 1, sizes[-1] // 2))
    return sizes


def first_that_fits(plans: Iterable[Plan], config: RecommendConfig) -> Plan:
    """The first within task_memory_mb, or the last."""
    for plan in plans:
        if plan.task_bytes <= config.task_memory_mb * MB:
            break
    return plan


def in_mb(size: int) -> str:
    """Bytes as a person reads them: whole megabytes, rounded up."""
    return f"{ceil(size / MB):,} MB"
