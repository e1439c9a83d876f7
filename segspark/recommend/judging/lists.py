"""The lists of all methods joined once with what was relevant, and what follows from them for each user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.judging.bootstrap import Figures, Key, mean_figures
from segspark.recommend.judging.metrics import RANKING_METRICS, coverage, diversity, gini, novelty

POPULARITY = "popularity"  # what every method is held against


def gather(
    lists: DataFrame, relevant: DataFrame, facts: DataFrame, areas: DataFrame, methods: Sequence[str]
) -> DataFrame:
    """One row per user of `relevant`: user_no, relevant (count), listed and areas, methods by place in `methods`.

    `listed` has structs of method, place (from 0), hit, surprise and vector, one for each row of `lists` (method,
    user_no, rank, item_no); `areas` structs of method and auc, one for each row of `areas` (method, user_no, auc).
    `facts` is one row per item: item_no, surprise and vector.
    """
    number = F.array_position(F.array(*map(F.lit, methods)), F.col("method")).cast("int") - 1
    counts = relevant.groupBy("user_no").agg(F.count(F.lit(1)).alias("relevant"))
    hits = relevant.select("user_no", "item_no", F.lit(True).alias("is_hit"))
    marked = lists.join(hits, on=["user_no", "item_no"], how="left").join(facts, on="item_no", how="left")
    one = F.struct(
        number.alias("method"),
        (F.col("rank") - 1).alias("place"),
        F.col("is_hit").isNotNull().alias("hit"),
        F.col("surprise").cast("double").alias("surprise"),
        F.col("vector").cast("array<float>").alias("vector"),
    )
    listed = marked.groupBy("user_no").agg(F.collect_list(one).alias("listed"))
    area = F.struct(number.alias("method"), F.col("auc").cast("double").alias("auc"))
    of_user = areas.groupBy("user_no").agg(F.collect_list(area).alias("areas"))
    return counts.join(listed, on="user_no", how="left").join(of_user, on="user_no", how="left")


def figures_of(methods: Sequence[str], k: int) -> Callable[[pa.RecordBatch], Mapping[Key, Figures]]:
    """What `resample` asks of rows of `gather`: every metric that is a mean over users, of every method.

    Also of the difference of each method with popularity, named as `als-popularity`: user by user, so that the interval
    is of the difference. Where a user's value is not defined for one of the two, the difference is not.
    """
    compared = [(place, method) for place, method in enumerate(methods) if method != POPULARITY]
    baseline = list(methods).index(POPULARITY)

    def figures(batch: pa.RecordBatch) -> dict[Key, Figures]:
        found: dict[Key, Figures] = {}
        for metric, values in _values(batch, len(methods), k).items():
            found |= {(method, metric): mean_figures(values[place]) for place, method in enumerate(methods)}
            for place, method in compared:
                found[f"{method}-{POPULARITY}", metric] = mean_figures(values[place] - values[baseline])
        return found

    return figures


def spread(lists: DataFrame, methods: Sequence[str], items: int) -> dict[Key, float]:
    """Coverage and gini of each method's lists together; no gini of a method that lists nothing.

    Collects how many items are listed so many times, not which.
    """
    times = lists.groupBy("method", "item_no").count().groupBy("method", F.col("count").alias("exposures"))
    rows = times.agg(F.count(F.lit(1)).alias("times")).collect()
    found = {}
    for method in methods:
        mine = [row for row in rows if row["method"] == method]
        listed, often = (np.array([row[name] for row in mine], int) for name in ("exposures", "times"))
        found[method, "coverage"] = coverage(often, items)
        if mine:
            found[method, "gini"] = gini(listed, often, items)
    return found


def _values(batch: pa.RecordBatch, methods: int, k: int) -> dict[str, np.ndarray]:
    """Each metric's values, a row per method and a column per user; NaN where it is not defined."""
    users = batch.num_rows
    relevant = batch.column("relevant").to_numpy().astype(np.int64)
    user, method, place, hit, surprise, vector = _flat(batch.column("listed"))
    counts = place < k
    at = (method[counts], user[counts], place[counts])
    hits = np.zeros((methods, users, k), bool)
    surprises = np.full((methods, users, k), np.nan)
    hits[at], surprises[at] = hit[counts], surprise[counts]
    values = {name: np.stack([metric(mine, relevant) for mine in hits]) for name, metric in RANKING_METRICS.items()}
    values["novelty"] = np.stack([novelty(mine) for mine in surprises])
    values["diversity"] = _diversities(vector, counts, at, hits)
    values["auc"] = np.full((methods, users), np.nan)
    user, method, area = _flat(batch.column("areas"))
    values["auc"][method, user] = area
    return values


def _diversities(vector: pa.Array, counts: np.ndarray, at: tuple[np.ndarray, ...], hits: np.ndarray) -> np.ndarray:
    """The diversity of each method's lists: one method's vectors at a time are put at their places."""
    has = np.asarray(vector.is_valid())
    flat = vector.drop_null().flatten().to_numpy(zero_copy_only=False)
    length = len(flat) // max(1, has.sum())
    vectors = flat.reshape(has.sum(), length)[counts[has]]
    method, user, place = (part[has[counts]] for part in at)
    found = []
    for each in range(len(hits)):
        placed = np.zeros((*hits.shape[1:], length))
        mine = method == each
        placed[user[mine], place[mine]] = vectors[mine]
        found.append(diversity(placed))
    return np.stack(found)


def _flat(structs: pa.Array) -> tuple:
    """Which row each struct of a list column stands in, and the fields of the structs; vectors as they are."""
    lengths = pc.list_value_length(structs).fill_null(0).to_numpy(zero_copy_only=False)
    fields = structs.flatten().flatten()
    row = np.repeat(np.arange(len(structs)), lengths)
    plain = [field if pa.types.is_list(field.type) else field.to_numpy(zero_copy_only=False) for field in fields]
    return (row, *plain)
