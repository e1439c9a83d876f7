"""What is believed of each action of a segment, of its own held out, and of no contact, given all outcomes so far."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.evidence import Evidence

DAYS_A_WEEK = 7


@dataclass(frozen=True)
class Posterior:
    """Of one side: Beta of the conversion rate, normal of the revenue per user."""

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
class Effect:
    """Of one action: its contacted, and its own held out, who are the same kind of people."""

    contacted: Posterior
    none: Posterior

    def uplift(self, by_revenue: bool) -> float:
        """What a contact is expected to add, by the posterior means: conversions, or money."""
        one, other = self.contacted, self.none
        return one.revenue_mean - other.revenue_mean if by_revenue else one.rate - other.rate


@dataclass(frozen=True)
class Believed:
    """Of one segment."""

    none: Posterior  # of no contact: of the held out of all actions
    actions: dict[str, Effect]


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
) -> Believed:
    """What is believed of one segment.

    No contact is seen in the held out of all actions together; its prior has the mean `prior_rate`. An action is for
    other people than the next one where their audiences differ, so what it adds is told by its own held out. Their
    prior is no contact as all the held out show it, as if `prior_users` had shown it: so an action of which nobody is
    held out yet is set against all of them. Contacted, an action is believed to add `prior_lift` to its own held out
    (before any outcome: to `prior_rate`) with the same weight: one that comes late starts beside the others, not at the
    bottom.

    Revenue has normal priors of the same weight. The mean for no contact is the segment's revenue per user so far, for
    the held out of an action that of no contact, for an action contacted that of its held out plus `prior_lift *
    worth`; before any outcome a conversion is worth `worth`. The variance of one user is taken as known: that of the
    sample, drawn to the variance of all the segment's users as by `prior_users` of them.

    Campaigns are added up, not compared one by one. Both sides of an action are drawn by one lot, so a campaign has the
    same part in both, whatever the action's share of it: a rate that drifts while shares change moves both alike. Where
    `holdout_share` was changed while the rate drifts that is not so until the older evidence has faded; what is proven
    (learning/sequence.py) compares within campaigns and is not touched by it.
    """
    rows = known_at(evidence, as_of)
    seen = discounted((row for row in rows if not row.treated), config, as_of)
    everyone = discounted(rows, config, as_of)
    revenue, variance = _revenue_prior(everyone, worth, config)
    none = _posterior(seen, _Prior(config.prior_rate, revenue, variance), config)
    believed = {}
    for action in actions:
        own = [row for row in rows if row.action == action]
        contacted, held_out = (
            discounted((row for row in own if row.treated is treated), config, as_of) for treated in (True, False)
        )
        base = _posterior(held_out, _Prior(none.rate, none.revenue_mean, variance), config)
        prior = _Prior(base.rate + config.prior_lift, base.revenue_mean + config.prior_lift * worth, variance)
        believed[action] = Effect(_posterior(contacted, prior, config), base)
    return Believed(none, believed)


@dataclass(frozen=True)
class _Prior:
    rate: float
    revenue: float
    variance: float  # of one user's revenue


def _posterior(seen: Discounted, prior: _Prior, config: LearningConfig) -> Posterior:
    rate, weight = min(prior.rate, 1 - 1e-6), config.prior_users
    own_variance = _variance(seen) if seen.users > 0 else prior.variance
    users = seen.users + weight
    known_variance = (seen.users * own_variance + weight * prior.variance) / users
    return Posterior(
        alpha=weight * rate + seen.converted,
        beta=weight * (1 - rate) + max(seen.users - seen.converted, 0.0),
        revenue_mean=(seen.revenue + weight * prior.revenue) / users,
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
