from datetime import date, datetime

import pytest

from segspark.campaigns.catalogue import Strategies
from segspark.campaigns.planning.audience import check_columns, find_audience, last_contacts
from segspark.core.errors import ConfigError

START = date(2024, 7, 1)
STRATEGIES = Strategies.model_validate(
    {
        "channels": {"email": {"contacts_per_day": 10, "money_per_day": 10}},
        "quiet_days": 3,
        "risk": "refund_share >= 0.5",
        "actions": {
            "letter": {"title": "Letter", "channel": "email", "personas": ["loyal"], "cost": 1, "cool_down_days": 30},
            "coupon": {
                "title": "Coupon",
                "channel": "email",
                "personas": ["loyal", "economy"],
                "cost": 1,
                "audience": "frequency >= 2",
                "incentive": True,
            },
        },
    }
)
SUITS = {"loyal": ["letter", "coupon"], "economy": ["coupon"], "segment-3": []}
PEOPLE = "user_id string, segment_name string, may_be_contacted boolean, frequency double, refund_share double"


def audience(spark, people, outcomes=(), contacted=(), plans=(), window_days=0):
    rows = [(f"u{n}", *each) for n, each in enumerate(people)]
    sent = [("c", *row) for row in outcomes]
    contacts = last_contacts(
        spark.createDataFrame(
            sent, "campaign_id string, user_id string, action string, treated boolean, sent_at timestamp"
        ),
        spark.createDataFrame(list(plans), "user_id string, action string, holdout boolean, send_on date"),
    )
    done = spark.createDataFrame([(user,) for user in contacted], "user_id string")
    found = find_audience(spark.createDataFrame(rows, PEOPLE), contacts, done, STRATEGIES, SUITS, START, window_days)
    return {row.user_id: (list(row.allowed), row.left_out) for row in found.collect()}


def test_a_user_gets_what_suits_the_segment_and_the_audience(spark):
    found = audience(spark, [("loyal", True, 3.0, 0.0), ("loyal", True, 1.0, 0.0), ("economy", True, 3.0, None)])
    assert found == {"u0": ([True, True], None), "u1": ([True, False], None), "u2": ([False, True], None)}


@pytest.mark.parametrize("consent", [False, None])
def test_nobody_without_consent_is_contacted(spark, consent):
    assert audience(spark, [("loyal", consent, 3.0, 0.0)])["u0"] == ([False, False], "no consent")


def test_who_is_at_risk_gets_no_incentive(spark):
    assert audience(spark, [("loyal", True, 3.0, 0.5)])["u0"] == ([True, False], None)
    assert audience(spark, [("economy", True, 3.0, 0.5)])["u0"] == ([False, False], "no action suits")


def test_a_segment_without_actions_and_an_audience_that_is_unknown_have_none(spark):
    found = audience(spark, [("segment-3", True, 3.0, 0.0), ("economy", True, None, 0.0)])
    assert {reason for _, reason in found.values()} == {"no action suits"}


def test_an_action_cools_down_and_any_contact_is_followed_by_quiet_days(spark):
    people = [("loyal", True, 3.0, 0.0)] * 4
    found = audience(
        spark,
        people,
        outcomes=[
            ("u0", "letter", True, datetime(2024, 6, 2)),  # 29 days ago
            ("u1", "letter", True, datetime(2024, 6, 1)),  # 30 days ago
            ("u2", "letter", True, datetime(2024, 6, 29)),  # 2 days ago
            ("u3", "letter", False, datetime(2024, 6, 29)),  # was held out
        ],
    )
    assert found["u0"] == ([False, True], None)
    assert found["u1"] == ([True, True], None)
    assert found["u2"] == ([False, False], "in a campaign a short time ago, or now")
    assert found["u3"] == ([True, True], None)


def test_who_is_in_another_campaign_is_left_alone_until_its_window_closes_contacted_or_held_out(spark):
    plans = [
        ("u0", "letter", False, date(2024, 6, 18)),  # window of 14 days still open
        ("u1", "letter", True, date(2024, 6, 18)),  # held out then
        ("u2", "letter", False, date(2024, 6, 17)),  # closed, but the letter cools down
        ("u3", "letter", True, date(2024, 6, 17)),  # closed, and no letter was sent
        ("u4", "letter", False, date(2024, 7, 5)),  # not made yet
    ]
    found = audience(spark, [("loyal", True, 3.0, 0.0)] * 5, plans=plans, window_days=14)
    busy = ([False, False], "in a campaign a short time ago, or now")
    assert [found[f"u{n}"] for n in range(5)] == [busy, busy, ([False, True], None), ([True, True], None), busy]


def test_who_had_a_contact_of_the_campaign_gets_no_other(spark):
    assert (
        audience(spark, [("loyal", True, 3.0, 0.0)], contacted=["u0"])["u0"][1] == "contacted by this campaign already"
    )


def test_an_audience_by_an_unknown_column_is_told_before_anything_is_done():
    check_columns(STRATEGIES, "strategies.yaml", {"frequency", "refund_share"})
    with pytest.raises(ConfigError, match=r"actions.coupon.audience: frequency is no column of user_features"):
        check_columns(STRATEGIES, "strategies.yaml", {"refund_share"})
