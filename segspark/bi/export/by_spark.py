"""Files and tables for use outside, written by Spark wherever Hadoop's file systems reach."""

from pyspark.sql import DataFrame, Observation
from pyspark.sql import functions as F

from segspark.bi.export.cells import neutralised
from segspark.core.errors import InputError
from segspark.core.files import is_there, write_csv_file


def write_frame(rows: DataFrame, form: str, path: str) -> int:
    """Writes the rows, in their order; returns how many.

    `csv` is one file with a header, no text of which a spreadsheet takes for a formula; `parquet` is a folder of files,
    `delta` a table, both with the texts as they are. Raises InputError where something is at `path` already.
    """
    if is_there(rows.sparkSession, path):
        raise InputError(f"--to: {path} is there already; name another place, or remove it")
    written = Observation()
    counted = rows.observe(written, F.count(F.lit(1)).alias("rows"))
    if form == "csv":
        write_csv_file(neutralised(counted), path)
    else:
        counted.write.format(form).save(path)
    return int(written.get["rows"])
