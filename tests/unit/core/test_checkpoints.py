import pytest
from pyspark.sql import functions as F

from segspark.core.checkpoints import checkpointed, count_each, map_of


@pytest.fixture
def frame(spark):
    """Seven each of 0, 1 and 2, through a shuffle: the tasks that write are not those that read."""
    return spark.range(21).select((F.col("id") % 3).cast("string").alias("name"), "id").repartition(5, "id")


def test_what_is_told_is_of_all_rows_and_takes_no_execution_of_its_own(spark, frame):
    store = spark._jsparkSession.sharedState().statusStore()
    before = store.executionsCount()
    counts = {"rows": F.count(F.lit(1)), "of": count_each("name", ["0", "2", "9"]), "sum": F.sum("id")}
    rows, told = checkpointed(frame, counts)
    assert told == {"rows": 21, "of": {"0": 7, "2": 7, "9": 0}, "sum": 210}
    spark.sparkContext._jsc.sc().listenerBus().waitUntilEmpty()
    assert store.executionsCount() == before + 1
    assert sorted(row.id for row in rows.collect()) == list(range(21))


def test_counts_are_of_the_rows_that_the_condition_holds_for(frame):
    _, told = checkpointed(frame, {"of": count_each("name", ["0", "1"], where=F.col("id") < 4)})
    assert told == {"of": {"0": 2, "1": 1}}


def test_of_no_rows_there_is_nothing_to_tell(spark, frame):
    named = map_of({"least": F.min("id")})
    for nothing in (frame.limit(0), frame.where("id < 0"), frame.join(frame.where("id < 0"), "id")):
        rows, told = checkpointed(nothing.select("id"), {"rows": F.count(F.lit(1)), "of": named})
        assert told == {"rows": 0, "of": {"least": None}}
        assert rows.isEmpty()
