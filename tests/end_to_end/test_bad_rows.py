"""Rows are conserved: each bad file and row of `bad_rows.py` ends where it is said there; none is lost or doubled.

Beside them: inputs that stop a run before anything is kept (exit code 2), and the share of bad rows above which a run
is refused (3). What is wrong in the configuration itself stands in `test_bad_input.py`.
"""

import glob
import gzip
import shutil
from dataclasses import dataclass

import pytest
import yaml
from pyspark.sql import functions as F

from segspark.cli import main
from segspark.core.contracts import EVENTS, ORDERS, PUBLICATIONS, QUARANTINE, RATINGS, RUNS, SOURCE_FILES
from segspark.core.lake import Lake
from tests.end_to_end import bad_rows
from tests.end_to_end.bad_rows import (
    EVENT_COLUMNS,
    HEADER,
    MANY,
    ORDER_COLUMNS,
    RATING_COLUMNS,
    Case,
    broken,
    event,
    good,
    lines,
    order,
    rating_cases,
)

pytestmark = pytest.mark.slow
LOGS = {"orders": ORDERS, "events": EVENTS, "ratings": RATINGS}
FORMATS = {"orders": "csv", "events": "json", "ratings": "parquet"}
COLUMNS = {"orders": ORDER_COLUMNS, "events": EVENT_COLUMNS, "ratings": RATING_COLUMNS}
NO_RATINGS = rating_cases(lambda rows, schema: b"." * 99)  # for names: the bytes need Spark
NAMES = [
    (source, case.name)
    for source, cases in [("orders", bad_rows.ORDERS), ("events", bad_rows.EVENTS), ("ratings", NO_RATINGS)]
    for case in cases
]


def put(folder, case):
    path = folder / case.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(case.content if isinstance(case.content, bytes) else case.content.encode())
    return path


def configure(folder, sources, **ingest):
    """The path of a configuration over `folder/<source>`; a source is changed by what `sources` says of it."""
    content = {
        "lake": str(folder / "lake"),
        "sources": {
            name: {"path": str(folder / name), "format": FORMATS[name], "columns": COLUMNS[name], **changes}
            for name, changes in sources.items()
        },
        "ingest": ingest,
        "spark": {"shuffle_partitions": 2},
    }
    (folder / "shop.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    return str(folder / "shop.yaml")


def ended(*arguments):
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


@pytest.fixture(scope="session")
def parquet_bytes(spark, tmp_path_factory):
    """Writes rows as one Parquet file and gives its bytes."""

    def write(rows, schema):
        folder = tmp_path_factory.mktemp("parquet") / "rows"
        as_text = schema.replace("t timestamp", "t string").replace("T timestamp", "T string")
        frame = spark.createDataFrame(rows, as_text).withColumn("t", F.col("t").cast("timestamp"))
        # Of zstd, which has no checksum here, 64 other bytes are other text; of snappy they cannot be read.
        frame.coalesce(1).write.option("compression", "snappy").parquet(str(folder))
        (file,) = glob.glob(f"{folder}/part-*.parquet")
        return open(file, "rb").read()

    return write


@dataclass(frozen=True)
class Ingested:
    """A lake after two runs over all cases; where each file and each row ended."""

    cases: dict[tuple[str, str], Case]
    files: dict[tuple[str, str], dict]
    first_files: dict[tuple[str, str], dict]
    rejected: dict[int, list]
    accepted: dict[int, list]
    codes: tuple[int, int]


@pytest.fixture(scope="module")
def ingested(spark, parquet_bytes, tmp_path_factory):
    folder = tmp_path_factory.mktemp("bad")
    named = {"orders": bad_rows.ORDERS, "events": bad_rows.EVENTS, "ratings": rating_cases(parquet_bytes)}
    cases = {(source, case.name): case for source, several in named.items() for case in several}
    changes = {"orders": {"where": "item <> 'post'"}, "events": {}, "ratings": {}}
    config = configure(folder, changes, max_quarantined_share=1)
    for (source, _), case in cases.items():
        if not case.second_run:
            put(folder / source, case)
    (folder / "orders/no bytes.csv").touch()
    command = ("run", "--config", config, "--only", "ingest")
    first = ended(*command)
    lake = Lake(spark, str(folder / "lake"))
    first_files = files_of(lake, folder)
    for (source, _), case in cases.items():
        if case.second_run:
            put(folder / source, case)
    put(folder / "orders", Case("cut.csv.gz", lines(*good(3, "mended"))))  # no gzip any more: still unreadable
    put(folder / "orders", Case("damaged.csv.gz", gzip.compress(lines(*good(3, "mended")).encode())))
    second = ended(*command)
    rejected, accepted = {}, {}
    for row in lake.read(QUARANTINE).collect():
        rejected.setdefault(row.ingest_seq, []).append(row)
    for contract in LOGS.values():
        for row in lake.read(contract).collect():
            accepted.setdefault(row.ingest_seq, []).append(row)
    return Ingested(cases, files_of(lake, folder), first_files, rejected, accepted, (first, second))


def files_of(lake, folder):
    """The ledger's rows by source and name of the file."""
    found = {}
    for row in lake.read(SOURCE_FILES).collect():
        name = row.path.split(f"{folder}/{row.source}/")[1]
        assert (row.source, name) not in found, f"{name} twice in the ledger"
        found[row.source, name] = row.asDict()
    return found


def test_both_runs_end_well(ingested):
    assert ingested.codes == (0, 0)


@pytest.mark.parametrize(("source", "name"), NAMES, ids=[f"{source}: {name}" for source, name in NAMES])
def test_every_row_ends_where_it_is_said(ingested, source, name):
    case = ingested.cases[source, name]
    files = ingested.first_files if name in ("cut.csv.gz", "damaged.csv.gz") else ingested.files
    entry = files[source, name]
    counts = (entry["accepted"], entry["quarantined"], entry["filtered"])
    assert entry["rows_in"] == sum(counts)
    if case.whole:
        assert entry["problem"].startswith(case.whole)
        assert counts[0] == counts[2] == 0 and counts[1] >= 1
        return
    assert entry["problem"] is None
    assert counts == (case.accepted, sum(case.quarantined.values()), case.filtered)
    reasons = [row.reason for row in ingested.rejected.get(entry["ingest_seq"], [])]
    for beginning, count in case.quarantined.items():
        assert sum(reason.startswith(beginning) for reason in reasons) == count, reasons
    assert len(reasons) == counts[1]
    rows = ingested.accepted.get(entry["ingest_seq"], [])
    assert len(rows) == counts[0]
    for column, value in case.values.items():
        assert {str(row[column]) for row in rows} == {str(value)}


def test_an_unreadable_file_is_one_row_in_quarantine_and_stands_for_all_its_rows(ingested):
    for (source, name), entry in ingested.files.items():
        if entry["problem"] is not None:
            (row,) = ingested.rejected[entry["ingest_seq"]]
            found = (row.source, row.line, row.reason, row.raw)
            assert found == (source, 0, entry["problem"], None), name
            assert entry["ingest_seq"] not in ingested.accepted
    assert ingested.files["ratings", "damaged.parquet"]["quarantined"] == 1000  # as its footer tells
    by_size = ingested.first_files["orders", "cut.csv.gz"]["quarantined"]
    assert 10 < by_size < 4000  # some 1,000 rows are left of 2,000; estimated by the size of rows in other files


def test_no_row_and_no_file_is_lost_or_doubled(ingested):
    assert ("orders", "no bytes.csv") not in ingested.files
    assert set(ingested.files) == set(ingested.cases)
    numbers = {entry["ingest_seq"] for entry in ingested.files.values()}
    assert len(numbers) == len(ingested.files)
    assert set(ingested.rejected) | set(ingested.accepted) <= numbers


def test_an_unreadable_file_is_read_again_only_where_it_changed(ingested):
    before, after = ingested.first_files, ingested.files
    mended, still = ("orders", "damaged.csv.gz"), ("orders", "cut.csv.gz")
    assert (after[mended]["accepted"], after[mended]["problem"]) == (3, None)
    assert after[still]["problem"].startswith("no gzip file")
    unchanged = [key for key in before if key not in (mended, still)]
    assert [after[key]["ingest_seq"] for key in unchanged] == [before[key]["ingest_seq"] for key in unchanged]


@dataclass(frozen=True)
class Stop:
    """An input that stops the run: the files, what is changed in the configuration, and words of the one line."""

    source: str
    files: dict[str, str | bytes]
    words: tuple[str, ...]
    changes: dict | None = None
    ingest: dict | None = None


def with_column(name, expression):
    return {"columns": {**ORDER_COLUMNS, name: expression}}


GOOD = lines(order("1"))
STOPS = {
    "an empty folder": Stop("orders", {}, ("sources.orders.path", "no file there")),
    "files of no bytes": Stop("orders", {"a.csv": ""}, ("sources.orders", "no file there")),
    "a folder in place of the file": Stop("orders", {"a.csv/.hidden": "x"}, ("sources.orders.path", "no file there")),
    "a column is missing": Stop(
        "orders",
        {"a.csv": GOOD, "b.csv": lines("1,tea", header="no,item")},
        ("sources.orders.columns.order_time: no column at in", "b.csv; it has: no, item"),
    ),
    "a blank line before the header": Stop("orders", {"a.csv": f"\n{GOOD}"}, ("no column no in", "it has: _c0")),
    "a column is there twice": Stop(
        "orders", {"a.csv": lines(order("1") + ",x", header=f"{HEADER},NO")}, ("2 columns no in", "rename all but one")
    ),
    "a field in another case": Stop(
        "events", {"a.json": event("1").replace('"kind"', '"Kind"')}, ("no column kind in", "it has: Kind, id, p, t, u")
    ),
    "no row is good": Stop("orders", {"a.csv": lines("x", "y")}, ("no row of events", "another number of fields")),
    "the only file is cut off": Stop("orders", {"a.csv.gz": broken(MANY, "cut")}, ("no row of events", "is cut off")),
    "a cut file, not to be left out": Stop(
        "orders",
        {"a.csv.gz": broken(MANY, "cut"), "b.csv": GOOD},
        ("sources.orders: ", "a.csv.gz: the file is cut off", "ingest.bad_files"),
        ingest={"bad_files": "fail"},
    ),
    "no Parquet, not to be left out": Stop(
        "ratings",
        {"a.parquet": "hello"},
        ("sources.ratings: ", "a.parquet: no whole Parquet file", "ingest.bad_files"),
        ingest={"bad_files": "fail"},
    ),
    "java_method": Stop(
        "orders", {"a.csv": GOOD}, ("java_method()",), with_column("status", "java_method('a.B', 'c')")
    ),
    "an unknown function": Stop("orders", {"a.csv": GOOD}, ("my_udf()",), with_column("status", "my_udf(no)")),
    "a sub-query in where": Stop("orders", {"a.csv": GOOD}, ("where", "a sub-query"), {"where": "no IN (SELECT 1)"}),
    "where is no condition": Stop("orders", {"a.csv": GOOD}, ("where", "give a condition"), {"where": "no"}),
    "types that do not fit": Stop(
        "orders", {"a.csv": GOOD}, ("sources.orders.columns.status",), with_column("status", "concat(array(no), 1.5)")
    ),
}


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_what_stops_a_run_is_told_in_one_line(spark, tmp_path, capfd, stop):
    (tmp_path / stop.source).mkdir()
    for name, content in stop.files.items():
        put(tmp_path / stop.source, Case(name, content))
    config = configure(tmp_path, {stop.source: stop.changes or {}}, **(stop.ingest or {}))
    capfd.readouterr()
    code, said = ended("run", "--config", config, "--only", "ingest"), capfd.readouterr().err
    assert code == 2, said
    (line,) = [line for line in said.splitlines() if line.startswith("segspark: ")]
    assert all(word in line for word in stop.words), line
    assert "Traceback" not in said and "\tat org.apache" not in said
    lake = Lake(spark, str(tmp_path / "lake"))
    assert all(lake.read(contract).isEmpty() for contract in LOGS.values())


def test_too_many_bad_rows_refuse_the_run_until_the_bound_is_raised(spark, tmp_path, capfd):
    put(tmp_path / "orders", Case("1.csv", lines(*good(17, "a"), order(""), order("", at=""), order("b", qty="-1"))))
    config = configure(tmp_path, {"orders": {}})
    assert ended("run", "--config", config) == 3
    said = capfd.readouterr().err
    expected = (
        "segspark: orders: 15% of the 20 rows read are in quarantine, more than the 5.0% that"
        " `ingest.max_quarantined_share` allows; most often: order_id is missing (2 rows); nothing was published; mend"
        " the files or the mapping, or raise that key to go on without these rows"
    )
    assert expected in said.splitlines()
    lake = Lake(spark, str(tmp_path / "lake"))
    assert (lake.read(ORDERS).count(), lake.read(QUARANTINE).count()) == (17, 3)
    assert lake.read(PUBLICATIONS).isEmpty()
    assert [row.status for row in lake.read(RUNS).where("stage = 'ingest'").collect()] == ["refused"]
    assert ended("run", "--config", config, "--only", "ingest") == 3  # the same input is refused again
    raised = ("--set", "ingest.max_quarantined_share=0.15")
    assert ended("run", "--config", config, "--only", "ingest", *raised) == 0


def test_a_known_bad_file_stops_the_run_too_once_bad_files_stop_it(spark, tmp_path, capfd):
    put(tmp_path / "orders", Case("1.csv", GOOD))
    bad = put(tmp_path / "orders", Case("2.csv.gz", broken(MANY, "cut")))
    settings = {"max_quarantined_share": 1}
    assert ended("run", "--config", configure(tmp_path, {"orders": {}}, **settings), "--only", "ingest") == 0
    assert "2.csv.gz is left out: the file is cut off" in capfd.readouterr().out
    strict = configure(tmp_path, {"orders": {}}, **settings, bad_files="fail")
    assert ended("run", "--config", strict, "--only", "ingest") == 2
    assert "2.csv.gz: the file is cut off" in capfd.readouterr().err
    bad.unlink()
    assert ended("run", "--config", strict, "--only", "ingest") == 0
    shutil.rmtree(tmp_path / "lake")
