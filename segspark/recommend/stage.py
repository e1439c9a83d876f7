"""The four stages of the room: factors, similarity, recommendations, evaluate."""

from dataclasses import replace
from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import (
    ITEM_FACTORS,
    ITEM_INDEX,
    ITEM_SIMILARITY,
    ITEMS,
    RATINGS,
    RECOMMENDATION_METRICS,
    RECOMMENDATIONS,
    USER_FACTORS,
    USER_FEATURES,
    USER_INDEX,
    USER_ITEM_DAYS,
    USER_SEGMENTS,
    USER_SIMILARITY,
)
from segspark.core.stage import StageContext, StageResult
from segspark.recommend.categories import item_categories, number_categories
from segspark.recommend.config import RecommendConfig
from segspark.recommend.evaluation import judge_lists, judge_ratings
from segspark.recommend.factors import Factors, fit_implicit, require_checkpoints
from segspark.recommend.interactions import leave_out_bots, weigh_interactions, with_numbers
from segspark.recommend.numbering import number_both
from segspark.recommend.planner import Lists, PlannedLists, measure_degrees, plan_lists, plan_similarity
from segspark.recommend.popular import CategoryCap, lists_for_cold_users, people_without_vector, popular_items
from segspark.recommend.ratings import last_ratings
from segspark.recommend.reasons import with_names
from segspark.recommend.similarity import nearest_rows
from segspark.recommend.sizes import als_blocks
from segspark.recommend.split import split_day
from segspark.recommend.topn import ListPlan, best_items, leave_out_from

NO_INTERACTIONS = "no user acted on an item before as_of; events, orders or ratings bring that"
NO_FACTORS = "the stage factors left no index of users and items; events, orders or ratings bring interactions"
NO_CATEGORIES = "recommend.max_per_category caps nothing: no item has a category; items, events or orders bring that"
SCHEME = "value"  # the segments whose popular items stand in for users without a vector


def fit_factors(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes user_index, item_index, user_factors and item_factors: implicit ALS over all acts before as_of."""
    lake, run = context.lake, context.run
    require_checkpoints(lake.spark)
    interactions = _interactions(context, config, run.as_of).where("weight > 0").checkpoint()
    pair_count = interactions.count()
    if pair_count == 0:
        return StageResult(skipped=NO_INTERACTIONS)
    users, items = number_both(interactions, pair_count)
    rows = {USER_INDEX.name: lake.replace_run(USER_INDEX, users, run.run_id)}
    rows[ITEM_INDEX.name] = lake.replace_run(ITEM_INDEX, items, run.run_id)
    context.tell(f"{pair_count:,} pairs of {rows['user_index']:,} users and {rows['item_index']:,} items")
    users, items = lake.read_run(USER_INDEX, run.run_id), lake.read_run(ITEM_INDEX, run.run_id)
    pairs = with_numbers(interactions, users, items)
    factors = fit_implicit(pairs, config, als_blocks(pair_count, config), run.seed)
    of_users = factors.users.join(users, on="user_no", how="inner")
    of_items = factors.items.join(items, on="item_no", how="inner")
    rows[USER_FACTORS.name] = lake.replace_run(USER_FACTORS, of_users, run.run_id)
    rows[ITEM_FACTORS.name] = lake.replace_run(ITEM_FACTORS, of_items, run.run_id)
    return StageResult(rows=rows)


def build_similarity(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes item_similarity, and user_similarity where the users are few enough for the exact answer."""
    lake, run = context.lake, context.run
    require_checkpoints(lake.spark)
    users, items = lake.read_run(USER_INDEX, run.run_id), lake.read_run(ITEM_INDEX, run.run_id)
    user_count, item_count = users.count(), items.count()
    if user_count == 0:
        return StageResult(skipped=NO_FACTORS)
    pairs = with_numbers(_interactions(context, config, run.as_of).where("weight > 0"), users, items).checkpoint()
    of_items = measure_degrees(pairs, "item_no", "user_no", item_count)
    of_users = measure_degrees(pairs, "user_no", "item_no", user_count)
    plan = plan_similarity(of_items, of_users, config.neighbours, config, "item similarity")
    context.tell(plan.told("item similarity"))
    near = nearest_rows(pairs, "item_no", "user_no", item_count, user_count, plan.block_rows, config.neighbours)
    rows = {ITEM_SIMILARITY.name: lake.replace_run(ITEM_SIMILARITY, _named_items(near, items), run.run_id)}
    if user_count > config.user_similarity_max_users:
        note = (
            f"user_similarity is left out: {user_count:,} users are more than"
            f" recommend.user_similarity_max_users ({config.user_similarity_max_users:,})"
        )
        return StageResult(rows=rows, notes=(note,))
    plan = plan_similarity(of_users, of_items, config.user_neighbours, config, "user similarity")
    context.tell(plan.told("user similarity"))
    near = nearest_rows(pairs, "user_no", "item_no", user_count, item_count, plan.block_rows, config.user_neighbours)
    rows[USER_SIMILARITY.name] = lake.replace_run(USER_SIMILARITY, _named_users(near, users), run.run_id)
    return StageResult(rows=rows)


def build_recommendations(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes recommendations: by ALS for users with a vector, by popularity for all other users but bots."""
    lake, run = context.lake, context.run
    require_checkpoints(lake.spark)
    users, items = lake.read_run(USER_INDEX, run.run_id), lake.read_run(ITEM_INDEX, run.run_id)
    user_count, item_count = users.count(), items.count()
    if user_count == 0:
        return StageResult(skipped=NO_FACTORS)
    closed = lake.read(ITEMS).where("stock <= 0").select("item_id")
    interactions = _interactions(context, config, run.as_of).checkpoint()
    factors = Factors(
        lake.read_run(USER_FACTORS, run.run_id).join(users, on="user_id", how="inner"),
        lake.read_run(ITEM_FACTORS, run.run_id).join(items, on="item_id", how="inner"),
    )
    own = with_numbers(interactions, users, items).checkpoint()
    closed_numbers = closed.join(items, on="item_id", how="inner")
    planned = _plan(own, user_count, item_count, config)
    context.tell(planned.told())
    cap = _category_cap(context, config)
    notes = () if cap is None or not cap.categories.isEmpty() else (NO_CATEGORIES,)
    numbered = None if cap is None else number_categories(cap.categories, items)
    lists = best_items(factors, own, closed_numbers, planned.plan, numbered)
    named = with_names(lists, users, items).withColumn("method", F.lit("als"))
    cold = people_without_vector(_user_features(context), users).checkpoint()
    if not cold.isEmpty():
        named = named.unionByName(_cold_lists(context, config, interactions, cold, closed, cap))
    written = lake.replace_run(RECOMMENDATIONS, named, run.run_id)
    return StageResult(rows={RECOMMENDATIONS.name: written}, notes=notes)


def evaluate_recommendations(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes recommendation_metrics: fitted before a day, judged by what came from that day up to as_of.

    Judged are users with a relevant act in the held-out days, on items known before, who acted before too. Stock is not
    looked at, as it was not recorded then; who is a bot is taken from as_of.
    """
    lake, run = context.lake, context.run
    require_checkpoints(lake.spark)
    first_day = run.as_of if config.evaluation.test_share is None else _first_day(context)
    day = split_day(run.as_of, first_day, config.evaluation)
    past = _interactions(context, config, day)
    held_out = _interactions(context, config, run.as_of, since=day)
    rows, notes = judge_lists(past, held_out, config, run.seed)
    ratings = leave_out_bots(_ratings(context, run.as_of), _user_features(context))
    rows += judge_ratings(last_ratings(ratings, None, day), last_ratings(ratings, day, run.as_of), config, run.seed)
    if not rows:
        return StageResult(skipped=f"nobody acted both before {day} and from then on; a longer history brings that")
    schema = ", ".join(f"{column.name} {column.type}" for column in RECOMMENDATION_METRICS.columns)
    values = [tuple(row[name] for name in RECOMMENDATION_METRICS.names) for row in rows]
    written = lake.replace_run(RECOMMENDATION_METRICS, lake.spark.createDataFrame(values, schema), run.run_id)
    return StageResult(rows={RECOMMENDATION_METRICS.name: written}, notes=tuple(notes))


def _interactions(context: StageContext, config: RecommendConfig, as_of: date, since: date | None = None) -> DataFrame:
    """user_id, item_id, weight and action from `since` (the beginning) up to `as_of`, without bots."""
    days, ratings = _before(context.lake.read(USER_ITEM_DAYS), as_of), _ratings(context, as_of)
    if since is not None:
        days, ratings = days.where(F.col("day") >= F.lit(since)), ratings.where(F.col("day") >= F.lit(since))
    return leave_out_bots(weigh_interactions(days, ratings, config, as_of), _user_features(context))


def _ratings(context: StageContext, as_of: date) -> DataFrame:
    seen_by_run = F.col("ingest_seq") <= context.run.ingest_seq
    return _before(context.lake.read(RATINGS), as_of).where(seen_by_run)


def _user_features(context: StageContext) -> DataFrame:
    return context.lake.read_run(USER_FEATURES, context.run.run_id).select("user_id", "is_bot")


def _first_day(context: StageContext) -> date:
    """The first day with any act; as_of where there is none."""
    as_of = context.run.as_of
    days = [
        _before(frame, as_of).select("day") for frame in (context.lake.read(USER_ITEM_DAYS), _ratings(context, as_of))
    ]
    row = days[0].unionByName(days[1]).agg(F.min("day")).first()
    return row[0] if row and row[0] else as_of


def _before(frame: DataFrame, as_of: date) -> DataFrame:
    return frame.where(F.col("day") < F.lit(as_of))


def _cold_lists(
    context: StageContext,
    config: RecommendConfig,
    interactions: DataFrame,
    cold: DataFrame,
    closed: DataFrame,
    cap: CategoryCap | None,
) -> DataFrame:
    """Lists of the users that no vector stands for: what is popular in their segment, then overall."""
    segments = context.lake.read_run(USER_SEGMENTS, context.run.run_id).where(F.col("scheme") == SCHEME)
    leave_out = leave_out_from(config.exclude_seen, config.seen)
    left_out = interactions.where(F.col("action") >= leave_out) if leave_out else interactions.limit(0)
    seen = left_out.join(cold, on="user_id", how="left_semi").select("user_id", "item_id").checkpoint()
    most_seen = seen.groupBy("user_id").count().agg(F.max("count")).first()
    can_miss = (most_seen[0] or 0) if most_seen else 0
    length = config.top_n + can_miss
    if cap is not None:  # of each category on the list so many may be seen, or be one too many where others are seen
        length, cap = (config.top_n + 1) * (can_miss + 1), replace(cap, most=cap.most + can_miss)
    popular = popular_items(interactions, segments, closed, length, cap).checkpoint()
    lists = lists_for_cold_users(cold, segments, popular, seen, config.top_n, config.max_per_category)
    return lists.withColumn("method", F.lit("popularity"))


def _category_cap(context: StageContext, config: RecommendConfig) -> CategoryCap | None:
    if config.max_per_category is None:
        return None
    lake, as_of = context.lake, context.run.as_of
    categories = item_categories(lake.read(USER_ITEM_DAYS), lake.read(ITEMS), as_of).checkpoint()
    return CategoryCap(categories, config.max_per_category)


def _plan(own: DataFrame, users: int, items: int, config: RecommendConfig) -> PlannedLists:
    wanted = ListPlan(
        users=users,
        top_n=config.top_n,
        leave_out=leave_out_from(config.exclude_seen, config.seen),
        explain=items <= config.explain_max_items,
        user_block_rows=config.user_block_rows,
        item_block_rows=config.item_block_rows,
        max_per_category=config.max_per_category,
    )
    return plan_lists(wanted, Lists(items, config.rank, measure_degrees(own, "user_no", "item_no", users)), config)


def _named_items(near: DataFrame, items: DataFrame) -> DataFrame:
    """item_similarity from NEIGHBOURS of similarity."""
    other = items.select(F.col("item_no").alias("neighbour_no"), F.col("item_id").alias("neighbour_id"))
    named = near.join(items.withColumnRenamed("item_no", "row_no"), on="row_no", how="inner")
    return named.join(other, on="neighbour_no", how="inner").withColumn("method", F.lit("cosine"))


def _named_users(near: DataFrame, users: DataFrame) -> DataFrame:
    """user_similarity from NEIGHBOURS of similarity: one row per user who has a neighbour."""
    other = users.select(F.col("user_no").alias("neighbour_no"), F.col("user_id").alias("neighbour_id"))
    named = near.join(other, on="neighbour_no", how="inner").groupBy("row_no")
    ranked = F.array_sort(F.collect_list(F.struct("rank", "neighbour_id", "similarity")))
    best_first = F.transform(ranked, lambda each: F.struct(each["neighbour_id"], each["similarity"]))
    whole = named.agg(best_first.alias("neighbours")).withColumnRenamed("row_no", "user_no")
    return whole.join(users, on="user_no", how="inner").withColumn("method", F.lit("cosine"))
