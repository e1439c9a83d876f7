import json
from collections import Counter

import pytest
from pyspark.sql import functions as F
from sklearn.metrics import adjusted_rand_score

from segspark.core.contracts import (
    PUBLICATIONS,
    QUARANTINE,
    RECOMMENDATIONS,
    RUN_TABLES,
    SEGMENT_DEMAND,
    SEGMENTS,
    SOURCE_FILES,
    TABLES,
    USER_FEATURES,
    USER_SEGMENTS,
)
from segspark.core.errors import ConfigError, LakeError
from segspark.core.runs import finished_stages
from segspark.pipeline import STAGE_NAMES, STAGES, RunRequest, publish_earlier, roll_back, run_pipeline
from tests.end_to_end.executions import BUDGETS

COMPARING = {"feature_drift", "segment_changes", "segment_moves"}  # with the run that was published: empty in the first
LOOKING_BACK = {  # on campaigns before, or on weeks before the shop's thirty days: a first run has none
    "strategy_values",
    "campaign_lift",
    "campaign_checks",
    "campaign_balance",
    "campaign_evidence",
    "campaign_rewards",
    "campaign_moves",
    "demand_accuracy",
}
# A segment that is born comes from none, one that ended went into none; the demand of a whole category is of no item.
ONE_END = {"from_segment", "to_segment", "item_id"}
REASONS = {  # kinds of dirt that the shop tells in its truth, and what quarantine says of each
    "ancient_time": "before 1995",
    "blank_line": "empty line",
    "broken_json": "not one JSON object",
    "few_fields": "fields where the header has",
    "future_time": "in the future",
    "many_fields": "fields where the header has",
    "missing_order": "is missing",
    "missing_user": "is missing",
    "negative_price": "price is negative",
    "negative_quantity": "quantity is negative",
    "no_json": "not one JSON object",
    "repeated": "duplicate: an earlier row has",
    "text_quantity": "quantity is not a number",
    "unknown_type": "event_type is none of",
}


def labels(lake, run_id, scheme="value"):
    rows = lake.read_run(USER_SEGMENTS, run_id).where(F.col("scheme") == scheme)
    return dict(rows.select("user_id", "segment_name").collect())


def lists(lake, run_id):
    rows = lake.read_run(RECOMMENDATIONS, run_id).select("user_id", "item_id").collect()
    return {(row.user_id, row.item_id) for row in rows}


def test_one_run_publishes_every_run_table_with_unique_keys(first_run):
    lake, run_id = first_run.lake, first_run.run.run_id
    assert lake.published_run() == run_id
    for contract in RUN_TABLES:
        rows = lake.read_run(contract, run_id)
        count = rows.count()
        assert count > 0 or contract.name in COMPARING | LOOKING_BACK, contract.name
        assert rows.select(*contract.key).distinct().count() == count, contract.name
        whole = [key for key in contract.key if key not in ONE_END or (key == "item_id" and contract != SEGMENT_DEMAND)]
        assert rows.where(" OR ".join(f"`{key}` IS NULL" for key in whole)).isEmpty(), contract.name


@pytest.mark.parametrize("name", ["events", "orders", "users", "items", "ratings", "sessions", "user_days"])
def test_keys_of_logs_and_days_are_unique(first_run, name):
    lake = first_run.lake
    rows = lake.read(TABLES[name])
    assert rows.count() == rows.select(*TABLES[name].key).distinct().count() > 0


def test_rows_in_are_rows_accepted_quarantined_and_filtered(first_run):
    files = first_run.lake.read(SOURCE_FILES)
    assert files.where("rows_in <> accepted + quarantined + filtered").isEmpty()
    assert files.agg(F.sum("quarantined")).first()[0] > 0


def test_quarantine_holds_exactly_the_dirt_that_the_shop_made(first_run, shop):
    truth = json.loads((shop / "truth" / "dirty.json").read_text())
    planted, found = Counter(), Counter()
    for source, kinds in truth.items():
        for kind, count in kinds.items():
            planted[source, REASONS[kind]] += count
    for row in first_run.lake.read(QUARANTINE).select("source", "reason").collect():
        told = [reason for reason in set(REASONS.values()) if reason in row.reason]
        found[row.source, told[0] if len(told) == 1 else row.reason] += 1
    assert found == planted and planted.total() > 0


def test_every_stage_tells_a_line(first_run):
    told = "\n".join(first_run.before + first_run.after)
    assert all(f"] {name}" in told for name in STAGES)


def test_no_stage_takes_more_spark_executions_than_its_budget(first_run):
    taken = first_run.executions
    print("\n".join(f"{stage:16} {taken[stage]:4} of {budget:4}" for stage, budget in BUDGETS.items()))
    assert set(BUDGETS) == set(STAGE_NAMES)
    assert {stage: (taken[stage], budget) for stage, budget in BUDGETS.items() if taken[stage] > budget} == {}


def test_the_publication_counts_the_rows_of_each_table(first_run):
    lake, run_id = first_run.lake, first_run.run.run_id
    act = lake.read(PUBLICATIONS).orderBy(F.desc("seq")).first()
    assert act.rows["user_features"] == lake.read_run(USER_FEATURES, run_id).count()
    assert set(act.rows) == set(act.digests) == {contract.name for contract in RUN_TABLES}


def test_the_same_work_is_not_done_again(first_run):
    lake, config, run_id = first_run.lake, first_run.config, first_run.run.run_id
    told = []
    again = run_pipeline(lake, config, RunRequest(), told.append)
    assert again.was_known and again.run.run_id == run_id
    assert "nothing to do" in told[-1]


@pytest.mark.slow
def test_another_attempt_with_other_partitions_gives_the_same_and_rollback_goes_back(first_run, spark):
    lake, config, run_id = first_run.lake, first_run.config, first_run.run.run_id
    before = spark.conf.get("spark.sql.shuffle.partitions")
    spark.conf.set("spark.sql.shuffle.partitions", "5")
    try:
        again = run_pipeline(lake, config, RunRequest(force=True), lambda line: None)
    finally:
        spark.conf.set("spark.sql.shuffle.partitions", before)
    old, new = run_id, again.run.run_id
    assert (old.rpartition("-")[2], new.rpartition("-")[2]) == ("1", "2")
    old_labels, new_labels = labels(lake, old), labels(lake, new)
    assert old_labels.keys() == new_labels.keys()
    users = sorted(old_labels)
    assert adjusted_rand_score([old_labels[u] for u in users], [new_labels[u] for u in users]) >= 0.99
    assert set(old_labels.values()) == set(new_labels.values())
    old_lists, new_lists = lists(lake, old), lists(lake, new)
    assert len(old_lists & new_lists) / len(old_lists) >= 0.99

    assert lake.published_run() == new
    assert roll_back(lake)[0] == old
    assert lake.published_run() == old
    with pytest.raises(LakeError, match="first run that was published"):
        roll_back(lake)
    publish_earlier(lake, new)
    assert lake.published_run() == new


def test_a_run_that_stopped_goes_on_after_its_last_stage(first_run):
    assert any("] features" in line for line in first_run.before)
    assert "features: done before" in first_run.after and "segments: done before" not in first_run.after
    assert first_run.run.run_id.endswith("-1")
    assert finished_stages(first_run.lake, first_run.run.run_id) >= set(STAGES)


def test_an_unwhole_run_is_not_published(first_run):
    assert "is not whole: segments, recommendations" in first_run.refused


def test_an_unknown_stage_is_named(run_shop, tmp_path):
    with pytest.raises(ConfigError, match="there is no stage featurs; the stages are ingest, features"):
        run_shop(tmp_path / "lake", [], RunRequest(only=("featurs",)))


def test_some_segments_have_the_names_of_personas_and_each_says_why(first_run):
    lake, run_id = first_run.lake, first_run.run.run_id
    rows = lake.read_run(SEGMENTS, run_id).where("scheme = 'value'").collect()
    named = [row for row in rows if not row.name.startswith("segment-")]
    assert len(named) >= 3
    assert all(row.why for row in rows)
    assert sum(row.size for row in rows) == len(labels(lake, run_id))
