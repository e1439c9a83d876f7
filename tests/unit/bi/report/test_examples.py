from dataclasses import replace

import pytest

from segspark.bi.config import ReportConfig
from segspark.bi.report.content import schemes
from segspark.bi.report.examples import ITEM_LENGTH, band, examples
from segspark.bi.report.tables import example_lists, example_users
from segspark.core.contracts import RECOMMENDATIONS, USER_SEGMENTS
from tests.builders import rows_of
from tests.unit.bi.report.fake_run import FakeRun, run_rows


def examples_of(rows, config):
    return examples(rows, schemes(rows, config), config)


def test_one_user_of_each_segment_is_shown_the_largest_segment_first():
    found = examples_of(run_rows(FakeRun()), ReportConfig(example_users=3))
    assert [example.segment.segment_id for example in found] == [0, 1, 2]  # 900, 640 and 410 users
    assert [offer.item for offer in found[0].offers] == ["Candles holder, 1 arms", "Garden chair", "i3"]
    assert found[0].offers[0].reason == "because you bought Candles stand"  # that of i7


def test_nobody_of_a_segment_that_is_too_small_is_shown():
    assert len(examples_of(run_rows(FakeRun()), ReportConfig(example_users=20, min_group=301))) == 3


def test_a_user_is_told_by_bands_and_never_by_a_value_of_their_own():
    economy, *_, last = examples_of(run_rows(FakeRun()), ReportConfig(example_users=5))
    assert economy.traits == (("Money spent", "far below the average"), ("Orders", "about average"))  # 180 of 684; 6.8
    assert last.traits[0] == ("Money spent", "far below the average")


@pytest.mark.parametrize(
    ("value", "average", "told"),
    [
        (49, 100, "far below the average"),
        (50, 100, "below the average"),
        (100, 100, "about average"),
        (199, 100, "above the average"),
        (200, 100, "far above the average"),
        (None, 100, None),
        (1, 0, None),
        (1, None, None),
    ],
)
def test_a_band_says_how_a_value_compares(value, average, told):
    assert band(value, average) == told


def test_a_long_description_is_cut_short():
    rows = run_rows(FakeRun())
    told = replace(rows, examples=[{**row, "description": "word " * 100} for row in rows.examples])
    assert len(examples_of(told, ReportConfig())[0].offers[0].item) == ITEM_LENGTH


def test_users_with_a_list_are_drawn_the_same_however_the_rows_lie_and_no_id_comes_along(spark):
    member = {"scheme": "value", "segment_id": 0, "segment_name": "loyal"}
    members = rows_of(spark, USER_SEGMENTS, *({**member, "user_id": f"u{n}"} for n in range(6)))
    lists = rows_of(
        spark,
        RECOMMENDATIONS,
        *({"method": m, "user_id": f"u{n}", "rank": r, "item_id": f"{m}{r}", "reason": "popular"}
          for m in ("als", "popularity") for n in range(1, 4) for r in (1, 2, 3)),
    )  # fmt: skip
    drawn = [
        example_users(frame, lists, "value", seed=3).collect()
        for frame in (members, members.repartition(3, "user_id"), members.orderBy("user_id"))
    ]
    assert drawn[0] == drawn[1] == drawn[2] and drawn[0][0].user_id in {"u1", "u2", "u3"}
    spent = spark.createDataFrame([(f"u{n}", float(n)) for n in range(6)], "user_id string, monetary double")
    judged = [
        {"method": method, "metric": "ndcg_at_k", "k": 10, "value": value}
        for method, value in (("als", 0.3), ("popularity", 0.2))
    ]
    users = example_users(members, lists, "value", seed=3)
    shown = example_lists(users, lists, judged, spent, size=2)
    assert "user_id" not in shown.columns
    own = float(drawn[0][0].user_id[1:])
    assert sorted(tuple(row) for row in shown.select("rank", "item_id", "reason", "monetary").collect()) == [
        (1, "als1", "popular", own),
        (2, "als2", "popular", own),
    ]
