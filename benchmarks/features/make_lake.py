"""Writes a plain shop's files to the log tables of a lake, as the features stage finds them after ingest."""

from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.spark import session
from segspark.core.contracts import EVENTS, ITEMS, ORDERS, RATINGS, USERS
from segspark.core.lake import Lake

TIMES = {"events": "event_time", "orders": "order_time", "ratings": "rated_at"}


def run(task: Task, ready: Ready) -> None:
    """One ingest_seq for each source."""
    spark = session(task)
    ready()
    lake = Lake(spark, task.output)
    for number, contract in enumerate((EVENTS, ORDERS, RATINGS, USERS, ITEMS), start=1):
        rows = spark.read.parquet(f"{task.inputs['files']}/{contract.name}")
        rows = rows.withColumn("ingest_seq", F.lit(number).cast("bigint"))
        if contract.name in TIMES:
            rows = rows.withColumn("day", F.to_date(TIMES[contract.name]))
        lake.append(contract, rows)
    spark.stop()
