"""All of the learning that knows the lake: the next strategy, and what it would have earned before."""

from collections.abc import Collection

from pyspark.sql import functions as F

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
from segspark.core.contracts import CAMPAIGN_EVIDENCE, CAMPAIGN_REWARDS, STRATEGIES, STRATEGY_VALUES, frame_of
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
    lake, run = context.lake, context.run
    log = _logged_rewards(context, config, past)
    trusted = [sums for campaign_id, sums in log if campaign_id not in distrusted]
    content = {
        STRATEGIES: strategy_rows(strategy, config.scheme),
        STRATEGY_VALUES: value_rows(values_of(trusted, shares_of(strategy), rewards_of(strategy)), config.scheme),
        CAMPAIGN_EVIDENCE: evidence_rows(evidence, config.scheme, past.basis, distrusted),
        CAMPAIGN_REWARDS: reward_rows(log, config.scheme),
    }
    return {
        contract.name: lake.replace_run(contract, frame_of(lake.spark, contract, rows), run.run_id)
        for contract, rows in content.items()
    }


def _logged_rewards(context: StageContext, config: CampaignsConfig, past: Past) -> list[tuple[str, LogSums]]:
    """By campaign of the last year, what its contacts earned; of settled ones what the run before knew."""
    rows = []
    if past.has_unsettled:
        reward = "revenue" if config.learning.objective == "revenue" else "converted"
        rows += log_sums(past.responses, reward).collect()
    if past.settled and context.run.previous is not None:
        known = context.lake.read_run(CAMPAIGN_REWARDS, context.run.previous).where(F.col("scheme") == config.scheme)
        rows += known.where(F.col("campaign_id").isin(*sorted(past.settled))).collect()
    log = [(row.campaign_id, log_sums_of(row)) for row in rows]
    return sorted(log, key=lambda one: (one[0], one[1].segment_name, one[1].action, one[1].allowed or ()))
