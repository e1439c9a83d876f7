from datetime import date, datetime, timezone

from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ORDERS, PUBLICATIONS, SEGMENT_RULES, USER_FACTORS
from segspark.core.runs import WHOLE_RUN, StageRecord, day_after_the_last_row, publish_run, record
from segspark.core.stage import Run
from tests.builders import at, day, rows_of


def test_a_publication_tells_rows_and_an_order_free_digest_of_every_table_that_exists(lake, spark):
    rows = [{"user_id": user, "factors": [float(number)]} for number, user in enumerate("abc")]
    lake.replace_run(USER_FACTORS, rows_of(spark, USER_FACTORS, *rows), "r-1")
    lake.replace_run(USER_FACTORS, rows_of(spark, USER_FACTORS, *rows[:1]), "r-2")
    lake.create(SEGMENT_RULES)
    for run_id in ("r-1", "r-2"):
        whole = StageRecord(WHOLE_RUN, "done", datetime.now(timezone.utc))
        record(lake, Run(run_id, date(2024, 1, 1), 1, 7), "c", [whole])
        publish_run(lake, run_id, "run")
    told = {act.run_id: (act.rows, act.digests) for act in lake.read(PUBLICATIONS).collect()}
    stored = lake.read_run(USER_FACTORS, "r-1")
    hashes = [row[0] for row in stored.select(F.xxhash64(*stored.columns)).collect()]
    assert told["r-1"] == (
        {"user_factors": 3, "segment_rules": 0},
        {"user_factors": hashes[0] ^ hashes[1] ^ hashes[2], "segment_rules": 0},
    )
    assert told["r-2"][0] == {"user_factors": 1, "segment_rules": 0}


def test_a_run_is_as_of_the_day_after_the_newest_row_of_any_log(lake, spark):
    events = [{"event_id": "e", "user_id": "a", "event_time": at("2024-02-28 23:00"), "day": day("2024-02-28")}]
    lake.append(EVENTS, rows_of(spark, EVENTS, *events))
    assert day_after_the_last_row(lake) == date(2024, 2, 29)
    orders = [{"order_id": "o", "line": 1, "order_time": at("2024-02-29 01:00"), "day": day("2024-02-29")}]
    lake.append(ORDERS, rows_of(spark, ORDERS, *orders))
    assert day_after_the_last_row(lake) == date(2024, 3, 1)
