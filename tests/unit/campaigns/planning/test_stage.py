"""The plan of a whole lake: budgets, consent, holdout, stock, one contact per user; and planning again."""

from collections import Counter
from datetime import date, timedelta

import numpy as np
import pytest

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.history import plans_made, publications_seen, this_campaign
from segspark.campaigns.planning.choosing import Rules
from segspark.campaigns.planning.stage import Order, ask_everyone, build_plan, published_plans
from segspark.core.contracts import CAMPAIGN_MEMBERS, CAMPAIGN_PLAN, CAMPAIGNS, PUBLICATIONS, USER_SEGMENTS
from segspark.core.lake import Lake
from tests.unit.campaigns.shops import (
    AS_OF,
    SEGMENTS,
    STRATEGIES,
    context_of,
    fill_lake,
    publish,
    send,
)

SUITS = {"economy": ["coupon", "goods"], "loyal": ["coupon", "wishes"], "segment-2": []}
CONFIG = CampaignsConfig(days=5, campaign_id="july", starts_on=AS_OF)
RULES = Rules(
    shares=np.array([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.0, 0.0]]),
    is_proven=np.zeros((3, 3), bool),
    floor=0.02,
    uplift_mean=np.full((3, 3), 0.06),
    uplift_most=np.full((3, 3), 0.2),
    uplift=np.full((64, 3, 3), 0.06),
    costs=np.array([0.5, 0.1, 1.5]),
    prices=np.zeros(3),
)


def made_before(lake, previous):
    return plans_made(lake.rows(CAMPAIGNS), publications_seen(lake.rows(PUBLICATIONS), previous))


def plan(lake, run_id="r1", as_of=AS_OF, previous=None, config=CONFIG):
    context = context_of(lake, run_id, as_of, previous)
    made = made_before(lake, previous) if previous else []
    order = Order(this_campaign(config, as_of, made), STRATEGIES, config, SUITS, list(SEGMENTS), made)
    plans = published_plans(context, order)
    asked, _ = ask_everyone(context, order, plans)
    rows, _ = build_plan(context, order, asked, plans, RULES)
    contacts = [row.asDict() for row in lake.read_run(CAMPAIGN_PLAN, run_id).collect()]
    (campaign,) = lake.rows_of_run(CAMPAIGNS, run_id)
    return rows, contacts, campaign


def held_out(lake, run_id):
    return {row.user_id for row in lake.read_run(CAMPAIGN_MEMBERS, run_id).where("holdout").collect()}


@pytest.fixture(scope="module")
def planned(spark, tmp_path_factory):
    lake = Lake(spark, str(tmp_path_factory.mktemp("plan") / "lake"))
    open_to = fill_lake(lake)
    return lake, open_to, *plan(lake)


def test_no_budget_of_any_day_is_exceeded(planned):
    contacts = [row for row in planned[3] if not row["holdout"]]
    assert len(contacts) > 100
    for name, channel in STRATEGIES.channels.items():
        of = [row for row in contacts if row["channel"] == name]
        per_day = Counter(row["send_on"] for row in of)
        assert max(per_day.values()) <= channel.contacts_per_day
        for send_on in per_day:
            assert sum(row["cost"] for row in of if row["send_on"] == send_on) <= channel.money_per_day + 1e-9
    assert {row["send_on"] for row in contacts} <= {AS_OF + timedelta(days=n) for n in range(5)}


def test_nobody_is_contacted_twice_without_consent_or_though_held_out(planned):
    lake, open_to, _, contacts, _ = planned
    users = [row["user_id"] for row in contacts]
    assert len(users) == len(set(users))
    assert set(users) <= open_to
    held = held_out(lake, "r1")
    assert all(row["holdout"] == (row["user_id"] in held) for row in contacts)


def test_the_holdout_of_each_segment_is_a_tenth_of_who_may_be_contacted_to_one_user(planned):
    lake, open_to = planned[:2]
    segment_of = {row.user_id: row.segment_name for row in lake.read_run(USER_SEGMENTS, "r1").collect()}
    sizes = Counter(segment_of[user] for user in open_to)
    held = Counter(segment_of[user] for user in held_out(lake, "r1"))
    for segment in SEGMENTS:
        assert abs(held[segment] - 0.1 * sizes[segment]) < 1


def test_a_segment_gets_only_what_suits_it_and_items_only_where_the_action_shows_some(planned):
    for row in planned[3]:
        assert row["action"] in SUITS[row["segment_name"]]
        assert (row["items"] is not None) == (row["action"] == "goods")


def test_no_item_is_shown_more_often_than_its_stock_allows(planned):
    shown = Counter(item for row in planned[3] if not row["holdout"] for item in row["items"] or ())
    for item, count in shown.items():
        assert count <= (3 + int(item[1:])) / CONFIG.item_take


def test_the_campaigns_row_adds_up_to_all_users_of_the_scheme(planned):
    _, _, rows, contacts, campaign = planned
    assert campaign.contacts == sum(not row["holdout"] for row in contacts)
    assert campaign.held_out == sum(row["holdout"] for row in contacts)
    assert campaign.cost == pytest.approx(sum(row["cost"] for row in contacts if not row["holdout"]))
    left_out = {each.reason: each.users for each in campaign.left_out}
    assert campaign.contacts + campaign.held_out + sum(left_out.values()) == campaign.users
    assert left_out["no consent"] > 0 and left_out["no action suits"] > 0
    assert rows["campaign_plan"] == len(contacts)


@pytest.mark.slow
def test_the_same_run_made_again_gives_the_same_plan(planned):
    lake, _, _, contacts, _ = planned
    lake.replace_run(CAMPAIGN_PLAN, lake.read_run(CAMPAIGN_PLAN, "r1").limit(0), "r1")
    again = plan(lake)[1]
    key = lambda row: row["user_id"]  # noqa: E731
    assert sorted(again, key=key) == sorted(contacts, key=key)


@pytest.mark.slow
def test_a_campaign_that_is_planned_again_keeps_its_holdout_and_contacts_nobody_twice(spark, tmp_path):
    lake = Lake(spark, str(tmp_path / "lake"))
    fill_lake(lake)
    _, first, _ = plan(lake)
    publish(lake, "r1")
    due = [(row["user_id"], row["action"], row["send_on"]) for row in first if not row["holdout"]]
    due = [row for row in due if row[2] < AS_OF + timedelta(days=2)]
    send(lake, due, "july")
    fill_lake_again(lake)
    _, second, campaign = plan(lake, "r2", AS_OF + timedelta(days=2), previous="r1")
    before, after = held_out(lake, "r1"), held_out(lake, "r2")
    assert before <= after
    known = {row.user_id for row in lake.read_run(CAMPAIGN_MEMBERS, "r1").collect()}
    assert after & known == before
    contacted = {row[0] for row in due}
    assert not contacted & {row["user_id"] for row in second}
    assert min(row["send_on"] for row in second) == AS_OF + timedelta(days=2)
    assert max(row["send_on"] for row in second) <= AS_OF + timedelta(days=4)
    left_out = {each.reason: each.users for each in campaign.left_out}
    assert left_out["contacted by this campaign already"] > 0


@pytest.mark.slow
def test_a_second_campaign_leaves_alone_who_is_in_the_first_and_takes_only_what_is_left_of_the_days(spark, tmp_path):
    lake = Lake(spark, str(tmp_path / "lake"))
    fill_lake(lake)
    _, first, _ = plan(lake)
    publish(lake, "r1")
    fill_lake_again(lake)
    later = CampaignsConfig(days=5, campaign_id="second", starts_on=AS_OF + timedelta(days=2))
    _, second, campaign = plan(lake, "r2", AS_OF + timedelta(days=2), previous="r1", config=later)
    assert not {row["user_id"] for row in first} & {row["user_id"] for row in second}
    both = Counter((row["channel"], row["send_on"]) for row in [*first, *second] if not row["holdout"])
    for (channel, _), contacts in both.items():
        assert contacts <= STRATEGIES.channels[channel].contacts_per_day
    assert any(each.reason == "in a campaign a short time ago, or now" for each in campaign.left_out)


def test_where_a_budget_decides_no_propensity_is_told_and_else_it_is_that_of_the_lots(planned):
    contacts = planned[3]
    wishes = [row for row in contacts if row["segment_name"] == "loyal"]
    for row in contacts:
        assert row["action"] in row["allowed"] and set(row["allowed"]) <= set(SUITS[row["segment_name"]])
    told = {row["propensity"] for row in wishes}
    assert told == {None} or all(0 < each <= 1 for each in told)


def fill_lake_again(lake):
    """A second run with a hundred users more, everybody in another order, and other segments for some."""
    from segspark.core.contracts import ITEMS, USERS

    for contract in (USERS, ITEMS):
        lake.delete(contract, "true")
    fill_lake(lake, users=700, run_id="r2", seed=1)


@pytest.mark.slow
def test_a_campaign_whose_days_are_over_contacts_nobody(spark, tmp_path):
    lake = Lake(spark, str(tmp_path / "lake"))
    fill_lake(lake, users=60)
    _, contacts, campaign = plan(lake, as_of=AS_OF + timedelta(days=5), config=CONFIG)
    assert contacts == [] and campaign.contacts == 0
    assert campaign.ends_on == date(2024, 7, 5)
