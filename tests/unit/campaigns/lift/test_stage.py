"""Looking back in a lake: at which campaigns, and what is written of those of other tools."""

from datetime import date, datetime, timedelta

import numpy as np
import pytest

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.history import plans_made, publications_seen
from segspark.campaigns.lift.stage import write_lifts
from segspark.campaigns.past.stage import evidence_from, look_back
from segspark.core.contracts import (
    CAMPAIGN_CHECKS,
    CAMPAIGN_LIFT,
    CAMPAIGN_PLAN,
    CAMPAIGNS,
    OUTCOMES,
    PUBLICATIONS,
    USER_DAYS,
    USER_FEATURES,
    USERS,
)
from segspark.core.lake import Lake
from tests.unit.campaigns.shops import context_of, plain, publish, write

pytestmark = pytest.mark.slow
AS_OF = date(2024, 7, 1)
CONFIG = CampaignsConfig.model_validate({"lift": {"observed": ["*"], "bootstrap_samples": 0}})
MADE = [  # campaign, scheme, first day; of seven days
    ("old", "value", date(2023, 3, 1)),
    ("june", "value", date(2024, 6, 1)),
    ("other scheme", "rfm", date(2024, 6, 1)),
    ("open", "value", date(2024, 6, 12)),
    ("unsent", "value", date(2024, 6, 1)),  # of which no outcome tells
]
USERS_MADE = 400


def campaign(campaign_id, scheme, starts_on):
    row = {"campaign_id": campaign_id, "scheme": scheme, "planned_on": starts_on, "starts_on": starts_on}
    return row | {"ends_on": starts_on + timedelta(days=6), "holdout_share": 0.25}


def contacts(campaign_id, starts_on):
    row = {"campaign_id": campaign_id, "segment_name": "loyal", "action": "coupon", "send_on": starts_on}
    return [row | {"user_id": f"u{n}", "holdout": n % 4 == 0} for n in range(USERS_MADE)]


def outcome(campaign_id, user, day):
    at_ten = datetime.combine(day, datetime.min.time().replace(hour=10))
    return {"campaign_id": campaign_id, "user_id": user, "treated": True, "sent_at": at_ten, "ingest_seq": 1}


def user_days():
    """Most were here in May, some on one more day after 1 June; the last 40 came on 2 June for the first time."""
    drawn = np.random.default_rng(3).random((USERS_MADE, 2))
    known = [(n, date(2024, 5, 1)) for n in range(USERS_MADE - 40)]
    known += [(n, date(2024, 5, 20)) for n in range(USERS_MADE - 40) if drawn[n, 0] < 0.5]
    known += [(n, date(2024, 6, 3)) for n in range(USERS_MADE - 40) if drawn[n, 1] < 0.5]
    known += [(n, date(2024, 6, 2)) for n in range(USERS_MADE - 40, USERS_MADE)]
    return [{"user_id": f"u{n}", "day": day, "orders": 1, "spend": 5.0} for n, day in known]


@pytest.fixture(scope="module")
def told(spark, tmp_path_factory):
    lake = Lake(spark, str(tmp_path_factory.mktemp("lift") / "lake"))
    plan = [row for name, _, starts_on in MADE for row in contacts(name, starts_on)]
    lake.replace_run(CAMPAIGNS, plain(lake, CAMPAIGNS, [campaign(*made) for made in MADE]), "r1")
    lake.replace_run(CAMPAIGN_PLAN, plain(lake, CAMPAIGN_PLAN, plan), "r1")
    publish(lake, "r1")
    outcomes = [
        outcome(row["campaign_id"], row["user_id"], row["send_on"])
        for row in plan
        if not (row["holdout"] or row["campaign_id"] == "unsent")
    ]
    outcomes += [outcome("theirs", f"u{n}", date(2024, 6, 1)) for n in range(0, USERS_MADE, 3)]
    outcomes += [outcome("theirs long ago", f"u{n}", date(2022, 6, 1)) for n in range(5)]
    write(lake, OUTCOMES, outcomes)
    write(lake, USERS, [{"user_id": f"u{USERS_MADE - 1}", "signup_time": datetime(2024, 5, 1), "ingest_seq": 1}])
    days = user_days()
    lake.replace_days(USER_DAYS, plain(lake, USER_DAYS, days), {row["day"] for row in days})
    features = [{"user_id": f"u{n}", "as_of": AS_OF, "is_bot": False} for n in range(USERS_MADE)]
    lake.replace_run(USER_FEATURES, plain(lake, USER_FEATURES, features), "r2")
    context = context_of(lake, "r2", AS_OF, "r1")
    seen = publications_seen(lake.rows(PUBLICATIONS), "r1")
    made = plans_made(lake.rows(CAMPAIGNS), seen)
    past = look_back(context, CONFIG, made, seen)
    evidence = evidence_from(context, CONFIG, past)
    write_lifts(context, CONFIG, past, evidence)
    checks = {(row.campaign_id, row.check): row for row in lake.read_run(CAMPAIGN_CHECKS, "r2").collect()}
    return {each.campaign_id for each in evidence}, checks, lake.read_run(CAMPAIGN_LIFT, "r2").collect()


def test_evidence_is_of_the_last_year_and_of_the_runs_scheme(told):
    evidence, *_ = told
    assert evidence == {"june", "open"}


def test_own_campaigns_that_teach_nothing_any_more_are_neither_unknown_nor_adjusted_for(told):
    _, checks, lifts = told
    assert {campaign for campaign, _ in checks} == {"june", "open", "theirs", "theirs long ago", "unsent"}
    assert {row.campaign_id for row in lifts} == {"june", "open", "theirs"}
    assert ("theirs long ago", "recent contacts") in checks


def test_a_campaign_that_nobody_tells_of_is_no_campaign_without_effect(told):
    evidence, checks, lifts = told
    assert "unsent" not in evidence | {row.campaign_id for row in lifts}
    assert [name for campaign, name in checks if campaign == "unsent"] == ["sent"]
    assert checks["unsent", "sent"].passed is False and "it was not sent" in checks["unsent", "sent"].note


def test_who_came_in_the_window_is_on_neither_side_of_another_tools_campaign(told):
    _, checks, lifts = told
    whole = next(
        row for row in lifts if (row.campaign_id, row.segment_name, row.measure) == ("theirs", "all", "revenue")
    )
    newcomers = range(USERS_MADE - 40, USERS_MADE - 1)
    contacted = [n for n in newcomers if n % 3 == 0]
    everyone = len(range(0, USERS_MADE, 3))
    assert whole.treated_users == everyone - len(contacted)
    assert whole.control_users == USERS_MADE - everyone - (len(newcomers) - len(contacted))
    assert checks["theirs", "known before"].value == len(newcomers)


def test_the_check_of_windows_tells_which_campaigns_are_still_open(told):
    _, checks, lifts = told
    assert checks["june", "windows closed"].passed and checks["theirs", "windows closed"].passed
    still = checks["open", "windows closed"]
    assert (still.passed, still.value) == (None, 1.0)
    assert "the last does on 2024-07-03" in still.note
    assert not {row.verdict for row in lifts if row.campaign_id == "open"} & {"works", "harms"}
