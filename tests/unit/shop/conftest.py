"""One shop on disk for all tests of this room, and DuckDB as the reader that is not ours."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from segspark.shop.config import ShopConfig
from segspark.shop.generate import write_shop


@dataclass(frozen=True)
class WrittenShop:
    config: ShopConfig
    folder: Path
    rows: dict[str, int]

    @property
    def dirty(self) -> dict[str, dict[str, int]]:
        return json.loads((self.folder / "truth" / "dirty.json").read_text())


@pytest.fixture(scope="session")
def shop(spark, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shop") / "files"
    config = ShopConfig(users=1_000, bot_share=0.003)
    return WrittenShop(config, folder, write_shop(spark, config, str(folder)))


@pytest.fixture(scope="session")
def tables(shop):
    """The files as DuckDB reads them, without the bad lines."""
    connection = duckdb.connect()
    for statement in STATEMENTS:
        connection.execute(statement.format(folder=shop.folder))
    yield connection
    connection.close()


STATEMENTS = (
    """create table events as
       select distinct id, "user" as user_id, try_cast(time as timestamp) as event_time, type, item, session
       from read_json('{folder}/events/*.json.gz', format = 'newline_delimited', ignore_errors = true, columns = {{
         id: 'varchar', "user": 'varchar', time: 'varchar', type: 'varchar', item: 'varchar', price: 'double',
         session: 'varchar'}})
       where "user" is not null and type <> 'teleport' and time between '2000' and '2090'
         and (price > 0 or price is null)""",
    """create table orders as
       select distinct "order" as order_id, cast(line as int) as line, customer as user_id, item,
         cast(quantity as double) as quantity, cast(price as double) as price, cast(discount as double) as discount,
         status, cast(time as timestamp) as order_time
       from read_csv('{folder}/orders/*.csv', header = true, all_varchar = true, ignore_errors = true)
       where "order" is not null and try_cast(quantity as int) > 0 and cast(price as double) > 0 and time < '2090'""",
    """create table users as
       select "user" as user_id, cast(age as double) as age, cast(income as double) as income,
         cast(signup as timestamp) as signup_time
       from read_csv('{folder}/users/*.csv', header = true, all_varchar = true, ignore_errors = true)
       where "user" is not null""",
    """create table items as
       select item, category, cast(price as double) as price, cast(launched as timestamp) as launched
       from read_csv('{folder}/items/*.csv', header = true, all_varchar = true, ignore_errors = true)
       where try_cast(price as double) > 0""",
    "create view ratings as select * from read_parquet('{folder}/ratings/*.parquet')",
    "create view truth as select * from read_parquet('{folder}/truth/users/*.parquet')",
)
