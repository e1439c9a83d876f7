"""Fit on a train part, recommend, and hold the lists against what was held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.arrow_rows import Row
from segspark.core.checkpoints import checkpointed
from segspark.recommend.factors import arranged, fit_explicit
from segspark.recommend.interactions import BOUGHT, with_numbers
from segspark.recommend.judging.assessment import POPULARITY
from segspark.recommend.judging.bootstrap import DECIMALS, Estimate, Key, estimates_of
from segspark.recommend.judging.metrics import coverage, gini
from segspark.recommend.judging.pieces import Judged, sums_of
from segspark.recommend.judging.ratings import (
    BASELINE,
    MODEL,
    around_expected,
    mean_rating,
    micros,
    predicted,
    rating_errors,
    with_expected,
)
from segspark.recommend.judging.split import is_hit, is_of_sample
from segspark.recommend.methods.by_factors import by_popularity
from segspark.recommend.methods.method import Answer, Method, Settings, Train
from segspark.recommend.methods.train import train_part
from segspark.recommend.numbering import number_both
from segspark.recommend.sizes import als_blocks, block_count, tasks_at_once, user_block_rows
from segspark.recommend.topn import ListPlan, leave_out_from

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig

WITHOUT_LISTS = ("auc", "rmse", "mae")  # metrics that have no k


@dataclass(frozen=True)
class Hits:
    """What counts as a hit among a train part's pairs, and of how many users there is one."""

    is_hit: Column
    users: int
    notes: list[str]


def judge_lists(
    acts: DataFrame,
    methods: Mapping[str, Method],
    config: RecommendConfig,
    seed: int,
    tell: Callable[[str], None] = lambda message: None,
) -> tuple[list[Row], list[str]]:
    """The rows of recommendation_metrics for lists by `methods` and by popularity, and what a person should know.

    `acts` are those of Parts. Collects counts and sums only. `tell` hears what the methods' products will cost. No rows
    where nobody can be judged.
    """
    train = train_part(acts, config, seed)
    if train is None:
        return [], []
    hits = hits_of(train, config)
    if hits.users == 0:
        return [], hits.notes
    most = config.evaluation.max_users
    in_sample, in_smaller = (
        is_of_sample(hits.users, users, seed) for users in (most, min(most, config.evaluation.auc_max_users))
    )
    pairs = train.acts.withColumns({"is_judged": hits.is_hit & in_sample, "is_asked": hits.is_hit & in_smaller})
    wanted = pairs.where("is_judged").select("user_no").distinct()
    settings = Settings(config, plan_of(train, config), seed, tell=tell)
    every = {**methods, POPULARITY: by_popularity}
    answers = {name: method(train, wanted, settings) for name, method in every.items()}
    return list_rows(answers, Judged(pairs, item_facts(train)), train, settings), hits.notes


def judge_ratings(ratings: DataFrame, config: RecommendConfig, seed: int) -> list[Row]:
    """The rows of explicit ALS; none where no held-out rating is of a user and an item that were rated before.

    `ratings` are those of Parts. `popularity_value` is the error of the item's mean.
    """
    rated = {"pairs": F.count("weight"), "micros": micros(F.col("weight"))}
    ratings, found = checkpointed(ratings.select("user_id", "item_id", "weight", "tested"), rated)
    if found["pairs"] == 0:
        return []
    blocks = als_blocks(found["pairs"], config)
    numbered = with_numbers(ratings, *number_both(ratings.where("weight IS NOT NULL"), found["pairs"]))
    expected = with_expected(numbered, mean_rating(found["micros"], found["pairs"]))
    known, asked = checkpointed(arranged(expected, blocks), {"count": F.count("tested")})
    if asked["count"] == 0:
        return []
    model = fit_explicit(around_expected(known), config, blocks, seed)
    errors = rating_errors(predicted(model, known), config.evaluation.bootstrap_rounds, seed)
    return [
        metric_row(method, metric, 0, estimate, errors[BASELINE, metric].value)
        for (method, metric), estimate in sorted(errors.items())
        if method == MODEL
    ]


def hits_of(train: Train, config: RecommendConfig) -> Hits:
    """What was held out and lists could have known; what anybody touched where nothing was bought."""
    leave_out = leave_out_from(config.exclude_seen, config.seen)
    kinds = {kind: is_hit(kind, leave_out) for kind in ("bought", "touched")}
    asked = kinds | {"bought at all": F.coalesce(F.col("tested") >= BOUGHT, F.lit(False))}
    by_user = train.acts.groupBy("user_no").agg(*(F.max(each).alias(name) for name, each in asked.items()))
    users = by_user.agg(*(F.count_if(F.col(f"`{name}`")).alias(name) for name in asked)).collect()[0]
    kind, notes = config.evaluation.relevant, []
    if kind == "bought" and users["bought at all"] == 0:
        kind = "touched"
        notes.append("evaluate: nothing that was held out was bought; whatever was touched counts as a hit")
    return Hits(kinds[kind], users[kind], notes)


def list_rows(answers: Mapping[str, Answer], judged: Judged, train: Train, settings: Settings) -> list[Row]:
    """The rows of every method that answered, popularity among them, and of its difference with popularity."""
    evaluation = settings.config.evaluation
    sums, exposures = sums_of(answers, judged, settings.plan, evaluation.bootstrap_rounds, settings.seed)
    estimates = estimates_of(sums)
    users = max(estimate.users for estimate in estimates.values())
    for key, value in spread(exposures, answers, train.items).items():  # of all lists: without an interval
        estimates[key] = Estimate(round(value, DECIMALS), None, None, users)
    return [
        metric_row(method, metric, 0 if metric in WITHOUT_LISTS else evaluation.k, estimate, _value(estimates, metric))
        for (method, metric), estimate in sorted(estimates.items())
    ]


def spread(exposures: pa.Table, methods: Iterable[str], items: int) -> dict[Key, float]:
    """Coverage and gini of each method's lists together; no gini of a method that lists nothing.

    `exposures` says that `times` items stand in `lists` lists of the `method`.
    """
    found = {}
    of_method = exposures["method"].to_numpy(zero_copy_only=False)
    for method in methods:
        mine = of_method == method
        listed, often = (exposures[name].to_numpy()[mine].astype(int) for name in ("lists", "times"))
        found[method, "coverage"] = coverage(often, items)
        if mine.any():
            found[method, "gini"] = gini(listed, often, items)
    return found


def item_facts(train: Train) -> DataFrame:
    """item_no, surprise (-log2 of the share of users who acted on it) and vector, as metrics.py uses them."""
    share = F.count(F.lit(1)) / F.lit(train.users)
    surprise = train.weighed.groupBy("item_no").agg((-F.log2(share)).alias("surprise"))
    return surprise.join(train.factors.items.withColumnRenamed("factors", "vector"), on="item_no", how="inner")


def metric_row(method: str, metric: str, k: int, estimate: Estimate, popularity_value: float | None) -> Row:
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


def plan_of(train: Train, config: RecommendConfig) -> ListPlan:
    """Lists of evaluation.k items without reasons, which leave out what a run's would; blocks as sizes.py says."""
    block_rows = user_block_rows(train.users, config)
    return ListPlan(
        users=train.users,
        top_n=config.evaluation.k,
        leave_out=leave_out_from(config.exclude_seen, config.seen),
        explain=False,
        user_block_rows=block_rows,
        item_block_rows=config.item_block_rows,
        tasks_at_once=tasks_at_once(block_count(train.users, block_rows), train.users * train.items),
    )


def _value(estimates: Mapping[Key, Estimate], metric: str) -> float | None:
    popular = estimates.get((POPULARITY, metric))
    return popular.value if popular else None
