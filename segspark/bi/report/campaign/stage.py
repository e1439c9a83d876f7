"""All of the chapter on campaigns that knows the lake."""

from segspark.bi.report.campaign.rows import CampaignRows
from segspark.bi.report.campaign.tables import demand_by_week, planned_actions, with_starts
from segspark.core.contracts import (
    CAMPAIGN_CHECKS,
    CAMPAIGN_LIFT,
    CAMPAIGN_MOVES,
    CAMPAIGN_PLAN,
    CAMPAIGNS,
    DEMAND_ACCURACY,
    ITEM_FACTS,
    SEGMENT_CATEGORIES,
    SEGMENT_DEMAND,
    STRATEGIES,
    STRATEGY_VALUES,
    Contract,
)
from segspark.core.stage import StageContext


def gather_campaigns(context: StageContext, min_group: int) -> CampaignRows:
    """The run's rows, collected: bounded by segments, actions, campaigns of a year, categories and weeks."""
    lake, run_id = context.lake, context.run.run_id

    def rows(contract: Contract) -> list[dict[str, object]]:
        return [row.asDict() for row in lake.read_run(contract, run_id).collect()]

    planned = planned_actions(lake.read_run(CAMPAIGN_PLAN, run_id))
    lifts = with_starts(lake.read_run(CAMPAIGN_LIFT, run_id), lake.read(CAMPAIGNS))
    bought = lake.read_run(SEGMENT_CATEGORIES, run_id)
    demand = demand_by_week(lake.read_run(SEGMENT_DEMAND, run_id), bought, lake.read_run(ITEM_FACTS, run_id), min_group)
    return CampaignRows(
        campaigns=rows(CAMPAIGNS),
        planned=[row.asDict() for row in planned.collect()],
        lifts=[row.asDict() for row in lifts.collect()],
        checks=rows(CAMPAIGN_CHECKS),
        moves=rows(CAMPAIGN_MOVES),
        strategies=rows(STRATEGIES),
        values=rows(STRATEGY_VALUES),
        demand=[row.asDict() for row in demand.collect()],
        accuracy=rows(DEMAND_ACCURACY),
    )
