"""Checks on the sources, as rows of the `quality` table. A check without a bound only informs."""

from collections.abc import Sequence
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from segspark.core.words import percent
from segspark.ingest.config import IngestConfig
from segspark.ingest.rules import TIMES

_SUMS = ("rows_in", "accepted", "quarantined", "filtered", "repeated")

Check = tuple[str, Column, float | None]  # name, value, the most that is allowed


def of_ledger(ledger: DataFrame, config: IngestConfig) -> DataFrame:
    """Per source: files, rows in and what became of them, rows unaccounted for (0 allowed), shares of bad rows.

    Repeated rows equal another of the source in every raw field. They are told, and kept, where the key is made here;
    where the source has the key, a repeated row repeats the key too and is in quarantine.
    """
    sums = ledger.groupBy("source").agg(
        F.count(F.lit(1)).alias("files"),
        F.count("problem").alias("unreadable"),
        *(F.sum(name).alias(name) for name in _SUMS),
    )
    lost = F.col("rows_in") - F.col("accepted") - F.col("quarantined") - F.col("filtered")
    checks: list[Check] = [(name, F.col(name), None) for name in ("files", *_SUMS)]
    checks += [("rows unaccounted for", F.abs(lost), 0.0), ("unreadable files", F.col("unreadable"), 0.0)]
    checks += [("share quarantined", _share("quarantined", "rows_in"), config.max_quarantined_share)]
    checks += [("share of exact repeats", _share("repeated", "accepted"), config.max_repeated_share)]
    return _checks(sums, F.col("source"), checks)


def of_new_files(ledger: DataFrame, config: IngestConfig) -> DataFrame:
    """Per source: the share of quarantined rows in these files; they are those since the published run."""
    sums = ledger.groupBy("source").agg(*(F.sum(name).alias(name) for name in _SUMS))
    share = _share("quarantined", "rows_in")
    return _checks(sums, F.col("source"), [("share quarantined of new rows", share, config.max_quarantined_share)])


def most_quarantined(ledger: DataFrame, rejected: DataFrame, config: IngestConfig) -> DataFrame:
    """One row per source with too large a share of quarantined rows in these files, the largest share first.

    `reason` is the commonest, of `reason_rows` rows.
    """
    sums = ledger.groupBy("source").agg(*(F.sum(name).alias(name) for name in _SUMS))
    shares = sums.withColumn("share", _share("quarantined", "rows_in"))
    first = F.max_by(F.struct("reason", "rows"), F.struct("rows", "reason")).alias("most")
    commonest = reasons(ledger, rejected).groupBy("source").agg(first)
    beyond = shares.where(F.col("share") > config.max_quarantined_share).join(commonest, on="source", how="left")
    named = beyond.select(
        "source", "rows_in", "share", F.col("most.reason").alias("reason"), F.col("most.rows").alias("reason_rows")
    )
    return named.orderBy(F.desc("share"), "source")


def reasons(ledger: DataFrame, rejected: DataFrame) -> DataFrame:
    """One row per source and reason, of these files: its rows; an unreadable file counts for all of its own."""
    weights = ledger.select("ingest_seq", F.when(F.col("problem").isNotNull(), F.col("quarantined")).alias("weight"))
    weighed = rejected.join(weights, on="ingest_seq", how="inner")
    return weighed.groupBy("source", _alike().alias("reason")).agg(F.sum(F.coalesce("weight", F.lit(1))).alias("rows"))


def refusal(worst: Row, config: IngestConfig, after: str | None) -> str:
    """What is told of the source with the largest share."""
    since = f" since run {after}" if after else ""
    most = f"; most often: {worst.reason} ({worst.reason_rows:,} rows)" if worst.reason else ""
    return (
        f"{worst.source}: {percent(worst.share)} of the {worst.rows_in:,} rows read{since} are in quarantine, more than"
        f" the {percent(config.max_quarantined_share)} that `ingest.max_quarantined_share` allows{most}; nothing was"
        " published; mend the files or the mapping, or raise that key to go on without these rows"
    )


def of_quarantine(quarantine: DataFrame) -> DataFrame:
    """Per source and reason: rows in quarantine. Lines with too many and too few fields are counted together."""
    counts = quarantine.groupBy("source", _alike().alias("reason")).agg(F.count(F.lit(1)).alias("rows"))
    name = F.concat(F.lit("quarantined: "), F.col("reason"))
    return _as_rows(counts.select("source", name.alias("check"), F.col("rows").cast("double").alias("value")), None)


def of_log(log: DataFrame, name: str, config: IngestConfig, as_of: date) -> DataFrame:
    """Of one log table: share of rows without a user, and days from the newest row before `as_of` to it."""
    measures = [F.count(F.lit(1)).alias("rows")]
    checks: list[Check] = []
    if "user_id" in log.columns and name != "users":
        measures.append(F.count_if(F.col("user_id").isNull()).alias("userless"))
        checks.append(("share without a user", _share("userless", "rows"), config.max_userless_share))
    if name in TIMES:
        newest = F.max(F.when(F.col("day") < F.lit(as_of), F.col("day")))
        measures.append(newest.alias("newest"))
        measures.append(F.count_if(F.col("day") >= F.lit(as_of)).alias("later"))
        age = F.date_diff(F.lit(as_of), "newest")
        checks.append(("days from the newest row to as_of", age, config.max_age_days))
        checks.append(("rows on or after as_of", F.col("later"), None))
    checks = checks or [("rows", F.col("rows"), None)]
    return _checks(log.agg(*measures), F.lit(name), checks)


def _alike() -> Column:
    return F.regexp_replace("reason", "^[0-9]+ fields where", "another number of fields where")


def _share(part: str, whole: str) -> Column:
    return F.coalesce(F.try_divide(F.col(part), F.col(whole)), F.lit(0))


def _checks(numbers: DataFrame, source: Column, checks: Sequence[Check]) -> DataFrame:
    parts = [
        _as_rows(
            numbers.select(source.alias("source"), F.lit(check).alias("check"), value.cast("double").alias("value")),
            bound,
        )
        for check, value, bound in checks
    ]
    return reduce(DataFrame.unionByName, parts)


def _as_rows(values: DataFrame, bound: float | None) -> DataFrame:
    allowed = F.lit(bound).cast("double")
    passed = F.coalesce(F.col("value") <= allowed, F.lit(bound is None))
    return values.select("source", "check", passed.alias("passed"), "value", allowed.alias("bound"))
