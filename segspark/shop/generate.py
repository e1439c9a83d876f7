"""A shop as clean frames in the shape of the tables, for benchmarks, or as raw files, for the demo and for tests."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ITEMS, ORDERS, RATINGS, USERS, Contract, conform
from segspark.core.errors import InputError
from segspark.core.files import write_text
from segspark.shop.catalogue import items
from segspark.shop.config import ShopConfig
from segspark.shop.dirt import (
    TextSource,
    event_source,
    item_source,
    order_source,
    outcome_source,
    user_source,
    with_lines,
)
from segspark.shop.files import exists, is_empty, remove, write_json, write_named
from segspark.shop.logs import events, guest_lines, order_lines, ratings
from segspark.shop.people import people, profiles, truth
from segspark.shop.visits import visits

TIMES = {"events": "event_time", "orders": "order_time", "ratings": "rated_at"}
MOST_WRITERS = 64  # partitions that write files; a file is written by one of them
SOURCES = ("events", "orders", "users", "items", "ratings")
HUGE = "spark.sql.codegen.hugeMethodLimit"
MARK = "truth/shop.json"  # tells a folder that may be written again


def shop_frames(spark: SparkSession, config: ShopConfig, partitions: int | None = None) -> dict[str, DataFrame]:
    """Events, orders, users, items and ratings as ingest would store them from clean files, by table name. Nothing is
    shuffled: each frame is a range of users exploded in place, so that size is a matter of time only.
    `partitions` is the number of tasks where the default does not suit; it changes no row."""
    crowd = people(spark, config, partitions)
    visited = visits(crowd, config)
    lines = order_lines(visited, config)
    frames = {
        EVENTS: events(visited, config),
        ORDERS: lines.drop("is_rated", "mixed").unionByName(guest_lines(spark, config)),
        USERS: profiles(crowd, config),
        ITEMS: items(spark, config).withColumn("embedding", F.lit(None).cast("array<float>")),
        RATINGS: ratings(lines, config),
    }
    return {contract.name: _stored(frame, contract) for contract, frame in frames.items()}


def write_shop(spark: SparkSession, config: ShopConfig, folder: str, partitions: int | None = None) -> dict[str, int]:
    """Writes the shop's raw files and, in `truth/`, what no pipeline may read; gives the good rows by source.

    events/*.json.gz, orders/*.csv, users/users.csv, items/items.csv and ratings/*.parquet, one file a month or a day;
    outcomes/none.csv has no row before the shop answers a plan.
    truth/users holds `people.truth`, truth/dirty.json the bad lines by source and kind, truth/shop.json the
    configuration. Raises InputError where the folder holds anything but an earlier shop.
    """
    if not is_empty(spark, folder) and not exists(spark, f"{folder}/{MARK}"):
        raise InputError(f"{folder}: is not empty and holds no shop; give a new or empty folder")
    for name in (*SOURCES, "outcomes", "truth"):
        remove(spark, f"{folder}/{name}")
    with small_methods(spark):
        return _write(spark, config, folder, partitions)


def _write(spark: SparkSession, config: ShopConfig, folder: str, partitions: int | None) -> dict[str, int]:
    write_json(spark, f"{folder}/{MARK}", config.model_dump(mode="json"))
    frames = shop_frames(spark, config, partitions)
    numbered = frames["orders"].withColumnRenamed("line", "line_number")
    counts = {
        "events": _write_text(frames["events"], "event_id", event_source(), config, f"{folder}/events"),
        "orders": _write_text(numbered, "line_key", order_source(), config, f"{folder}/orders"),
        "users": _write_text(frames["users"], "user_id", user_source(), config, f"{folder}/users"),
        "items": _write_text(frames["items"], "item_id", item_source(), config, f"{folder}/items"),
    }
    truth(people(spark, config)).coalesce(1).write.parquet(f"{folder}/truth/users")
    write_json(spark, f"{folder}/truth/dirty.json", {name: kinds for name, (_, kinds) in counts.items()})
    write_text(spark, f"{folder}/outcomes/none.csv", f"{outcome_source().header}\n")
    rows = {name: good for name, (good, _) in counts.items()}
    return {**rows, "ratings": _write_ratings(frames["ratings"], config, f"{folder}/ratings")}


@contextmanager
def small_methods(spark: SparkSession) -> Iterator[None]:
    """Meanwhile, queries whose generated method would be longer than the JVM compiles (8,000 bytes) run as several.

    Long expressions as the shop's are otherwise interpreted bytecode by bytecode. Put it around whatever acts on
    `shop_frames`.
    """
    before = spark.conf.get(HUGE)
    spark.conf.set(HUGE, "8000")
    try:
        yield
    finally:
        spark.conf.set(HUGE, before or "65535")


def _stored(frame: DataFrame, contract: Contract) -> DataFrame:
    if contract.name in TIMES:
        frame = frame.withColumn("day", F.to_date(TIMES[contract.name]))
    return conform(frame.withColumn("ingest_seq", F.lit(1).cast("bigint")), contract)


def _write_text(
    frame: DataFrame, key: str, source: TextSource, config: ShopConfig, folder: str
) -> tuple[int, dict[str, int]]:
    """Good rows, and bad lines by kind."""
    name = folder.rsplit("/", 1)[1]
    time = TIMES.get(name)
    names = _file_names(config) if time else [name]
    if key == "line_key":
        frame = frame.withColumn(key, F.concat_ws("-", "order_id", "line_number"))
    lines = with_lines(frame, source, key, config).select(
        (_file_name(time, config) if time else F.lit(name)).alias("file"),
        (F.unix_timestamp(time) if time else F.abs(F.hash(key)).cast("bigint")).alias("position"),
        "line",
        "kind",
    )
    seen = Observation()
    counted = [F.count_if(F.col("kind") == kind).alias(kind) for kind in source.spoils]
    lines = lines.observe(seen, F.count_if(F.col("kind").isNull()).alias("good"), *counted).drop("kind")
    if source.header:
        lines = lines.unionByName(_headers(frame.sparkSession, names, source.header))
    ordered = lines.repartition(min(len(names), MOST_WRITERS), "file").sortWithinPartitions("file", "position", "line")
    write_named(ordered.select("file", "line"), folder, ("text", ".json.gz" if time == "event_time" else ".csv"), names)
    return seen.get["good"], {kind: seen.get[kind] for kind in source.spoils}


def _write_ratings(frame: DataFrame, config: ShopConfig, folder: str) -> int:
    names, seen = _file_names(config), Observation()
    rows = frame.select(_file_name("rated_at", config).alias("file"), *_plain(frame))
    rows = rows.observe(seen, F.count(F.lit(1)).alias("good")).repartition(min(len(names), MOST_WRITERS), "file")
    ordered = rows.sortWithinPartitions("file", "rated_at", "user_id", "item_id")
    write_named(ordered, folder, ("parquet", ".parquet"), names)
    return seen.get["good"]


def _plain(frame: DataFrame) -> list[str]:
    return [name for name in frame.columns if name not in ("day", "ingest_seq")]


def _file_name(time: str, config: ShopConfig) -> Column:
    return F.date_format(time, "yyyy-MM" if config.files == "month" else "yyyy-MM-dd")


def _file_names(config: ShopConfig) -> list[str]:
    """All days or months of the logs."""
    days = [config.starts_on + timedelta(days=number) for number in range(config.days)]
    form = "%Y-%m" if config.files == "month" else "%Y-%m-%d"
    return sorted({day.strftime(form) for day in days})


def _headers(spark: SparkSession, names: list[str], header: str) -> DataFrame:
    rows = [(name, -1, header) for name in names]
    return spark.createDataFrame(rows, "file string, position bigint, line string")
