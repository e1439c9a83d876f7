"""What a plan should sell on top."""

import pytest

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.demand.stage import _campaign
from segspark.core.contracts import CAMPAIGN_PLAN, ITEMS
from tests.unit.campaigns.shops import context_of, plain, write


@pytest.mark.parametrize(("objective", "toys", "books"), [("conversions", 3.0, 1.5), ("revenue", 0.6, 0.15)])
def test_units_on_top_are_conversions_or_what_the_expected_money_buys(lake, objective, toys, books):
    """Money per contact of 3.0: half for a toy at 5, half for a book at 10; what the other costs nobody knows."""
    contact = {"campaign_id": "july", "segment_name": "loyal", "expected_uplift": 3.0}
    plan = [
        {**contact, "user_id": "u1", "holdout": False, "items": ["toy", "book"]},
        {**contact, "user_id": "u2", "holdout": False, "items": ["toy", "unpriced"]},
        {**contact, "user_id": "u3", "holdout": True, "items": ["toy"]},
        {**contact, "user_id": "u4", "holdout": False, "items": ["toy"], "expected_uplift": -1.0},
    ]
    lake.replace_run(CAMPAIGN_PLAN, plain(lake, CAMPAIGN_PLAN, plan), "r1")
    prices = {"toy": 5.0, "book": 10.0, "unpriced": None}
    write(lake, ITEMS, [{"item_id": item, "price": price, "ingest_seq": 1} for item, price in prices.items()])
    categories = lake.spark.createDataFrame([(item, item + "s") for item in prices], "item_id string, category string")
    config = CampaignsConfig.model_validate({"learning": {"objective": objective}})
    found = {row.category: row.units for row in _campaign(context_of(lake), categories, config).collect()}
    assert (found["toys"], found["books"]) == pytest.approx((toys, books))
    assert ("unpriceds" in found) == (objective == "conversions")
