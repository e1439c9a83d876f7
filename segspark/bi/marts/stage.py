"""All of the views that knows the lake."""

from segspark.bi.marts.views import NEIGHBOURS, spark_dialect
from segspark.core.contracts import (
    PUBLICATIONS,
    TABLES,
    USER_SIMILARITY,
)
from segspark.core.lake import Lake


def register_views(lake: Lake, personal_logs: bool = False) -> list[str]:
    """Temporary views in the Spark session, for `segspark query`; returns their names.

    Run tables show the published run, also when another is published later. Logs and day tables come whole: those
    without personal columns (`source_files`, `runs`, `publications`, `items`) always, the others with `personal_logs`.
    A table that was never written is an empty view.
    """
    spoken = spark_dialect(lake.identifier)
    is_published = lake.exists(PUBLICATIONS)
    shown = [c for c in TABLES.values() if c.kind == "run" or personal_logs or not c.is_personal]
    for contract in shown:
        if contract.kind == "run" and is_published and lake.exists(contract):
            _temporary_view(lake, contract.name, spoken.query(contract))
        elif contract.kind != "run" and lake.exists(contract):
            _temporary_view(lake, contract.name, f"SELECT * FROM {lake.identifier(contract.name)}")
        else:
            lake.read(contract).limit(0).createOrReplaceTempView(contract.name)
    _temporary_view(lake, NEIGHBOURS, spoken.neighbours.format(table=f"`{USER_SIMILARITY.name}`"))
    return [*(contract.name for contract in shown), NEIGHBOURS]


def _temporary_view(lake: Lake, name: str, query: str) -> None:
    """A view by its text, which is read anew at each query: a frame would keep the publication it first saw."""
    lake.spark.sql(f"CREATE OR REPLACE TEMPORARY VIEW `{name}` AS {query}")
