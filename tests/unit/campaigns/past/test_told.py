from dataclasses import replace
from datetime import date

import pytest

from segspark.campaigns.history import Planned
from segspark.campaigns.past.told import Told, count_outcomes, unsent
from segspark.core.stage import Run
from tests.builders import at

RUN = Run("r2", date(2024, 7, 1), ingest_seq=5, seed=7)
OUTCOMES = [  # campaign, treated, sent at, ingest_seq
    ("closed", True, "2024-05-01 10:00", 1),
    ("closed", True, "2024-06-16 10:00", 2),
    ("open", True, "2024-06-16 10:00", 3),
    ("open", True, "2024-06-17 00:01", 1),
    ("open", False, "2024-06-20 00:01", 1),
    ("came later", True, "2024-06-01 10:00", 6),
    ("of today", True, "2024-07-01 00:00", 1),
    ("held out", False, "2024-06-01 10:00", 1),
]


@pytest.fixture(scope="module")
def told(spark):
    """By what the run before had seen: nothing, or a file and a day."""
    rows = [(name, treated, at(sent), seq) for name, treated, sent, seq in OUTCOMES]
    log = spark.createDataFrame(rows, "campaign_id string, treated boolean, sent_at timestamp, ingest_seq bigint")

    def of(before):
        found = count_outcomes(log, RUN, 14, before).collect()
        return {row.campaign_id: Told(**row.asDict()) for row in found}

    return of


def test_contacts_and_closed_windows_are_those_that_the_run_sees(told):
    assert told(None) == {
        "closed": Told("closed", 2, 2, 2, date(2024, 5, 1), date(2024, 6, 16)),
        "open": Told("open", 3, 2, 1, date(2024, 6, 16), date(2024, 6, 17)),
        "came later": Told("came later", 0, 0, 0, None, None),
        "of today": Told("of today", 0, 0, 0, None, None),
        "held out": Told("held out", 1, 0, 0, None, None),
    }


def test_news_is_what_the_run_before_did_not_see_whether_or_not_this_one_does(told):
    before = told((2, date(2024, 6, 20)))
    assert {name: each.news for name, each in before.items() if each.news} == {
        "open": 2,  # from a file that came since, and of a day that was to come
        "came later": 1,
        "of today": 1,
    }
    assert replace(before["open"], news=0) == told(None)["open"]


def plan(campaign_id, starts_on=date(2024, 6, 1)):
    return Planned(campaign_id, "r1", starts_on, date(2024, 6, 30), None, "value", 1, 0.1)


def test_a_campaign_is_unsent_where_outcomes_tell_contacts_of_others_only():
    made = [plan("sent"), plan("silent"), plan("withheld"), plan("to come", date(2024, 7, 1))]
    nothing = Told("withheld", 3, 0, 0, None, None)
    sent = Told("sent", 1, 1, 0, date(2024, 6, 1), date(2024, 6, 1))
    assert unsent(made, [sent, nothing], date(2024, 7, 1)) == ["silent", "withheld"]
    assert unsent(made, [nothing, replace(sent, campaign_id="theirs")], date(2024, 7, 1)) == []
    assert unsent([], [sent], date(2024, 7, 1)) == []
