"""Rules that tell the segments apart: the leaves of a shallow tree, in the features' own units."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil, floor, log10

import numpy as np
from pyspark.sql import Column
from pyspark.sql import functions as F
from sklearn.tree import DecisionTreeClassifier

from segspark.core.words import feature_label, is_share
from segspark.segments.reasons.table import UNKNOWN, Features, feature_column

DIGITS = 3  # of a bound: the share of users that lie between a bound and its rounding is counted, not hidden
LEAST_SHARE = 0.005  # of the sample's users that a leaf holds
LEAVES = 3  # per segment at most: the splits that tell most come first
KNOWN = UNKNOWN / 2  # the bound between missing values and any number


@dataclass(frozen=True)
class Bounds:
    """At least `low` and below `high`; a missing value is less than any number."""

    low: float = -np.inf
    high: float = np.inf


@dataclass(frozen=True)
class Rule:
    """Who fulfils every bound is said to be in the segment."""

    segment_id: int
    bounds: tuple[tuple[str, Bounds], ...]  # by feature, the first split first
    coverage: float = 0.0  # of the segment's users, the share for whom it holds
    precision: float = 0.0  # of those for whom it holds, the share in the segment

    def holds(self) -> Column:
        """The rule over a row of user_features."""
        condition = F.lit(True)
        for feature, bounds in self.bounds:
            value = feature_column(feature)
            if bounds.low > -np.inf:
                condition = condition & (value >= F.lit(bounds.low))
            if bounds.high < np.inf:
                condition = condition & (value < F.lit(bounds.high))
        return condition

    def holds_for(self, features: Features) -> np.ndarray:
        """The rule over a sample."""
        holding = np.ones(len(features.cells), dtype=bool)
        for feature, bounds in self.bounds:
            values = features.cells[:, features.names.index(feature)]
            holding &= (values >= bounds.low) & (values < bounds.high)
        return holding


def learn_rules(features: Features, depth: int, seed: int) -> list[Rule]:
    """The leaves of a decision tree (Breiman et al. 1984) on the sample, at most LEAVES per segment.

    Every user fulfils exactly one. Bounds are rounded to three digits, or to whole numbers for features that are whole,
    once for both sides of a split. Coverage and precision are still to be counted.
    """
    segments = len(np.unique(features.labels))
    if features.cells.shape[1] == 0 or segments < 2:
        return []
    least = max(2, floor(LEAST_SHARE * len(features.cells)))
    limits = {"max_depth": depth, "max_leaf_nodes": LEAVES * segments, "min_samples_leaf": least}
    model = DecisionTreeClassifier(**limits, random_state=seed % 2**32)
    model.fit(features.cells, features.labels)
    is_whole = [_is_whole(column) for column in features.cells.T]
    rules: list[Rule] = []
    waiting: list[tuple[int, dict[str, Bounds]]] = [(0, {})]
    while waiting:
        node, bounds = waiting.pop()
        left, right = model.tree_.children_left[node], model.tree_.children_right[node]
        if left == right:
            segment = model.classes_[model.tree_.value[node][0].argmax()]
            rules.append(Rule(int(segment), tuple(bounds.items())))
            continue
        place = int(model.tree_.feature[node])
        name, at = features.names[place], _readable(float(model.tree_.threshold[node]), is_whole[place])
        own = bounds.get(name, Bounds())
        waiting.append((right, {**bounds, name: replace(own, low=max(own.low, at))}))
        waiting.append((left, {**bounds, name: replace(own, high=min(own.high, at))}))
    return rules


def counted(rules: list[Rule], holding: np.ndarray, sizes: dict[int, int]) -> tuple[list[Rule], float]:
    """The rules with coverage and precision, the widest of a segment first, and the tree's fidelity.

    `holding` has for each rule the users for whom it holds, and of these those in its segment. Fidelity is the share of
    all users that the rules put in their segment. Rules that hold for nobody are left out.
    """
    told = [
        replace(rule, coverage=float(right / sizes[rule.segment_id]), precision=float(right / holds))
        for rule, (holds, right) in zip(rules, holding, strict=True)
        if holds > 0
    ]
    order = sorted(told, key=lambda rule: (rule.segment_id, -rule.coverage, in_words(rule)))
    return order, float(sum(right for _, right in holding) / max(sum(sizes.values()), 1))


def in_words(rule: Rule) -> str:
    """As `Orders, last 90 days at least 4 and Average order value below 31.2`."""
    return " and ".join(_bound_in_words(feature, bounds) for feature, bounds in rule.bounds) or "everyone"


def _bound_in_words(feature: str, bounds: Bounds) -> str:
    label = feature_label(feature)
    if "=" in feature:
        return label if bounds.low > 0 else f"not {label}"
    if bounds.high == KNOWN:
        return f"{label} unknown"
    low, high = _exactly(feature, bounds.low), _exactly(feature, bounds.high)
    if bounds.low == KNOWN:
        return f"{label} known and below {high}" if bounds.high < np.inf else f"{label} known"
    if bounds.low == -np.inf:
        return f"{label} below {high}"
    return f"{label} from {low} to below {high}" if bounds.high < np.inf else f"{label} at least {low}"


def _exactly(feature: str, bound: float) -> str:
    """The bound as it is, all of its digits."""
    if is_share(feature):
        return f"{100 * bound:g}%"
    return f"{bound:,.0f}" if abs(bound) >= 1000 else f"{bound:g}"


def _is_whole(values: np.ndarray) -> bool:
    known = values[values > KNOWN]
    return bool(len(known)) and bool(np.all(known == np.round(known)))


def _readable(threshold: float, is_whole: bool) -> float:
    """A bound close to the threshold that reads well: at or above it is right, below it left."""
    if threshold < KNOWN / 2:
        return KNOWN
    if threshold == 0:
        return 0.0
    rounded = round(threshold, DIGITS - ceil(log10(abs(threshold))))
    return float(ceil(rounded)) if is_whole else rounded
