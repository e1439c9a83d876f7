"""Which mix of methods does best on what is held out of a part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame

from segspark.recommend.interactions import with_numbers
from segspark.recommend.judging.evaluation import plan_of, relevant_part
from segspark.recommend.judging.split import sample_users
from segspark.recommend.methods.blending import Mix, candidates, learn_mix
from segspark.recommend.methods.hybrid import deeper_lists
from segspark.recommend.methods.method import Method, Settings
from segspark.recommend.methods.train import train_part

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig


def best_mix(
    past: DataFrame, held_out: DataFrame, members: Mapping[str, Method], config: RecommendConfig, seed: int
) -> Mix:
    """The mix with the highest ndcg_at_k on `held_out` of lists made from `past`, on at most max_users users.

    Both have user_id, item_id, weight and action. Where nobody can be judged the members count alike.
    """
    alike = Mix({name: 1 / len(members) for name in members}, 0.0, 0)
    train = train_part(past, config, seed)
    if train is None:
        return alike
    tested = with_numbers(held_out, train.user_index, train.item_index).checkpoint()
    relevant, _ = relevant_part(tested, train.interactions, config)
    users = relevant.select("user_no").distinct().count()
    if users == 0:
        return alike
    judged = sample_users(relevant, users, config.evaluation.max_users, seed).checkpoint()
    wanted = judged.select("user_no").distinct().checkpoint()
    settings = Settings(config, plan_of(train, config), seed)
    offered = candidates(deeper_lists(members, train, wanted, settings), list(members)).checkpoint()
    return learn_mix(offered, judged, list(members), config.evaluation.k, train.users)
