"""A strategy as the arrays that the plan chooses by."""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import betaincinv, ndtri

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.learning.strategy import Arm, Objective, Strategy
from segspark.campaigns.planning.choosing import Rules

UPPER = 0.975  # point of the posterior that an untried action is hoped to reach


def rules_of(
    strategy: Strategy,
    segments: Sequence[str],
    actions: Sequence[str],
    costs: Mapping[str, float],
    config: LearningConfig,
) -> Rules:
    """Rows in the order of `segments`, columns in that of `actions`; without prices. A stopped action has no share."""
    row, column = ({name: place for place, name in enumerate(names)} for names in (segments, actions))
    shape = (len(segments), len(actions))
    shares, mean, most = (np.zeros(shape) for _ in range(3))
    proven, drawn = np.zeros(shape, bool), np.zeros((config.draws, *shape))
    draws = strategy.draw(config.draws)
    for one in strategy.segments:
        for place, arm in enumerate(one.arms):
            cell = row[one.segment_name], column[arm.action]
            shares[cell], proven[cell] = arm.share, arm.status == "scaled"
            mean[cell] = arm.effect.uplift(strategy.objective == "revenue")
            most[cell] = max(mean[cell], _most(arm, strategy.objective))
            drawn[:, cell[0], cell[1]] = draws[one.segment_name][:, place]
    money = np.array([float(costs[action]) for action in actions])
    return Rules(shares, proven, config.exploration_floor, mean, most, drawn, money, np.zeros(len(actions)))


def _most(arm: Arm, objective: Objective) -> float:
    """The upper end of the confidence sequence; before there is one, a point of the posterior."""
    if arm.sequence is not None:
        return arm.sequence.high
    one, none = arm.posterior, arm.none
    if objective == "revenue":
        return one.revenue_mean + float(ndtri(UPPER)) * one.revenue_sd - none.revenue_mean
    return float(betaincinv(one.alpha, one.beta, UPPER)) - none.rate
