"""What a run does not measure again, and that the tables are those of a run that does."""

from datetime import date, datetime, timedelta, timezone
from unittest.mock import patch

import numpy as np
import pytest

from segspark.campaigns import stage
from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.history import plans_made, publications_seen
from segspark.campaigns.past.stage import Past, look_back
from segspark.core.contracts import (
    CAMPAIGN_CHECKS,
    CAMPAIGN_EVIDENCE,
    CAMPAIGN_LIFT,
    CAMPAIGN_MOVES,
    CAMPAIGN_PLAN,
    CAMPAIGN_REWARDS,
    CAMPAIGNS,
    DAY_BUILDS,
    ORDERS,
    OUTCOMES,
    PUBLICATIONS,
    RUNS,
    STRATEGIES,
    STRATEGY_VALUES,
    USER_DAYS,
    USER_FEATURES,
)
from segspark.core.lake import Lake
from segspark.core.runs import StageRecord, record
from tests.unit.campaigns import shops
from tests.unit.campaigns.shops import context_of, plain, publish, write

pytestmark = pytest.mark.slow
CONFIG = CampaignsConfig.model_validate({"lift": {"bootstrap_samples": 50}})
USERS = 300
MADE = {  # first days; of seven days
    "may": date(2024, 5, 1),
    "lopsided": date(2024, 5, 1),  # far fewer are held out than were to be: it teaches nothing
    "june": date(2024, 6, 1),
    "open": date(2024, 6, 12),
}
OFFER = stage.Offer(shops.STRATEGIES, ["loyal"], {"loyal": ["coupon", "wishes"]})
TABLES = (
    CAMPAIGN_LIFT,
    CAMPAIGN_CHECKS,
    CAMPAIGN_MOVES,
    CAMPAIGN_EVIDENCE,
    CAMPAIGN_REWARDS,
    STRATEGIES,
    STRATEGY_VALUES,
)
FIRST, SECOND, THIRD = date(2024, 7, 1), date(2024, 7, 8), date(2024, 7, 15)


def contacts(campaign_id):
    """Users by turns held out, and offered one of two actions."""
    row = {"campaign_id": campaign_id, "segment_name": "loyal", "send_on": MADE[campaign_id]}
    row |= {"propensity": 0.5, "allowed": ["coupon", "wishes"]}
    held_out = 25 if campaign_id == "lopsided" else 4
    actions = [("coupon", "wishes")[n // 4 % 2] for n in range(USERS)]
    return [row | {"user_id": f"u{n}", "action": a, "holdout": n % held_out == 0} for n, a in enumerate(actions)]


def outcome(row, ingest_seq=1):
    at_ten = datetime.combine(row["send_on"], datetime.min.time().replace(hour=10))
    told = {name: row[name] for name in ("campaign_id", "user_id", "action")}
    return told | {"treated": True, "sent_at": at_ten, "ingest_seq": ingest_seq}


def orders(campaign_id, seed=1, ingest_seq=1):
    """Four of ten users order three days after the contact."""
    drawn = np.random.default_rng(seed)
    day = MADE[campaign_id] + timedelta(days=3)
    row = {"order_line": 1, "day": day, "quantity": 1.0, "status": "paid", "ingest_seq": ingest_seq}
    row["order_time"] = datetime.combine(day, datetime.min.time())
    return [
        row | {"order_id": f"{campaign_id}-{seed}-{n}", "user_id": f"u{n}", "unit_price": float(price)}
        for n, price in enumerate(drawn.lognormal(3, 1, USERS).round(2))
        if drawn.random() < 0.4
    ]


def measured(lake, run_id, as_of, previous, config=CONFIG, ingest_seq=10):
    """Follows up on earlier campaigns as the stage does; returns which of them were settled."""
    context = context_of(lake, run_id, as_of, previous, ingest_seq)
    features = [{"user_id": f"u{n}", "as_of": as_of, "is_bot": False} for n in range(USERS)]
    lake.replace_run(USER_FEATURES, plain(lake, USER_FEATURES, features), run_id)
    seen = publications_seen(lake.rows(PUBLICATIONS), previous)
    made = plans_made(lake.rows(CAMPAIGNS), seen)
    looked: list[Past] = []

    def look_back_and_tell(*arguments):
        looked.append(look_back(*arguments))
        return looked[0]

    with patch.object(stage, "look_back", look_back_and_tell):
        stage.follow_up(context, config, OFFER, {"loyal": 20.0}, made, seen)
    record(lake, context.run, "digest", [StageRecord("campaigns", "done", datetime.now(timezone.utc))])
    (past,) = looked
    responses = [] if past.responses is None else past.responses.select("campaign_id").distinct().collect()
    assert {row.campaign_id for row in responses} == set(MADE) - past.settled
    return past.settled


def measured_whole(lake, run_id, as_of, previous, ingest_seq=10):
    """The same where the ledger has lost the run before, so that nothing is settled."""
    known = [row.asDict() for row in lake.read(RUNS).where(f"run_id = '{previous}'").collect()]
    lake.delete(RUNS, f"run_id = '{previous}'")
    assert measured(lake, run_id, as_of, previous, ingest_seq=ingest_seq) == set()
    write(lake, RUNS, known)


def rows(lake, run_id):
    return {table.name: sorted(map(str, lake.read_run(table, run_id).collect())) for table in TABLES}


@pytest.fixture(scope="module")
def shop(spark, tmp_path_factory):
    """The campaigns of a first run; `open` has windows until 3 July."""
    lake = Lake(spark, str(tmp_path_factory.mktemp("past") / "lake"))
    planned = [
        {"campaign_id": name, "scheme": "value", "planned_on": first, "starts_on": first, "holdout_share": 0.25}
        | {"ends_on": first + timedelta(days=6)}
        for name, first in MADE.items()
    ]
    plan = [row for name in MADE for row in contacts(name)]
    lake.replace_run(CAMPAIGNS, plain(lake, CAMPAIGNS, planned), "r1")
    lake.replace_run(CAMPAIGN_PLAN, plain(lake, CAMPAIGN_PLAN, plan), "r1")
    publish(lake, "r1")
    write(lake, OUTCOMES, [outcome(row) for row in plan if not row["holdout"]])
    bought = [row for number, name in enumerate(MADE) for row in orders(name, number)]
    write(lake, ORDERS, bought)
    days = [{"user_id": row["user_id"], "day": row["day"], "orders": 1, "spend": row["unit_price"]} for row in bought]
    lake.replace_days(USER_DAYS, plain(lake, USER_DAYS, days), {row["day"] for row in days})
    built = {"ingest_seq": 1, "shape": "s", "days": 3, "first_day": date(2024, 5, 4), "built_at": datetime(2024, 7, 1)}
    write(lake, DAY_BUILDS, [built])
    return lake


@pytest.fixture(scope="module")
def settled(shop):
    """By run what it did not measure: r2 after the first, r3 a week later, r4 after another."""
    found = {"r2": measured(shop, "r2", FIRST, "r1")}
    publish(shop, "r2")
    yesterday = SECOND - timedelta(days=1)
    news = {**orders("may", seed=9, ingest_seq=10)[0], "day": yesterday}
    write(shop, ORDERS, [news | {"order_time": datetime.combine(yesterday, datetime.min.time())}])
    found["r3"] = measured(shop, "r3", SECOND, "r2")
    publish(shop, "r3")
    return found | {"r4": measured(shop, "r4", THIRD, "r3")}


def test_closed_campaigns_are_measured_once(settled):
    assert settled == {"r2": set(), "r3": {"may", "lopsided", "june"}, "r4": set(MADE)}


@pytest.mark.parametrize(("run_id", "as_of", "previous"), [("r3", SECOND, "r2"), ("r4", THIRD, "r3")])
def test_the_tables_are_those_of_a_run_that_measures_everything(shop, settled, run_id, as_of, previous):
    measured_whole(shop, f"{run_id}-whole", as_of, previous)
    kept, whole = rows(shop, run_id), rows(shop, f"{run_id}-whole")
    assert kept == whole
    assert all(kept.values())
    assert any("bootstrap_low=" in row and "bootstrap_low=None" not in row for row in kept["campaign_lift"])
    told = {row.campaign_id: row.trusted for row in shop.read_run(CAMPAIGN_EVIDENCE, run_id).collect()}
    assert told == {"may": True, "lopsided": False, "june": True, "open": True}
    taught = shop.read_run(STRATEGIES, run_id).where("action IN ('coupon', 'wishes')").collect()
    contacted = sum(row["holdout"] is False for name in ("may", "june", "open") for row in contacts(name))
    assert 0 < sum(row.users for row in taught) < contacted  # discounted; those of lopsided would be more


@pytest.mark.parametrize(
    ("settings", "kept"),
    [
        ({"lift": {"bootstrap_samples": 50, "before_days": 20}}, set()),
        ({"lift": {"bootstrap_samples": 50}, "learning": {"objective": "revenue"}}, set()),
        ({"lift": {"bootstrap_samples": 50, "observed": ["theirs"]}}, set(MADE)),  # of other tools' campaigns
    ],
)
def test_what_is_measured_otherwise_is_measured_again(shop, settled, settings, kept):
    assert measured(shop, "r5", THIRD, "r3", CampaignsConfig.model_validate(settings)) == kept


def test_a_run_for_an_earlier_day_measures_what_that_day_knows(shop, settled):
    assert measured(shop, "r6", FIRST, "r3") == set()
    measured_whole(shop, "r6-whole", FIRST, "r3")
    assert rows(shop, "r6") == rows(shop, "r6-whole")


def test_what_came_of_a_campaign_and_of_its_days_is_looked_at(shop, settled):
    late = outcome({**contacts("june")[1], "user_id": "stranger"}, ingest_seq=11)
    write(shop, OUTCOMES, [late])
    assert measured(shop, "r7", THIRD, "r3", ingest_seq=11) == {"may", "lopsided", "open"}
    write(shop, ORDERS, orders("may", seed=5, ingest_seq=12))
    assert measured(shop, "r8", THIRD, "r3", ingest_seq=12) == {"open"}
    measured_whole(shop, "r8-whole", THIRD, "r3", ingest_seq=12)
    assert rows(shop, "r8") == rows(shop, "r8-whole")
    revenue = [
        shop.read_run(CAMPAIGN_LIFT, run_id).where("campaign_id = 'may' AND measure = 'revenue'").first().treated
        for run_id in ("r7", "r8")
    ]
    assert revenue[0] < revenue[1]
