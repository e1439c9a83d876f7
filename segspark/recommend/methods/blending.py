"""Lists of several methods blended into one, by weights that did best on days that were held out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F
from scipy.special import comb

from segspark.recommend.ranking import rank_within
from segspark.recommend.sizes import block_count

GAINS = "mix int, gain double"
DIGITS = 10  # decimals of a scaled score; beyond them the order of sums would decide
STEPS = 5  # weights are multiples of 1 / STEPS
USERS_AT_A_TIME = 4096
MOST_MIXES = 1000


@dataclass(frozen=True)
class Mix:
    """What each method's scaled score counts for, summing to 1, and the mean ndcg_at_k that it reached."""

    weights: dict[str, float]
    ndcg: float
    users: int

    @property
    def told(self) -> str:
        """One line for a person."""
        parts = " + ".join(f"{weight:.2g} {name}" for name, weight in self.weights.items() if weight > 0)
        how = f"ndcg_at_k {self.ndcg:.3f} on {self.users:,} users" if self.users else "nobody to learn it on"
        return f"{parts} ({how})"


def mixes_of(methods: int, steps: int = STEPS) -> np.ndarray:
    """Every way to split 1 among the methods in parts of 1 / steps; a row each, those on fewer methods first.

    ValueError where that would be more than 1,000.
    """
    if comb(steps + methods - 1, steps, exact=True) > MOST_MIXES:
        raise ValueError(f"{methods} methods in steps of 1/{steps} are more than {MOST_MIXES} mixes")
    parts = np.array(sorted(_compositions(steps, methods), reverse=True), dtype=np.int64)
    return parts[np.argsort((parts > 0).sum(axis=1), kind="stable")] / steps


def _compositions(total: int, parts: int) -> Iterator[tuple[int, ...]]:
    if parts == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in _compositions(total - first, parts - 1):
            yield (first, *rest)


def candidates(lists: DataFrame, methods: Sequence[str]) -> DataFrame:
    """One row per user and item that any method lists: user_no, item_no, scores (in the order of `methods`), because.

    `lists` has method and the columns of LISTS. A method's scores are scaled for each user so that its best is 1 and
    its last is 0, where an item that it does not list stands too; a list of equal scores is all 1. `because`
    (because_no and because_action) is of the method that has a reason and gives the item the highest scaled score.
    """
    of_list = Window.partitionBy("method", "user_no")
    best, last = F.max("score").over(of_list), F.min("score").over(of_list)
    share = F.when(best > last, F.round((F.col("score") - last) / (best - last), DIGITS)).otherwise(1.0)
    because = F.struct("because_no", "because_action").alias("because")
    scaled = lists.select("method", "user_no", "item_no", share.alias("share"), because)
    place = F.array_position(F.array(*map(F.lit, methods)), F.col("method"))
    strongest = F.when(F.col("because.because_no").isNotNull(), F.struct("share", -place))
    columns = [F.coalesce(F.max(F.when(F.col("method") == name, F.col("share"))), F.lit(0.0)) for name in methods]
    reason = F.max_by("because", strongest).alias("because")
    return scaled.groupBy("user_no", "item_no").agg(F.array(*columns).alias("scores"), reason)


def learn_mix(candidates: DataFrame, relevant: DataFrame, methods: Sequence[str], k: int, users: int) -> Mix:
    """The mix whose blended lists have the highest mean ndcg_at_k on `relevant` (user_no, item_no).

    Mean over the users of `relevant`; of equal mixes the one on fewer, then on earlier methods. Only one sum per mix
    comes to the driver. `users` is one more than the highest user_no.
    """
    mixes = mixes_of(len(methods))
    judged = relevant.groupBy("user_no").agg(F.count(F.lit(1)).alias("relevant"))
    hits = relevant.select("user_no", "item_no", F.lit(True).alias("hit"))
    marked = candidates.join(judged, on="user_no", how="inner").join(hits, on=["user_no", "item_no"], how="left")
    marked = marked.withColumn("hit", F.coalesce("hit", F.lit(False)))
    block = F.expr(f"int(user_no div {USERS_AT_A_TIME})")
    by_block = marked.repartitionById(block_count(users, USERS_AT_A_TIME), block)

    def gain(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        rows = list(batches)
        if any(batch.num_rows for batch in rows):
            yield _gains_of(pa.Table.from_batches(rows), mixes, k)

    sums = by_block.mapInArrow(gain, GAINS).groupBy("mix").agg(F.sum("gain").alias("gain")).toArrow()
    gains = np.zeros(len(mixes))
    gains[sums["mix"].to_numpy()] = sums["gain"].to_numpy()
    count = max(1, judged.count())
    best = int(np.argmax(np.round(gains / count, DIGITS)))
    weights = dict(zip(methods, mixes[best].tolist(), strict=True))
    return Mix(weights, round(float(gains[best]) / count, DIGITS), count)


def blend(candidates: DataFrame, mix: Mix, methods: Sequence[str], top_n: int) -> DataFrame:
    """Lists (as LISTS of topn): the `top_n` items of the highest blended score, ties by item_no.

    The score is the weighted sum of the scaled ones, from 0 to 1; an item that only counts for 0 is not listed.
    """
    weights = [mix.weights[name] for name in methods]
    total = sum((F.col("scores")[place] * F.lit(weight) for place, weight in enumerate(weights)), F.lit(0.0))
    scored = candidates.select("user_no", "item_no", F.round(total, DIGITS).alias("score"), "because.*")
    scored = scored.where("score > 0")
    best_first = Window.partitionBy("user_no").orderBy(F.desc("score"), "item_no")
    return scored.withColumn("rank", F.row_number().over(best_first)).where(F.col("rank") <= top_n)


def _gains_of(rows: pa.Table, mixes: np.ndarray, k: int) -> pa.RecordBatch:
    """The summed ndcg of these users under each mix. Users are in numeric order, so sums do not depend on the rows'."""
    user, item, hit = (rows[name].to_numpy() for name in ("user_no", "item_no", "hit"))
    scores = rows["scores"].combine_chunks().flatten().to_numpy().reshape(len(user), -1)
    numbers, first = np.unique(user, return_index=True)
    ideal = np.cumsum(1 / np.log2(np.arange(2, k + 2)))[np.minimum(rows["relevant"].to_numpy()[first], k) - 1]
    gains = [ndcg_sum(user, item, np.round(scores @ mix, DIGITS), hit, numbers, ideal, k) for mix in mixes]
    arrays = [pa.array(range(len(mixes)), pa.int32()), pa.array(gains, pa.float64())]
    return pa.RecordBatch.from_arrays(arrays, names=["mix", "gain"])


def ndcg_sum(
    user: np.ndarray,
    item: np.ndarray,
    score: np.ndarray,
    hit: np.ndarray,
    numbers: np.ndarray,
    ideal: np.ndarray,
    k: int,
) -> float:
    """Sum over the users `numbers` of the gain of each one's k highest scores above 0, over the `ideal` gain."""
    order = np.lexsort((item, -score, user))
    place = rank_within(user[order])
    counts = hit[order] & (place < k) & (score[order] > 0)
    gain = np.bincount(np.searchsorted(numbers, user[order][counts]), 1 / np.log2(place[counts] + 2.0), len(numbers))
    return float((gain / ideal).sum())
