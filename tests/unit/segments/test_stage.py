from datetime import date
from pathlib import Path

import numpy as np
import pytest
from pyspark.sql import functions as F

from segspark.core.contracts import (
    PREPARED_FEATURES,
    SEGMENT_MODELS,
    SEGMENT_PROFILES,
    SEGMENT_RULES,
    SEGMENTS,
    USER_FACTORS,
    USER_FEATURES,
    USER_SEGMENTS,
)
from segspark.core.errors import ConfigError
from segspark.core.stage import Run, StageContext
from segspark.segments.config import SegmentsConfig
from segspark.segments.stage import build_segments
from tests.builders import rows_of

RUN = Run("r-1", date(2024, 7, 1), 1, 7)
PERSONAS = """
personas:
  big spenders:
    title: Big spenders
    strategy: gifts
    all: [{feature: monetary, lift: true, at_least: 1.2}]
tastes: {category: favourite_category, name: "likes {value}", title: "", strategy: "", share: 0.5, lift: 1.2}
unnamed: nothing
"""
FEATURES = """user_id string, as_of date, is_bot boolean, gender string, education string, region string,
    favourite_category string, monetary double"""


@pytest.fixture
def config(tmp_path):
    path = Path(tmp_path) / "personas.yaml"
    path.write_text(PERSONAS)
    quick = {"splits": 1, "starts": 2, "fit_starts": 1, "k_range": [2, 3]}
    return SegmentsConfig.model_validate({"value": quick, "taste": {**quick, "fit": "sample"}, "personas": str(path)})


def fill(lake, spark, users=80):
    """Half the users spend ten times as much; a third likes toys; one more is a bot."""
    random = np.random.default_rng(1)
    spends = [1000.0 if number % 2 else 100.0 for number in range(users)]
    tastes = ["toys" if number % 3 == 0 else "books" for number in range(users)]
    people = [(f"u{n:03d}", RUN.as_of, False, None, None, None, tastes[n], spends[n]) for n in range(users)]
    bot = ("bot", RUN.as_of, True, None, None, None, "books", 1e9)
    lake.replace_run(USER_FEATURES, spark.createDataFrame([*people, bot], FEATURES), RUN.run_id)
    noise = random.normal(size=(users, 2)) * 0.1
    prepared = [(f"u{n:03d}", [float(n % 2 + noise[n, 0]), float(noise[n, 1])], None) for n in range(users)]
    frame = spark.createDataFrame(prepared, "user_id string, features array<float>, before array<float>")
    lake.replace_run(PREPARED_FEATURES, frame, RUN.run_id)
    factors = [(f"u{n:03d}", [5.0 + n, 0.1] if n % 3 == 0 else [0.1, 5.0 + n]) for n in range(0, users, 2)]
    lake.replace_run(USER_FACTORS, spark.createDataFrame(factors, "user_id string, factors array<float>"), RUN.run_id)


@pytest.mark.slow
def test_both_schemes_are_cut_named_profiled_and_written(lake, spark, config):
    fill(lake, spark)
    told = []
    result = build_segments(StageContext(lake, RUN, told.append), config)
    segments = {(row.scheme, row.segment_id): row for row in lake.read_run(SEGMENTS, RUN.run_id).collect()}
    assert {key: (row.name, row.size) for key, row in segments.items()} == {
        ("value", 0): ("segment-0", 40),
        ("value", 1): ("big spenders", 40),
        ("taste", 0): ("likes books", 26),
        ("taste", 1): ("likes toys", 14),
    }
    rules = lake.read_run(SEGMENT_RULES, RUN.run_id).where("scheme = 'value'").orderBy("segment_id").collect()
    assert [(row.rule, row.coverage, row.precision) for row in rules] == [
        ("Money spent below 550", 1.0, 1.0),
        ("Money spent at least 550", 1.0, 1.0),
    ]
    assert segments["value", 1].why == "monetary 1,000 against 550 for all users (1.8 times)"
    users = lake.read_run(USER_SEGMENTS, RUN.run_id)
    counted = (
        users.groupBy("scheme", "segment_id", "segment_name").agg(F.count_distinct("user_id").alias("n")).collect()
    )
    assert {(r.scheme, r.segment_id): (r.segment_name, r.n) for r in counted} == {
        key: (row.name, row.size) for key, row in segments.items()
    }
    rows = {"segment_models": 4, "segment_model_arrays": 12, "segments": 4, "segment_lineage": 4, "segment_changes": 0}
    rows |= {"segment_rules": 4, "segment_importances": 5}
    assert result.rows == {**rows, "segment_profiles": 12, "user_segments": 120}
    chosen = lake.read_run(SEGMENT_MODELS, RUN.run_id).where("chosen").collect()
    assert {(row.scheme, row.k) for row in chosen} == {("value", 2), ("taste", 2)}
    spending = lake.read_run(SEGMENT_PROFILES, RUN.run_id).where("scheme = 'value' AND feature = 'monetary'").collect()
    assert {(r.segment_id, r.mean, r.median, r.overall_mean) for r in spending} == {
        (0, 100.0, 100.0, 550.0),
        (1, 1000.0, 1000.0, 550.0),
    }
    assert any("big spenders (40)" in line for line in told)


@pytest.mark.slow
def test_without_factors_taste_is_left_out_and_a_k_above_the_users_is_refused(lake, spark, config):
    fill(lake, spark, users=20)
    lake.delete_runs(USER_FACTORS, [RUN.run_id])
    config = config.model_copy(
        update={"value": config.taste.model_copy(update={"names": "personas", "source": "features"})}
    )
    result = build_segments(StageContext(lake, RUN), config)
    assert result.notes[0].startswith("taste is left out: there are no user_factors")
    assert result.rows["segments"] == 2
    many = config.model_copy(update={"value": config.value.model_copy(update={"k": 50})})
    with pytest.raises(ConfigError, match=r"segments.value.k: 50 segments need 50 users who differ; there are 20"):
        build_segments(StageContext(lake, RUN), many)


@pytest.mark.slow
def test_a_scheme_on_the_graph_is_left_out_where_nobody_has_neighbours(lake, spark, config):
    fill(lake, spark, users=20)
    config = config.model_copy(update={"others": {"friends": config.taste.model_copy(update={"source": "graph"})}})
    result = build_segments(StageContext(lake, RUN), config)
    (note,) = [note for note in result.notes if note.startswith("friends is left out: there is no user_similarity")]
    assert "recommend.user_similarity_max_users" in note


def test_without_features_the_stage_is_skipped(lake, config):
    assert "there are no user_features" in build_segments(StageContext(lake, RUN), config).skipped


@pytest.mark.slow
def test_noise_is_a_segment_that_no_persona_names_and_a_segment_of_nearly_all_is_told(lake, spark, config):
    """60 users in one dense place and 4 far from it and from each other, who spend more than all others."""
    random = np.random.default_rng(1)
    far = [[9.0, 9.0], [-9.0, 9.0], [9.0, -9.0], [-9.0, -9.0]]
    points = [*(random.normal(size=(60, 2)) * 0.3).tolist(), *far]
    people = [(f"u{n:03d}", RUN.as_of, False, None, None, None, None, 10.0 if n < 60 else 99.0) for n in range(64)]
    lake.replace_run(USER_FEATURES, spark.createDataFrame(people, FEATURES), RUN.run_id)
    prepared = [{"user_id": f"u{n:03d}", "features": point} for n, point in enumerate(points)]
    lake.replace_run(PREPARED_FEATURES, rows_of(spark, PREPARED_FEATURES, *prepared), RUN.run_id)
    dense = config.value.model_copy(update={"algorithm": "dbscan"})
    result = build_segments(StageContext(lake, RUN), config.model_copy(update={"value": dense}))
    segments = lake.read_run(SEGMENTS, RUN.run_id).collect()
    assert {(row.name, row.size) for row in segments} == {("segment-0", 60), ("noise", 4)}
    noise = next(row for row in segments if row.name == "noise")
    assert noise.why.startswith("users in no dense place; most unusual: monetary 99")
    assert any("one segment holds 94 % of the users" in note for note in result.notes)
