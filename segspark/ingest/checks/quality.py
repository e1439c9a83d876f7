"""Checks on the sources, as rows of the `quality` table. A check without a bound only informs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.arrow_rows import Row
from segspark.core.words import percent
from segspark.ingest.config import LOGS, REQUIRED, IngestConfig
from segspark.ingest.rules import TIMES

_SUMS = ("rows_in", "accepted", "quarantined", "filtered", "repeated")

Check = dict[str, Any]  # one row of `quality`


@dataclass(frozen=True)
class Rejected:
    """Rows in quarantine that are alike."""

    source: str
    reason: str  # lines with too many and too few fields are counted together
    file: int | None  # `ingest_seq` where the row stands for a whole file
    is_new: bool
    rows: int


def of_ledger(files: Sequence[Row], config: IngestConfig) -> list[Check]:
    """Per source: files, rows in and what became of them, rows unaccounted for (0 allowed), shares of bad rows.

    Repeated rows equal another of the source in every raw field. They are told, and kept, where the key is made here;
    where the source has the key, a repeated row repeats the key too and is in quarantine.
    """
    checks = []
    for source, sums in _sums(files).items():
        lost = sums["rows_in"] - sums["accepted"] - sums["quarantined"] - sums["filtered"]
        checks += [_check(source, name, sums[name]) for name in ("files", *_SUMS)]
        checks += [
            _check(source, "rows unaccounted for", abs(lost), 0),
            _check(source, "unreadable files", sums["unreadable"], 0),
            _check(source, "share quarantined", _share(sums, "quarantined", "rows_in"), config.max_quarantined_share),
            _check(source, "share of exact repeats", _share(sums, "repeated", "accepted"), config.max_repeated_share),
        ]
    return checks


def of_new_files(files: Sequence[Row], config: IngestConfig) -> list[Check]:
    """Per source: the share of quarantined rows in these files; they are those since the published run."""
    bound = config.max_quarantined_share
    return [
        _check(source, "share quarantined of new rows", _share(sums, "quarantined", "rows_in"), bound)
        for source, sums in _sums(files).items()
    ]


def refusal(files: Sequence[Row], rejected: Iterable[Rejected], config: IngestConfig, after: str | None) -> str | None:
    """What is told of the source with the largest share of quarantined rows in these files, where it is too large."""
    sources = _sums(files)
    shares = {source: _share(sums, "quarantined", "rows_in") for source, sums in sources.items()}
    beyond = [source for source, share in shares.items() if share > config.max_quarantined_share]
    if not beyond:
        return None
    worst = min(beyond, key=lambda source: (-shares[source], source))
    since = f" since run {after}" if after else ""
    found = commonest(files, (each for each in rejected if each.source == worst))
    most = f"; most often: {found[1]} ({found[2]:,} rows)" if found else ""
    return (
        f"{worst}: {percent(shares[worst])} of the {sources[worst]['rows_in']:,} rows read{since} are in quarantine,"
        f" more than the {percent(config.max_quarantined_share)} that `ingest.max_quarantined_share` allows{most};"
        " nothing was published; mend the files or the mapping, or raise that key to go on without these rows"
    )


def commonest(files: Sequence[Row], rejected: Iterable[Rejected]) -> tuple[str, str, int] | None:
    """(source, reason, rows) of the reason for most rows of these files; an unreadable file counts for all its rows."""
    weights = {file.ingest_seq: file.quarantined for file in files if file.problem is not None}
    rows: Counter[tuple[str, str]] = Counter()
    for each in rejected:
        if each.is_new:
            rows[each.source, each.reason] += each.rows if each.file is None else weights.get(each.file, each.rows)
    if not rows:
        return None
    (source, reason), most = max(rows.items(), key=lambda item: (item[1], *item[0]))
    return source, reason, most


def count_rejected(quarantine: DataFrame, published: int) -> DataFrame:
    """One row per source, reason, whole file and newness: rows in quarantine. New is what came after `published`."""
    alike = F.regexp_replace("reason", "^[0-9]+ fields where", "another number of fields where").alias("reason")
    file = F.when(F.col("line") == 0, F.col("ingest_seq")).alias("file")
    is_new = (F.col("ingest_seq") > published).alias("is_new")
    return quarantine.groupBy("source", alike, file, is_new).agg(F.count(F.lit(1)).alias("rows"))


def of_quarantine(rejected: Iterable[Rejected]) -> list[Check]:
    """Per source and reason: rows in quarantine."""
    rows: Counter[tuple[str, str]] = Counter()
    for each in rejected:
        rows[each.source, each.reason] += each.rows
    return [_check(source, f"quarantined: {reason}", count) for (source, reason), count in rows.items()]


def measure_logs(logs: Mapping[str, DataFrame], as_of: date) -> DataFrame:
    """One row per log table that has rows: `rows`, `userless`, `newest` day before `as_of`, and `later` rows."""

    def seen(name: str, log: DataFrame) -> DataFrame:
        is_userless = F.col("user_id").isNull() if may_lack_users(name) else F.lit(False)
        day = F.col("day") if name in TIMES else F.lit(None).cast("date")
        return log.select(F.lit(name).alias("source"), is_userless.alias("is_userless"), day.alias("day"))

    rows = reduce(DataFrame.unionByName, (seen(name, log) for name, log in logs.items()))
    is_later: Column = F.col("day") >= F.lit(as_of)
    return rows.groupBy("source").agg(
        F.count(F.lit(1)).alias("rows"),
        F.count_if("is_userless").alias("userless"),
        F.max(F.when(~is_later, F.col("day"))).alias("newest"),
        F.count_if(is_later).alias("later"),
    )


def may_lack_users(name: str) -> bool:
    """Whether rows without a user are accepted; where `user_id` is required the share of such rows is none."""
    return "user_id" in LOGS[name].names and "user_id" not in REQUIRED[name]


def of_log(measured: Mapping[str, Any] | None, name: str, config: IngestConfig, as_of: date) -> list[Check]:
    """Of one log table: share of rows without a user, and days from the newest row before `as_of` to it.

    `measured` is None where the table has no rows.
    """
    measured = measured or {"rows": 0, "userless": 0, "newest": None, "later": 0}
    checks = []
    if "user_id" in LOGS[name].names and name != "users":
        share = _share(measured, "userless", "rows")
        checks.append(_check(name, "share without a user", share, config.max_userless_share))
    if name in TIMES:
        newest = measured["newest"]
        age = None if newest is None else (as_of - newest).days
        checks.append(_check(name, "days from the newest row to as_of", age, config.max_age_days))
        checks.append(_check(name, "rows on or after as_of", measured["later"]))
    return checks or [_check(name, "rows", measured["rows"])]


def notes(checks: Iterable[Check]) -> tuple[str, ...]:
    """One line for each check that failed."""
    failed = sorted((c for c in checks if not c["passed"]), key=lambda c: (c["source"], c["check"]))
    return tuple(f"quality: {c['source']}: {c['check']} is {_told(c['value'])}, allowed {c['bound']:g}" for c in failed)


def _told(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"


def _sums(files: Iterable[Row]) -> dict[str, Counter[str]]:
    """By source, in alphabetical order, the sums over its files."""
    sums: dict[str, Counter[str]] = {}
    for file in sorted(files, key=lambda file: file.source):
        of_source = sums.setdefault(file.source, Counter())
        of_source.update({"files": 1, "unreadable": file.problem is not None})
        of_source.update({name: file[name] for name in _SUMS})
    return sums


def _share(sums: Mapping[str, int], part: str, whole: str) -> float:
    return sums[part] / sums[whole] if sums[whole] else 0.0


def _check(source: str, check: str, value: float | None, bound: float | None = None) -> Check:
    passed = bound is None or (value is not None and value <= bound)
    row = {"source": source, "check": check, "passed": passed}
    return row | {"value": None if value is None else float(value), "bound": None if bound is None else float(bound)}
