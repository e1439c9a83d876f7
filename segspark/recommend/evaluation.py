"""Fit before a day, recommend, and hold the lists against what came after it.

Frames that are used more than once are checkpointed rather than cached: the plan of a cached frame stands inside every
plan that reads it, and after a few such levels Spark spends minutes on printing plans.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.recommend.bootstrap import Estimate, judge
from segspark.recommend.factors import Factors, fit_explicit, fit_implicit
from segspark.recommend.interactions import BOUGHT, popularity, with_numbers
from segspark.recommend.numbering import number_both
from segspark.recommend.ratings import around_means, item_means, rating_error
from segspark.recommend.sizes import als_blocks, user_block_rows
from segspark.recommend.split import relevant_pairs, sample_users
from segspark.recommend.topn import ListPlan, best_items, leave_out_from

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig

COMPARED = "als-popularity"  # the difference of the two, user by user


@dataclass(frozen=True)
class Train:
    """What is known at the split: user_no, item_no, weight and action, and how many of each there are."""

    interactions: DataFrame
    users: int
    items: int
    pairs: int


def judge_lists(
    past: DataFrame, held_out: DataFrame, config: RecommendConfig, seed: int
) -> tuple[list[Row], list[str]]:
    """The rows of recommendation_metrics for lists, and what a person should know about them.

    `past` and `held_out` have user_id, item_id, weight and action. Works through checkpoints; collects counts and sums
    only. No rows where nobody can be judged.
    """
    past = past.checkpoint()
    weighed = past.where("weight > 0")
    pairs = weighed.count()
    if pairs == 0:
        return [], []
    users, items = (index.checkpoint() for index in number_both(weighed, pairs))
    own = with_numbers(past, users, items).checkpoint()
    train = Train(own, users.count(), items.count(), pairs)
    relevant, notes = _relevant(with_numbers(held_out, users, items).checkpoint(), own, config, seed)
    judged_users = relevant.select("user_no").distinct()
    if judged_users.isEmpty():
        return [], notes
    lists = lists_of_both(train, judged_users, config, seed).checkpoint()
    return ranking_rows(lists, relevant, train.items, config, seed), notes


def judge_ratings(past: DataFrame, held_out: DataFrame, config: RecommendConfig, seed: int) -> list[Row]:
    """The row of explicit ALS; none where no held-out rating is of a user and an item that were rated before.

    Both frames have user_id, item_id and weight (the rating). `popularity_value` is the error of the item's mean.
    """
    pairs = past.count()
    if pairs == 0:
        return []
    users, items = (index.checkpoint() for index in number_both(past, pairs))
    no_action = F.lit(0).alias("action")
    train = with_numbers(past.select("*", no_action), users, items).checkpoint()
    test = with_numbers(held_out.select("*", no_action), users, items).checkpoint()
    if test.isEmpty():
        return []
    means = item_means(train).checkpoint()
    model = fit_explicit(around_means(train, means), config, als_blocks(pairs, config), seed)
    error = rating_error(model, means, test)
    if error is None:
        return []
    return [metric_row("als_explicit", "rmse", 0, Estimate(error.rmse, None, None, error.users), error.baseline)]


def _relevant(tested: DataFrame, own: DataFrame, config: RecommendConfig, seed: int) -> tuple[DataFrame, list[str]]:
    """The hits of the users that are judged; what anybody touched where nothing was bought."""
    leave_out, kind, notes = leave_out_from(config.exclude_seen, config.seen), config.evaluation.relevant, []
    if kind == "bought" and tested.where(F.col("action") >= BOUGHT).isEmpty():
        kind = "touched"
        notes.append("evaluate: nothing was bought in the held-out days; whatever was touched counts as a hit")
    relevant = relevant_pairs(tested, own, kind, leave_out).checkpoint()
    users = relevant.select("user_no").distinct().count()
    return sample_users(relevant, users, config.evaluation.max_users, seed), notes


def lists_of_both(train: Train, judged_users: DataFrame, config: RecommendConfig, seed: int) -> DataFrame:
    """method, user_no, rank and item_no: k items by ALS and the k most popular, for each of `judged_users` (user_no).

    ALS is fitted on all of `train`; popularity is the sum of the same decayed weights. Both leave out the same items.
    """
    weighed = train.interactions.where("weight > 0")
    factors = fit_implicit(weighed, config, als_blocks(train.pairs, config), seed)
    of_judged = Factors(factors.users.join(judged_users, on="user_no", how="left_semi"), factors.items)
    items = popularity(weighed, "item_no").select("item_no", F.array("popularity").alias("factors"))
    popular = Factors(judged_users.select("user_no", F.array(F.lit(1.0)).alias("factors")), items)
    own = train.interactions.join(judged_users, on="user_no", how="left_semi").select("user_no", "item_no", "action")
    plan = ListPlan(
        users=train.users,
        top_n=config.evaluation.k,
        leave_out=leave_out_from(config.exclude_seen, config.seen),
        explain=False,
        user_block_rows=user_block_rows(train.users, config),
        item_block_rows=config.item_block_rows,
    )
    none_closed = own.select("item_no").limit(0)
    lists = [
        best_items(each, own, none_closed, plan).select(F.lit(method).alias("method"), "user_no", "rank", "item_no")
        for method, each in (("als", of_judged), ("popularity", popular))
    ]
    return lists[0].unionByName(lists[1])


def hit_ranks(lists: DataFrame, relevant: DataFrame) -> DataFrame:
    """One row per user of `relevant`: user_no, relevant (count), als and popularity (ranks of hits, null without)."""
    counts = relevant.groupBy("user_no").agg(F.count(F.lit(1)).alias("relevant"))
    ranks = {
        m: F.sort_array(F.collect_list(F.when(F.col("method") == m, F.col("rank")))) for m in ("als", "popularity")
    }
    hits = lists.join(relevant, on=["user_no", "item_no"], how="inner")
    hits = hits.groupBy("user_no").agg(*(column.alias(method) for method, column in ranks.items()))
    return counts.join(hits, on="user_no", how="left")


def ranking_rows(lists: DataFrame, relevant: DataFrame, items: int, config: RecommendConfig, seed: int) -> list[Row]:
    """The rows of recommendation_metrics for both methods and their difference. Collects sums only."""
    k = config.evaluation.k
    estimates = judge(hit_ranks(lists, relevant), k, config.evaluation.bootstrap_rounds, seed)
    users = max(estimate.users for estimate in estimates.values())
    covered = {row["method"]: row["items"] / items for row in _covered_items(lists).collect()}
    covered = {
        method: Estimate(round(covered.get(method, 0.0), 10), None, None, users) for method in ("als", "popularity")
    }
    everything = {**estimates, **{(method, "coverage"): estimate for method, estimate in covered.items()}}
    return [
        metric_row(method, metric, k, estimate, everything[("popularity", metric)].value)
        for (method, metric), estimate in sorted(everything.items())
    ]


def metric_row(method: str, metric: str, k: int, estimate: Estimate, popularity_value: float) -> Row:
    """One row of recommendation_metrics."""
    return Row(
        method=method,
        metric=metric,
        k=k,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        popularity_value=popularity_value,
        users=estimate.users,
    )


def _covered_items(lists: DataFrame) -> DataFrame:
    return lists.groupBy("method").agg(F.countDistinct("item_no").alias("items"))
