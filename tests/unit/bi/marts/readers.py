"""The printed views in DuckDB, over tables that delta-rs opens, as a reader without Spark has them."""

import duckdb
from deltalake import DeltaTable

from segspark.bi.config import MartsConfig
from segspark.bi.query.stage import printed_views
from segspark.core.contracts import PUBLICATIONS, TABLES
from segspark.core.lake import Lake

VIEWS = MartsConfig(folder="conf/bi")


def in_duckdb(lake: Lake, config: MartsConfig = VIEWS) -> duckdb.DuckDBPyConnection:
    """All views; Delta's own reader for DuckDB is replaced by delta-rs, as it cannot be fetched without a network.

    Publications are opened first: whatever is published later, the rows of what they name are there.
    """
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    written = [name for name in TABLES if lake.exists(TABLES[name])]
    for name in sorted(written, key=lambda name: name != PUBLICATIONS.name):
        database.register(f"raw_{name}", DeltaTable(lake.path(name)).to_pyarrow_dataset())
    for statement in printed_views(lake, config, "duckdb"):
        for name in written:
            path = f"{lake.root}/{name}".replace("'", "''")
            statement = statement.replace(f"delta_scan('{path}')", f'"raw_{name}"').replace(
                f"DELTA_SCAN('{path}')", f'"raw_{name}"'
            )
        assert "delta_scan(" not in statement.lower()
        database.execute(statement)
    return database
