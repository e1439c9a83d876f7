"""All of the learning that knows the lake: the next strategy, and what it would have earned before."""

from pyspark.sql import DataFrame

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.learning.off_policy import log_sums, log_sums_of, rewards_of, shares_of, value_rows, values_of
from segspark.campaigns.learning.strategy import Strategy, strategy_rows
from segspark.core.contracts import STRATEGIES, STRATEGY_VALUES, frame_of
from segspark.core.stage import StageContext


def write_strategies(
    context: StageContext, config: CampaignsConfig, strategy: Strategy, responses: DataFrame
) -> dict[str, int]:
    """Writes strategies and strategy_values of the run; returns the rows of each."""
    lake, run = context.lake, context.run
    reward = "revenue" if strategy.objective == "revenue" else "converted"
    log = [log_sums_of(row) for row in log_sums(responses, reward).collect()]
    values = values_of(log, shares_of(strategy), rewards_of(strategy))
    content = {
        STRATEGIES: strategy_rows(strategy, config.scheme),
        STRATEGY_VALUES: value_rows(values, config.scheme),
    }
    return {
        contract.name: lake.replace_run(contract, frame_of(lake.spark, contract, rows), run.run_id)
        for contract, rows in content.items()
    }
