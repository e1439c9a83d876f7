"""One row per key: rows that bring a key once more are told, and rows without a key of their own get one.

Frames have `__ok` (the row is fit for the log table), `ingest_seq` and `__line` (its place), and the log's columns.
Repeated keys are few in sound data: they are found on the key columns alone, and only what they touch is joined.
"""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

_PLACE = ("ingest_seq", "__line")


def repeated_keys(rows: DataFrame, key: Sequence[str], log: DataFrame | None = None) -> DataFrame:
    """One row per key that stands in several fit rows, or in `log` too.

    `__first` is the place of the row that stays, unless `__known`: then the log has the key and no row stays.
    """
    places = rows.where("__ok").groupBy(*key).agg(F.count(F.lit(1)).alias("__rows"), _first_place().alias("__first"))
    again = places.where(F.col("__rows") > 1).select(*key, "__first", F.lit(False).alias("__known"))
    if log is None:
        return again
    known = places.join(log.select(*key), on=list(key), how="left_semi")
    both = again.unionByName(known.select(*key, "__first", F.lit(True).alias("__known")))
    return both.groupBy(*key).agg(F.max("__known").alias("__known"), F.min("__first").alias("__first"))


def mark_duplicates(rows: DataFrame, repeated: DataFrame, key: Sequence[str]) -> DataFrame:
    """The rows with `__problem` set, and `__ok` false, where another row has the key and stays."""
    what = " and ".join(column for column in key if column != "ingest_seq")
    marked = rows.join(repeated, on=list(key), how="left")
    is_other = F.col("__known") | (F.struct(*_PLACE) != F.col("__first"))
    is_duplicate = F.col("__ok") & F.coalesce(is_other, F.lit(False))
    reason = F.when(F.col("__known"), f"duplicate: the log has {what} already").otherwise(
        f"duplicate: an earlier row has {what}"
    )
    problem = F.when(is_duplicate, reason).otherwise(F.col("__problem"))
    fit = F.col("__ok") & ~is_duplicate
    return marked.withColumns({"__problem": problem, "__ok": fit}).select(*rows.columns)


def repeated_contents(rows: DataFrame, log: DataFrame | None = None) -> DataFrame:
    """One row per content that stands in several fit rows or in `log` too: `__content`, `__before` (times in the log).

    `log` has the days of the new rows: the same content has the same time.
    """
    counts = rows.where("__ok").groupBy(content().alias("__content")).agg(F.count(F.lit(1)).alias("__rows"))
    if log is None:
        return counts.where(F.col("__rows") > 1).select("__content", F.lit(0).cast("bigint").alias("__before"))
    parts = F.split("event_id", "-")
    number = F.coalesce(F.try_element_at(parts, F.lit(2)).try_cast("bigint"), F.lit(1))
    old = log.select(parts[0].alias("__content"), number.alias("__number")).join(
        counts, on="__content", how="left_semi"
    )
    before = old.groupBy("__content").agg(F.max("__number").alias("__before"))
    joined = counts.join(before, on="__content", how="left")
    repeated = joined.where((F.col("__rows") > 1) | F.col("__before").isNotNull())
    return repeated.select("__content", F.coalesce("__before", F.lit(0)).alias("__before"))


def name_events(rows: DataFrame, repeated: DataFrame | None) -> DataFrame:
    """The rows with `event_id`: a digest of the raw row, with `-2`, `-3`, ... where the same row comes again.

    Equal for the same rows however they are spread over files, and whichever file is read first.
    """
    if repeated is None:
        return rows.withColumn("event_id", F.when(F.col("__ok"), content()))
    known = rows.withColumn("__content", content()).join(repeated, on="__content", how="left")
    is_alone = F.col("__before").isNull() | ~F.col("__ok")
    once = known.where(is_alone).withColumn("event_id", F.when(F.col("__ok"), F.col("__content")))
    in_order = Window.partitionBy("__content").orderBy(*_PLACE)
    number = F.col("__before") + F.row_number().over(in_order)
    suffix = F.when(number > 1, F.concat(F.lit("-"), number.cast("string"))).otherwise("")
    several = known.where(~is_alone).withColumn("event_id", F.concat("__content", suffix))
    return once.unionByName(several).select(*rows.columns)


def highest_lines(rows: DataFrame, log: DataFrame) -> DataFrame:
    """One row per order of the fit rows that has lines in the log already: `order_id`, `__highest`."""
    orders = rows.where("__ok").select("order_id")
    known = log.select("order_id", "line").join(orders, on="order_id", how="left_semi")
    return known.groupBy("order_id").agg(F.max("line").alias("__highest"))


def number_lines(rows: DataFrame, highest: DataFrame | None) -> DataFrame:
    """The fit rows with `line` from 1 within the order, by file, then by content: not by how the file was split.

    Goes on after the lines that the order has in the log already.
    """
    fit = rows.where("__ok")
    in_order = Window.partitionBy("order_id").orderBy("ingest_seq", content(), "__line")
    line = F.row_number().over(in_order)
    if highest is None:
        return fit.withColumn("line", line)
    joined = fit.join(highest, on="order_id", how="left")
    return joined.withColumn("line", (F.coalesce("__highest", F.lit(0)) + line).cast("int")).select(*rows.columns)


def exact_repeats(rows: DataFrame) -> DataFrame:
    """One row (`ingest_seq`) for each fit row that equals an earlier one of its file in every raw field."""
    counts = rows.where("__ok").groupBy("ingest_seq", content().alias("__content")).agg(F.count("*").alias("__rows"))
    again = counts.where(F.col("__rows") > 1)
    return again.select("ingest_seq", F.explode(F.sequence(F.lit(2), F.col("__rows"))))


def last_of_each(rows: DataFrame, key: Sequence[str]) -> DataFrame:
    """Of rows of several files with one key, the row of the file read last."""
    newest = F.max_by(F.struct(*rows.columns), "ingest_seq").alias("__row")
    return rows.groupBy(*(F.col(column).alias(f"__key_{column}") for column in key)).agg(newest).select("__row.*")


def content() -> Column:
    """A digest of the raw row: 32 hexadecimal digits."""
    return F.md5("__raw")


def _first_place() -> Column:
    return F.min(F.struct(*_PLACE))
