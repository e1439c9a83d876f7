"""What a run remembers of campaigns that it does not look back on any more."""

from datetime import date

from segspark.campaigns.config import CampaignsConfig, LearningConfig
from segspark.campaigns.evidence import Evidence, Sums, evidence_rows
from segspark.campaigns.learning.shares import Money, next_strategy
from segspark.campaigns.past.stage import Past, evidence_from
from segspark.core.contracts import CAMPAIGN_EVIDENCE
from tests.unit.campaigns.shops import context_of


def harm(campaign_id, starts_on, scheme="value", distrusted=()):
    """Of 9,000 contacted a tenth ordered, of 1,000 held out a fifth."""
    sides = [(True, Sums(users=9000, converted=900, revenue=90.0)), (False, Sums(users=1000, converted=200))]
    found = [Evidence(campaign_id, starts_on, "loyal", "bad", treated, sums) for treated, sums in sides]
    return evidence_rows(found, scheme, {}, distrusted)


def status(evidence, as_of):
    strategy = next_strategy(evidence, {"loyal": ["bad", "good"]}, {}, Money({}, {}), LearningConfig(), as_of, 7)
    return {arm.action: arm.status for arm in strategy.segments[0].arms}


def test_what_was_stopped_stays_so_when_its_campaigns_are_too_long_ago_to_look_back_on(lake):
    rows = [
        *harm("old", date(2023, 1, 2)),
        *harm("rolled back", date(2023, 1, 9)),
        *harm("rfm", date(2023, 1, 2), "rfm"),
        *harm("lopsided", date(2023, 1, 2), distrusted={"lopsided"}),
    ]
    lake.replace_rows(CAMPAIGN_EVIDENCE, rows, "r1")
    context, config = context_of(lake, "r2", date(2024, 7, 1), previous="r1"), CampaignsConfig()
    forgotten = frozenset({"old", "rfm", "lopsided"})
    past = Past(
        planned=forgotten,
        forgotten=forgotten,
        made=[],
        unsent=[],
        seen={},
        outcomes=None,  # neither these nor contacts are looked at for what is known already
        told=[],
        orders_begin=None,
        contacts=None,
        counts=[],
        last_days={},
        basis={},
        settled=frozenset(),
        responses=None,
    )
    found = evidence_from(context, config, past)
    assert [(each.campaign_id, each.treated, each.sums.converted) for each in found] == [
        ("old", False, 200),
        ("old", True, 900),
    ]
    assert evidence_rows(found, "value", {}) == sorted(harm("old", date(2023, 1, 2)), key=lambda row: row["treated"])
    assert status(found, date(2024, 7, 1)) == {"bad": "stopped", "good": "untried"}
    assert status([], date(2024, 7, 1)) == {"bad": "untried", "good": "untried"}
    assert evidence_from(context_of(lake, "r3"), config, past) == []  # compared with no run
