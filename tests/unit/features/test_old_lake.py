"""A lake of the version before, with a partition for each day, and one more day of logs."""

import shutil

import pytest
from deltalake import DeltaTable

from segspark.core.contracts import EVENTS, ITEM_DAYS, ORDERS, RATINGS, SESSIONS, USER_DAYS, USER_ITEM_DAYS
from segspark.core.lake import Lake
from tests.builders import day
from tests.unit.features.shops import CLOCKS, Shop, random_logs

LOGS, DAYS = (EVENTS, ORDERS, RATINGS), (SESSIONS, USER_DAYS, USER_ITEM_DAYS, ITEM_DAYS)
LAST = day("2024-03-03")


def lay_out_as_before(shop):
    """All dated tables with a partition for each day; the lake is opened anew."""
    for table in (*LOGS, *DAYS):
        rows = shop.lake.read(table).localCheckpoint()
        shutil.rmtree(shop.lake.path(table.name))
        rows.write.format("delta").partitionBy("day").save(shop.lake.path(table.name))
    shop.lake = Lake(shop.spark, shop.lake.root)


@pytest.mark.slow
def test_one_more_day_on_an_old_lake_gives_what_a_new_one_has(spark, shop, tmp_path):
    parts = dict(zip(LOGS, random_logs(seed=9, users=8), strict=True))
    whole = Shop(spark, Lake(spark, str(tmp_path / "whole")))
    for is_early in (True, False):
        for log, rows in parts.items():
            chosen = [row for row in rows if (row[CLOCKS[log.name]].date() < LAST) == is_early]
            shop.log(log, *chosen)
            whole.log(log, *chosen)
        if is_early:
            shop.update()
            lay_out_as_before(shop)
    assert shop.update()["user_days"] > 0
    whole.update()
    for table in (*LOGS, *DAYS):
        assert shop.rows(table) == whole.rows(table), table.name
        laid_out = DeltaTable(shop.lake.path(table.name))
        assert laid_out.metadata().partition_columns == []
        assert table in LOGS or len(laid_out.file_uris()) == 1
