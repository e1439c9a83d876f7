"""The ingest stage: new files into the log tables, what breaks a rule into quarantine, an account of each file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import EVENTS, ORDERS, QUALITY, QUARANTINE, RUNS, SOURCE_FILES, Contract
from segspark.core.errors import InputError
from segspark.core.lake import Lake
from segspark.core.stage import StageContext, StageResult
from segspark.ingest import keys, quality
from segspark.ingest.config import LOGS, IngestConfig, SourceConfig, SourcesConfig, mapping_digest
from segspark.ingest.files import SourceFile
from segspark.ingest.headers import Group
from segspark.ingest.ledger import (
    EMPTY,
    Account,
    Entry,
    FileEntry,
    entries,
    newest_entries,
    settle,
    superseded,
    whole_files,
)
from segspark.ingest.placing import (
    APPENDED,
    header_lines,
    judged_rows,
    made_key,
    place_rows,
    rejected_rows,
    unique_key,
)
from segspark.ingest.plan import Content, Plan, plan, read_through
from segspark.ingest.unreadable import Unreadable

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

    Every source is checked, and read through, before the first row is kept. `now` (with a time zone) is what the future
    is counted from. What an interrupted ingest left behind is removed first. Raises InputError for a source that cannot
    be used, for a file that cannot be read where `bad_files` is `fail`, and where there is no event, order or rating in
    the end; SegsparkError where a file's rows do not add up.
    """
    read_before = _read_before(lake)
    _forget(lake, superseded(read_before))
    last = max((each.entry.ingest_seq for each in read_before), default=0)
    _remove_unfinished(lake, last)
    given = sources.given()
    known = {name: newest_entries(read_before, name) for name in given}
    plans = {name: plan(lake.spark, name, source, config, known[name]) for name, source in given.items()}
    for name in plans:
        tell(f"{name}: reading {len(plans[name].files)} new files" if plans[name].files else f"{name}: no new file")
        plans[name] = read_through(lake.spark, name, given[name], config, plans[name], known[name])
    rows: dict[str, int] = {}
    notes = []
    for name, planned in plans.items():
        if not planned.files:
            continue
        reader = _Reading(lake, name, given[name], config, now or datetime.now(timezone.utc))
        accounts = reader.run(planned, first=last + 1)
        last += len(accounts)
        accepted, quarantined, filtered = _totals(accounts)
        rows[name] = accepted
        notes.append(f"{name}: {accepted:,} rows accepted, {quarantined:,} quarantined, {filtered:,} filtered")
        notes += [f"{name}: {each.file.path} is left out: {each.reason}" for each in planned.unreadable]
        for note in notes[-1 - len(planned.unreadable) :]:
            tell(note)
    brought = any(rows.get(contract.name) for contract in APPENDED)
    if not brought and all(lake.read(contract).isEmpty() for contract in APPENDED):
        raise InputError(_nothing_accepted(lake))
    return StageResult(rows=rows, notes=tuple(notes))


def check_sources(lake: Lake, sources: SourcesConfig, config: IngestConfig | None = None) -> None:
    """Looks at file lists and first lines only. Raises InputError, naming the key, where a source cannot be used."""
    read_before = _read_before(lake)
    for name, source in sources.given().items():
        plan(lake.spark, name, source, config, newest_entries(read_before, name))


def check_quality(context: StageContext, sources: SourcesConfig, config: IngestConfig) -> StageResult:
    """Writes the run's `quality` from the ledger, the logs and quarantine.

    Refuses the run where of the rows that a source brought since the published run too many are in quarantine.
    """
    lake, run = context.lake, context.run
    published = _seq_of(lake, run.previous)
    ledger = lake.read(SOURCE_FILES).where(F.col("ingest_seq") <= run.ingest_seq)
    rejected = lake.read(QUARANTINE).where(F.col("ingest_seq") <= run.ingest_seq)
    since = F.col("ingest_seq") > published
    checks = [quality.of_ledger(ledger, config), quality.of_new_files(ledger.where(since), config)]
    checks.append(quality.of_quarantine(rejected))
    for name in sources.given():
        log = lake.read(LOGS[name]).where(F.col("ingest_seq") <= run.ingest_seq)
        checks.append(quality.of_log(log, name, config, run.as_of))
    written = lake.replace_run(QUALITY, reduce(DataFrame.unionByName, checks), run.run_id)
    failed = lake.read_run(QUALITY, run.run_id).where(~F.col("passed")).orderBy("source", "check").collect()
    notes = tuple(f"quality: {row.source}: {row.check} is {_told(row.value)}, allowed {row.bound:g}" for row in failed)
    worst = quality.most_quarantined(ledger.where(since), rejected, config).first()
    refused = None if worst is None else quality.refusal(worst, config, after=run.previous)
    return StageResult(rows={"quality": written}, notes=notes, refused=refused)


def _seq_of(lake: Lake, run_id: str | None) -> int:
    """The highest file number that a run saw; 0 for no run."""
    seen = lake.read(RUNS).where(F.col("run_id") == run_id).agg(F.max("ingest_seq")).first() if run_id else None
    return seen[0] if seen and seen[0] is not None else 0


def _nothing_accepted(lake: Lake) -> str:
    reasons = quality.reasons(lake.read(SOURCE_FILES), lake.read(QUARANTINE)).orderBy(F.desc("rows"), "reason")
    row = reasons.first()
    most = f" ({row.source}: {row.reason}, {row.rows:,} rows)" if row else ""
    return f"sources: no row of events, orders or ratings was accepted{most}; mend the mapping or the files"


def _read_before(lake: Lake) -> list[FileEntry]:
    """The whole ledger, oldest first: a few hundred bytes for each file that was ever read."""
    rows = lake.read(SOURCE_FILES).withColumn("modified", F.unix_micros("modified_at"))
    columns = ("size", "modified", "digest", "mapping_digest", "rows_in", "ingest_seq", "problem")
    read = rows.select("source", "path", *columns).orderBy("ingest_seq").collect()
    return [FileEntry(row.source, row.path, Entry(*(row[column] for column in columns))) for row in read]


def _forget(lake: Lake, numbers: Sequence[int]) -> None:
    """Removes what was written of files that could not be read."""
    if numbers:
        for contract in (QUARANTINE, SOURCE_FILES):
            lake.delete(contract, f"ingest_seq IN ({', '.join(map(str, numbers))})")


def _remove_unfinished(lake: Lake, last: int) -> None:
    """Removes rows of files beyond the ledger's `last`: a file's row in the ledger is written after its rows."""
    beyond, tables = F.col("ingest_seq") > last, {contract.name: contract for contract in (*APPENDED, QUARANTINE)}
    looks = [
        lake.read(table).where(beyond).select(F.lit(name).alias("name")).limit(1) for name, table in tables.items()
    ]
    for row in reduce(DataFrame.unionByName, looks).collect():
        lake.delete(tables[row["name"]], f"ingest_seq > {last}")


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

    def run(self, planned: Plan, first: int) -> list[Account]:
        """Reads the files, which get numbers from `first` on; the account of each, as it stands in the ledger now."""
        numbers = {file.url: first + place for place, file in enumerate(planned.files)}
        files = [file for group in planned.groups for file in group.files]
        counts = self._write(planned.groups, files, numbers) if planned.contents else _Counts()
        accounts = [self._account(file, numbers[file.url], planned.contents, counts) for file in files]
        accounts += [self._whole_file(each, numbers[each.file.url]) for each in planned.unreadable]
        settle(self.name, accounts)
        if planned.unreadable:
            self.lake.append(QUARANTINE, whole_files(accounts, self.name, self.lake.spark, self.now))
        mapping = mapping_digest(self.source, self.config)
        self.lake.append(SOURCE_FILES, entries(self.lake.spark, self.name, accounts, mapping, self.now))
        _forget(self.lake, planned.again)
        return accounts

    def _write(self, groups: Sequence[Group], files: Sequence[SourceFile], numbers: dict[str, int]) -> "_Counts":
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

    def _whole_file(self, found: Unreadable, seq: int) -> Account:
        rows = found.rows or 0
        return Account(found.file, "", rows, 0, rows, 0, 0, seq, found.reason)

    def _account(self, file: SourceFile, seq: int, found: Mapping[str, Content], counts: "_Counts") -> Account:
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


def _told(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g}"
