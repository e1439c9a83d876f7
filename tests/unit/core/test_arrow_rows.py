from datetime import datetime, timezone

import numpy as np
import pyarrow as pa
import pytest
from pyspark.sql.pandas.types import from_arrow_type

from segspark.core.arrow_rows import Row, arrow_schema, arrow_type, from_arrow, stored_columns, to_arrow
from segspark.core.contracts import RUNS, TABLES
from segspark.core.errors import ContractError


@pytest.mark.parametrize("contract", TABLES.values(), ids=lambda contract: contract.name)
def test_every_type_of_every_table_is_the_type_that_spark_makes_of_it(contract):
    for column in stored_columns(contract):
        assert from_arrow_type(arrow_type(column.type)).simpleString() == column.type


def test_a_type_within_a_type_is_read_to_its_end():
    kind = "map<string,array<struct<a:bigint,b:map<int,double>>>>"
    inner = pa.struct([pa.field("a", pa.int64()), pa.field("b", pa.map_(pa.int32(), pa.float64()))])
    assert arrow_type(kind) == pa.map_(pa.string(), pa.list_(pa.field("element", inner)))


def test_a_row_gives_its_values_by_name_and_by_attribute():
    row = Row(name="loyal", items=["a"])
    assert row.name == row["name"] == "loyal"
    assert row["items"] == ["a"]
    assert row.asDict() == {"name": "loyal", "items": ["a"]}
    with pytest.raises(AttributeError, match="segment"):
        _ = row.segment


def test_numbers_of_numpy_and_times_without_a_zone_are_taken_and_times_come_back_as_utc():
    row = dict.fromkeys(RUNS.names) | {
        "rows": np.int64(3),
        "seconds": np.float32(0.5),
        "started_at": datetime(2024, 3, 1),
    }
    (found,) = from_arrow(to_arrow(RUNS, [row]))
    assert (found.rows, found.seconds) == (3, 0.5)
    assert found.started_at == datetime(2024, 3, 1, tzinfo=timezone.utc)


def test_a_missing_column_and_a_wrong_value_are_refused_with_the_table_s_name():
    with pytest.raises(ContractError, match=r"runs: .*heartbeat_at.* is missing"):
        to_arrow(RUNS, [{name: None for name in RUNS.names if name != "heartbeat_at"}])
    with pytest.raises(ContractError, match="runs: "):
        to_arrow(RUNS, [dict.fromkeys(RUNS.names) | {"rows": "many"}])


def test_comments_are_kept_as_delta_has_them():
    assert arrow_schema(stored_columns(RUNS)).field("rows").metadata == {b"comment": b"rows the stage wrote"}
