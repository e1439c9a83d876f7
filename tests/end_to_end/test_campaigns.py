"""A campaign from plan to outcomes to the next plan, on a small shop that answers; held against pandas."""

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import functions as F

from segspark.bi.export.stage import Contacts, export_campaign
from segspark.core.contracts import (
    CAMPAIGN_CHECKS,
    CAMPAIGN_LIFT,
    CAMPAIGN_MEMBERS,
    CAMPAIGN_MOVES,
    CAMPAIGN_PLAN,
    CAMPAIGNS,
    OUTCOMES,
    SEGMENT_DEMAND,
    STRATEGIES,
    STRATEGY_VALUES,
    USERS,
)
from segspark.core.errors import ConfigError
from segspark.core.lake import Lake
from segspark.pipeline import RunRequest, run_pipeline
from segspark.shop.answers import AnswersConfig, write_answers
from segspark.shop.config import ShopConfig
from segspark.shop.generate import write_shop
from tests.end_to_end.conftest import SMALL, demo_config

pytestmark = pytest.mark.slow
FIRST = date(2024, 7, 1)
LATER = FIRST + timedelta(days=17)


@dataclass(frozen=True)
class Loop:
    """Two runs with a campaign between them."""

    folder: Path
    lake: Lake
    first: str
    second: str
    told: list[str]

    def rows(self, contract, run_id):
        return self.lake.read_run(contract, run_id).toPandas()


def run(lake, folder, *overrides, told=None):
    config = demo_config(folder / "shop", folder / "lake", *SMALL, *overrides)
    return run_pipeline(lake, config, RunRequest(), (told if told is not None else []).append)


@pytest.fixture(scope="module")
def loop(spark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("loop")
    write_shop(spark, ShopConfig(users=500, days=30, seed=11), str(folder / "shop"))
    lake = Lake(spark, str(folder / "lake"))
    first = run(lake, folder).run.run_id
    export_campaign(lake, first, Contacts(f"campaign-{FIRST}"), "csv", str(folder / "contacts.csv"))
    write_answers(spark, lake.read_run(CAMPAIGN_PLAN, first), str(folder / "shop"), AnswersConfig())
    told = []
    second = run(lake, folder, f"as_of={LATER}", told=told).run.run_id
    return Loop(folder, lake, first, second, told)


def test_the_exported_contacts_are_the_plan_without_who_is_held_out(loop):
    with (loop.folder / "contacts.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    plan = loop.rows(CAMPAIGN_PLAN, loop.first)
    assert {row["user_id"] for row in rows} == set(plan[~plan.holdout].user_id)
    consent = {row.user_id for row in loop.lake.read(USERS).where("consent").collect()}
    assert {row["user_id"] for row in rows} <= consent
    members = loop.rows(CAMPAIGN_MEMBERS, loop.first)
    assert not {row["user_id"] for row in rows} & set(members[members.holdout].user_id)


def test_lifts_are_those_of_pandas_over_the_outcomes_file(loop):
    outcomes = pd.read_csv(loop.folder / "shop" / "outcomes" / f"campaign-{FIRST}.csv")
    plan = loop.rows(CAMPAIGN_PLAN, loop.first)
    joined = plan.merge(outcomes, left_on="user_id", right_on="user", validate="one_to_one")
    found = loop.rows(CAMPAIGN_LIFT, loop.second)
    for measure, column in (("conversion", "converted"), ("revenue", "revenue")):
        expected = joined.groupby(["segment_name", "action_x", "treated"])[column].agg(["mean", "size"]).unstack()
        rows = found[(found.measure == measure) & (found.segment_name != "all") & (found.action != "all")]
        assert len(rows) == len(expected)
        for row in rows.itertuples():
            cell = expected.loc[(row.segment_name, row.action)].fillna(0)
            assert row.treated_users == cell[("size", True)] and row.control_users == cell[("size", False)]
            if row.treated_users:
                assert row.treated == pytest.approx(float(cell[("mean", True)]), abs=1e-6)
            if row.control_users:
                assert row.control == pytest.approx(float(cell[("mean", False)]), abs=1e-6)


def test_nobody_gets_an_action_again_that_has_not_cooled_down(loop):
    before = loop.rows(CAMPAIGN_PLAN, loop.first)
    contacted = set(before[~before.holdout & (before.action == "coupon")].user_id)
    again = loop.rows(CAMPAIGN_PLAN, loop.second)
    assert contacted and not contacted & set(again[again.action == "coupon"].user_id)
    assert set(again.campaign_id) == {f"campaign-{LATER}"}


def test_the_strategy_has_learned_from_the_outcomes_and_says_why(loop):
    rows = loop.rows(STRATEGIES, loop.second)
    assert (rows[rows.status == "exploring"].users > 0).any()
    assert rows.reason.str.len().min() > 10
    live = rows[rows.action != "none"].groupby("segment_name").share.sum()
    assert live.to_numpy() == pytest.approx(1.0)
    values = loop.rows(STRATEGY_VALUES, loop.second)
    assert set(values.estimator) == {"mean", "ips", "snips", "doubly_robust"}
    assert (loop.rows(STRATEGIES, loop.first).users == 0).all()


def test_a_sound_campaign_passes_its_checks_and_moves_are_told_of_both_sides(loop):
    checks = loop.rows(CAMPAIGN_CHECKS, loop.second)
    assert set(checks.campaign_id) == {f"campaign-{FIRST}"}
    assert checks.passed.fillna(True).all(), checks[checks.passed == False].note.tolist()  # noqa: E712
    moves = loop.rows(CAMPAIGN_MOVES, loop.second)
    shares = moves.groupby(["campaign_id", "segment_name"]).treated.sum()
    assert shares.to_numpy() == pytest.approx(1.0)


def test_demand_is_told_for_four_weeks_of_every_segment(loop):
    rows = loop.rows(SEGMENT_DEMAND, loop.second)
    weeks = {LATER + timedelta(weeks=n) for n in range(4)}
    assert set(rows.week) == weeks
    assert (rows.expected_units >= 0).all()


def test_an_id_that_another_campaign_had_is_refused(loop):
    with pytest.raises(ConfigError, match=r"campaign_id: campaign-2024-07-01 is the campaign that started on"):
        run(
            loop.lake,
            loop.folder,
            f"as_of={LATER}",
            f"campaigns.campaign_id=campaign-{FIRST}",
            f"campaigns.starts_on={LATER}",
        )


def test_outcomes_of_unknown_users_and_campaigns_are_told_and_count_for_nothing(loop):
    before = loop.rows(CAMPAIGN_LIFT, loop.second)
    bad = loop.folder / "shop" / "outcomes" / "stray.csv"
    head = "campaign,user,action,treated,propensity,sent,converted,converted_at,revenue"
    lines = [
        f"campaign-{FIRST},nobody,coupon,true,0.5,2024-07-02 10:00:00,true,2024-07-03 10:00:00,5",
        "summer,u-00000001,coupon,true,0.5,2024-07-02 10:00:00,true,2024-07-03 10:00:00,5",
        f"campaign-{FIRST},u-00000002,coupon,true,0.5,2024-07-02 10:00:00,true,2024-07-01 10:00:00,5",
        f"campaign-{FIRST},u-00000003,coupon,true,0.5,2024-07-02 10:00:00,true,2024-07-03 10:00:00,-5",
    ]
    bad.write_text("\n".join([head, *lines]) + "\n")
    third = run(loop.lake, loop.folder, f"as_of={LATER}", "ingest.max_quarantined_share=1").run.run_id
    checks = loop.rows(CAMPAIGN_CHECKS, third).set_index(["campaign_id", "check"])
    assert checks.loc[(f"campaign-{FIRST}", "unknown users"), "value"] == 1
    assert not checks.loc[("summer", "known campaign"), "passed"]
    after = loop.rows(CAMPAIGN_LIFT, third)
    key = ["campaign_id", "segment_name", "action", "measure"]
    both = before.merge(after, on=key, suffixes=("", "_after"))
    assert len(both) == len(before) == len(after)
    assert (both.treated_users == both.treated_users_after).all()
    logged = loop.lake.read(OUTCOMES).where(F.col("user_id").isin("u-00000002", "u-00000003"))
    assert logged.where("revenue < 0 OR converted_at < sent_at").isEmpty()
    assert loop.rows(CAMPAIGNS, third).campaign_id.tolist() == [f"campaign-{LATER}"]
