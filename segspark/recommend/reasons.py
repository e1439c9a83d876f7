"""Numbers become names again, with a reason that a person reads."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.recommend.interactions import BOUGHT, CARTED, RATED, VIEWED, WISHED

OTHER = {
    BOUGHT: "because you bought ",
    CARTED: "because you put in your cart ",
    WISHED: "because you wished for ",
    VIEWED: "because you viewed ",
    RATED: "because you rated ",
}
SAME = {
    BOUGHT: "you bought it before",
    CARTED: "you put it in your cart before",
    WISHED: "you wished for it before",
    VIEWED: "you viewed it before",
    RATED: "you rated it before",
}
FITS = "fits what you chose before"


def with_names(lists: DataFrame, user_index: DataFrame, item_index: DataFrame) -> DataFrame:
    """The lists (as LISTS of topn) as user_id, rank, item_id, score, reason."""
    because = item_index.select(F.col("item_no").alias("because_no"), F.col("item_id").alias("because"))
    named = lists.join(user_index, on="user_no", how="inner").join(item_index, on="item_no", how="inner")
    named = named.join(because, on="because_no", how="left")
    return named.select("user_id", "rank", "item_id", "score", _reason().alias("reason"))


def _reason() -> Column:
    is_same = F.col("because_no") == F.col("item_no")
    other = F.concat(_by_action(OTHER), F.col("because"))
    return F.when(F.col("because_no").isNull(), F.lit(FITS)).when(is_same, _by_action(SAME)).otherwise(other)


def _by_action(texts: dict[int, str]) -> Column:
    pairs = [F.lit(part) for action, text in texts.items() for part in (action, text)]
    return F.element_at(F.create_map(*pairs), F.col("because_action"))
