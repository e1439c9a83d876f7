import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from deltalake import DeltaTable
from pyspark.sql import functions as F

from segspark.core.contracts import PUBLICATIONS, TABLES, USER_DAYS, USER_FACTORS, USERS, conform
from segspark.core.days import bridged, contiguous, days_between, within
from segspark.core.errors import ContractError, LakeError
from tests.builders import at, day, rows_of


def factors(spark, *users):
    return rows_of(spark, USER_FACTORS, *({"user_id": u, "factors": [1.0, 2.0]} for u in users))


def test_a_table_that_was_never_written_reads_as_empty_with_its_columns(lake):
    frame = lake.read(USER_FACTORS)
    assert frame.columns == ["run_id", "user_id", "factors", "user_bucket"]
    assert frame.isEmpty()


def test_writing_a_run_again_replaces_its_rows_and_leaves_other_runs(lake, spark):
    lake.replace_run(USER_FACTORS, factors(spark, "a", "b"), "r-1")
    lake.replace_run(USER_FACTORS, factors(spark, "c"), "r-2")
    assert lake.replace_run(USER_FACTORS, factors(spark, "d"), "r-1") == 1
    found = {(row.run_id, row.user_id) for row in lake.read(USER_FACTORS).collect()}
    assert found == {("r-1", "d"), ("r-2", "c")}


def test_a_table_gains_the_columns_that_its_contract_gained(lake, spark):
    older = replace(USER_FACTORS, columns=USER_FACTORS.columns[:1])
    lake.replace_run(older, spark.createDataFrame([("a",)], "user_id string"), "r-1")
    assert lake.read_run(USER_FACTORS, "r-1").select("factors").collect() == [(None,)]
    lake.replace_run(USER_FACTORS, factors(spark, "b"), "r-2")
    found = {row.user_id: row.factors for row in lake.read(USER_FACTORS).collect()}
    assert found == {"a": None, "b": [1.0, 2.0]}


def test_a_published_run_is_never_written_again(lake, spark):
    lake.replace_run(USER_FACTORS, factors(spark, "a"), "r-1")
    lake.publish("r-1", "me", "run", {"user_factors": 1}, {"user_factors": 7})
    with pytest.raises(LakeError, match="never written again"):
        lake.replace_run(USER_FACTORS, factors(spark, "b"), "r-1")


def test_what_is_written_together_is_looked_at_once_and_a_published_run_is_refused_before_anything(lake, spark):
    with lake.writing("r-1"):
        assert lake.replace_run(USER_FACTORS, factors(spark, "a"), "r-1") == 1
    lake.publish("r-1", "me", "run", {"user_factors": 1}, {"user_factors": 7})
    with pytest.raises(LakeError, match="never written again"), lake.writing("r-1"):
        raise AssertionError("nothing is done inside")
    with lake.writing("r-2"), pytest.raises(LakeError, match="never written again"):
        lake.replace_run(USER_FACTORS, factors(spark, "b"), "r-1")  # another run than the one that was looked at
    assert [row.user_id for row in lake.read(USER_FACTORS).collect()] == ["a"]


def test_of_publishers_at_once_every_number_is_given_once_and_losers_are_told_who_won(lake):
    lake.publish("r-0", "first", "run", {}, {})

    def attempt(number):
        try:
            lake.publish(f"r-{number}", "someone", "run", {}, {})
            return None
        except LakeError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(attempt, range(1, 5)))
    seqs = sorted(row.seq for row in lake.read(PUBLICATIONS).collect())
    assert seqs == list(range(1, len(seqs) + 1))
    assert len(seqs) == 1 + answers.count(None)
    assert all("someone published run r-" in answer for answer in answers if answer)


def test_replacing_days_leaves_the_other_days(lake, spark):
    def days(*texts, spend):
        return rows_of(spark, USER_DAYS, *({"user_id": "a", "day": day(t), "spend": spend} for t in texts))

    before = days("2024-01-01", "2024-01-02", "2024-01-05", spend=1.0)
    lake.replace_days(USER_DAYS, before, [day("2024-01-01"), day("2024-01-02"), day("2024-01-05")])
    lake.replace_days(USER_DAYS, days("2024-01-02", spend=2.0), [day("2024-01-02"), day("2024-01-05")])
    found = {(str(row.day), row.spend) for row in lake.read(USER_DAYS).collect()}
    assert found == {("2024-01-01", 1.0), ("2024-01-02", 2.0)}


def test_days_become_ranges_without_gaps():
    days = [day("2024-02-28"), day("2024-03-01"), day("2024-02-29"), day("2024-03-05")]
    assert contiguous(days) == [(day("2024-02-28"), day("2024-03-01")), (day("2024-03-05"), day("2024-03-05"))]


def test_scattered_days_are_looked_up_each_and_not_compared_with_a_thousand_ranges(spark):
    days = days_between(day("2010-01-01"), day("2020-12-31"))
    chosen = {one for one in days if one.toordinal() % 3 == 0}
    frame = spark.createDataFrame([(one,) for one in days], "day date")
    assert {row.day for row in frame.where(within(chosen)).collect()} == chosen
    assert {row.day for row in frame.where(~within(chosen)).collect()} == set(days) - chosen
    assert frame.where(within([])).isEmpty()


def test_days_in_between_join_scattered_days_to_a_few_ranges_the_shortest_gaps_first():
    days = [day(text) for text in ("2024-01-01", "2024-01-03", "2024-01-20", "2024-01-24")]
    assert bridged(days, 4) == set(days)
    assert contiguous(bridged(days, 2)) == [(days[0], days[1]), (days[2], days[3])]
    assert contiguous(bridged(days, 1)) == [(days[0], days[3])]
    assert bridged([]) == set()


def test_an_upsert_updates_known_keys_and_inserts_the_others(lake, spark):
    lake.upsert(USERS, rows_of(spark, USERS, {"user_id": "a", "age": 20}, {"user_id": "b", "age": 30}))
    lake.upsert(USERS, rows_of(spark, USERS, {"user_id": "b", "age": 31}, {"user_id": "c", "age": 40}))
    assert {(r.user_id, r.age) for r in lake.read(USERS).collect()} == {("a", 20), ("b", 31), ("c", 40)}


def test_a_frame_with_a_wrong_or_missing_column_is_refused(spark):
    frame = rows_of(spark, USER_FACTORS, {"user_id": "a"})
    with pytest.raises(ContractError, match="factors is missing"):
        conform(frame.drop("factors"), USER_FACTORS)
    with pytest.raises(ContractError, match="user_id is int, not string"):
        conform(frame.withColumn("user_id", F.lit(1)), USER_FACTORS)


def test_no_personal_value_stands_in_the_delta_log(lake, spark):
    lake.upsert(USERS, rows_of(spark, USERS, {"user_id": "marker-user", "region": "marker-town", "ingest_seq": 4}))
    log = Path(lake.path("users"), "_delta_log")
    text = "".join(path.read_text() for path in log.glob("*.json"))
    assert "marker" not in text
    assert "user_bucket" in json.dumps([line for line in text.splitlines() if "maxValues" in line])


def test_readers_without_spark_read_every_kind_of_table(lake, spark):
    lake.replace_run(USER_FACTORS, factors(spark, "a"), "r-1")
    table = DeltaTable(lake.path("user_factors")).to_pyarrow_table().to_pylist()
    assert [(row["run_id"], row["user_id"], row["factors"]) for row in table] == [("r-1", "a", [1.0, 2.0])]


@pytest.mark.parametrize("name", ["events", "sessions", "user_features", "publications"])
def test_every_contract_makes_a_table_that_an_outside_reader_opens(lake, name):
    lake.create(TABLES[name])
    assert set(TABLES[name].names) <= {f.name for f in DeltaTable(lake.path(name)).schema().fields}


def test_the_builders_refuse_columns_that_a_table_does_not_have(spark):
    with pytest.raises(AssertionError, match="has no"):
        rows_of(spark, USERS, {"usr": "a"})
    assert at("2024-03-01 10:00").hour == 10
