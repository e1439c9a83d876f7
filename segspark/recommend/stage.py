"""The four stages of the room: factors, similarity, recommendations, evaluate; and the tuning of ALS."""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contract import Contract
from segspark.core.contracts import (
    ITEM_FACTORS,
    ITEM_INDEX,
    ITEM_SIMILARITY,
    RECOMMENDATION_METRICS,
    RECOMMENDATIONS,
    USER_FACTORS,
    USER_INDEX,
    USER_SIMILARITY,
)
from segspark.core.stage import StageContext, StageResult
from segspark.recommend.categories import number_categories
from segspark.recommend.config import RecommendConfig
from segspark.recommend.factors import fit_implicit, require_checkpoints
from segspark.recommend.interactions import with_numbers
from segspark.recommend.judging.evaluation import judge_lists, judge_ratings
from segspark.recommend.judging.mixing import best_mix
from segspark.recommend.methods.by_factors import by_segment
from segspark.recommend.methods.hybrid import by_hybrid
from segspark.recommend.methods.method import Method, Settings, Train
from segspark.recommend.methods.registry import HYBRID, methods_of
from segspark.recommend.neighbours.acts import Acts, similar_contents, similar_items, similar_users
from segspark.recommend.neighbours.cells import find_cells, nearest_in_cells, recall
from segspark.recommend.neighbours.names import named_items, named_users
from segspark.recommend.numbering import number_both
from segspark.recommend.planner import Lists, PlannedLists, SimilarityPlan, measure_degrees, plan_lists, plan_similarity
from segspark.recommend.popular import CategoryCap, lists_for_cold_users, people_without_vector, popular_items
from segspark.recommend.reader import Reader
from segspark.recommend.reasons import with_names
from segspark.recommend.sizes import als_blocks
from segspark.recommend.topn import ListPlan, leave_out_from
from segspark.recommend.tuning import Tuned, tune

NO_INTERACTIONS = "no user acted on an item before as_of; events, orders or ratings bring that"
NO_FACTORS = "the stage factors left no index of users and items; events, orders or ratings bring interactions"
NOBODY_TO_JUDGE = (
    "nobody who is in the train part did anything in the held-out part with an item that was known; a longer history"
    " brings that, or another recommend.evaluation.split"
)
CONTENT = "content"  # compares items by what they are, not by who chose them
NO_CATEGORIES = "recommend.max_per_category caps nothing: no item has a category; items, events or orders bring that"
BY_FACTORS = "factors"  # compares users by their ALS vectors, where they are too many for all acts


def fit_factors(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes user_index, item_index, user_factors and item_factors: implicit ALS over all acts before as_of."""
    lake, run = context.lake, context.run
    require_checkpoints(lake.spark)
    interactions = _reader(context).logs().interactions(config, run.as_of).where("weight > 0").checkpoint()
    pair_count = interactions.count()
    if pair_count == 0:
        return StageResult(skipped=NO_INTERACTIONS)
    users, items = number_both(interactions, pair_count)
    rows = {USER_INDEX.name: lake.replace_run(USER_INDEX, users, run.run_id)}
    rows[ITEM_INDEX.name] = lake.replace_run(ITEM_INDEX, items, run.run_id)
    context.tell(f"{pair_count:,} pairs of {rows['user_index']:,} users and {rows['item_index']:,} items")
    users, items = _reader(context).index()
    pairs = with_numbers(interactions, users, items)
    factors = fit_implicit(pairs, config, als_blocks(pair_count, config), run.seed)
    of_users = factors.users.join(users, on="user_no", how="inner")
    of_items = factors.items.join(items, on="item_no", how="inner")
    rows[USER_FACTORS.name] = lake.replace_run(USER_FACTORS, of_users, run.run_id)
    rows[ITEM_FACTORS.name] = lake.replace_run(ITEM_FACTORS, of_items, run.run_id)
    return StageResult(rows=rows)


def build_similarity(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes item_similarity, and user_similarity where the users are few enough for the exact answer.

    Each by every measure in `similarity`; by content, items only. Cosine goes by the weights of acts, adjusted cosine
    and Pearson by each pair's last rating where there is any rating, else by the weights.
    """
    lake, run = context.lake, context.run
    require_checkpoints(lake.spark)
    reader = _reader(context)
    users, items = reader.index()
    user_count, item_count = users.count(), items.count()
    if user_count == 0:
        return StageResult(skipped=NO_FACTORS)
    interactions = reader.logs().interactions(config, run.as_of).where("weight > 0")
    pairs = with_numbers(interactions, users, items).checkpoint()
    of_items = measure_degrees(pairs, "item_no", "user_no", item_count)
    of_users = measure_degrees(pairs, "user_no", "item_no", user_count)
    weighed = Acts(pairs, user_count, item_count, of_items.pairs)
    rated = _rated(context, config, weighed, users, items)
    plan = plan_similarity(of_items, of_users, config.neighbours, config, "item similarity")
    context.tell(plan.told("item similarity"))
    near = [_near_items(context, config, m, _acts(m, weighed, rated), plan, items) for m in config.similarity]
    rows = {ITEM_SIMILARITY.name: lake.replace_run(ITEM_SIMILARITY, reduce(DataFrame.unionByName, near), run.run_id)}
    if user_count > config.user_similarity_max_users:
        found, notes = _near_in_cells(context, config, users, user_count)
        rows |= {} if found is None else {USER_SIMILARITY.name: lake.replace_run(USER_SIMILARITY, found, run.run_id)}
        return StageResult(rows=rows, notes=notes)
    methods = [method for method in config.similarity if method != CONTENT]
    if not methods:
        return StageResult(rows=rows, notes=("user_similarity is left out: content compares items only",))
    plan = plan_similarity(of_users, of_items, config.user_neighbours, config, "user similarity")
    context.tell(plan.told("user similarity"))
    near = [named_users(similar_users(_acts(m, weighed, rated), m, plan.block_rows, config), users, m) for m in methods]
    rows[USER_SIMILARITY.name] = lake.replace_run(USER_SIMILARITY, reduce(DataFrame.unionByName, near), run.run_id)
    return StageResult(rows=rows)


def _near_in_cells(
    context: StageContext, config: RecommendConfig, users: DataFrame, user_count: int
) -> tuple[DataFrame | None, tuple[str, ...]]:
    """user_similarity by factors, and how near it comes to the exact answer; None where it is switched off."""
    if config.user_similarity_max_users == 0:
        return None, ("user_similarity is left out: recommend.user_similarity_max_users is 0",)
    run = context.run
    vectors = _reader(context).user_vectors().select("user_no", "factors").checkpoint()
    cells = find_cells(vectors, user_count, config.user_cells, config.user_cells_probed, run.seed)
    context.tell(f"{user_count:,} users in {len(cells.centres):,} cells, {cells.probed} probed")
    near = nearest_in_cells(vectors, cells, config.user_neighbours, run.seed).checkpoint()
    share = recall(vectors, near, user_count, config.user_neighbours, config.recall_users, run.seed)
    note = (
        f"user_similarity: by factors, as {user_count:,} users are more than recommend.user_similarity_max_users; in"
        f" {len(cells.centres):,} cells, {cells.probed} probed, {share:.1%} of the exact neighbours of"
        f" {min(config.recall_users, user_count):,} users are found"
    )
    return named_users(near, users, BY_FACTORS), (note,)


def build_recommendations(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes recommendations: by every method that is configured, by popularity for users without a vector but bots."""
    lake, run = context.lake, context.run
    require_checkpoints(lake.spark)
    reader = _reader(context)
    interactions = reader.logs().interactions(config, run.as_of).checkpoint()
    train = reader.train(interactions)
    if train.users == 0:
        return StageResult(skipped=NO_FACTORS)
    users, items, closed = train.user_index, train.item_index, reader.closed()
    planned = _plan(train, config)
    context.tell(planned.told())
    cap = reader.category_cap(config)
    notes = [] if cap is None or not cap.categories.isEmpty() else [NO_CATEGORIES]
    numbered = None if cap is None else number_categories(cap.categories, items)
    closed_numbers = closed.join(items, on="item_id", how="inner")
    settings = Settings(config, planned.plan, run.seed, closed_numbers, numbered, context.tell)
    methods, told = _methods(context, config, lambda: reader.logs().parts(config, run.as_of)[:2])
    answers = {name: method(train, users.select("user_no"), settings) for name, method in methods.items()}
    named = [with_names(a.lists, users, items).withColumn("method", F.lit(name)) for name, a in answers.items()]
    cold = people_without_vector(reader.people(), users).checkpoint()
    if not cold.isEmpty():
        named.append(_cold_lists(context, config, interactions, cold, closed, cap))
    written = lake.replace_run(RECOMMENDATIONS, reduce(DataFrame.unionByName, named), run.run_id)
    return StageResult(rows={RECOMMENDATIONS.name: written}, notes=tuple(notes + told))


def evaluate_recommendations(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes recommendation_metrics: fitted on the train part, judged by what was held out.

    Judged are users with a relevant act in the held-out part, on items of the train part, who are in it too. With the
    split `time` weights are as of its day, so that nothing of the train part knows what came after. Stock is not looked
    at, as it was not recorded then; who is a bot, and who is in which segment, is taken from as_of.
    """
    lake, run = context.lake, context.run
    require_checkpoints(lake.spark)
    reader = _reader(context)
    logs = reader.logs()
    past, held_out, past_ratings, held_out_ratings = logs.parts(config, run.as_of)
    methods, told = _methods(context, config, lambda: logs.validation(config, past))
    segments = reader.segments().checkpoint()
    if not segments.isEmpty():
        methods["segment_popularity"] = by_segment(segments)
    rows, notes = judge_lists(past, held_out, methods, config, run.seed, context.tell)
    rows += judge_ratings(past_ratings, held_out_ratings, config, run.seed)
    if not rows:
        return StageResult(skipped=NOBODY_TO_JUDGE)
    schema = ", ".join(f"{column.name} {column.type}" for column in RECOMMENDATION_METRICS.columns)
    values = [tuple(row[name] for name in RECOMMENDATION_METRICS.names) for row in rows]
    written = lake.replace_run(RECOMMENDATION_METRICS, lake.spark.createDataFrame(values, schema), run.run_id)
    return StageResult(rows={RECOMMENDATION_METRICS.name: written}, notes=tuple(notes + told))


def tune_als(context: StageContext, config: RecommendConfig) -> Tuned:
    """Tries settings of ALS on what was known at the split of the stage evaluate, and writes nothing.

    With the split `time` the validation part is the last days before that split; with the others it is drawn from the
    train part as they draw. Who is a bot is taken from the run.
    """
    require_checkpoints(context.lake.spark)
    return tune(_reader(context).logs().tuning_parts, config, context.run.seed, context.tell)


def _methods(
    context: StageContext, config: RecommendConfig, validation: Callable[[], list[DataFrame]]
) -> tuple[dict[str, Method], list[str]]:
    """The methods that make lists, and what a person should know; a mix is learnt on `validation`'s parts."""
    catalogue = _reader(context).catalogue()
    methods = methods_of(config.methods, catalogue)
    if HYBRID not in config.methods:
        return methods, []
    members = methods_of(config.hybrid_of, catalogue)
    past, held_out = validation()
    mix = best_mix(past, held_out, members, config, context.run.seed)
    return {**methods, HYBRID: by_hybrid(members, mix)}, [f"hybrid: {mix.told}"]


def _rated(context: StageContext, config: RecommendConfig, weighed: Acts, users: DataFrame, items: DataFrame) -> Acts:
    """The last ratings of numbered users and items; the weighed acts where nobody rated or no measure asks."""
    if not {"adjusted_cosine", "pearson"} & set(config.similarity):
        return weighed
    numbered = _reader(context).rated(users, items)
    return replace(weighed, triples=numbered, pairs=count) if (count := numbered.count()) else weighed


def _acts(method: str, weighed: Acts, rated: Acts) -> Acts:
    return weighed if method == "cosine" else rated


def _near_items(
    context: StageContext, config: RecommendConfig, method: str, acts: Acts, plan: SimilarityPlan, items: DataFrame
) -> DataFrame:
    if method != CONTENT:
        return named_items(similar_items(acts, method, plan.block_rows, config), items, method)
    catalogue = _reader(context).catalogue(items)
    return named_items(similar_contents(catalogue, acts.items, config, context.tell), items, method)


def _cold_lists(
    context: StageContext,
    config: RecommendConfig,
    interactions: DataFrame,
    cold: DataFrame,
    closed: DataFrame,
    cap: CategoryCap | None,
) -> DataFrame:
    """Lists of the users that no vector stands for: what is popular in their segment, then overall."""
    segments = _reader(context).segments()
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


def _plan(train: Train, config: RecommendConfig) -> PlannedLists:
    wanted = ListPlan(
        users=train.users,
        top_n=config.top_n,
        leave_out=leave_out_from(config.exclude_seen, config.seen),
        explain=train.items <= config.explain_max_items,
        user_block_rows=config.user_block_rows,
        item_block_rows=config.item_block_rows,
        max_per_category=config.max_per_category,
    )
    degrees = measure_degrees(train.interactions, "user_no", "item_no", train.users)
    return plan_lists(wanted, Lists(train.items, config.rank, degrees), config)


def _reader(context: StageContext) -> Reader:
    lake, run = context.lake, context.run

    def read(contract: Contract) -> DataFrame:
        return lake.read_run(contract, run.run_id) if contract.kind == "run" else lake.read(contract)

    return Reader(read, run)
