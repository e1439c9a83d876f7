import pytest
from pydantic import ValidationError

from segspark.ingest.config import IngestConfig, SourceConfig, SourcesConfig, mapping_digest
from tests.unit.ingest.sources import ORDER_COLUMNS


def orders(**changes):
    return {"orders": {"path": "x.csv", "columns": ORDER_COLUMNS, **changes}}


@pytest.mark.parametrize(
    ("sources", "path", "said"),
    [
        ({}, "", "at least one of events, orders, ratings"),
        ({"users": {"path": "x", "columns": {"user_id": "u"}}}, "", "at least one of events, orders, ratings"),
        (orders(columns={"order_id": "a", "order_time": "b"}), "orders", "columns.item_id: is missing"),
        (orders(columns={**ORDER_COLUMNS, "colour": "c"}), "orders", "columns.colour: orders has no such column"),
        (orders(columns={**ORDER_COLUMNS, "day": "c"}), "orders", "columns.day: orders has no such column"),
        (orders(columns={**ORDER_COLUMNS, "line": "uuid()"}), "orders.columns", "line: calls uuid()"),
        (orders(where="reflect('a')"), "orders.where", "calls reflect()"),
        (orders(path=None), "orders", "`path` (files, folders, globs) or `table`"),
        (orders(table="a.b"), "orders", "one of the two"),
        (orders(format="xml"), "orders.format", "'csv', 'json', 'parquet' or 'delta'"),
        (orders(options={"inferSchema": True}), "orders.options", "inferSchema is not an option here; allowed: header"),
        (orders(options={"encoding": "latin1"}), "orders.options", "encoding goes with multiLine"),
        (orders(colums={}), "orders.colums", "Extra inputs are not permitted"),
    ],
)
def test_a_wrong_source_is_told_by_its_key_and_what_is_allowed(sources, path, said):
    with pytest.raises(ValidationError) as error:
        SourcesConfig(**sources)
    first = error.value.errors()[0]
    assert ".".join(map(str, first["loc"])) == path
    assert said in first["msg"]


def test_the_mapping_digest_changes_with_what_decides_about_rows_and_not_with_the_place():
    def digest(config=None, **changes):
        return mapping_digest(SourcesConfig(**orders(**changes)).orders, config or IngestConfig())

    assert digest(path="elsewhere/*.csv") == digest()
    assert digest(IngestConfig(max_quarantined_share=0.5)) == digest()
    assert digest(where="qty > 0") != digest()
    assert digest(columns={**ORDER_COLUMNS, "discount": "0"}) != digest()
    assert digest(IngestConfig(max_price=10)) != digest()


@pytest.mark.parametrize(
    ("path", "root"),
    [
        ("a/b/c.csv", "a/b/c.csv"),
        ("/a/b/*.csv", "/a/b"),
        ("/*/b", "/"),
        ("*.csv", "."),
        ("file:/a/{x,y}/z", "/a"),
        ("s3://bucket/a/[0-9]/b", "s3://bucket/a"),
    ],
)
def test_the_root_of_a_path_is_what_stands_before_its_first_wildcard(path, root):
    assert SourceConfig(path=path, columns={"user_id": "a"}).roots == [root]
