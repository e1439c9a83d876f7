from dataclasses import replace

import pytest
from pyspark.sql import functions as F

from segspark.core.contracts import QUARANTINE, SOURCE_FILES
from segspark.core.errors import InputError
from segspark.ingest.config import IngestConfig
from segspark.ingest.files import SourceFile
from segspark.ingest.ledger import Entry, sort_out
from segspark.ingest.stage import ingest
from segspark.ingest.unreadable import Unreadable, reason_of, refuse, with_rows
from tests.unit.ingest.sources import ledger, orders_csv, orders_from

FILE = SourceFile("in/a.csv.gz", "file:in/a.csv.gz", 1000, 5)
BAD = Entry(1000, 5, "", "m", rows_in=7, ingest_seq=3, problem="the file is cut off")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[FAILED_READ_FILE.NO_HINT] … FileNotFoundException: a.csv (Permission denied)", "permission to open"),
        ("[FAILED_READ_FILE.FILE_NOT_EXIST] … a.csv does not exist", "the file was gone"),
        ("[FAILED_READ_FILE.NO_HINT] … EOFException: Unexpected end of input stream", "the file is cut off"),
        ("[FAILED_READ_FILE.NO_HINT] … IOException: gzip stream CRC failure", "the file is damaged"),
        ("[DIVIDE_BY_ZERO] Division by zero", None),
    ],
)
def test_what_spark_says_is_told_in_words(text, reason):
    told = reason_of(RuntimeError(text))
    assert told is None if reason is None else told is not None and told.startswith(reason)


@pytest.mark.parametrize(
    ("file", "mapping", "is_new"),
    [
        (FILE, "m", False),
        (FILE, "other", True),
        (replace(FILE, size=999), "m", True),
        (replace(FILE, modified=6), "m", True),
    ],
)
def test_a_bad_file_is_looked_at_again_where_it_or_the_mapping_is_another(file, mapping, is_new):
    listing = sort_out("orders", [file], {FILE.path: BAD}, mapping, is_table=False)
    assert (listing.new, listing.again, listing.left_out) == (([file], [3], []) if is_new else ([], [], [file]))
    assert listing.touched == []


def test_a_bad_file_stands_for_rows_by_its_footer_or_by_its_size():
    found = Unreadable(FILE, "cut off")
    assert with_rows(found, 25.0).rows == 40
    assert with_rows(found, 1e9).rows == 1
    assert with_rows(found, None).rows == 1
    assert with_rows(replace(found, rows=12), 25.0).rows == 12


def test_the_first_bad_file_is_named_with_the_number_of_others():
    refuse("orders", [])
    others = [Unreadable(replace(FILE, path=f"{n}"), "cut off") for n in range(2)]
    with pytest.raises(
        InputError, match=r"sources\.orders: in/a\.csv\.gz: cut off \(and 2 more such files\); put a whole"
    ):
        refuse("orders", [Unreadable(FILE, "cut off"), *others])


def test_an_entry_that_an_interruption_left_beside_its_mended_file_is_removed(lake, spark, tmp_path):
    orders_csv(tmp_path / "1.csv", "1,tea,2024-01-02 10:00,ann,2,3.5")
    sources = orders_from(tmp_path / "1.csv")
    ingest(lake, sources, IngestConfig())
    good = lake.read(SOURCE_FILES)
    lake.append(SOURCE_FILES, good.withColumns({"ingest_seq": F.lit(0).cast("bigint"), "problem": F.lit("cut off")}))
    row = ("orders", good.first().path, 0, "cut off", None, None, 0)
    lake.append(QUARANTINE, spark.createDataFrame([row], lake.read(QUARANTINE).schema))
    ingest(lake, sources, IngestConfig())
    assert ledger(lake) == {"1.csv": (1, 1, 0, 0)}
    assert lake.read(QUARANTINE).isEmpty()
