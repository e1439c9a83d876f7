from dataclasses import replace

import pytest

from segspark.bi.config import ReportConfig
from segspark.bi.report.changes import changes, drift_in_words, moved_share
from segspark.bi.report.content import schemes
from segspark.core.words import NOTHING
from tests.unit.bi.report.fake_run import SIZES, FakeRun, compared_rows, run_rows

CONFIG = ReportConfig()


def compared(rows):
    return changes(rows, schemes(rows, CONFIG), CONFIG)


def test_without_a_published_run_there_is_nothing_to_tell():
    assert compared(run_rows(FakeRun())) is None


def test_movers_are_counted_by_cause_and_measured_by_those_in_both_runs():
    rows = compared_rows(FakeRun())
    value, taste = compared(rows).moves
    in_both = sum(SIZES) - 40  # the new ones
    assert value.cells == (f"{in_both:,}", "30 (1.3%)", "12 (0.5%)", "40", "5")  # 30 / 2,354 and 12 / 2,354
    assert taste.cells == ("2,394", "0", "0", "0", "0")
    assert moved_share(schemes(rows, CONFIG)[0], rows) == pytest.approx(42 / in_both)


def test_a_model_of_an_earlier_run_is_told_from_one_that_was_fitted_anew():
    assert compared(compared_rows(FakeRun())).moves[0].model == "as published"
    assert compared(compared_rows(FakeRun("r-before"))).moves[0].model == "fitted anew"


def test_a_scheme_that_is_new_has_nothing_to_compare():
    rows = compared_rows(FakeRun())
    before = {**rows.before, "segments": [row for row in rows.before["segments"] if row["scheme"] == "value"]}
    new = replace(rows, before=before, lineage=[row for row in rows.lineage if row["scheme"] == "value"])
    assert (compared(new).moves[1].model, set(compared(new).moves[1].cells)) == ("not in the published run", {NOTHING})
    assert moved_share(schemes(new, CONFIG)[1], new) is None
    assert len(compared(new).lineages) == 1


def test_every_kind_of_fate_is_told_from_the_segment_then_to_the_segment_now():
    value, taste = compared(compared_rows(FakeRun(names={1: "faithful"}))).lineages
    told = [(link.before and link.before.name, link.kind, link.now and link.now.name) for link in value.links]
    assert told == [
        ("Economy", "goes on as", "Economy"),
        ("Loyal", "goes on under a new name", "Faithful"),
        ("Economy", "became in part", "High-value"),
        ("Segment-4", "merged into", "Rare big-basket buyers"),
        (None, "new", "Segment-4"),
        ("High-value", "ended", None),
    ]
    assert not value.is_same and taste.is_same


def test_of_a_small_segment_nobody_learns_how_many_stayed():
    _, taste = compared(compared_rows(FakeRun())).lineages
    assert [link.overlap for link in taste.links] == ["100%", "100%", "100%", NOTHING]


def test_features_that_drifted_are_named_with_their_index_and_bound():
    found = compared(compared_rows(FakeRun()))
    assert [(one.label, one.index, one.bound) for one in found.drifted] == [("Spend, last 30 days", "0.412", "0.200")]
    assert drift_in_words(found).startswith("1 of 3 features drifted")
    assert drift_in_words(replace(found, drifted=())).startswith("None of 3 features drifted")
    assert drift_in_words(replace(found, drifted=(), features=0)) == "No feature was compared."
