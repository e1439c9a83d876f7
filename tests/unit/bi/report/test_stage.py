import sys
from dataclasses import replace
from pathlib import Path

import pytest

from segspark.bi.config import ReportConfig
from segspark.bi.report.stage import build_report, gather
from segspark.bi.report.tables import map_samples
from segspark.core.contracts import RUNS, STRATEGIES, USER_SEGMENTS
from segspark.core.lake import Lake
from tests.builders import rows_of, whole_rows, write_rows
from tests.unit.bi.conftest import FAKE
from tests.unit.bi.report.fake_campaigns import campaign_rows, strategies
from tests.unit.bi.report.fake_run import AS_OF, members, stages, tables_of_segments, tree_arrays


@pytest.mark.slow
def test_the_report_is_one_file_beside_the_tables_and_the_same_each_time(shop):
    result = build_report(FAKE.context(shop), ReportConfig())
    path = Path(shop.path(f"reports/{FAKE.run_id}.html"))
    assert result.notes == (f"report: {path}",)
    first = path.read_bytes()
    assert b"Economy" in first and len(first) < 3_000_000
    build_report(FAKE.context(shop), ReportConfig())
    assert path.read_bytes() == first


@pytest.mark.slow
def test_the_report_counts_the_runs_own_files_and_spending(shop):
    rows = gather(FAKE.context(shop), ReportConfig(sample_points=50))
    assert [(s["source"], s["files"], s["rows_in"]) for s in rows.sources] == [
        ("items", 1, 4070),
        ("orders", 1, 320705),
    ]
    assert [(r["reason"], r["count"]) for r in rows.reasons][:2] == [
        ("price: not above 0", 9),
        ("quantity: no number", 4),
    ]
    assert all(r["reason"] != "read after the run" for r in rows.reasons)
    spent = {(row["scheme"], row["segment_id"]): row["spending"] for row in rows.spending}
    assert spent["value", 2] == 2950.0 * 410 and len(spent) == 5
    assert {name: len(points) for name, points in rows.samples.items()} == {"value": 50, "taste": 50}


@pytest.mark.slow
def test_the_report_compares_with_the_run_that_was_published_and_reads_the_trees_alone(shop):
    rows = gather(FAKE.context(shop), ReportConfig(sample_points=0))
    assert (rows.before["run_id"], rows.before["as_of"]) == ("r-before", AS_OF)
    assert {row["name"] for row in rows.before["segments"] if row["segment_id"] == 1} == {"loyal", "likes Garden"}
    moved = {(row["from_segment"], row["to_segment"], row["cause"]): row["users"] for row in rows.moved}
    went = {(0, 1, "behaviour"): 30, (1, 2, "refit"): 12, (None, 0, "new"): 40, (3, None, "gone"): 5}
    assert moved == went and {row["scheme"] for row in rows.moved} == {"value"}
    assert (len(rows.lineage), len(rows.drift)) == (10, 3)
    assert sorted(row["name"] for row in rows.trees) == sorted(row["name"] for row in tree_arrays())


@pytest.mark.slow
def test_the_report_adds_up_the_plan_and_the_demand_and_knows_when_campaigns_began(shop):
    rows = gather(FAKE.context(shop), ReportConfig(sample_points=0)).campaign
    expected = campaign_rows(FAKE.value_names, FAKE.category)
    assert in_any_order(rows.planned) == in_any_order(expected.planned)
    assert in_any_order(rows.demand) == in_any_order(expected.demand)
    started = {row["campaign_id"]: row["starts_on"] for row in expected.lifts}
    assert {row["campaign_id"]: row["starts_on"] for row in rows.lifts} == started
    sizes = {name: len(getattr(rows, name)) for name in vars(rows)}
    assert sizes == {name: len(getattr(expected, name)) for name in vars(expected)}
    assert {each["reason"]: each["users"] for each in rows.campaigns[0]["left_out"]}["no consent"] == 402


def in_any_order(rows):
    return sorted((sorted(row.items()) for row in rows), key=repr)


@pytest.mark.slow
def test_the_first_run_is_compared_with_nothing(shop):
    rows = gather(replace(FAKE, previous=None).context(shop), ReportConfig(sample_points=0))
    assert rows.before is None and not (rows.moved or rows.lineage or rows.drift)


def test_the_map_shows_the_same_users_however_the_rows_lie(spark):
    frame = rows_of(spark, USER_SEGMENTS, *members(FAKE)[:1500])
    drawn = [
        [tuple(row) for row in map_samples(f, ["value", "taste"], 40, seed=3).collect()]
        for f in (frame.repartition(1), frame.repartition(5, "distance"), frame.orderBy("user_id"))
    ]
    assert drawn[0] == drawn[1] == drawn[2]
    assert [row[0] for row in drawn[0]] == ["value"] * 40 + ["taste"] * 40
    assert drawn[0] != [tuple(row) for row in map_samples(frame, ["value", "taste"], 40, seed=4).collect()]


def test_what_the_driver_has_is_not_asked_of_spark(lake):
    for contract, rows in {**tables_of_segments(FAKE), STRATEGIES: strategies(FAKE.value_names, FAKE.category)}.items():
        write_rows(lake, contract, FAKE.run_id, *rows)
    lake.append_rows(RUNS, whole_rows(RUNS, *stages(FAKE)))
    asked = lake.spark._jsparkSession.sharedState().statusStore()
    before = asked.executionsCount()
    rows = gather(FAKE.context(lake), ReportConfig(sample_points=0, example_users=0))
    assert asked.executionsCount() == before
    told = (rows.segments, rows.models, rows.quality, rows.stages, rows.campaign.strategies)
    assert [len(table) for table in told] == [9, 14, 4, 5, 6]


def test_all_that_lies_in_large_tables_is_asked_in_six_executions(shop):
    asked = shop.spark._jsparkSession.sharedState().statusStore()
    before = asked.executionsCount()
    rows = gather(FAKE.context(shop), ReportConfig())
    assert asked.executionsCount() - before == 6
    assert rows.reasons and rows.examples and rows.campaign.planned and len(rows.samples) == 2


@pytest.mark.parametrize("library", ["jinja2", "vl_convert"])
def test_without_the_extra_the_report_is_skipped_and_says_what_to_install(lake, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    result = build_report(FAKE.context(lake), ReportConfig())
    assert result.skipped is not None and f"{library} is not installed; install segspark[report]" in result.skipped


def test_a_lake_in_a_catalogue_has_no_place_for_a_report_and_says_so(spark):
    result = build_report(FAKE.context(Lake(spark, "main.shop")), ReportConfig())
    assert "files need a folder or a URL" in (result.skipped or "")
