"""Users, items and weights with planted tastes, by numpy, for factors and similarity."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

TASTES = 10
TASTE_SHARE = 0.85  # of a user's items that follow the user's taste
HELD_OUT_SHARE = 0.1
FILE_ROWS = 1_000_000


def write_interactions(pairs: int, users: int, items: int, folder: Path, seed: int = 7) -> None:
    """Writes pairs/ (user_id, item_id, weight; each pair once) and held_out.parquet (user_id, item_id).

    Popularity is Zipf's within each taste and overall; the held-out pairs are not among the others.
    """
    rng = np.random.default_rng(seed)
    user, item = _draw(rng, int(pairs * 1.3 / (1 - HELD_OUT_SHARE)), users, items)
    distinct = rng.permutation(np.unique(user * items + item))[: int(pairs / (1 - HELD_OUT_SHARE))]
    table = pa.table(
        {
            "user_id": _names("u", distinct // items),
            "item_id": _names("i", distinct % items),
            "weight": rng.geometric(0.4, len(distinct)).astype(np.float64),
        }
    )
    (folder / "pairs").mkdir(parents=True, exist_ok=True)
    for first in range(0, min(pairs, len(table)), FILE_ROWS):
        rows = table.slice(first, min(FILE_ROWS, pairs - first))
        pq.write_table(rows, folder / "pairs" / f"part-{first // FILE_ROWS:03d}.parquet")
    pq.write_table(table.slice(pairs).select(["user_id", "item_id"]), folder / "held_out.parquet")


def _draw(rng: np.random.Generator, count: int, users: int, items: int) -> tuple[np.ndarray, np.ndarray]:
    activity = np.cumsum(rng.lognormal(0.0, 0.8, users))
    user = np.searchsorted(activity, rng.random(count) * activity[-1])
    taste_of = rng.integers(0, TASTES, users)
    orders = np.stack([rng.permutation(items) for _ in range(TASTES + 1)])
    which = np.where(rng.random(count) < TASTE_SHARE, taste_of[user], TASTES)
    return user, orders[which, _zipf(rng, count, items)].astype(np.int64)


def _zipf(rng: np.random.Generator, count: int, items: int) -> np.ndarray:
    """Ranks from 0, in proportion to 1 / (rank + 10)."""
    offset = 10.0
    return (offset * np.exp(rng.random(count) * np.log1p(items / offset)) - offset).astype(np.int64).clip(0, items - 1)


def _names(prefix: str, numbers: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pc.cast(pa.array(numbers), pa.string()), "")
