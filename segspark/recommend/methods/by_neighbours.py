"""Lists from neighbours: of the user's items, by who chose them or by what they are, or of the user."""

from __future__ import annotations

from dataclasses import replace

from pyspark.sql import DataFrame

from segspark.core.checkpoints import cut_off
from segspark.core.errors import ConfigError
from segspark.recommend.methods.method import Answer, Method, Settings, Train, Wanted, of_wanted
from segspark.recommend.neighbours.acts import Acts, similar_contents, similar_items, similar_users
from segspark.recommend.neighbours.list_plan import measure_sides, plan_sparse_lists
from segspark.recommend.neighbours.lists import item_cf_lists, item_cf_sides, user_cf_lists, user_cf_sides
from segspark.recommend.planner import plan_similarity
from segspark.recommend.topn import ListPlan

MEASURE, CONTENT = "cosine", "content"


def by_items(train: Train, wanted: Wanted, settings: Settings) -> Answer:
    """Neighbours of the user's items by cosine of who acted on them. ConfigError where a task would not fit."""
    near = train.near_items(MEASURE)
    if near is None:
        config, what = settings.config, "item similarity"
        plan = plan_similarity(train.by_item, train.by_user, config.neighbours, config, what)
        settings.tell(plan.told(what))
        near = similar_items(_acts(train), MEASURE, plan.block_rows, config)
    return _from_items(near, train, wanted, settings, "lists by item_cf")


def by_users(train: Train, wanted: Wanted, settings: Settings) -> Answer:
    """What the user's neighbours by cosine of acts have.

    ConfigError for more users than have exact neighbours, or where a task would not fit.
    """
    config = settings.config
    if train.users > config.user_similarity_max_users:
        raise ConfigError(
            f"recommend.methods: user_cf compares every user with every other; {train.users:,} are more than"
            f" recommend.user_similarity_max_users ({config.user_similarity_max_users:,}); leave it out, or raise that"
        )
    near = train.near_users(MEASURE)
    if near is None:
        what = "user similarity"
        plan = plan_similarity(train.by_user, train.by_item, config.user_neighbours, config, what)
        settings.tell(plan.told(what))
        near = similar_users(_acts(train), MEASURE, plan.block_rows, config)
    near = cut_off(of_wanted(near, wanted, "row_no"))
    plain = replace(settings.plan, explain=False)
    lists = _planned(plain, *user_cf_sides(train.weighed, near), train.users, train, settings, "lists by user_cf")
    return Answer(user_cf_lists(train.weighed, near, settings.closed_of(train.interactions), train.items, lists))


def by_content(catalogue: DataFrame) -> Method:
    """Neighbours of the user's items by what they are; `catalogue` has the columns of the table items."""

    def lists_by_content(train: Train, wanted: Wanted, settings: Settings) -> Answer:
        near = train.near_items(CONTENT)
        if near is None:
            known = catalogue.join(train.item_index, on="item_id", how="inner")
            near = similar_contents(known, train.items, settings.config, settings.tell)
        return _from_items(near, train, wanted, settings, "lists by content")

    return lists_by_content


def _from_items(near: DataFrame, train: Train, wanted: Wanted, settings: Settings, what: str) -> Answer:
    near = cut_off(near)
    own = of_wanted(train.weighed, wanted)
    plan = _planned(settings.plan, *item_cf_sides(own, near), train.items, train, settings, what)
    return Answer(item_cf_lists(own, near, settings.closed_of(own), train.items, plan))


def _planned(
    plan: ListPlan, left: DataFrame, right: DataFrame, keys: int, train: Train, settings: Settings, what: str
) -> ListPlan:
    sides = measure_sides(left, right, train.by_user, keys, train.items)
    planned = plan_sparse_lists(plan, sides, settings.config, what)
    settings.tell(f"{what}: at most {planned.told()}")
    return planned.plan


def _acts(train: Train) -> Acts:
    triples = train.weighed.select("user_no", "item_no", "weight")
    return Acts(triples, train.users, train.items, train.pairs)
