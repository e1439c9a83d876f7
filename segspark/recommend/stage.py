"""The four stages of the room: factors, similarity, recommendations, evaluate; and the tuning of ALS."""

from collections.abc import Callable
from dataclasses import replace
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.checkpoints import checkpointed, cut_off
from segspark.core.contract import Contract
from segspark.core.contracts import (
    ITEM_FACTORS,
    ITEM_INDEX,
    ITEM_SIMILARITY,
    RECOMMENDATION_METRICS,
    RECOMMENDATIONS,
    SEGMENTS,
    USER_FACTORS,
    USER_INDEX,
    USER_SIMILARITY,
)
from segspark.core.stage import StageContext, StageResult
from segspark.recommend.categories import number_categories
from segspark.recommend.config import RecommendConfig
from segspark.recommend.degrees import Side, measure
from segspark.recommend.factors import arranged, fit_implicit, require_checkpoints
from segspark.recommend.interactions import with_numbers
from segspark.recommend.judging.evaluation import judge_lists, judge_ratings
from segspark.recommend.judging.mixing import best_mix
from segspark.recommend.judging.split import Parts
from segspark.recommend.methods.by_factors import by_segment
from segspark.recommend.methods.hybrid import by_hybrid
from segspark.recommend.methods.method import Method, Settings, Train, listed
from segspark.recommend.methods.registry import HYBRID, methods_of
from segspark.recommend.neighbours.acts import Acts, similar_contents, similar_items, similar_users
from segspark.recommend.neighbours.cells import find_cells, nearest_in_cells, recall
from segspark.recommend.neighbours.names import named_items, named_users
from segspark.recommend.numbering import number_both
from segspark.recommend.planner import Lists, PlannedLists, SimilarityPlan, plan_lists, plan_similarity
from segspark.recommend.popular import CategoryCap, lists_for_cold_users, people_without_vector, popular_items
from segspark.recommend.reader import SCHEME, Reader
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
    view, run = context.view, context.run
    require_checkpoints(context.lake.spark)
    acts = _reader(context).logs().interactions(config, run.as_of).where("weight > 0")
    acts, found = checkpointed(acts.select("user_id", "item_id", "weight"), {"pairs": F.count(F.lit(1))})
    pairs = found["pairs"]
    if pairs == 0:
        return StageResult(skipped=NO_INTERACTIONS)
    numbered = zip((USER_INDEX, ITEM_INDEX), number_both(acts, pairs), strict=True)
    rows = {contract.name: view.write(contract, index) for contract, index in numbered}
    context.tell(f"{pairs:,} pairs of {rows['user_index']:,} users and {rows['item_index']:,} items")
    users, items = _reader(context).index()
    blocks = als_blocks(pairs, config)
    factors = fit_implicit(cut_off(arranged(with_numbers(acts, users, items), blocks)), config, blocks, run.seed)
    rows[USER_FACTORS.name] = view.write(USER_FACTORS, factors.users.join(users, on="user_no", how="inner"))
    rows[ITEM_FACTORS.name] = view.write(ITEM_FACTORS, factors.items.join(items, on="item_no", how="inner"))
    return StageResult(rows=rows)


def build_similarity(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes item_similarity, and user_similarity where the users are few enough for the exact answer.

    Each by every measure in `similarity`; by content, items only. Cosine goes by the weights of acts, adjusted cosine
    and Pearson by each pair's last rating where there is any rating, else by the weights.
    """
    require_checkpoints(context.lake.spark)
    reader, view = _reader(context), context.view
    users, items = reader.index()
    acts = reader.logs().interactions(config, context.run.as_of).where("weight > 0")
    weighed = _counted(with_numbers(acts.select("user_id", "item_id", "weight"), users, items))
    if weighed is None:
        return StageResult(skipped=NO_FACTORS)
    of_items, of_users = weighed.degrees()
    rated = _rated(context, config, weighed)
    plan = plan_similarity(of_items, of_users, config.neighbours, config, "item similarity")
    context.tell(plan.told("item similarity"))
    near = [_near_items(context, config, m, _acts(m, weighed, rated), plan, items) for m in config.similarity]
    rows = {ITEM_SIMILARITY.name: view.write(ITEM_SIMILARITY, reduce(DataFrame.unionByName, near))}
    if weighed.users > config.user_similarity_max_users:
        found, notes = _near_in_cells(context, config, users, weighed.users)
        rows |= {} if found is None else {USER_SIMILARITY.name: view.write(USER_SIMILARITY, found)}
        return StageResult(rows=rows, notes=notes)
    methods = [method for method in config.similarity if method != CONTENT]
    if not methods:
        return StageResult(rows=rows, notes=("user_similarity is left out: content compares items only",))
    plan = plan_similarity(of_users, of_items, config.user_neighbours, config, "user similarity")
    context.tell(plan.told("user similarity"))
    near = [named_users(similar_users(_acts(m, weighed, rated), m, plan.block_rows, config), users, m) for m in methods]
    rows[USER_SIMILARITY.name] = view.write(USER_SIMILARITY, reduce(DataFrame.unionByName, near))
    return StageResult(rows=rows)


def _counted(numbered: DataFrame) -> Acts | None:
    """The pairs with their counts; None where there is none."""
    counts = {"pairs": F.count(F.lit(1)), "user": F.max("user_no"), "item": F.max("item_no")}
    triples, found = checkpointed(numbered, counts)
    return Acts(triples, found["user"] + 1, found["item"] + 1, found["pairs"]) if found["pairs"] else None


def _near_in_cells(
    context: StageContext, config: RecommendConfig, users: DataFrame, user_count: int
) -> tuple[DataFrame | None, tuple[str, ...]]:
    """user_similarity by factors, and how near it comes to the exact answer; None where it is switched off."""
    if config.user_similarity_max_users == 0:
        return None, ("user_similarity is left out: recommend.user_similarity_max_users is 0",)
    run = context.run
    vectors = cut_off(_reader(context).user_vectors().select("user_no", "factors"))
    cells = find_cells(vectors, user_count, config.user_cells, config.user_cells_probed, run.seed)
    context.tell(f"{user_count:,} users in {len(cells.centres):,} cells, {cells.probed} probed")
    near = cut_off(nearest_in_cells(vectors, cells, config.user_neighbours, run.seed))
    share = recall(vectors, near, user_count, config.user_neighbours, config.recall_users, run.seed)
    note = (
        f"user_similarity: by factors, as {user_count:,} users are more than recommend.user_similarity_max_users; in"
        f" {len(cells.centres):,} cells, {cells.probed} probed, {share:.1%} of the exact neighbours of"
        f" {min(config.recall_users, user_count):,} users are found"
    )
    return named_users(near, users, BY_FACTORS), (note,)


def build_recommendations(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes recommendations: by every method that is configured, by popularity for users without a vector but bots."""
    run = context.run
    require_checkpoints(context.lake.spark)
    reader = _reader(context)
    interactions, train = _acts_and_train(reader, config)
    if train is None:
        return StageResult(skipped=NO_FACTORS)
    users, items, closed = train.user_index, train.item_index, reader.closed()
    planned = _plan(train, config)
    context.tell(planned.told())
    cap = reader.category_cap(config)
    notes = [] if cap is None or not cap.categories.isEmpty() else [NO_CATEGORIES]
    numbered = None if cap is None else number_categories(cap.categories, items)
    closed_numbers = closed.join(items, on="item_id", how="inner")
    settings = Settings(config, planned.plan, run.seed, closed_numbers, numbered, context.tell)
    methods, told = _methods(context, config, lambda: reader.logs().parts(config, run.as_of))
    lists = {name: listed(method, train, None, settings) for name, method in methods.items()}
    named = [with_names(each, users, items).withColumn("method", F.lit(name)) for name, each in lists.items()]
    cold, found = checkpointed(people_without_vector(reader.people(), users), {"users": F.count(F.lit(1))})
    if found["users"]:
        named.append(_cold_lists(context, config, interactions, cold, closed, cap))
    written = context.view.write(RECOMMENDATIONS, reduce(DataFrame.unionByName, named))
    return StageResult(rows={RECOMMENDATIONS.name: written}, notes=tuple(notes + told))


def evaluate_recommendations(context: StageContext, config: RecommendConfig) -> StageResult:
    """Writes recommendation_metrics: fitted on the train part, judged by what was held out.

    Judged are users with a relevant act in the held-out part, on items of the train part, who are in it too. With the
    split `time` weights are as of its day, so that nothing of the train part knows what came after. Stock is not looked
    at, as it was not recorded then; who is a bot, and who is in which segment, is taken from as_of.
    """
    run = context.run
    require_checkpoints(context.lake.spark)
    reader = _reader(context)
    logs = reader.logs()
    parts = logs.parts(config, run.as_of)
    methods, told = _methods(context, config, lambda: logs.validation(config, parts))
    segment_ids = [row.segment_id for row in context.view.rows(SEGMENTS) if row.scheme == SCHEME]
    if segment_ids:
        methods["segment_popularity"] = by_segment(reader.segments(), segment_ids)
    rows, notes = judge_lists(parts.acts, methods, config, run.seed, context.tell)
    rows += judge_ratings(parts.ratings, config, run.seed)
    if not rows:
        return StageResult(skipped=NOBODY_TO_JUDGE)
    written = context.view.write_rows(RECOMMENDATION_METRICS, rows)
    return StageResult(rows={RECOMMENDATION_METRICS.name: written}, notes=tuple(notes + told))


def tune_als(context: StageContext, config: RecommendConfig) -> Tuned:
    """Tries settings of ALS on what was known at the split of the stage evaluate, and writes nothing.

    With the split `time` the validation part is the last days before that split; with the others it is drawn from the
    train part as they draw. Who is a bot is taken from the run.
    """
    require_checkpoints(context.lake.spark)
    return tune(_reader(context).logs().tuning_parts, config, context.run.seed, context.tell)


def _methods(
    context: StageContext, config: RecommendConfig, validation: Callable[[], Parts]
) -> tuple[dict[str, Method], list[str]]:
    """The methods that make lists, and what a person should know; a mix is learnt on `validation`'s parts."""
    catalogue = _reader(context).catalogue()
    methods = methods_of(config.methods, catalogue)
    if HYBRID not in config.methods:
        return methods, []
    members = methods_of(config.hybrid_of, catalogue)
    mix = best_mix(validation().acts, members, config, context.run.seed)
    return {**methods, HYBRID: by_hybrid(members, mix)}, [f"hybrid: {mix.told}"]


def _rated(context: StageContext, config: RecommendConfig, weighed: Acts) -> Acts:
    """The last ratings of numbered users and items; the weighed acts where nobody rated or no measure asks."""
    if not {"adjusted_cosine", "pearson"} & set(config.similarity):
        return weighed
    triples, found = checkpointed(_reader(context).rated(), {"pairs": F.count(F.lit(1))})
    return replace(weighed, triples=triples, pairs=found["pairs"]) if found["pairs"] else weighed


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
    seen = cut_off(left_out.join(cold, on="user_id", how="left_semi").select("user_id", "item_id"))
    most_seen = seen.groupBy("user_id").count().agg(F.max("count")).first()
    can_miss = (most_seen[0] or 0) if most_seen else 0
    length = config.top_n + can_miss
    if cap is not None:  # of each category on the list so many may be seen, or be one too many where others are seen
        length, cap = (config.top_n + 1) * (can_miss + 1), replace(cap, most=cap.most + can_miss)
    popular = cut_off(popular_items(interactions, segments, closed, length, cap))
    lists = lists_for_cold_users(cold, segments, popular, seen, config.top_n, config.max_per_category)
    return lists.withColumn("method", F.lit("popularity"))


def _acts_and_train(reader: Reader, config: RecommendConfig) -> tuple[DataFrame, Train | None]:
    """All interactions before as_of, by ids; and what methods are told of those whose user and item have a number."""
    acts = reader.logs().interactions(config, reader.run.as_of).drop("last_at")
    users, items = reader.index()
    both = acts.join(users, on="user_id", how="left").join(items, on="item_id", how="left")
    has_numbers = F.col("user_no").isNotNull() & F.col("item_no").isNotNull()
    pairs = F.count_if(has_numbers & (F.col("weight") > 0))
    both, found = checkpointed(both, {"pairs": pairs, "user": F.max("user_no"), "item": F.max("item_no")})
    if found["pairs"] == 0:
        return both, None
    numbered = both.where(has_numbers).select("user_no", "item_no", "weight", "action")
    return both, reader.train(numbered, found["user"] + 1, found["item"] + 1, found["pairs"])


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
    (degrees,) = measure(Side(train.interactions, "user_no", "item_no", train.users))
    return plan_lists(wanted, Lists(train.items, config.rank, degrees), config)


def _reader(context: StageContext) -> Reader:
    lake, view = context.lake, context.view

    def read(contract: Contract) -> DataFrame:
        return view.frame(contract) if contract.kind == "run" else lake.read(contract)

    return Reader(read, context.run)
