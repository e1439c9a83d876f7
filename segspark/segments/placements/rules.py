"""Placement by thresholds: the rules that a shop would write down, as the baseline of what is learned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from segspark.segments.placements.placed import Placed, places_after


class Rule(NamedTuple):
    """What a segment that a rule makes is called."""

    name: str
    title: str
    told: str  # the rule in words
    strategy: str


RULES = (
    Rule("champions", "Champions", "bought lately, often and for much", "Reward them; early access to what is new."),
    Rule("loyal customers", "Loyal customers", "buy often and for much", "Offer more of worth; ask for reviews."),
    Rule("potential loyalists", "Potential loyalists", "bought lately, more than once", "Offer a membership."),
    Rule("new customers", "New customers", "bought lately, for the first time", "Welcome them; help with the start."),
    Rule("promising", "Promising", "bought not long ago, little so far", "Make the shop known; small gifts."),
    Rule("need attention", "Need attention", "middling in all", "Offers for a limited time."),
    Rule("about to sleep", "About to sleep", "bought little, some time ago", "Recommend what is popular; a discount."),
    Rule("at risk", "At risk", "bought often, but long ago", "Personal messages; an offer to come back."),
    Rule("cannot lose them", "Cannot lose them", "bought most, but longest ago", "Win them back in person."),
    Rule("hibernating", "Hibernating", "bought little, long ago", "Other categories; a discount to come back."),
    Rule("lost", "Lost", "bought least, longest ago", "One campaign to come back, then none."),
    Rule("heavy", "Heavy users", "in the most active fifth", "Reward them."),
    Rule("medium", "Medium users", "neither most nor least active", "Give reasons to come more often."),
    Rule("light", "Light users", "in the least active two fifths", "Remind them of the shop."),
)
NUMBERS = {rule.name: number for number, rule in enumerate(RULES)}


@dataclass(frozen=True)
class ByRules:
    """Each feature's level, by thresholds, and a segment for every combination of levels."""

    cuts: np.ndarray  # features x thresholds, rising; a value's level is the number of thresholds below it
    table: np.ndarray  # the position of each combination, the last feature's level changing fastest
    codes: np.ndarray  # the number in RULES of each position
    kind: ClassVar[str] = "rules"

    @property
    def segments(self) -> int:
        """One per rule, whether or not anyone is in it."""
        return len(self.codes)

    @property
    def noise(self) -> int | None:
        """Some rule holds for everyone."""
        return None

    @property
    def rules(self) -> list[Rule]:
        """The rule of each position."""
        return [RULES[code] for code in self.codes]

    def place(self, points: np.ndarray) -> Placed:
        """A rule leaves no doubt and has no centre: distance and cost are 0, confidence is 1."""
        cell = np.zeros(len(points), np.int64)
        for values, cuts in zip(points.T, self.cuts, strict=True):
            cell = cell * (len(cuts) + 1) + np.searchsorted(cuts, values, side="left")
        nothing = np.zeros(len(points))
        return Placed(self.table[cell], nothing, nothing + 1.0, nothing)

    def reordered(self, order: np.ndarray) -> ByRules:
        """The segments in another order."""
        return ByRules(self.cuts, places_after(order)[self.table], self.codes[order])

    def arrays(self) -> dict[str, np.ndarray]:
        """Thresholds, the table and which rule is where."""
        return {"cuts": self.cuts, "table": self.table, "codes": self.codes}

    @classmethod
    def restored(cls, arrays: dict[str, np.ndarray]) -> ByRules:
        """From its arrays."""
        return cls(arrays["cuts"], arrays["table"].astype(np.int64), arrays["codes"].astype(np.int64))
