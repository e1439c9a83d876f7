"""Which stages a change reaches, by their fingerprints alone: no table is read."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from segspark.config import load_config
from segspark.core import code
from segspark.core.contracts import RUN_TABLES
from segspark.core.declared import in_order, needs, writers
from segspark.core.fingerprint import Inputs, fingerprint
from segspark.core.stage import Run
from segspark.pipeline import STAGE_NAMES
from segspark.stages import STAGES

ORDER = (  # of the design
    *("ingest", "features", "factors", "similarity", "segments", "recommendations", "evaluate", "campaigns"),
    *("marts", "report", "publish"),
)
RUN = Run("r-2", date(2024, 7, 1), 9, 7, "r-1")
FILES = {"events": 3, "orders": 5, "users": 6, "items": 7, "ratings": 8, "outcomes": 9}
PARTS = {part: f"{name}.{part.run.__name__}" for name, stage in STAGES.items() for part in stage.parts}
REUSABLE = {
    *("features.build_features", "factors.fit_factors", "similarity.build_similarity"),
    *("recommendations.build_recommendations", "evaluate.evaluate_recommendations", "marts.build_marts"),
}


@pytest.fixture
def demo(monkeypatch):
    monkeypatch.delenv("SEGSPARK_PSEUDONYM_KEY", raising=False)
    return lambda *overrides: load_config("conf/demo.yaml", overrides)


def fingerprints(config, run=RUN, files=FILES, members="m", people="p"):
    """By part, as a run would find them; `members` and `people` stand for what is read of segments and users."""
    made_by = {}
    found = {}
    for stage in STAGES.values():
        for part in stage.parts:
            read = {
                each: members if each.contract.name == "user_segments" else people
                for each in part.tables(config)
                if each.columns
            }
            found[PARTS[part]] = fingerprint(part, config, run, Inputs(files, made_by, read))
            made_by |= {table.name: found[PARTS[part]] for table in part.writes}
    return found


def reached(before, after):
    """The parts whose rows cannot be taken over after the change."""
    return {name for name in REUSABLE if before[name] != after[name]}


def test_the_order_is_that_of_the_design_however_the_stages_are_given():
    assert STAGE_NAMES == ORDER
    for given in (STAGES.values(), reversed(STAGES.values())):
        place = {name: number for number, name in enumerate(in_order(given))}
        assert all(place[other] < place[name] for name, on in needs(STAGES.values()).items() for other in on)


def test_every_run_table_is_written_by_one_stage():
    assert writers(STAGES).keys() >= {table.name for table in RUN_TABLES}


def test_parts_that_neither_look_back_nor_write_what_belongs_to_no_run_can_be_taken_over():
    assert {PARTS[part] for part in PARTS if part.can_be_taken_over} == REUSABLE


def test_segments_wait_for_similarity_only_where_a_scheme_goes_by_the_graph(demo):
    assert "similarity" not in needs(STAGES.values(), demo())["segments"]
    graph = demo("segments.others.circles.source=graph")
    assert "similarity" in needs(STAGES.values(), graph)["segments"]


def test_lists_wait_for_similarity_only_where_a_method_goes_by_neighbours(demo):
    assert "similarity" not in needs(STAGES.values(), demo())["recommendations"]
    for methods in ("[als, item_cf]", "[hybrid]"):
        assert "similarity" in needs(STAGES.values(), demo(f"recommend.methods={methods}"))["recommendations"]


@pytest.mark.parametrize(
    ("key", "parts"),
    [
        ("report.title=Another", set()),
        ("report.min_group=3", set()),
        ("campaigns.holdout_share=0.2", set()),
        ("segments.value.k=4", set()),  # where the same users end in the same segments; see below
        ("housekeeping.keep_runs=2", set()),
        ("spark.shuffle_partitions=3", set()),
        ("recommend.tuning.days=3", set()),
        ("features.drift_bound=0.5", set()),
        ("features.windows_days=[7, 30]", {"features.build_features"}),  # as long as the same users are bots
        ("features.session_gap_minutes=20", REUSABLE),
        ("recommend.top_n=5", {"recommendations.build_recommendations", "evaluate.evaluate_recommendations"}),
        ("recommend.neighbours=5", REUSABLE - {"features.build_features", "factors.fit_factors", "marts.build_marts"}),
        ("recommend.rank=8", REUSABLE - {"features.build_features", "marts.build_marts"}),
        ("recommend.half_life_days=30", REUSABLE - {"features.build_features", "marts.build_marts"}),
    ],
)
def test_a_setting_reaches_what_it_is_given_to_and_what_is_made_of_that(demo, key, parts):
    assert reached(fingerprints(demo()), fingerprints(demo(key))) == parts


@pytest.mark.parametrize(
    ("source", "parts"),
    [
        ("outcomes", set()),
        ("users", {"features.build_features"}),
        ("items", REUSABLE - {"factors.fit_factors"}),
        ("ratings", REUSABLE),
        ("events", REUSABLE),
        ("orders", REUSABLE),
    ],
)
def test_a_new_file_reaches_what_reads_its_log(demo, source, parts):
    assert reached(fingerprints(demo()), fingerprints(demo(), files={**FILES, source: 10})) == parts


def test_other_segments_reach_what_goes_by_them(demo):
    by_segments = {
        *("recommendations.build_recommendations", "evaluate.evaluate_recommendations", "marts.build_marts"),
    }
    assert reached(fingerprints(demo()), fingerprints(demo(), members="moved")) == by_segments


def test_other_bots_reach_all_that_leaves_them_out(demo):
    after = fingerprints(demo(), people="others")
    assert reached(fingerprints(demo()), after) == REUSABLE - {"features.build_features"}


def test_another_day_or_seed_reaches_everything(demo):
    before = fingerprints(demo())
    for run in (replace(RUN, as_of=RUN.as_of + timedelta(days=1)), replace(RUN, seed=8)):
        assert reached(before, fingerprints(demo(), run)) == REUSABLE


def test_another_published_run_and_another_attempt_reach_nothing(demo):
    assert reached(fingerprints(demo()), fingerprints(demo(), replace(RUN, run_id="r-3", previous="r-2"))) == set()


def test_the_code_of_a_room_reaches_its_stages_and_what_is_made_of_their_tables(demo, monkeypatch):
    before, source = fingerprints(demo()), code._source
    expected = {
        "segspark.report": set(),
        "segspark.campaigns.stage": set(),
        "segspark.bi.marts.stage": {"marts.build_marts"},
        "segspark.recommend.topn": REUSABLE - {"features.build_features", "marts.build_marts"},
        "segspark.features.visits": REUSABLE,
        "segspark.core.exact": REUSABLE,
    }
    for module, parts in expected.items():
        monkeypatch.setattr(code, "_source", lambda name, new=module: source(name) + b"# new\n" * (name == new))
        code.code_of.cache_clear()
        assert reached(before, fingerprints(demo())) == parts, module
    code.code_of.cache_clear()


def test_another_key_of_pseudonyms_reaches_the_marts_that_bear_them(demo, monkeypatch):
    before = fingerprints(demo())
    monkeypatch.setenv("SEGSPARK_PSEUDONYM_KEY", "sixteen bytes at least")
    assert reached(before, fingerprints(demo())) == {"marts.build_marts"}
