"""Zip archives of one file each, which Spark does not read.

They are unpacked among the session's checkpoints, which a cluster shares, and go with these.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

from py4j.protocol import Py4JJavaError
from pyspark.sql import SparkSession

from segspark.core.files import hadoop
from segspark.ingest.files import SourceFile
from segspark.ingest.unreadable import Unreadable

SUFFIX = ".zip"
TIMES_SIZE = 200  # text that is more than so many times its archive's size was made to fill a disk
NOT_UNPACKED = "the zip archive cannot be unpacked: it is damaged, or has a password"
TOO_MUCH = f"the zip archive unpacks to more than {TIMES_SIZE} times its size; unpack it, and give the file in it"


def unpacked(spark: SparkSession, files: Sequence[SourceFile]) -> tuple[list[SourceFile], list[Unreadable]]:
    """The files, archives with the place of what was in them; and the archives that are not of one file."""
    opened: list[SourceFile] = []
    refused: list[Unreadable] = []
    for file in files:
        found = _unpack(spark, file) if file.path.lower().endswith(SUFFIX) else file
        if isinstance(found, Unreadable):
            refused.append(found)
        else:
            opened.append(found)
    return opened, refused


def _unpack(spark: SparkSession, file: SourceFile) -> SourceFile | Unreadable:
    java: Any = spark._jvm
    system, place = hadoop(spark, file.path)
    try:
        with closing(java.java.util.zip.ZipInputStream(system.open(place))) as archive:
            entries = _entries(archive)
            first = next(entries, None)
            target = None if first is None else _copy(spark, archive, file, first)
            is_too_much = target is not None and archive.read() != -1
            more = 0 if is_too_much else sum(1 for _ in entries)
    except Py4JJavaError:
        return Unreadable(file, NOT_UNPACKED)
    if is_too_much:
        return Unreadable(file, TOO_MUCH)
    if target is None or more:
        count = 1 + more if target else 0
        return Unreadable(file, f"the zip archive has {count} files and not one; unpack it, and give those to be read")
    url = java.org.apache.hadoop.fs.Path(target).toUri().toString()  # as text and back, as for every file
    return replace(file, url=str(url), place=target)


def _entries(archive: Any) -> Iterator[str]:
    """Names of the files in it, one after another, without what a Mac adds."""
    while (entry := archive.getNextEntry()) is not None:
        name = str(entry.getName())
        is_added = name.startswith("__MACOSX/") or name.rpartition("/")[2].startswith(".")
        if not (entry.isDirectory() or is_added):
            yield name


def _copy(spark: SparkSession, archive: Any, file: SourceFile, name: str) -> str:
    """Copies the entry that the archive stands at, or the beginning of one that is too large to be text.

    Gives its place, whose name ends as the entry's does.
    """
    java: Any = spark._jvm
    of_file = hashlib.sha256(f"{file.path} {file.size} {file.modified}".encode()).hexdigest()[:16]
    ending = re.sub(r"[^A-Za-z0-9.]", "-", name.rpartition("/")[2])[-40:]
    system, place = hadoop(spark, f"{spark.sparkContext.getCheckpointDir()}/unpacked/{of_file}-{ending}")
    with closing(system.create(place, True)) as out:
        java.org.apache.commons.io.IOUtils.copyLarge(archive, out, 0, max(2**20, TIMES_SIZE * file.size))
    return str(system.makeQualified(place).toString())
