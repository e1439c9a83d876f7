"""What is believed of each action of a segment, and of no contact, given all outcomes so far."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from segspark.campaigns.catalogue import NO_ACTION
from segspark.campaigns.config import LearningConfig
from segspark.campaigns.evidence import Evidence

DAYS_A_WEEK = 7


@dataclass(frozen=True)
class Posterior:
    """Of one action: Beta of the conversion rate, normal of the revenue per user."""

    alpha: float
    beta: float
    revenue_mean: float  # in the shop's currency
    revenue_sd: float
    users: float  # behind it, discounted, without the prior

    @property
    def rate(self) -> float:
        """The mean of the conversion rate."""
        return self.alpha / (self.alpha + self.beta)


@dataclass(frozen=True)
class Discounted:
    """Sums over users, each weighted by the age of its campaign."""

    users: float = 0.0
    converted: float = 0.0
    revenue: float = 0.0
    revenue_squares: float = 0.0

    def __add__(self, other: "Discounted") -> "Discounted":
        mine, theirs = vars(self), vars(other)
        return Discounted(**{name: mine[name] + theirs[name] for name in mine})


def known_at(evidence: Iterable[Evidence], as_of: date) -> list[Evidence]:
    """What began before `as_of`, in one order whatever the order of the input: sums of doubles depend on it."""
    known = [row for row in evidence if row.starts_on < as_of]
    return sorted(known, key=lambda row: (row.starts_on, row.campaign_id, row.segment_name, row.action, row.treated))


def discounted(evidence: Iterable[Evidence], config: LearningConfig, as_of: date) -> Discounted:
    """Adds up; what began w weeks before `as_of` counts `weekly_discount ** w`."""
    total = Discounted()
    for row in evidence:
        weight = config.weekly_discount ** ((as_of - row.starts_on).days / DAYS_A_WEEK)
        sums = row.sums
        values = (sums.users, sums.converted, sums.revenue, sums.revenue_squares)
        total += Discounted(*[weight * float(value) for value in values])
    return total


def posteriors(
    evidence: Iterable[Evidence], actions: Iterable[str], worth: float, config: LearningConfig, as_of: date
) -> dict[str, Posterior]:
    """The posterior of each action of one segment, and under `none` that of no contact.

    No contact is seen in the held out of all actions together; its prior has the mean `prior_rate`. An action is
    believed to add `prior_lift` to what no contact is known to do by now (before any outcome: to `prior_rate`), as if
    `prior_users` had shown it: so an action that comes late starts beside the others, not at the bottom.

    Revenue has a normal prior of the same weight. Its mean is the segment's revenue per user so far, for an action plus
    `prior_lift * worth`; before any outcome a conversion is worth `worth`. The variance of one user is taken as known:
    that of the sample, drawn to the variance of all the segment's users as by `prior_users` of them.
    """
    rows = known_at(evidence, as_of)
    held_out = discounted((row for row in rows if not row.treated), config, as_of)
    everyone = discounted(rows, config, as_of)
    none = _posterior(held_out, everyone, config.prior_rate, 0.0, worth, config)
    believed = {NO_ACTION: none}
    for action in actions:
        contacted = discounted((row for row in rows if row.treated and row.action == action), config, as_of)
        believed[action] = _posterior(contacted, everyone, none.rate, config.prior_lift, worth, config)
    return believed


def _posterior(
    seen: Discounted, everyone: Discounted, rate: float, lift: float, worth: float, config: LearningConfig
) -> Posterior:
    prior = min(rate + lift, 1 - 1e-6)
    weight = config.prior_users
    mean, variance = _revenue_prior(everyone, worth, config)
    own_variance = _variance(seen) if seen.users > 0 else variance
    users = seen.users + weight
    known_variance = (seen.users * own_variance + weight * variance) / users
    return Posterior(
        alpha=weight * prior + seen.converted,
        beta=weight * (1 - prior) + max(seen.users - seen.converted, 0.0),
        revenue_mean=(seen.revenue + weight * (mean + lift * worth)) / users,
        revenue_sd=math.sqrt(known_variance / users),
        users=seen.users,
    )


def _revenue_prior(everyone: Discounted, worth: float, config: LearningConfig) -> tuple[float, float]:
    """Mean and variance of one user's revenue: of all so far, drawn to what the configuration believes."""
    mean = config.prior_rate * worth
    variance = config.prior_rate * (1 - config.prior_rate) * worth**2
    if everyone.users <= 0:
        return mean, variance
    share = everyone.users / (everyone.users + 1)  # as one user: enough against a variance of zero
    return everyone.revenue / everyone.users, share * _variance(everyone) + (1 - share) * variance


def _variance(sums: Discounted) -> float:
    mean = sums.revenue / sums.users
    return max(sums.revenue_squares / sums.users - mean * mean, 0.0)
