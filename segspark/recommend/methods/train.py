"""What methods are told of a part of the interactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.sql import DataFrame

from segspark.recommend.factors import fit_implicit
from segspark.recommend.interactions import with_numbers
from segspark.recommend.methods.method import Train
from segspark.recommend.numbering import number_both
from segspark.recommend.sizes import als_blocks

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig


def train_part(past: DataFrame, config: RecommendConfig, seed: int) -> Train | None:
    """Numbers what is known and fits implicit ALS to it; None where no interaction has a weight."""
    past = past.checkpoint()
    weighed = past.where("weight > 0")
    pairs = weighed.count()
    if pairs == 0:
        return None
    users, items = (index.checkpoint() for index in number_both(weighed, pairs))
    own = with_numbers(past, users, items).checkpoint()
    factors = fit_implicit(own.where("weight > 0"), config, als_blocks(pairs, config), seed)
    return Train(own, factors, users, items, users.count(), items.count(), pairs)
