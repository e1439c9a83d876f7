"""What the driver itself reads of files, through Hadoop's file systems: first lines and footers, without a job."""

import re
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from segspark.core.files import hadoop

MARK = "\ufeff"  # the byte order mark that some editors put before the first line
FIRST_BYTES = 16 * 2**10  # of a file that is looked at first; then twice as many, and so on
MOST_BYTES = 16 * 2**20  # of a file that are looked at


@dataclass(frozen=True)
class Beginning:
    """The first bytes of a file, decompressed."""

    content: bytes
    is_whole: bool  # nothing follows them
    is_last: bool  # no more of the file is looked at

    def lines(self, options: Mapping[str, str | bool]) -> list[bytes]:
        """Its whole lines, as Spark's reader of text takes them apart."""
        end = options.get("lineSep")
        lines = self.content.split(str(end).encode()) if end else self.content.splitlines()
        if end and lines[-1] == b"" and self.is_whole:
            return lines[:-1]
        return lines if self.is_whole else lines[:-1]


@dataclass(frozen=True)
class Footer:
    """What a Parquet file tells of itself."""

    columns: str  # names and types, as text that is the same for files that Spark reads alike
    rows: int


def beginnings(spark: SparkSession, path: str) -> Iterator[Beginning]:
    """Ever longer beginnings of the file, up to `MOST_BYTES`; decompressed where its name says so, as Spark does."""
    with closing(_opened(spark, path)) as stream:
        content, size, is_whole = b"", FIRST_BYTES, False
        while not is_whole and size <= MOST_BYTES:
            content += stream.readNBytes(size - len(content))
            is_whole = len(content) < size
            size *= 2
            yield Beginning(content, is_whole, is_whole or size > MOST_BYTES)


def footer(spark: SparkSession, path: str) -> Footer:
    """The footer of a Parquet file. Raises what Java raises where it cannot be read."""
    java: Any = spark._jvm
    parquet = java.org.apache.parquet.hadoop
    file = parquet.util.HadoopInputFile.fromPath(hadoop(spark, path)[1], spark._jsc.hadoopConfiguration())
    with closing(parquet.ParquetFileReader.open(file)) as reader:
        columns = str(reader.getFileMetaData().getSchema().toString()).lower()
        return Footer(columns.replace(" required ", " optional "), int(reader.getRecordCount()))


def nanosecond_columns(spark: SparkSession, path: str) -> list[str]:
    """The columns of a Parquet file, in lower case, that hold times to the nanosecond."""
    found = re.findall(
        r"^  optional int64 (.+) \(timestamp\(nanos,(?:true|false)\)\)", footer(spark, path).columns, re.M
    )
    return [str(name) for name in found]


def _opened(spark: SparkSession, path: str) -> Any:
    java: Any = spark._jvm
    system, place = hadoop(spark, path)
    codec = java.org.apache.hadoop.io.compress.CompressionCodecFactory(system.getConf()).getCodec(place)
    stream = system.open(place)
    if codec is None:
        return stream
    try:
        return codec.createInputStream(stream)
    except Py4JError:
        stream.close()
        raise
