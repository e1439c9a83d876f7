from dataclasses import replace

from segspark.bi.config import ReportConfig
from segspark.bi.report.content import schemes
from segspark.bi.report.migration import matrices
from segspark.core.words import NOTHING
from tests.unit.bi.report.fake_run import FakeRun, compared_rows, run_rows

CONFIG = ReportConfig()


def matrices_of(rows, config=CONFIG):
    return matrices(rows, schemes(rows, config), config)


def test_each_cell_counts_who_went_from_then_to_now_and_who_stayed_is_what_is_left():
    (value,) = matrices_of(compared_rows(FakeRun()))  # by taste nobody moved
    told = {row.label.name if row.label else "new": [cell.users for cell in row.cells] for row in value.rows}
    none = NOTHING
    assert told == {  # of 900, 640, 410, 300 and 144 users now; the last column is who left
        "Economy": ["860", "30", none, none, none, none],  # 900 - 40 new
        "Loyal": [none, "610", "12", none, none, none],  # 640 - 30 from the first
        "High-value": [none, none, "398", none, none, none],  # 410 - 12
        "Rare big-basket buyers": [none, none, none, "300", none, "under 10"],  # 5 left
        "Segment-4": [none, none, none, none, "144", none],
        "new": ["40", none, none, none, none, none],
    }


def test_shares_are_of_the_segment_then_and_only_who_stayed_is_framed():
    (value,) = matrices_of(compared_rows(FakeRun()))
    first = value.rows[0]
    assert (first.users, first.cells[0].share, first.cells[1].share) == ("890", "96.6%", "3.4%")  # 860 and 30 of 890
    assert [cell.is_same for cell in first.cells] == [True, False, False, False, False, False]
    assert not any(cell.is_same for cell in value.rows[-1].cells)


def test_fewer_than_the_least_group_are_not_counted():
    rows = compared_rows(FakeRun())
    (value,) = matrices_of(rows, ReportConfig(min_group=31))
    shown = [cell for row in value.rows for cell in row.cells if cell.users == "under 31"]
    assert len(shown) == 3 and not any(cell.share for cell in shown)  # 30, 12 and 5


def test_a_segment_that_ended_has_a_row_and_one_that_is_born_a_column():
    rows = compared_rows(FakeRun())
    gone = {"scheme": "value", "segment_id": 9, "name": "old", "size": 50}
    before = {**rows.before, "segments": [*(s for s in rows.before["segments"] if s["segment_id"] != 4), gone]}
    moved = [{"scheme": "value", "from_segment": 9, "to_segment": 4, "cause": "refit", "users": 144}]
    (value,) = matrices_of(replace(rows, before=before, moved=moved))
    assert [label.name for label in value.columns][-1] == "Segment-4"
    assert (value.rows[-1].label.name, value.rows[-1].cells[4].users) == ("Old", "144")


def test_without_a_published_run_there_is_no_matrix():
    assert matrices_of(run_rows(FakeRun())) == []
