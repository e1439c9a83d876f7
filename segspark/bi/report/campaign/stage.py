"""All of the chapter on campaigns that knows the lake."""

from pyspark.sql import functions as F

from segspark.bi.report.campaign.rows import CampaignRows, Row
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
)
from segspark.core.stage import StageContext


def gather_campaigns(context: StageContext, min_group: int) -> CampaignRows:
    """The run's rows: bounded by segments, actions, campaigns of a year, categories and weeks."""
    view = context.view
    campaigns, lifts = view.rows(CAMPAIGNS), view.rows(CAMPAIGN_LIFT)
    return CampaignRows(
        campaigns=campaigns,
        planned=_planned(context) if campaigns else (),
        lifts=with_starts(lifts, context.lake.rows(CAMPAIGNS)) if lifts else (),
        checks=view.rows(CAMPAIGN_CHECKS),
        moves=view.rows(CAMPAIGN_MOVES),
        strategies=view.rows(STRATEGIES),
        values=view.rows(STRATEGY_VALUES),
        demand=_demand(context, min_group),
        accuracy=view.rows(DEMAND_ACCURACY),
    )


def _planned(context: StageContext) -> list[Row]:
    return [row.asDict() for row in planned_actions(context.view.frame(CAMPAIGN_PLAN)).collect()]


def _demand(context: StageContext, min_group: int) -> list[Row]:
    view = context.view
    demand = view.rows(SEGMENT_DEMAND)
    items = sorted({row["item_id"] for row in demand if row["item_id"] is not None})
    buyers: dict[str, int] = {}
    if items:
        facts = view.frame(ITEM_FACTS).where(F.col("item_id").isin(*items))
        buyers = {row.item_id: row.buyers for row in facts.select("item_id", "buyers").collect()}
    return demand_by_week(demand, view.rows(SEGMENT_CATEGORIES), buyers, min_group)
