"""What the stage gathers of campaigns: bounded by segments, actions, campaigns, categories and weeks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Row = Mapping[str, Any]
Rows = Sequence[Row]


@dataclass(frozen=True)
class CampaignRows:
    """The rows of the run, as the tables have them or added up over users."""

    campaigns: Rows = ()  # the planned one
    planned: Rows = ()  # its contacts by segment, action and channel
    lifts: Rows = ()  # of earlier campaigns, each with the campaign's first day
    checks: Rows = ()  # of earlier campaigns
    moves: Rows = ()  # after earlier campaigns
    strategies: Rows = ()
    values: Rows = ()  # what policies would have earned
    demand: Rows = ()  # by category, best-selling item and week, over all segments
    accuracy: Rows = ()  # of ways to forecast
