"""Which mix of methods does best on what is held out of a part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pyspark.sql import DataFrame

from segspark.core.checkpoints import cut_off
from segspark.recommend.judging.evaluation import hits_of, plan_of
from segspark.recommend.judging.split import is_of_sample
from segspark.recommend.methods.blending import Mix, candidates, learn_mix
from segspark.recommend.methods.hybrid import deeper_lists
from segspark.recommend.methods.method import Method, Settings
from segspark.recommend.methods.train import train_part

if TYPE_CHECKING:
    from segspark.recommend.config import RecommendConfig


def best_mix(acts: DataFrame, members: Mapping[str, Method], config: RecommendConfig, seed: int) -> Mix:
    """The mix of the highest ndcg_at_k on what is held out of lists from what is known, on at most max_users users.

    `acts` are those of Parts. Where nobody can be judged the members count alike.
    """
    alike = Mix({name: 1 / len(members) for name in members}, 0.0, 0)
    train = train_part(acts, config, seed)
    if train is None:
        return alike
    hits = hits_of(train, config)
    if hits.users == 0:
        return alike
    judged = train.acts.where(hits.is_hit & is_of_sample(hits.users, config.evaluation.max_users, seed))
    wanted = judged.select("user_no").distinct()
    settings = Settings(config, plan_of(train, config), seed)
    offered = cut_off(candidates(deeper_lists(members, train, wanted, settings), list(members)))
    return learn_mix(offered, judged, list(members), config.evaluation.k, train.users)
