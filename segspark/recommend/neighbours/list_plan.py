"""What lists from neighbours will cost, from the counts of both sides, before they run: blocks that fit, or a refusal.

Bytes per cell and pair were measured on the worker functions alone; tests hold predictions against them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.errors import ConfigError
from segspark.recommend.degrees import Degrees, Side, measure
from segspark.recommend.neighbours.lists import CELLS_AT_A_TIME, PAIRS_AT_A_TIME
from segspark.recommend.planner import (
    ARROW_BATCH,
    LEAST_ITEMS,
    LEAST_USERS,
    MB,
    PACKING_PAIR,
    PLACE,
    SPARSE_PAIR,
    PlannedLists,
    first_that_fits,
    halved,
    in_mb,
)
from segspark.recommend.sizes import block_count, user_block_rows

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig
    from segspark.recommend.topn import ListPlan

KEY_PAIR, OWN_PAIR, ITEM_PAIR = 25, 60, 50  # of a task's users' keys, of their own items, of one block of items
CELL = 110  # of a product, where all cells of a user tie: then each of them is ranked
REASON_PAIR = 40  # of the keys of users whose reasons are looked for


@dataclass(frozen=True)
class Sides:
    """How many pairs both sides of a product of users by keys with keys by items have."""

    left: Degrees  # the users' keys
    right: Degrees  # the items' keys
    own: Degrees  # the users' items
    keys: int  # one more than the highest number
    multiply_adds: int


def measure_sides(left: DataFrame, right: DataFrame, own: Degrees, keys: int, items: int) -> Sides:
    """Counts `left` (user_no, key_no) and `right` (key_no, item_no), each pair once; collects sums only."""
    of_users, of_items = (frame.groupBy("key_no").count() for frame in (left, right))
    both = of_users.join(of_items.withColumnRenamed("count", "items"), on="key_no", how="inner")
    products = both.agg(F.sum(F.col("count") * F.col("items"))).first()
    of_left, of_right = measure(Side(left, "user_no", "key_no", own.rows), Side(right, "item_no", "key_no", items))
    return Sides(
        left=of_left,
        right=of_right,
        own=own,
        keys=keys,
        multiply_adds=(products[0] or 0) if products else 0,
    )


def plan_sparse_lists(plan: ListPlan, sides: Sides, config: RecommendConfig, what: str) -> PlannedLists:
    """The same plan with the largest blocks whose tasks stay within task_memory_mb.

    `what` names the lists. Raises ConfigError, which names the key, where the smallest blocks are still too large.
    """
    start = replace(plan, user_block_rows=user_block_rows(plan.users, config), item_block_rows=config.item_block_rows)
    fewer_users = [replace(start, user_block_rows=height) for height in halved(start.user_block_rows, LEAST_USERS)]
    fewer_items = [
        replace(fewer_users[-1], item_block_rows=width) for width in halved(start.item_block_rows, LEAST_ITEMS)
    ]
    found = first_that_fits((_in_blocks(each, sides) for each in fewer_users + fewer_items), config)
    if found.task_bytes <= config.task_memory_mb * MB:
        return found
    reasons = _reason_bytes(found.plan, sides)
    way = f"allow {ceil(found.task_bytes / MB):,}, with as much memory for each core of an executor"
    if plan.explain and found.task_bytes - reasons <= config.task_memory_mb * MB:
        way += f", or set recommend.explain_max_items below {sides.right.rows:,}: reasons take {in_mb(reasons)} of it"
    raise ConfigError(
        f"recommend.task_memory_mb: {what} for {plan.users:,} users of {sides.right.rows:,} items take"
        f" {in_mb(found.task_bytes)} a task even in the smallest blocks, as one user has {sides.own.most:,} items"
        f" and one item comes by {sides.right.most:,} ways; {config.task_memory_mb:,} MB are allowed: {way}"
    )


def _in_blocks(plan: ListPlan, sides: Sides) -> PlannedLists:
    """What lists in blocks of the plan's sizes cost."""
    users, width = min(plan.user_block_rows, plan.users), plan.item_block_rows
    blocks, items = block_count(plan.users, plan.user_block_rows), sides.right.rows
    of_keys, of_own, of_items = (
        side.fullest(rows)
        for side, rows in ((sides.left, plan.user_block_rows), (sides.own, plan.user_block_rows), (sides.right, width))
    )
    of_block = ceil(sides.multiply_adds * of_keys / max(sides.left.pairs, 1))  # all may lie within one block of items
    cells = min(max(CELLS_AT_A_TIME, width), users * min(width, items), of_block)
    streamed = SPARSE_PAIR * sides.right.pairs + 4 * block_count(items, width) * width
    held = KEY_PAIR * of_keys + OWN_PAIR * of_own + ITEM_PAIR * of_items + 8 * sides.keys
    held += CELL * cells + PLACE * plan.top_n * users + min(ARROW_BATCH, streamed)
    held += _reason_bytes(plan, sides) if plan.explain else 0
    return PlannedLists(
        plan=plan,
        scores=min(sides.multiply_adds, plan.users * items),
        shuffle_bytes=blocks * streamed + SPARSE_PAIR * (sides.left.pairs + sides.own.pairs),
        task_bytes=max(held, PACKING_PAIR * max(of_keys, of_own, of_items)),
    )


def _reason_bytes(plan: ListPlan, sides: Sides) -> int:
    """The keys of all items, and those of the users whose reasons are looked for at once, for each of their places."""
    at_once = sides.left.fullest(min(plan.user_block_rows, ceil(PAIRS_AT_A_TIME / plan.top_n)))
    return SPARSE_PAIR * sides.right.pairs + REASON_PAIR * plan.top_n * at_once
