"""The ingest stage: new files into the log tables, what breaks a rule into quarantine, an account of each file."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from functools import reduce

from pyspark import StorageLevel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.arrow_rows import to_arrow
from segspark.core.contracts import ORDERS, QUARANTINE, SOURCE_FILES, Contract
from segspark.core.errors import InputError
from segspark.core.lake import Lake
from segspark.core.stage import StageResult
from segspark.ingest import keys
from segspark.ingest.checks.quality import Rejected, commonest, count_rejected
from segspark.ingest.config import LOGS, IngestConfig, SourceConfig, SourcesConfig, mapping_digest
from segspark.ingest.files import SourceFile, by_age, reading_settings
from segspark.ingest.ledger import (
    EMPTY,
    Account,
    FileEntry,
    entries,
    newest_entries,
    read_before,
    settle,
    settle_write,
    superseded,
    told_of,
    whole_files,
)
from segspark.ingest.placing import (
    APPENDED,
    files_worth,
    header_lines,
    judged_rows,
    laid_out,
    made_key,
    place_rows,
    rejected_rows,
    unique_key,
)
from segspark.ingest.plan import Plan, plan, read_through
from segspark.ingest.tally import Counts, add_up, count_files, count_parts
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
    before = read_before(lake.rows(SOURCE_FILES))
    _forget(lake, superseded(before))
    last = max((each.entry.ingest_seq for each in before), default=0)
    _remove_unfinished(lake, last)
    given = sources.given()
    logged = {each.source for each in before if each.entry.accepted}
    rows: dict[str, int] = {}
    notes: list[str] = []
    with lake.settings(reading_settings(given.values())):
        for name, planned in _plans(lake, given, config, before, tell).items():
            if not planned.files:
                continue
            reader = _Reading(lake, name, given[name], config, now or datetime.now(timezone.utc), name in logged)
            accounts = reader.run(planned, first=last + 1)
            last += len(accounts)
            rows[name] = sum(account.accepted for account in accounts)
            told = [*planned.absent(name), *_order_told(name, planned), *told_of(name, accounts)]
            notes += told
            for note in told:
                tell(note)
    accepted = logged | {name for name in rows if rows[name]}
    if accepted.isdisjoint(contract.name for contract in APPENDED):
        raise InputError(_nothing_accepted(lake))
    return StageResult(rows=rows, notes=tuple(notes))


def check_sources(lake: Lake, sources: SourcesConfig, config: IngestConfig | None = None) -> None:
    """Looks at file lists and first lines only. Raises InputError, naming the key, where a source cannot be used."""
    before = read_before(lake.rows(SOURCE_FILES))
    for name, source in sources.given().items():
        plan(lake.spark, name, source, config, newest_entries(before, name))


def _plans(
    lake: Lake, given: Mapping[str, SourceConfig], config: IngestConfig, before: Sequence[FileEntry], tell: Tell
) -> dict[str, Plan]:
    """The new files of every source, read through to their ends."""
    known = {name: newest_entries(before, name) for name in given}
    plans = {name: plan(lake.spark, name, source, config, known[name]) for name, source in given.items()}
    for name, planned in plans.items():
        tell(f"{name}: reading {len(planned.files)} new files" if planned.files else f"{name}: no new file")
    return read_through(lake.spark, plans, given, config, known)


def _order_told(name: str, planned: Plan) -> list[str]:
    """What a person is told of files of which a later one replaces rows of an earlier one."""
    names = [file.path.rpartition("/")[2] for file in by_age(planned.files)]
    if LOGS[name] in APPENDED or len(names) < 2:
        return []
    return [f"{name}: {len(names)} files count by their times, the newest last: from {names[0]} to {names[-1]}"]


def _nothing_accepted(lake: Lake) -> str:
    rejected = [Rejected(*row) for row in count_rejected(lake.read(QUARANTINE), published=0).collect()]
    found = commonest(lake.rows(SOURCE_FILES), rejected)
    most = f" ({found[0]}: {found[1]}, {found[2]:,} rows)" if found else ""
    return f"sources: no row of events, orders or ratings was accepted{most}; mend the mapping or the files"


def _forget(lake: Lake, numbers: Sequence[int]) -> None:
    """Removes what was written of files that could not be read."""
    if numbers:
        for contract in (QUARANTINE, SOURCE_FILES):
            lake.delete(contract, f"ingest_seq IN ({', '.join(map(str, numbers))})")


def _remove_unfinished(lake: Lake, last: int) -> None:
    """Removes rows of files beyond the ledger's `last`: a file's row in the ledger is written after its rows."""
    tables = {contract.name: contract for contract in (*APPENDED, QUARANTINE) if lake.exists(contract)}
    looks = [
        lake.read(table).where(F.col("ingest_seq") > last).select(F.lit(name).alias("name"))
        for name, table in tables.items()
    ]
    for row in reduce(DataFrame.unionByName, looks).distinct().collect() if looks else []:
        lake.delete(tables[row["name"]], f"ingest_seq > {last}")


class _Reading:
    """One source's new files on their way into the lake."""

    def __init__(
        self, lake: Lake, name: str, source: SourceConfig, config: IngestConfig, now: datetime, is_logged: bool
    ) -> None:
        self.lake, self.name, self.source, self.config, self.now = lake, name, source, config, now
        self.is_logged = is_logged  # whether rows of earlier files are in the log
        self.contract: Contract = LOGS[name]
        self.made_key = made_key(name, source)
        self._kept: list[DataFrame] = []

    def run(self, planned: Plan, first: int) -> list[Account]:
        """Reads the files, which get numbers from `first` on; the account of each, as it stands in the ledger now."""
        files = planned.files if self.contract in APPENDED else by_age(planned.files)
        numbers = {file.url: first + place for place, file in enumerate(files)}
        broken = [self._whole_file(each, numbers[each.file.url]) for each in planned.unreadable]
        try:
            counts = self._store(planned, numbers, broken)
        finally:
            for frame in self._kept:
                frame.unpersist()
        files = [file for group in planned.groups for file in group.files]
        accounts = [self._account(file, numbers[file.url], planned, counts) for file in files] + broken
        settle(self.name, accounts)
        mapping = mapping_digest(self.source, self.config)
        self.lake.append_rows(SOURCE_FILES, entries(self.name, accounts, mapping, self.now))
        _forget(self.lake, planned.again)
        return accounts

    def _store(self, planned: Plan, numbers: Mapping[str, int], broken: Sequence[Account]) -> Counts:
        """Writes the rows to quarantine and to the log; returns where each file's rows ended."""
        self.lake.create(self.contract)
        whole = whole_files(self.name, broken, self.now)
        if not any(rows > header_lines(self.source) for rows, _ in planned.contents.values()):
            self._quarantine(None, 0, whole)
            return Counts()
        # Kept because parsing text is the dearest step, and counting, key checks and two writes all need its
        # outcome; the same bytes also fix each row's number while the files are split into tasks.
        judged = self._keep(judged_rows(self.name, self.source, self.config, planned.groups, self.now))
        by_day = self.is_logged and self.contract in APPENDED
        tally = add_up(count_parts(judged, by_day).collect(), numbers, header_lines(self.source))
        log = self.lake.read(self.contract).where(F.col("day").isin(tally.days)) if tally.days else None
        rows, counts = self._without_repeats(place_rows(judged, self.source, tally.shifts), tally.counts, log)
        # Quarantine goes first: once the log has the new rows, it would call each of them a duplicate of itself.
        paths = {numbers[file.url]: file.path for file in planned.files}
        self._quarantine(rejected_rows(rows, self.name, paths, self.now), sum(counts.quarantined.values()), whole)
        fit, repeated = self._with_made_keys(rows, log)
        self._accept(fit, sum(counts.accepted.values()), is_one_file=len(planned.files) == 1)
        return replace(counts, repeated=repeated)

    def _without_repeats(self, rows: DataFrame, counts: Counts, log: DataFrame | None) -> tuple[DataFrame, Counts]:
        """The rows, those rejected that bring a key of the source once more; `log` has the days of the new rows."""
        key = unique_key(self.name, self.source)
        repeated = self._few(keys.repeated_keys(rows, key, log)) if key else None
        if repeated is None:
            return rows, counts
        marked = keys.mark_duplicates(rows, repeated, key)
        files = count_files(marked).collect()
        accepted = {file.ingest_seq: file.accepted for file in files}
        quarantined = {file.ingest_seq: file.quarantined for file in files}
        return marked, replace(counts, accepted=accepted, quarantined=quarantined)

    def _with_made_keys(self, rows: DataFrame, log: DataFrame | None) -> tuple[DataFrame, dict[int, int]]:
        """The fit rows with the key that the source lacks, and by file how many of them equal an earlier one."""
        if self.made_key == "event_id":
            repeated = self._few(keys.repeated_contents(rows, log))
            named = keys.name_events(rows, repeated).where("__ok")
            return named, {} if repeated is None else _per_file(named.where(F.col("event_id").contains("-")))
        if self.made_key == "line":  # an order may come back on another day
            highest = keys.highest_lines(rows, self.lake.read(ORDERS)) if self.is_logged else None
            return keys.number_lines(rows, highest), _per_file(keys.exact_repeats(rows))
        return rows.where("__ok"), {}

    def _quarantine(self, rows: DataFrame | None, count: int, whole: Sequence[Mapping[str, object]]) -> None:
        """Writes the rejected rows, which were counted, and a row for each file that cannot be read."""
        frames = [rows] if rows is not None and count else []
        if whole:
            frames.append(self.lake.spark.createDataFrame(to_arrow(QUARANTINE, whole)))
        if frames:
            rejected = reduce(DataFrame.unionByName, frames).coalesce(files_worth(count))
            written = self.lake.append(QUARANTINE, rejected, files_worth(count))
            settle_write(self.name, QUARANTINE.name, count + len(whole), written)

    def _accept(self, fit: DataFrame, count: int, is_one_file: bool) -> None:
        """Writes the rows to the log, which they are appended to or merged into."""
        if count and self.contract in APPENDED:
            rows = laid_out(fit, self.name, count)
            written = self.lake.append(self.contract, rows, files_worth(count))
            settle_write(self.name, self.name, count, written)
        elif count:
            newest = fit if is_one_file else keys.last_of_each(fit, self.contract.key)
            self.lake.upsert(self.contract, laid_out(newest, self.name, count))

    def _few(self, repeated: DataFrame) -> DataFrame | None:
        """The repeated keys, computed once, ready to be sent to every task where they are few; None for none."""
        kept = self._keep(repeated)
        count = kept.count()
        if count == 0:
            return None
        return F.broadcast(kept) if count <= FEW else kept

    def _keep(self, frame: DataFrame) -> DataFrame:
        self._kept.append(frame.persist(StorageLevel.MEMORY_AND_DISK))
        return self._kept[-1]

    def _whole_file(self, found: Unreadable, seq: int) -> Account:
        rows = found.rows or 0
        return Account(found.file, "", rows, 0, rows, 0, 0, seq, found.reason)

    def _account(self, file: SourceFile, seq: int, planned: Plan, counts: Counts) -> Account:
        rows, digest = planned.contents.get(file.url, EMPTY)
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


def _per_file(rows: DataFrame) -> dict[int, int]:
    return {row.ingest_seq: row["count"] for row in rows.groupBy("ingest_seq").count().collect()}
