"""The reasons of one scheme: profiles, rules and importances, from one pass over everyone and one bounded sample."""

from dataclasses import dataclass

import numpy as np
from pyspark.sql import DataFrame

from segspark.segments.profiles import (
    ProfilePlan,
    Profiles,
    Sums,
    add_up,
    category_values,
    numeric_features,
    profile_columns,
    profile_sample,
    profile_segments,
)
from segspark.segments.reasons.importances import importances
from segspark.segments.reasons.rules import Rule, counted, learn_rules
from segspark.segments.reasons.table import features_of


@dataclass(frozen=True)
class Reasons:
    """What a scheme's segments are like, how they are told apart, and by which features."""

    profiles: Profiles
    rules: list[Rule]
    fidelity: float | None  # share of users that the rules put in their segment; None without rules
    importances: dict[str, float]


def explain(joined: DataFrame, sizes: dict[int, int], plan: ProfilePlan, depth: int) -> Reasons:
    """`joined` has the rows of `join_segments`, `sizes` the users of each segment_id; `depth` is the tree's.

    Rules and importances are learnt on the sample of the plan; what they cover is counted over everyone.
    """
    ids = list(sizes)
    sample = profile_sample(joined, sum(sizes.values()), plan)
    features = features_of(sample, numeric_features(joined), category_values(sample, plan.top_values))
    rules = learn_rules(features, depth, plan.seed)
    columns = profile_columns(joined, sample, plan)
    holds = {f"rule {number}": rule.holds().cast("double") for number, rule in enumerate(rules)}
    sums = add_up(joined, {**columns, **holds}, ids)
    told = {name: totals for name, totals in sums.items() if name in columns}
    profiles = profile_segments(told, sample, ids, set(columns) - set(numeric_features(joined)))
    if not rules:
        return Reasons(profiles, [], None, importances(features, plan.seed))
    measured, fidelity = counted(rules, _holding(rules, sums, ids), sizes)
    return Reasons(profiles, measured, fidelity, importances(features, plan.seed))


def _holding(rules: list[Rule], sums: Sums, ids: list[int]) -> np.ndarray:
    """For each rule the users for whom it holds, and of these those in its segment."""
    rows = [(sums[f"rule {number}"][:, 0], ids.index(rule.segment_id)) for number, rule in enumerate(rules)]
    return np.array([(by_segment.sum(), by_segment[place]) for by_segment, place in rows])
