from datetime import date

import pytest

from segspark.campaigns.config import CampaignsConfig
from segspark.campaigns.history import (
    Planned,
    contacts_of,
    plans_in_mind,
    plans_made,
    plans_since,
    publications_seen,
    this_campaign,
)
from segspark.core.arrow_rows import Row
from segspark.core.errors import ConfigError
from tests.builders import at

JULY = date(2024, 7, 1)


def planned(campaign_id="july", run_id="r1", starts_on=JULY, until=None, scheme="value"):
    return Planned(campaign_id, run_id, starts_on, date(2024, 7, 7), until, scheme, 1, 0.1)


def test_a_campaign_without_an_id_is_named_by_its_first_day():
    campaign = this_campaign(CampaignsConfig(days=5), JULY, [])
    assert (campaign.campaign_id, campaign.starts_on, campaign.ends_on) == (
        "campaign-2024-07-01",
        JULY,
        date(2024, 7, 5),
    )
    assert campaign.days == 5


def test_a_campaign_that_runs_already_is_planned_from_today_on():
    config = CampaignsConfig(campaign_id="july", starts_on=JULY, days=7)
    campaign = this_campaign(config, date(2024, 7, 3), [planned()])
    assert (campaign.first_day, campaign.days) == (date(2024, 7, 3), 5)
    assert this_campaign(config, date(2024, 7, 9), [planned()]).days == 0


def test_an_id_that_was_used_for_another_first_day_is_refused():
    config = CampaignsConfig(campaign_id="july", starts_on=date(2024, 7, 2))
    with pytest.raises(ConfigError, match=r"campaigns.campaign_id: july .* started on 2024-07-01, not on 2024-07-02"):
        this_campaign(config, JULY, [planned()])


def test_an_id_without_a_first_day_is_refused_by_the_configuration():
    with pytest.raises(ValueError, match="starts_on: is missing"):
        CampaignsConfig(campaign_id="july")


def test_evidence_is_of_campaigns_of_the_last_year_and_of_the_same_scheme():
    made = [planned(), planned("old", starts_on=date(2023, 7, 1)), planned("other", scheme="rfm")]
    assert [each.campaign_id for each in plans_since(made, "value", date(2023, 7, 2))] == ["july"]


def test_only_plans_that_were_published_up_to_the_compared_run_count():
    acts = [Row(run_id=run_id, seq=seq) for run_id, seq in [("r1", 1), ("r3", 4), ("r1", 3), ("r2", 2)]]
    assert publications_seen(acts, "r1") == {"r1": 3, "r2": 2}
    assert publications_seen(acts, "r2") == {"r1": 1, "r2": 2}
    assert publications_seen(acts, None) == publications_seen([], "r1") == {}


def campaign(campaign_id, run_id, planned_on, scheme, holdout_share):
    days = {"starts_on": JULY, "ends_on": JULY, "planned_on": planned_on}
    return Row(campaign_id=campaign_id, run_id=run_id, scheme=scheme, holdout_share=holdout_share, **days)


def test_a_plan_holds_until_the_next_published_plan_of_its_campaign():
    campaigns = [
        campaign("july", "r2", date(2024, 7, 3), "rfm", 0.2),
        campaign("june", "r9", JULY, "value", 0.1),  # never published
        campaign("july", "r1", JULY, "value", 0.1),
        campaign("august", "r3", date(2024, 7, 4), "value", 0.1),
    ]
    made = plans_made(campaigns, {"r1": 1, "r2": 2, "r3": 3})
    assert [(each.run_id, each.until, each.scheme, each.seq, each.holdout_share) for each in made] == [
        ("r1", date(2024, 7, 3), "value", 1, 0.1),
        ("r2", None, "rfm", 2, 0.2),
        ("r3", None, "value", 3, 0.1),
    ]


def test_of_a_campaign_that_was_planned_twice_the_later_plan_holds_from_its_own_day_on(spark):
    plan = spark.createDataFrame(
        [
            ("july", "r1", "a", date(2024, 7, 2)),
            ("july", "r1", "b", date(2024, 7, 3)),
            ("july", "r2", "b", date(2024, 7, 5)),
            ("june", "r9", "c", JULY),
        ],
        "campaign_id string, run_id string, user_id string, send_on date",
    )
    made = [planned(until=date(2024, 7, 3)), planned(run_id="r2")]
    told = "campaign_id string, user_id string, treated boolean, sent_at timestamp"
    nothing = spark.createDataFrame([], told)
    found = contacts_of(plan, made, nothing).collect()
    assert sorted((row.user_id, row.run_id) for row in found) == [("a", "r1"), ("b", "r2")]
    assert contacts_of(plan, [], nothing).isEmpty()
    found = contacts_of(plan, [planned(), planned("june", run_id="r9")], nothing).collect()
    assert sorted((row.user_id, row.run_id) for row in found) == [("a", "r1"), ("b", "r1"), ("c", "r9")]
    for sent_on, run_id in (("2024-07-02", "r1"), ("2024-07-05", "r2")):  # too early, and as the later plan says
        sent = spark.createDataFrame([("july", "b", True, at(sent_on))], told)
        found = contacts_of(plan, made, sent).collect()
        assert sorted((row.user_id, row.run_id) for row in found) == [("a", "r1"), ("b", run_id)]


def test_an_id_that_was_planned_for_other_segments_is_refused():
    config = CampaignsConfig(campaign_id="july", starts_on=JULY)
    with pytest.raises(ConfigError, match=r"july was planned for the segments of rfm; give another id"):
        this_campaign(config, JULY, [planned(scheme="rfm")])


def test_plans_that_matter_are_of_the_campaign_itself_and_of_its_last_days():
    campaign = this_campaign(CampaignsConfig(campaign_id="july", starts_on=JULY, days=7), JULY, [])
    made = [planned("june", starts_on=date(2024, 6, 1)), planned(), planned("replaced", until=date(2024, 6, 20))]
    assert [each.campaign_id for each in plans_in_mind(made, campaign, 11)] == ["june", "july"]
    assert len(plans_in_mind(made, campaign, 12)) == 3
