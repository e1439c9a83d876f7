"""When a verdict may be given, and how often one is where nothing happened."""

from datetime import date, timedelta

import numpy as np
import pytest

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.history import Planned
from segspark.campaigns.lift.effects import hold_back, measure_lifts
from segspark.campaigns.windows import closes_after, last_days, may_have_closed, open_campaigns
from tests.unit.campaigns.lift.arrays import row_of, side

JULY, SEVENTH = date(2024, 7, 1), date(2024, 7, 7)
CONFIG = LiftConfig(bootstrap_samples=0)


def planned(campaign_id="july", ends_on=SEVENTH, until=None):
    return Planned(campaign_id, "r1", JULY, ends_on, until, "value", 1, 0.1)


def test_a_campaign_is_open_until_the_day_after_the_window_of_its_last_day():
    last = last_days([planned()], {})
    assert last == {"july": SEVENTH}
    assert open_campaigns(last, 14, date(2024, 7, 21)) == {"july": date(2024, 7, 22)}
    assert open_campaigns(last, 14, date(2024, 7, 22)) == {}
    assert closes_after(SEVENTH, 14, date(2024, 7, 22)) is None


def test_of_a_campaign_that_was_planned_again_the_days_that_count_are_looked_at():
    shorter = [planned(ends_on=date(2024, 7, 14), until=date(2024, 7, 4)), planned(ends_on=date(2024, 7, 5))]
    assert last_days(shorter, {}) == {"july": date(2024, 7, 5)}
    over = [planned(ends_on=date(2024, 7, 14), until=date(2024, 7, 10)), planned(ends_on=SEVENTH)]
    assert last_days(over, {"july": SEVENTH}) == {"july": date(2024, 7, 9)}


def test_a_contact_that_was_made_too_early_is_waited_for_where_a_shorter_plan_took_over():
    shorter = [planned(until=date(2024, 7, 3)), planned(ends_on=date(2024, 7, 3))]
    assert last_days(shorter, {"july": SEVENTH}) == {"july": SEVENTH}


def test_before_the_window_of_its_first_day_can_have_closed_there_is_nothing_to_measure():
    made = [planned(), planned("other", ends_on=JULY)]
    assert may_have_closed(made, 14, date(2024, 7, 14)) == set()
    assert may_have_closed(made, 14, date(2024, 7, 15)) == {"july", "other"}  # of who was contacted at midnight


def evidence(rng, campaign_id, days):
    """A campaign without effect of seven days, 900 contacted and 100 held out in each."""
    return [
        side("s", "a", treated, rng.random(users) < 0.1, campaign_id=campaign_id, starts_on=JULY + timedelta(days=day))
        for day in range(days)
        for treated, users in ((True, 900), (False, 100))
    ]


def test_while_windows_are_open_nothing_works_or_harms():
    made = [side("s", "a", True, [1.0, 0.0] * 500, campaign_id=name) for name in ("july", "june")] + [
        side("s", "a", False, [1.0] + [0.0] * 199, campaign_id=name) for name in ("july", "june")
    ]
    lifts = measure_lifts(made, CONFIG)
    held = hold_back(lifts, {"july": date(2024, 7, 22)})
    verdicts = {
        name: {row["measure"]: row["verdict"] for row in held if row["campaign_id"] == name}
        for name in ("july", "june")
    }
    assert verdicts["june"]["conversion"] == verdicts["june"]["revenue"] == "works"
    assert not {"works", "harms"} & set(verdicts["july"].values())
    assert verdicts["july"]["conversion"] == "inconclusive"
    others = [[{**row, "verdict": None} for row in rows] for rows in (lifts, held)]
    assert others[0] == others[1]


@pytest.mark.slow
def test_of_campaigns_without_effect_that_every_run_looks_at_no_more_than_the_level_get_a_verdict():
    rng, looked, told = np.random.default_rng(5), 0, 0
    for _ in range(400):
        everything = evidence(rng, "july", 7)
        plain, given = [], []
        for days in range(1, 8):  # a run a day, as windows close
            as_of = JULY + timedelta(days=days - 1 + 15)
            lifts = measure_lifts(everything[: 2 * days], CONFIG)
            plain.append(row_of(lifts, "conversion")["verdict"])
            given.append(
                row_of(hold_back(lifts, open_campaigns({"july": SEVENTH}, 14, as_of)), "conversion")["verdict"]
            )
        looked += bool({"works", "harms"} & set(plain))
        told += bool({"works", "harms"} & set(given))
    assert looked / 400 > 0.08  # what looking costs where nothing is held back
    assert told / 400 <= 0.08  # 5 %, and what chance allows in 400


def test_ratings_only_inform():
    rng = np.random.default_rng(6)
    made = [
        side("s", "a", treated, np.zeros(400), ratings=rng.normal(mean, 0.5, 200))
        for treated, mean in ((True, 4.5), (False, 3.0))
    ]
    row = row_of(measure_lifts(made, CONFIG), "rating")
    assert row["lift_low"] > 1.0 and row["p_adjusted"] < 1e-6
    assert row["verdict"] == "informs"
