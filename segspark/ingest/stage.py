"""The ingest stage: new files into the log tables, what breaks a rule into quarantine, an account of each file."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ORDERS, QUALITY, QUARANTINE, SOURCE_FILES, Contract
from segspark.core.errors import InputError
from segspark.core.lake import Lake
from segspark.core.stage import StageContext, StageResult
from segspark.ingest import keys, quality, reading
from segspark.ingest.config import LOGS, IngestConfig, SourceConfig, SourcesConfig, mapping_digest
from segspark.ingest.files import SourceFile
from segspark.ingest.ledger import EMPTY, Account, Entry, entries, settle
from segspark.ingest.placing import (
    APPENDED,
    header_lines,
    judged_rows,
    made_key,
    place_rows,
    rejected_rows,
    unique_key,
)
from segspark.ingest.plan import Contents, Groups, contents, plan

FEW = 200_000  # repeated keys that are sent to every task; more are joined by a shuffle

Tell = Callable[[str], None]


def ingest(
    lake: Lake,
    sources: SourcesConfig,
    config: IngestConfig,
    tell: Tell = lambda message: None,
    now: datetime | None = None,
) -> StageResult:
    """Reads the files that the ledger does not know; each row ends in its log table, in quarantine, or filtered.

    Every source is checked before the first is read. `now` (with a time zone) is what the future is counted from.
    Raises InputError for a source that cannot be used and where there is no event, order or rating in the end, and
    SegsparkError where a file's rows do not add up. What an interrupted ingest left behind is removed first.
    """
    last = _last_seq(lake)
    _remove_unfinished(lake, last)
    plans = {
        name: plan(lake.spark, name, source, config, _known(lake, name)) for name, source in sources.given().items()
    }
    rows: dict[str, int] = {}
    notes = []
    for name, groups in plans.items():
        if not groups:
            tell(f"{name}: no new file")
            continue
        tell(f"{name}: reading {sum(map(len, groups.values()))} new files")
        reader = _Reading(lake, name, getattr(sources, name), config, now or datetime.now(timezone.utc))
        accounts = reader.run(groups, first=last + 1)
        last += len(accounts)
        accepted, quarantined, filtered = _totals(accounts)
        rows[name] = accepted
        notes.append(f"{name}: {accepted:,} rows accepted, {quarantined:,} quarantined, {filtered:,} filtered")
        tell(notes[-1])
    brought = any(rows.get(contract.name) for contract in APPENDED)
    if not brought and all(lake.read(contract).isEmpty() for contract in APPENDED):
        raise InputError(
            "sources: no row of events, orders or ratings was accepted; see the reasons in the quarantine table, and"
            " mend the mapping or the files"
        )
    return StageResult(rows=rows, notes=tuple(notes))


def check_sources(lake: Lake, sources: SourcesConfig, config: IngestConfig | None = None) -> None:
    """Looks at file lists and first lines only. Raises InputError, naming the key, where a source cannot be used."""
    for name, source in sources.given().items():
        _plan(lake, name, source, config)


def check_quality(context: StageContext, sources: SourcesConfig, config: IngestConfig) -> StageResult:
    """Writes the run's `quality` from the ledger, the logs and quarantine."""
    lake, run = context.lake, context.run
    ledger = lake.read(SOURCE_FILES).where(F.col("ingest_seq") <= run.ingest_seq)
    checks = [quality.of_ledger(ledger, config)]
    rejected = lake.read(QUARANTINE).where(F.col("ingest_seq") <= run.ingest_seq)
    checks.append(quality.of_quarantine(rejected))
    for name in sources.given():
        log = lake.read(LOGS[name]).where(F.col("ingest_seq") <= run.ingest_seq)
        checks.append(quality.of_log(log, name, config, run.as_of))
    written = lake.replace_run(QUALITY, reduce(DataFrame.unionByName, checks), run.run_id)
    failed = lake.read_run(QUALITY, run.run_id).where(~F.col("passed")).orderBy("source", "check").collect()
    notes = tuple(f"quality: {row.source}: {row.check} is {row.value}, allowed {row.bound:g}" for row in failed)
    return StageResult(rows={"quality": written}, notes=notes)


def _plan(lake: Lake, name: str, source: SourceConfig, config: IngestConfig | None) -> Groups:
    return plan(lake.spark, name, source, config, _known(lake, name))


def _known(lake: Lake, name: str) -> dict[str, Entry]:
    rows = lake.read(SOURCE_FILES).where(F.col("source") == name)
    return {
        row.path: Entry(row.size, row.modified, row.digest, row.mapping_digest)
        for row in rows.withColumn("modified", F.unix_micros("modified_at")).collect()
    }


def _remove_unfinished(lake: Lake, last: int) -> None:
    """Removes rows of files beyond the ledger's `last`: a file's row in the ledger is written after its rows."""
    for contract in (*APPENDED, QUARANTINE):
        if not lake.read(contract).where(F.col("ingest_seq") > last).isEmpty():
            lake.delete(contract, f"ingest_seq > {last}")


def _last_seq(lake: Lake) -> int:
    last = F.coalesce(F.max("ingest_seq"), F.lit(0))
    return lake.read(SOURCE_FILES).agg(last.alias("last")).collect()[0].last


def _totals(accounts: Sequence[Account]) -> tuple[int, int, int]:
    return (
        sum(account.accepted for account in accounts),
        sum(account.quarantined for account in accounts),
        sum(account.filtered for account in accounts),
    )


class _Reading:
    """One source's new files on their way into the lake."""

    def __init__(self, lake: Lake, name: str, source: SourceConfig, config: IngestConfig, now: datetime) -> None:
        self.lake, self.name, self.source, self.config, self.now = lake, name, source, config, now
        self.contract: Contract = LOGS[name]
        self.made_key = made_key(name, source)
        self._kept: list[DataFrame] = []

    def run(self, groups: Groups, first: int) -> list[Account]:
        """Reads the files, which get numbers from `first` on; the account of each, as it stands in the ledger now."""
        files = sorted((file for members in groups.values() for file in members), key=lambda file: file.path)
        numbers = {file.url: first + place for place, file in enumerate(files)}
        found: Contents = {}
        for columns, members in groups.items():
            found |= contents(reading.scan(self.lake.spark, self.source, columns, members), self.name)
        counts = self._write(groups, files, numbers) if any(rows for rows, _ in found.values()) else _Counts()
        accounts = [self._account(file, numbers[file.url], found, counts) for file in files]
        settle(self.name, accounts)
        mapping = mapping_digest(self.source, self.config)
        self.lake.append(SOURCE_FILES, entries(self.lake.spark, self.name, accounts, mapping, self.now))
        return accounts

    def _write(self, groups: Groups, files: Sequence[SourceFile], numbers: dict[str, int]) -> "_Counts":
        # Kept because parsing text is the dearest step, and counting, key checks and two writes all need its
        # outcome; the same bytes also fix each row's number while the files are split into tasks.
        judged = judged_rows(self.lake.spark, self.name, self.source, self.config, groups, self.now)
        judged = judged.persist(StorageLevel.MEMORY_AND_DISK)
        try:
            return self._store(place_rows(judged, self.source, numbers), files, numbers)
        finally:
            for frame in (judged, *self._kept):
                frame.unpersist()

    def _store(self, rows: DataFrame, files: Sequence[SourceFile], numbers: dict[str, int]) -> "_Counts":
        log = self._same_days(rows)
        key = unique_key(self.name, self.source)
        repeated = self._small(keys.repeated_keys(rows, key, log)) if key else None
        marked = keys.mark_duplicates(rows, repeated, key) if key and repeated is not None else rows
        # Quarantine goes first: once the log has the new rows, it would call each of them a duplicate of itself.
        counts = _Counts(quarantined=self._quarantine(marked, files, numbers))
        if self.contract in APPENDED:
            self._append(self._with_made_keys(marked, log).where("__ok"), counts, numbers)
        else:
            fit = marked.where("__ok")
            self.lake.upsert(self.contract, keys.last_of_each(fit, self.contract.key) if len(files) > 1 else fit)
            counts.accepted = _per_file(fit)
        if self.made_key == "line":
            counts.repeated = _per_file(keys.exact_repeats(rows))
        counts.filtered = _per_file(rows.where("__filtered")) if self.source.where is not None else {}
        return counts

    def _append(self, fit: DataFrame, counts: "_Counts", numbers: dict[str, int]) -> None:
        self.lake.append(self.contract, fit)
        written = self.lake.read(self.contract).where(F.col("ingest_seq") >= min(numbers.values()))
        counts.accepted = _per_file(written)
        if self.made_key == "event_id":
            counts.repeated = _per_file(written.where(F.col("event_id").contains("-")))

    def _quarantine(self, rows: DataFrame, files: Sequence[SourceFile], numbers: dict[str, int]) -> dict[int, int]:
        rejected = rejected_rows(rows, self.name, files, numbers, self.now)
        if rejected.isEmpty():
            return {}
        self.lake.append(QUARANTINE, rejected)
        return _per_file(self.lake.read(QUARANTINE).where(F.col("ingest_seq") >= min(numbers.values())))

    def _same_days(self, rows: DataFrame) -> DataFrame | None:
        """The log's rows of the days that the new rows touch; None where there are none."""
        if self.contract not in APPENDED or not self.lake.exists(self.contract):
            return None
        days = [row.day for row in rows.where("__ok").select("day").distinct().collect()]
        log = self.lake.read(self.contract).where(F.col("day").isin(days))
        return None if not days or log.isEmpty() else log

    def _with_made_keys(self, rows: DataFrame, log: DataFrame | None) -> DataFrame:
        if self.made_key == "event_id":
            old = log if log is not None else self.lake.read(EVENTS).where(F.lit(False))
            return keys.name_events(rows, self._small(keys.repeated_contents(rows, old)))
        if self.made_key == "line":
            whole_log = self.lake.read(ORDERS)  # an order may come back on another day
            return keys.number_lines(rows, None if whole_log.isEmpty() else keys.highest_lines(rows, whole_log))
        return rows

    def _small(self, repeated: DataFrame) -> DataFrame | None:
        """The repeated keys, computed once, ready to be sent to every task where they are few; None for none."""
        kept = repeated.persist(StorageLevel.MEMORY_AND_DISK)
        self._kept.append(kept)
        count = kept.count()
        if count == 0:
            return None
        return F.broadcast(kept) if count <= FEW else kept

    def _account(self, file: SourceFile, seq: int, found: Contents, counts: "_Counts") -> Account:
        rows, digest = found.get(file.url, EMPTY)
        return Account(
            file,
            digest,
            rows_in=rows - min(rows, header_lines(self.source)),
            accepted=counts.accepted.get(seq, 0),
            quarantined=counts.quarantined.get(seq, 0),
            filtered=counts.filtered.get(seq, 0),
            repeated=counts.repeated.get(seq, 0),
            ingest_seq=seq,
        )


@dataclass
class _Counts:
    """Rows by ingest_seq, each counted where they ended."""

    accepted: dict[int, int] = field(default_factory=dict)
    quarantined: dict[int, int] = field(default_factory=dict)
    filtered: dict[int, int] = field(default_factory=dict)
    repeated: dict[int, int] = field(default_factory=dict)


def _per_file(rows: DataFrame) -> dict[int, int]:
    return {row.ingest_seq: row["count"] for row in rows.groupBy("ingest_seq").count().collect()}
