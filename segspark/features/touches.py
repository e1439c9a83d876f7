"""What users looked at, added up in numpy: a task has all touches of some users, and a column for each item.

Touches of days long past do not change, so they are kept packed: per user one array of items and one of touches. Items
are named by hash there, as a text per touch would be most of the table. Packed and single touches add up to the same,
however they are divided. What goes into a task is packed touches, single ones, and the list of items, which is sent to
each: nothing of the size of the users or items passes through the driver.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import functions as F
from scipy import sparse

from segspark.core.exact import SCALE

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

NUMBERS = 1 << 20  # categories that fit beside a weight in one bigint
FULL_TASK = 2_000_000  # touches that a task holds in memory, some 100 bytes each
LEAST_TASK = 500_000  # touches for which another task is worth its start
KEPT_SINGLE = timedelta(days=7)  # of the newest days touches are not packed: late rows still come there
WORTH_PACKING = 2_000_000  # rows; of fewer, adding up again is cheaper than a table
SAME_KEY = "touches: two items have the same key; with another salt they have not"

PARTS = {  # what a task is sent: rows of `single_touches`, of `pack_touches`, and items
    "user_id": "string",
    "item_key": "bigint",
    "touches": "bigint",
    "item_keys": "array<bigint>",
    "item_touches": "array<bigint>",
    "category_no": "bigint",
}
SINGLE = ("user_id", "item_key", "touches")
PACK = ("user_id", "item_keys", "item_touches")
ITEM = ("item_key", "category_no")
SUMS = ("user_id", "distinct_items", "distinct_categories", "named_touches", "log_touches", "best_touches")
Work = Callable[["Touches"], pa.RecordBatch]


def item_key(salt: int) -> Column:
    """An item's name as a number; another salt gives other numbers, where two items have the same."""
    return F.xxhash64(F.lit(salt), F.col("item_id"))


def single_touches(user_item_days: DataFrame, salt: int) -> DataFrame:
    """user_id, item_key, touches: one row per row of user_item_days, also where it has an order line only."""
    touches = F.col("views") + F.col("clicks") + F.col("carts") + F.col("wishlists") + F.col("purchases")
    return user_item_days.select("user_id", item_key(salt).alias("item_key"), touches.alias("touches"))


def sum_touches(touches: Iterable[DataFrame], items: DataFrame, tasks: int) -> DataFrame:
    """One row per user: distinct items and categories, and what they looked at in named categories.

    `touches` are frames as of `single_touches` or `pack_touches`; `items` has item_key and category_no of every item in
    them. named_touches is their number, log_touches the sum of n ln n over categories in whole ten-thousandths,
    best_touches the heaviest category as `heaviest` packs it; all null for who has touched no named category.
    """
    return _per_user(touches, items, tasks, sums_of, f"user_id string, {' bigint, '.join(SUMS[1:])} bigint")


def pack_touches(touches: Iterable[DataFrame], items: DataFrame, tasks: int) -> DataFrame:
    """One row per user: item_keys, rising, and item_touches in their order. Arguments are those of `sum_touches`."""
    return _per_user(touches, items, tasks, arrays_of, ", ".join(f"{name} {PARTS[name]}" for name in PACK))


def touch_tasks(rows: int, partitions: int) -> int:
    """How many tasks add up so many touches."""
    return max(1, min(partitions, rows // LEAST_TASK), math.ceil(rows / FULL_TASK))


def may_pack(rows: int) -> bool:
    """Whether so many rows of all days may be worth packing."""
    return rows >= WORTH_PACKING


def day_to_pack_to(rows: dict[date, int], as_of: date, packed_to: date | None) -> date | None:
    """The day before which touches should be packed, from the rows of each day before as_of; None where none should.

    What is packed before `packed_to` serves until a tenth as many rows could be added to it.
    """
    newest = as_of - KEPT_SINGLE
    if packed_to is None:
        return newest if sum(n for day, n in rows.items() if day < newest) >= WORTH_PACKING else None
    packed = sum(n for day, n in rows.items() if day < packed_to)
    more = sum(n for day, n in rows.items() if packed_to <= day < newest)
    return newest if more * 10 > packed else packed_to


@dataclass(frozen=True)
class Packed:
    """What is packed in the table."""

    day: date  # the first day that is not in it
    shape: str  # how it was made
    changed_from: date | None  # the earliest day that changed since

    def serves(self, as_of: date, shape: str) -> bool:
        """Whether a run at as_of may read it, as it would make it itself."""
        is_whole = self.changed_from is None or self.changed_from >= self.day
        return self.day <= as_of and self.shape == shape and is_whole


@dataclass(frozen=True)
class Touches:
    """Touches of some users: rows are users, columns are items in the order of `keys`; a touch may count 0."""

    users: pa.Array
    counts: sparse.csr_array
    keys: np.ndarray  # of all items, rising
    category_no: np.ndarray  # of each item


def _per_user(touches: Iterable[DataFrame], items: DataFrame, tasks: int, work: Work, schema: str) -> DataFrame:
    """`work` on all touches of a task's users. Users are dealt by hash, the items go to each task."""
    own = F.pmod(F.xxhash64("user_id"), F.lit(tasks)).cast("int")
    every = F.explode(F.sequence(F.lit(0), F.lit(tasks - 1)))
    parts = [*(_part(frame, own) for frame in touches), _part(items, every)]

    def batches(source: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = list(source)
        touches = read_touches(pa.Table.from_batches(held)) if held else None
        if touches is not None:
            yield work(touches)

    rows = reduce(lambda one, other: one.unionByName(other), parts)
    gathered = rows.coalesce(1) if tasks == 1 else rows.repartitionById(tasks, "task")
    return gathered.drop("task").mapInArrow(batches, schema)


def _part(frame: DataFrame, task: Column) -> DataFrame:
    """The frame's columns of `PARTS`, null where it has none, for that task."""
    columns = {name: F.col(name) if name in frame.columns else F.lit(None) for name in PARTS}
    return frame.select(task.alias("task"), *(columns[name].cast(kind).alias(name) for name, kind in PARTS.items()))


def read_touches(table: pa.Table) -> Touches | None:
    """The rows that a task was sent; None where no touch is among them.

    Raises ValueError where two items have the same key, or touches are of an item that is not in the list.
    """
    items, single, packed = (_with_all(table, names) for names in (ITEM, SINGLE, PACK))
    if single.num_rows + packed.num_rows == 0:
        return None
    order = np.argsort(items["item_key"].to_numpy())
    keys, category_no = (items[name].to_numpy()[order] for name in ITEM)
    if (keys[1:] == keys[:-1]).any():
        raise ValueError(SAME_KEY)
    user_no, users = _numbered([single["user_id"], packed["user_id"]])
    sizes = pc.list_value_length(packed["item_keys"]).to_numpy()
    row = np.concatenate([user_no[: single.num_rows], np.repeat(user_no[single.num_rows :], sizes)])
    item_no, touched = _numbered([single["item_key"], pc.list_flatten(packed["item_keys"])])
    count = np.concatenate([single["touches"].to_numpy(), pc.list_flatten(packed["item_touches"]).to_numpy()])
    place = np.minimum(np.searchsorted(keys, touched.to_numpy()), len(keys) - 1)
    if not np.array_equal(keys[place], touched.to_numpy()):
        raise ValueError("touches: some are of an item that the list of items does not have")
    entries = sparse.coo_array((count, (row, place[item_no])), (len(users), len(keys)))
    return Touches(users, entries.tocsr(), keys, category_no)  # which adds up touches of one item and sorts them


def _with_all(table: pa.Table, names: tuple[str, ...]) -> pa.Table:
    """Those columns, of the rows that have all of them."""
    has_all = reduce(operator.and_, (pc.field(name).is_valid() for name in names))
    return table.select(names).filter(has_all)


def _numbered(columns: list[pa.ChunkedArray]) -> tuple[np.ndarray, pa.Array]:
    """The place of each value, one column after the other, among the distinct ones, and these."""
    chunks = [chunk for column in columns for chunk in column.chunks]
    coded = pa.chunked_array(chunks, columns[0].type).dictionary_encode().combine_chunks()
    return coded.indices.to_numpy(), coded.dictionary


def arrays_of(touches: Touches) -> pa.RecordBatch:
    """One row per user, as `pack_touches` tells."""
    borders = pa.array(touches.counts.indptr, pa.int32())
    flat = touches.keys[touches.counts.indices], touches.counts.data
    lists = (pa.ListArray.from_arrays(borders, pa.array(values)) for values in flat)
    return pa.RecordBatch.from_arrays([touches.users, *lists], list(PACK))


def sums_of(touches: Touches) -> pa.RecordBatch:
    """One row per user, as `sum_touches` tells."""
    counts, users = touches.counts, len(touches.users)
    row = np.repeat(np.arange(users), np.diff(counts.indptr))
    category_no = touches.category_no[counts.indices]
    is_named = category_no > 0
    shape = (users, int(touches.category_no.max(initial=0)) + 1)
    entries = counts.data[is_named], (row[is_named], category_no[is_named])
    named = sparse.coo_array(entries, shape).tocsr()
    categories = np.diff(named.indptr)
    nobody = categories == 0
    sums = [
        categories,
        _row_sums(named.data, named.indptr),
        _row_sums(n_log_n(named.data), named.indptr),
        _row_tops(heaviest(named.data, named.indices), named.indptr),
    ]
    columns = [pa.array(np.diff(counts.indptr), pa.int64()), *(pa.array(v, pa.int64(), mask=nobody) for v in sums)]
    return pa.RecordBatch.from_arrays([touches.users, *columns], list(SUMS))


def n_log_n(n: np.ndarray) -> np.ndarray:
    """n ln n in whole ten-thousandths, halves away from zero, as `exact.whole` has them; 0 at 0."""
    scaled = n * np.log(np.maximum(n, 1).astype(np.float64)) * SCALE
    nearest = np.rint(scaled)
    return np.where(scaled - nearest == 0.5, nearest + 1, nearest).astype(np.int64)


def heaviest(weight: np.ndarray, category_no: np.ndarray) -> np.ndarray:
    """Weight and number in one: the greatest is the heaviest category, and of equals the first by name."""
    return weight * NUMBERS + (NUMBERS - category_no)


def _row_sums(values: np.ndarray, borders: np.ndarray) -> np.ndarray:
    so_far = np.concatenate([[0], np.cumsum(values)])
    return so_far[borders[1:]] - so_far[borders[:-1]]


def _row_tops(values: np.ndarray, borders: np.ndarray) -> np.ndarray:
    """The greatest of each row, 0 where it has none."""
    tops = np.zeros(len(borders) - 1, np.int64)
    filled = np.diff(borders) > 0
    if filled.any():
        tops[filled] = np.maximum.reduceat(values, borders[:-1][filled])
    return tops
