"""Fit on a train part, recommend, and hold the lists against what was held out.

Frames that are used more than once are checkpointed rather than cached: the plan of a cached frame stands inside every
plan that reads it, and after a few such levels Spark spends minutes on printing plans.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F

from segspark.recommend.factors import fit_explicit
from segspark.recommend.interactions import BOUGHT, with_numbers
from segspark.recommend.judging.areas import AREAS, user_areas
from segspark.recommend.judging.bootstrap import DECIMALS, Estimate, Key, resample
from segspark.recommend.judging.lists import POPULARITY, figures_of, gather, spread
from segspark.recommend.judging.ratings import (
    BASELINE,
    MODEL,
    around_expected,
    expected_ratings,
    predicted,
    rating_errors,
)
from segspark.recommend.judging.split import relevant_pairs, sample_users
from segspark.recommend.methods.by_factors import by_popularity
from segspark.recommend.methods.method import Answer, Method, Settings, Train
from segspark.recommend.methods.train import train_part
from segspark.recommend.numbering import number_both
from segspark.recommend.sizes import als_blocks, user_block_rows
from segspark.recommend.topn import ListPlan, leave_out_from

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig

WITHOUT_LISTS = ("auc", "rmse", "mae")  # metrics that have no k


def judge_lists(
    past: DataFrame,
    held_out: DataFrame,
    methods: Mapping[str, Method],
    config: RecommendConfig,
    seed: int,
    tell: Callable[[str], None] = lambda message: None,
) -> tuple[list[Row], list[str]]:
    """The rows of recommendation_metrics for lists by `methods` and by popularity, and what a person should know.

    `past` and `held_out` have user_id, item_id, weight and action. Works through checkpoints; collects counts and sums
    only. `tell` hears what the methods' products will cost. No rows where nobody can be judged.
    """
    train = train_part(past, config, seed)
    if train is None:
        return [], []
    tested = with_numbers(held_out, train.user_index, train.item_index).checkpoint()
    relevant, notes = relevant_part(tested, train.interactions, config)
    users = relevant.select("user_no").distinct().count()
    if users == 0:
        return [], notes
    judged = sample_users(relevant, users, config.evaluation.max_users, seed).checkpoint()
    most = min(config.evaluation.auc_max_users, config.evaluation.max_users)
    settings = Settings(config, plan_of(train, config), seed, tell=tell)
    judged_users = judged.select("user_no").distinct().checkpoint()
    every = {**methods, POPULARITY: by_popularity}
    answers = {name: method(train, judged_users, settings) for name, method in every.items()}
    lists = lists_of(answers).checkpoint()
    areas = areas_of(answers, train, sample_users(relevant, users, most, seed), settings).checkpoint()
    return list_rows(lists, areas, judged, train, list(every), settings), notes


def judge_ratings(past: DataFrame, held_out: DataFrame, config: RecommendConfig, seed: int) -> list[Row]:
    """The rows of explicit ALS; none where no held-out rating is of a user and an item that were rated before.

    Both frames have user_id, item_id and weight (the rating). `popularity_value` is the error of the item's mean.
    """
    pairs = past.count()
    if pairs == 0:
        return []
    users, items = (index.checkpoint() for index in number_both(past, pairs))
    train, test = (
        with_numbers(frame.withColumn("action", F.lit(0)), users, items).checkpoint() for frame in (past, held_out)
    )
    if test.isEmpty():
        return []
    expected = expected_ratings(train)
    model = fit_explicit(around_expected(train, expected), config, als_blocks(pairs, config), seed)
    errors = rating_errors(predicted(model, expected, test), config.evaluation.bootstrap_rounds, seed)
    return [
        metric_row(method, metric, 0, estimate, errors[BASELINE, metric].value)
        for (method, metric), estimate in sorted(errors.items())
        if method == MODEL
    ]


def lists_of(answers: Mapping[str, Answer]) -> DataFrame:
    """method, user_no, rank and item_no of all answers."""
    named = [
        answer.lists.select(F.lit(name).alias("method"), "user_no", F.col("rank").cast("int").alias("rank"), "item_no")
        for name, answer in answers.items()
    ]
    return reduce(DataFrame.unionByName, named)


def areas_of(answers: Mapping[str, Answer], train: Train, relevant: DataFrame, settings: Settings) -> DataFrame:
    """method, user_no and auc for the users of `relevant`, by those methods that score every item."""
    relevant = relevant.checkpoint()
    asked = relevant.select("user_no").distinct()
    own, spark = train.own(asked), relevant.sparkSession
    found = spark.createDataFrame([], f"method string, {AREAS}")
    for name, answer in answers.items():
        if answer.factors is not None:
            areas = user_areas(answer.factors, own, relevant, settings.plan)
            found = found.unionByName(areas.select(F.lit(name).alias("method"), "user_no", "auc"))
    return found


def list_rows(
    lists: DataFrame, areas: DataFrame, relevant: DataFrame, train: Train, methods: list[str], settings: Settings
) -> list[Row]:
    """The rows of every method in `methods`, which has popularity, and of its difference with popularity."""
    evaluation = settings.config.evaluation
    rows = gather(lists, relevant, item_facts(train), areas, methods)
    estimates = resample(rows, figures_of(methods, evaluation.k), evaluation.bootstrap_rounds, settings.seed)
    users = max(estimate.users for estimate in estimates.values())
    for key, value in spread(lists, methods, train.items).items():  # of all lists together, so without an interval
        estimates[key] = Estimate(round(value, DECIMALS), None, None, users)
    return [
        metric_row(method, metric, 0 if metric in WITHOUT_LISTS else evaluation.k, estimate, _value(estimates, metric))
        for (method, metric), estimate in sorted(estimates.items())
    ]


def item_facts(train: Train) -> DataFrame:
    """item_no, surprise (-log2 of the share of users who acted on it) and vector, as metrics.py uses them."""
    share = F.count(F.lit(1)) / F.lit(train.users)
    surprise = train.weighed.groupBy("item_no").agg((-F.log2(share)).alias("surprise"))
    return surprise.join(train.factors.items.withColumnRenamed("factors", "vector"), on="item_no", how="left")


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


def relevant_part(tested: DataFrame, own: DataFrame, config: RecommendConfig) -> tuple[DataFrame, list[str]]:
    """The hits; what anybody touched where nothing was bought."""
    leave_out, kind, notes = leave_out_from(config.exclude_seen, config.seen), config.evaluation.relevant, []
    if kind == "bought" and tested.where(F.col("action") >= BOUGHT).isEmpty():
        kind = "touched"
        notes.append("evaluate: nothing that was held out was bought; whatever was touched counts as a hit")
    return relevant_pairs(tested, own, kind, leave_out).checkpoint(), notes


def plan_of(train: Train, config: RecommendConfig) -> ListPlan:
    """Lists of evaluation.k items without reasons, which leave out what a run's would; blocks as sizes.py says."""
    return ListPlan(
        users=train.users,
        top_n=config.evaluation.k,
        leave_out=leave_out_from(config.exclude_seen, config.seen),
        explain=False,
        user_block_rows=user_block_rows(train.users, config),
        item_block_rows=config.item_block_rows,
    )


def _value(estimates: Mapping[Key, Estimate], metric: str) -> float | None:
    popular = estimates.get((POPULARITY, metric))
    return popular.value if popular else None
