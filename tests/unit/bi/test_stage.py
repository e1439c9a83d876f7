import io
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from segspark.bi.config import ReportConfig
from segspark.bi.stage import build_report, gather, look_up, segment_summary, user_card, write_text
from segspark.bi.tables import map_sample
from segspark.core.contracts import RUNS, SEGMENTS, USER_FEATURES, USER_SEGMENTS
from segspark.core.errors import InputError
from segspark.core.lake import Lake
from segspark.core.words import neutral
from tests.builders import rows_of
from tests.unit.bi.fake_run import AS_OF, HOSTILE, SIZES, FakeRun, members, segments, stages, tree_arrays, write_run

FAKE = FakeRun(names={1: HOSTILE}, previous="r-before")


@pytest.fixture(scope="module")
def shop(spark, tmp_path_factory):
    """A lake with a run, and of the one that was published when it began what the report asks for."""
    lake, before = Lake(spark, str(tmp_path_factory.mktemp("shop"))), FakeRun("r-before")
    lake.replace_run(SEGMENTS, rows_of(spark, SEGMENTS, *segments(before)), before.run_id)
    lake.append(RUNS, rows_of(spark, RUNS, *stages(before)))
    write_run(lake, FAKE)
    return lake


def said(renderable):
    console = Console(width=400, record=True, file=io.StringIO())
    console.print(renderable)
    return console.export_text()


def test_the_report_is_one_file_beside_the_tables_and_the_same_each_time(shop):
    result = build_report(FAKE.context(shop), ReportConfig())
    path = Path(shop.path(f"reports/{FAKE.run_id}.html"))
    assert result.notes == (f"report: {path}",)
    first = path.read_bytes()
    assert b"Economy" in first and len(first) < 3_000_000
    build_report(FAKE.context(shop), ReportConfig())
    assert path.read_bytes() == first


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
    money = np.array(
        [row.monetary for row in shop.spark.read.format("delta").load(shop.path("user_features")).collect()]
    )
    spent = {row["segment_id"]: row["spending"] for row in rows.spending if row["scheme"] == "value"}
    assert sum(spent.values()) == pytest.approx(money.sum(), abs=0.01)
    assert {name: len(points) for name, points in rows.samples.items()} == {"value": 50, "taste": 50}


def test_the_report_compares_with_the_run_that_was_published_and_reads_the_trees_alone(shop):
    rows = gather(FAKE.context(shop), ReportConfig(sample_points=0))
    assert (rows.before["run_id"], rows.before["as_of"]) == ("r-before", AS_OF)
    assert {row["name"] for row in rows.before["segments"] if row["segment_id"] == 1} == {"loyal", "likes Garden"}
    moved = {(row["scheme"], row["cause"]): row["users"] for row in rows.moved}
    assert moved == {("value", c): n for c, n in (("behaviour", 30), ("refit", 12), ("new", 40), ("gone", 5))}
    assert (len(rows.lineage), len(rows.drift)) == (10, 3)
    assert sorted(row["name"] for row in rows.trees) == sorted(row["name"] for row in tree_arrays())


def test_the_first_run_is_compared_with_nothing(shop):
    rows = gather(replace(FAKE, previous=None).context(shop), ReportConfig(sample_points=0))
    assert rows.before is None and not (rows.moved or rows.lineage or rows.drift)


def test_the_map_shows_the_same_users_however_the_rows_lie(spark):
    frame = rows_of(spark, USER_SEGMENTS, *members(FAKE)[:1500])
    drawn = [
        [tuple(row) for row in map_sample(f, "value", 40, seed=3).collect()]
        for f in (frame.repartition(1), frame.repartition(5, "distance"), frame.orderBy("user_id"))
    ]
    assert drawn[0] == drawn[1] == drawn[2]
    assert drawn[0] != [tuple(row) for row in map_sample(frame, "value", 40, seed=4).collect()]


@pytest.mark.parametrize("library", ["jinja2", "matplotlib"])
def test_without_the_extra_the_report_is_skipped_and_says_what_to_install(lake, monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    result = build_report(FAKE.context(lake), ReportConfig())
    assert result.skipped is not None and f"{library} is not installed; install segspark[report]" in result.skipped


def test_a_lake_in_a_catalogue_has_no_place_for_a_report_and_says_so(spark):
    result = build_report(FAKE.context(Lake(spark, "main.shop")), ReportConfig())
    assert "files need a folder or a URL" in (result.skipped or "")


def test_text_reaches_a_file_system_that_only_hadoop_knows(spark, tmp_path):
    spark.sparkContext._jsc.hadoopConfiguration().set("fs.viewfs.mounttable.default.link./r", f"file://{tmp_path}")
    write_text(spark, "viewfs:///r/reports/page.html", "größer €")
    assert (tmp_path / "reports/page.html").read_text(encoding="utf-8") == "größer €"


def test_the_summary_shows_each_schemes_segments(shop):
    text = said(segment_summary(shop, FAKE.run_id))
    assert "Segments by value" in text and "Segments by taste" in text
    economy = next(line for line in text.splitlines() if line.startswith("economy"))
    assert economy.split()[1:3] == [f"{SIZES[0]}", "38%"]  # 900 of 2,394
    assert "[red]" in text and "\u202e" not in text
    assert "has no segments" in said(segment_summary(shop, "r-unknown"))


def test_the_card_of_a_user_tells_features_segments_items_and_neighbours_with_reasons(shop):
    text = said(user_card(shop, FAKE.run_id, "u0"))
    assert "economy" in text and "aov 43.7 against 84.0" in text
    assert "Money spent" in text and "like Candles" in text
    assert f"rather than {neutral(HOSTILE)}: Money spent" in text  # the centre next to (1, 0), which is u0's nearest
    assert text.index("u2") < text.index("u1")  # the nearest first


def test_an_unknown_user_is_an_input_error(shop):
    with pytest.raises(InputError, match="u-nobody is not in run"):
        user_card(shop, FAKE.run_id, "u-nobody")


def test_a_look_up_reads_one_bucket_and_keeps_the_id_out_of_plans(shop, capsys):
    look_up(shop, FAKE.run_id, "u17")(USER_FEATURES).explain("extended")
    plan = capsys.readouterr().out
    assert "user_bucket" in plan.partition("PartitionFilters")[2]
    assert "u17" not in plan
