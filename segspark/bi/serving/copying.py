"""The masked copy: one Delta table per view, one partition per publication, and which of these are whole."""

from collections.abc import Mapping
from pathlib import Path

from delta.tables import DeltaTable
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.bi.serving.server import CURRENT

PUBLICATION = "publication"


def copied(spark: SparkSession, folder: Path) -> int:
    """The newest publication of which there is a whole copy; 0 for none."""
    place = str(folder / CURRENT)
    if not DeltaTable.isDeltaTable(spark, place):
        return 0
    newest = spark.read.format("delta").load(place).agg(F.max(PUBLICATION)).first()
    return newest[0] if newest and newest[0] is not None else 0


def write_copy(views: Mapping[str, DataFrame], folder: Path, publication: int) -> None:
    """Writes the rows of every view as that publication's. Nobody sees them until `show_copy`."""
    for name, rows in views.items():
        numbered = rows.withColumn(PUBLICATION, F.lit(publication).cast("bigint"))
        writer = numbered.write.format("delta").mode("overwrite").partitionBy(PUBLICATION)
        writer.option("replaceWhere", f"{PUBLICATION} = {publication}").save(str(folder / name))


def show_copy(spark: SparkSession, folder: Path, names: list[str], publication: int) -> None:
    """Makes the copy what readers see, and removes those before the one that they saw until now."""
    seen = copied(spark, folder)
    row = spark.createDataFrame([(publication,)], f"{PUBLICATION} bigint")
    row.write.format("delta").mode("append").save(str(folder / CURRENT))
    for name in names:
        DeltaTable.forPath(spark, str(folder / name)).delete(F.col(PUBLICATION) < min(seen, publication))
