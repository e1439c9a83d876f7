"""Lists from neighbours: of the user's items, by who chose them or by what they are, or of the user."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.errors import ConfigError
from segspark.recommend.methods.method import Answer, Method, Settings, Train
from segspark.recommend.neighbours.acts import Acts, similar_contents, similar_items, similar_users
from segspark.recommend.neighbours.content import content_triples
from segspark.recommend.neighbours.lists import item_cf_lists, user_cf_lists
from segspark.recommend.sizes import similarity_block_rows

MEASURE = "cosine"


def by_items(train: Train, wanted: DataFrame, settings: Settings) -> Answer:
    """Neighbours of the user's items by cosine of who acted on them."""
    acts, config = _acts(train), settings.config
    height = similarity_block_rows(train.items, train.pairs, config)
    return _from_items(similar_items(acts, MEASURE, height, config), train, wanted, settings)


def by_users(train: Train, wanted: DataFrame, settings: Settings) -> Answer:
    """What the user's neighbours by cosine of acts have. ConfigError for more users than have exact neighbours."""
    acts, config = _acts(train), settings.config
    if train.users > config.user_similarity_max_users:
        raise ConfigError(
            f"recommend.methods: user_cf compares every user with every other; {train.users:,} are more than"
            f" recommend.user_similarity_max_users ({config.user_similarity_max_users:,}); leave it out, or raise that"
        )
    height = similarity_block_rows(train.users, train.pairs, config)
    near = similar_users(acts, MEASURE, height, config)
    near = near.join(wanted.select(F.col("user_no").alias("row_no")), on="row_no", how="left_semi")
    closed = settings.closed_of(train.interactions)
    return Answer(user_cf_lists(train.weighed, near, closed, train.items, settings.plan))


def by_content(catalogue: DataFrame) -> Method:
    """Neighbours of the user's items by what they are; `catalogue` has the columns of the table items."""

    def lists_by_content(train: Train, wanted: DataFrame, settings: Settings) -> Answer:
        known = catalogue.join(train.item_index, on="item_id", how="inner")
        triples = content_triples(known, settings.config.content_weights).checkpoint()
        size = triples.agg(F.count("*"), F.coalesce(F.max("feature_no"), F.lit(0)) + 1).first() or (0, 1)
        near = similar_contents(triples, train.items, size[1], size[0], settings.config)
        return _from_items(near, train, wanted, settings)

    return lists_by_content


def _from_items(near: DataFrame, train: Train, wanted: DataFrame, settings: Settings) -> Answer:
    own = train.weighed.join(wanted, on="user_no", how="left_semi")
    return Answer(item_cf_lists(own, near, settings.closed_of(own), train.items, settings.plan))


def _acts(train: Train) -> Acts:
    triples = train.weighed.select("user_no", "item_no", "weight")
    return Acts(triples, train.users, train.items, train.pairs)
