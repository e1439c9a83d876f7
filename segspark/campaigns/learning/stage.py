"""All of the learning that knows the lake: the next strategy, and what it would have earned before."""

from collections.abc import Collection

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.evidence import Evidence, evidence_rows
from segspark.campaigns.learning.off_policy import (
    LogSums,
    log_sums,
    log_sums_of,
    reward_rows,
    rewards_of,
    shares_of,
    value_rows,
    values_of,
)
from segspark.campaigns.learning.strategy import Strategy, strategy_rows
from segspark.campaigns.past.stage import Past
from segspark.core.contracts import CAMPAIGN_EVIDENCE, CAMPAIGN_REWARDS, STRATEGIES, STRATEGY_VALUES
from segspark.core.stage import StageContext


def write_strategies(
    context: StageContext,
    config: CampaignsConfig,
    strategy: Strategy,
    evidence: list[Evidence],
    past: Past,
    distrusted: Collection[str],
) -> dict[str, int]:
    """Writes strategies, strategy_values, campaign_evidence and campaign_rewards; returns the rows of each.

    `evidence` is all that is known, also of the `distrusted` campaigns, which taught the strategy nothing.
    """
    log = _logged_rewards(context, config, past)
    trusted = [sums for campaign_id, sums in log if campaign_id not in distrusted]
    content = {
        STRATEGIES: strategy_rows(strategy, config.scheme),
        STRATEGY_VALUES: value_rows(values_of(trusted, shares_of(strategy), rewards_of(strategy)), config.scheme),
        CAMPAIGN_EVIDENCE: evidence_rows(evidence, config.scheme, past.basis, distrusted),
        CAMPAIGN_REWARDS: reward_rows(log, config.scheme),
    }
    return {contract.name: context.view.write_rows(contract, rows) for contract, rows in content.items()}


def _logged_rewards(context: StageContext, config: CampaignsConfig, past: Past) -> list[tuple[str, LogSums]]:
    """By campaign of the last year, what its contacts earned; of settled ones what the run before knew."""
    log: list[tuple[str, LogSums]] = []
    if past.responses is not None:
        reward = "revenue" if config.learning.objective == "revenue" else "converted"
        log += [(row.campaign_id, log_sums_of(row)) for row in log_sums(past.responses, reward).collect()]
    if context.view.earlier is not None and past.settled:
        known = [row for row in context.view.earlier.rows(CAMPAIGN_REWARDS) if row.scheme == config.scheme]
        log += [(row.campaign_id, log_sums_of(row)) for row in known if row.campaign_id in past.settled]
    return sorted(log, key=lambda one: (one[0], one[1].segment_name, one[1].action, one[1].allowed or ()))
