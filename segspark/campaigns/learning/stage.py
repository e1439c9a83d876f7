"""All of the learning that knows the lake: the next strategy, and what it would have earned before."""

from collections.abc import Collection

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.evidence import SIDE, Evidence, evidence_of, evidence_rows
from segspark.campaigns.learning.off_policy import log_sums, log_sums_of, rewards_of, shares_of, value_rows, values_of
from segspark.campaigns.learning.strategy import Strategy, strategy_rows
from segspark.core.contracts import CAMPAIGN_EVIDENCE, STRATEGIES, STRATEGY_VALUES, frame_of
from segspark.core.stage import StageContext


def with_earlier(
    context: StageContext, config: CampaignsConfig, evidence: list[Evidence], forgotten: Collection[str]
) -> list[Evidence]:
    """The evidence, and what the run before knew of campaigns that nobody looks back on any more (`forgotten`)."""
    if context.run.previous is None or not forgotten:
        return evidence
    known = context.lake.read_run(CAMPAIGN_EVIDENCE, context.run.previous).where(F.col("scheme") == config.scheme)
    earlier = known.where(F.col("campaign_id").isin(*sorted(forgotten))).orderBy(*SIDE)
    return [*(evidence_of(row) for row in earlier.collect()), *evidence]


def write_strategies(
    context: StageContext, config: CampaignsConfig, strategy: Strategy, evidence: list[Evidence], responses: DataFrame
) -> dict[str, int]:
    """Writes strategies, strategy_values and campaign_evidence of the run; returns the rows of each."""
    lake, run = context.lake, context.run
    reward = "revenue" if strategy.objective == "revenue" else "converted"
    log = [log_sums_of(row) for row in log_sums(responses, reward).collect()]
    values = values_of(log, shares_of(strategy), rewards_of(strategy))
    content = {
        STRATEGIES: strategy_rows(strategy, config.scheme),
        STRATEGY_VALUES: value_rows(values, config.scheme),
        CAMPAIGN_EVIDENCE: evidence_rows(evidence, config.scheme),
    }
    return {
        contract.name: lake.replace_run(contract, frame_of(lake.spark, contract, rows), run.run_id)
        for contract, rows in content.items()
    }
