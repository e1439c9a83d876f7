from datetime import date

import numpy as np
import pytest
from pydantic import ValidationError

from segspark.core.contracts import PREPARED_FEATURES, SEGMENTS, USER_FEATURES, USER_SEGMENTS
from segspark.core.stage import Run, StageContext
from segspark.segments.choice import try_candidates
from segspark.segments.config import SchemeConfig, SegmentsConfig
from segspark.segments.methods.registry import METHODS
from segspark.segments.methods.rules import GRID, name_by_rfm
from segspark.segments.placement import restored
from segspark.segments.placements.rules import RULES
from segspark.segments.stage import build_segments
from tests.builders import rows_of
from tests.unit.segments.blobs import sample_of

RFM = SchemeConfig(algorithm="rfm", source="raw", splits=1)
RUN = Run("r-1", date(2024, 7, 1), 1, 7)


def shoppers(users=1000, seed=1):
    """Recency in days, frequency and money, all with long tails and many equal values."""
    random = np.random.default_rng(seed)
    frequency = random.geometric(0.4, size=users)
    money = np.round(frequency * random.lognormal(3, 0.7, size=users), 2)
    return np.column_stack([np.floor(random.exponential(60, size=users)), frequency, money]).astype(float)


def names(placement, points):
    rules = placement.rules
    return [rules[number].name for number in placement.place(np.asarray(points, dtype=float)).number]


@pytest.mark.parametrize(
    ("levels", "name"),
    [
        ((0, 4, 4), "champions"),
        ((0, 0, 0), "new customers"),
        ((1, 0, 0), "promising"),
        ((0, 1, 2), "potential loyalists"),
        ((2, 3, 3), "loyal customers"),
        ((2, 2, 2), "need attention"),
        ((2, 0, 1), "about to sleep"),
        ((3, 4, 4), "at risk"),
        ((4, 4, 4), "cannot lose them"),
        ((3, 0, 0), "hibernating"),
        ((4, 0, 0), "lost"),
    ],
)
def test_fifths_have_the_usual_names(levels, name):
    assert name_by_rfm(levels) == name


def test_there_are_eleven_names_and_each_is_a_rule():
    used = {name for row in GRID for name in row}
    assert len(used) == 11
    assert used | {"heavy", "medium", "light"} == {rule.name for rule in RULES}


def test_users_are_placed_by_fifths_of_the_sample():
    """Ten users with all values apart: two in each fifth; recency counts backwards."""
    points = np.column_stack([np.arange(10), np.arange(10)[::-1], 10 * np.arange(10)[::-1]]).astype(float)
    placement = METHODS["rfm"].fit(points, {}, RFM, 7)
    fifths = ["champions", "loyal customers", "need attention", "hibernating", "lost"]
    assert names(placement, points) == [name for name in fifths for _ in range(2)]
    assert names(placement, [[-5, 99, 999], [99, -1, -1], [99, 99, 999]]) == ["champions", "lost", "cannot lose them"]


def test_who_has_the_same_values_is_in_the_same_segment_whatever_their_number():
    points = np.vstack([np.tile([10.0, 1.0, 20.0], (70, 1)), shoppers(30)])
    placement = METHODS["rfm"].fit(points, {}, RFM, 7)
    assert len(set(placement.place(points).number[:70])) == 1


def test_activity_has_a_fifth_heavy_and_two_fifths_light():
    points = np.random.default_rng(1).permutation(100).astype(float).reshape(-1, 1)
    config = SchemeConfig(algorithm="activity", source="raw")
    placement = METHODS["activity"].fit(points, {}, config, 7)
    found = names(placement, np.arange(100.0).reshape(-1, 1))
    assert found == ["light"] * 40 + ["medium"] * 40 + ["heavy"] * 20


def test_reordering_and_storage_keep_each_users_name():
    points = shoppers()
    placement = METHODS["rfm"].fit(points, {}, RFM, 7)
    order = np.random.default_rng(3).permutation(placement.segments)
    turned = restored(placement.kind, placement.reordered(order).arrays())
    assert names(turned, points) == names(placement, points)
    assert [rule.name for rule in turned.rules] == [placement.rules[position].name for position in order]


def test_rules_are_one_candidate_and_steady():
    points = shoppers()
    (tried,) = try_candidates(sample_of(points), METHODS["rfm"].candidates(RFM, points), RFM, 7)
    assert tried.k == 11
    assert tried.stability > 0.8


def test_rules_need_the_raw_source_and_only_they_can_have_it():
    for wrong in ({"algorithm": "rfm"}, {"algorithm": "kmeans", "source": "raw"}):
        with pytest.raises(ValidationError, match="source: raw is for rfm and activity"):
            SchemeConfig(**wrong)
    with pytest.raises(ValidationError, match="its columns are its own"):
        SchemeConfig(algorithm="rfm", source="raw", columns=("monetary",))


@pytest.mark.slow
def test_a_scheme_of_rules_is_written_under_their_names_and_counts_customers_only(lake, spark, tmp_path):
    points = shoppers(60)
    people = [(f"u{number:03d}", RUN.as_of, False, *values) for number, values in enumerate(points.tolist())]
    others = [("bot", RUN.as_of, True, 1.0, 99.0, 1e6), ("looks only", RUN.as_of, False, None, 0.0, 0.0)]
    texts = "gender string, education string, region string, favourite_category string"
    numbers = "recency_days double, frequency double, monetary double"
    rows = [(*row[:3], None, None, None, None, *row[3:]) for row in [*people, *others]]
    frame = spark.createDataFrame(rows, f"user_id string, as_of date, is_bot boolean, {texts}, {numbers}")
    lake.replace_run(USER_FEATURES, frame, RUN.run_id)
    prepared = [{"user_id": row[0], "features": [float(number % 2), 0.0]} for number, row in enumerate(people)]
    lake.replace_run(PREPARED_FEATURES, rows_of(spark, PREPARED_FEATURES, *prepared), RUN.run_id)
    personas = tmp_path / "personas.yaml"
    personas.write_text("personas: {}\nunnamed: none\n")
    quick = {"k": 2, "splits": 1, "starts": 1, "refits": 1, "fit": "sample"}
    ruled = {"rfm": {"algorithm": "rfm", "source": "raw"}, "active": {"algorithm": "activity", "source": "raw"}}
    config = SegmentsConfig.model_validate({"value": quick, "others": ruled, "personas": str(personas)})
    result = build_segments(StageContext(lake, RUN), config)
    expected = names(METHODS["rfm"].fit(points, {}, RFM, 7), points)
    users = lake.read_run(USER_SEGMENTS, RUN.run_id).where("scheme = 'rfm'").orderBy("user_id").collect()
    assert [(row.user_id, row.segment_name) for row in users] == [
        (row[0], name) for row, name in zip(people, expected, strict=True)
    ]
    segments = lake.read_run(SEGMENTS, RUN.run_id).where("scheme = 'rfm' AND name = 'champions'").collect()
    assert segments[0].why.startswith("by rule: bought lately, often and for much; most unusual: ")
    assert any(note.startswith("active is left out: nobody has active_days") for note in result.notes)
