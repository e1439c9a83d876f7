"""What methods are told of a part of the interactions."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.checkpoints import checkpointed, cut_off
from segspark.recommend.factors import arranged, fit_implicit
from segspark.recommend.interactions import with_numbers
from segspark.recommend.methods.method import Train
from segspark.recommend.numbering import number_both
from segspark.recommend.sizes import als_blocks

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig


def train_part(acts: DataFrame, config: RecommendConfig, seed: int) -> Train | None:
    """Numbers what is known and fits implicit ALS to it; None where no interaction has a weight.

    `acts` are those of Parts, or have no `tested`. Numbers are of users and items with a known weight.
    """
    acts, found = checkpointed(acts, {"pairs": F.count_if(F.col("weight") > 0)})
    pairs = found["pairs"]
    if pairs == 0:
        return None
    users, items = number_both(acts.where("weight > 0"), pairs)
    blocks = als_blocks(pairs, config)
    highest = {"user": F.max("user_no"), "item": F.max("item_no")}
    numbered, found = checkpointed(arranged(with_numbers(acts, users, items), blocks), highest)
    factors = fit_implicit(numbered.where("weight > 0"), config, blocks, seed)
    return Train(numbered, factors, users, items, found["user"] + 1, found["item"] + 1, pairs)


def fitted_again(train: Train, config: RecommendConfig, seed: int) -> Train:
    """The same interactions and numbers with factors by other settings, as `train_part` would fit them."""
    factors = fit_implicit(train.weighed, config, als_blocks(train.pairs, config), seed)
    return replace(train, factors=factors)


def weighed_again(train: Train, acts: DataFrame, config: RecommendConfig) -> Train:
    """The same numbers with other weights of the interactions; who has no number is left out. Factors stay."""
    numbered = with_numbers(acts, train.user_index, train.item_index)
    known, found = checkpointed(numbered, {"pairs": F.count_if(F.col("weight") > 0)})
    return replace(train, acts=cut_off(arranged(known, als_blocks(found["pairs"], config))), pairs=found["pairs"])
