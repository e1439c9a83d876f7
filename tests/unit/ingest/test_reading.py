import json

import pytest
from pyspark.sql import functions as F

from segspark.ingest.config import SourceConfig
from segspark.ingest.files import list_files
from segspark.ingest.headers import header_of
from segspark.ingest.reading import content_of, parse, scan
from tests.unit.ingest.sources import write

ABC = ("a", "b", "c")


def lines_of(spark, *lines):
    rows = [("f", 0, number, line) for number, line in enumerate(lines)]
    return spark.createDataFrame(rows, "__url string, __block bigint, __id bigint, __raw string")


def source(form, **options):
    return SourceConfig(path="x", format=form, options=options, columns={"user_id": "a"})


def test_every_csv_line_is_read_whole_or_told_why_not(spark):
    expected = {
        "1,2,3": ("1", "2", "3"),
        "1,,": ("1", None, None),
        '"x, y","say ""hi""",3': ("x, y", 'say "hi"', "3"),
        '1,2,5" nail': ("1", "2", '5" nail'),
        "é,ü,名前\u2028": ("é", "ü", "名前\u2028"),
        " 1 ,2,3": (" 1 ", "2", "3"),
        "1,2": "2 fields where the header has 3",
        "1,2,3,4,5": "5 fields where the header has 3",
        "1,2,": ("1", "2", None),
        '1,"2,3': "a quote left open, or more than 35 fields where the header has 3",
        '1,2,"3': "a quote left open, or more than 35 fields where the header has 3",
        "1,2,3" + ",x" * 40: "a quote left open, or more than 35 fields where the header has 3",
        "," * 30_000: "a quote left open, or more than 35 fields where the header has 3",
        "": "empty line",
        "   ": "empty line",
        "a,b,c": "the header line once more",
        "\ufeffa,b,c": "the header line once more",
    }
    rows = parse(lines_of(spark, *expected), source("csv"), ABC).collect()
    found = {row["__raw"]: row["__problem"] or (row.a, row.b, row.c) for row in rows}
    assert found == expected


def test_a_line_that_is_not_utf8_is_told(spark):
    lines = lines_of(spark, "x").withColumn("__raw", F.expr("cast(X'ff2c322c33' AS string)"))
    assert [r["__problem"] for r in parse(lines, source("csv"), ABC).collect()] == ["the text is not UTF-8"]


def test_separators_and_quotes_are_taken_from_the_options(spark):
    rows = parse(lines_of(spark, "1;'2;2';3"), source("csv", sep=";", quote="'"), ABC).collect()
    assert [(r.a, r.b, r.c) for r in rows] == [("1", "2;2", "3")]
    assert header_of("\ufeffa\tb\t", {"sep": "\\t"}) == ("a", "b", "_c2")
    rows = parse(lines_of(spark, '1::"2::2"::3:3', "1::2"), source("csv", sep="::"), ABC).collect()
    found = [row["__problem"] or (row.a, row.b, row.c) for row in rows]
    assert found == [("1", "2::2", "3:3"), "2 fields where the header has 3"]


def test_only_whole_json_objects_are_read_and_nested_values_come_as_json(spark):
    good = {
        '{"a": 1, "b": "x"}': ("1", "x", None),
        '  {"b": {"k": [1, 2]}, "z": 0} ': (None, '{"k":[1,2]}', None),
        '{"a": null, "c": true}': (None, None, "true"),
        '{"a": "\\u00e9 \\" "}': ('é " ', None, None),
    }
    bad = [
        '[{"a":1}]',
        "3",
        "null",
        '"text"',
        '{"a":1',
        '{"a":1} {"a":2}',
        '{"a":1},{"a":2}',
        '{"a":1}], {"b":2}',
        "{a}",
    ]
    rows = parse(lines_of(spark, *good, *bad, ""), source("json"), ABC).collect()
    found = {row["__raw"]: row["__problem"] or (row.a, row.b, row.c) for row in rows}
    assert found == {**good, **dict.fromkeys(bad, "not one JSON object"), "": "empty line"}


def test_lines_keep_their_number_where_one_task_reads_a_file_in_parts(spark, tmp_path):
    lines = ["a,b,c", *(json.dumps(number) for number in range(4000))]
    write(tmp_path / "one [x] 100%.csv", *lines)
    source = SourceConfig(path=str(tmp_path), columns={"user_id": "a"})
    before = spark.conf.get("spark.sql.files.maxPartitionBytes")
    spark.conf.set("spark.sql.files.maxPartitionBytes", "4000")
    try:
        rows = scan(spark, source, ABC, list_files(spark, "users", source))
        assert rows.rdd.getNumPartitions() == 1
        parts = rows.groupBy("__block").agg(F.min("__id"), F.max("__id"), F.count("*"), F.min_by("__raw", "__id"))
        found = sorted(parts.collect())
        assert len(found) > 3
        following = 0
        for _, least, most, count, first in found:
            assert most - least + 1 == count
            assert first == lines[following]
            following += count
        assert following == len(lines)
    finally:
        spark.conf.set("spark.sql.files.maxPartitionBytes", before)


def test_the_digest_sees_a_changed_and_a_doubled_row_but_not_their_order(spark):
    def digest(*lines):
        return content_of(lines_of(spark, *lines)).first().digest

    assert digest("x", "y", "z") == digest("z", "x", "y")
    assert len({digest("x", "y"), digest("x", "y", "y"), digest("x", "y", "z", "z"), digest("x", "y", "w", "w")}) == 4


@pytest.mark.parametrize("name", ["blank.csv", "mark.csv"])
def test_a_multiline_csv_keeps_line_ends_inside_quotes(spark, tmp_path, name):
    text = {"blank.csv": 'a,b,c\n1,"x\ny",3\n4,5\n', "mark.csv": '\ufeffa,b,c\n1,"x\ny",3\n4,5\n'}[name]
    (tmp_path / name).write_text(text)
    source = SourceConfig(path=str(tmp_path), options={"multiLine": True}, columns={"user_id": "a"})
    files = list_files(spark, "users", source)
    rows = parse(scan(spark, source, ABC, files), source, ABC).orderBy("__id").collect()
    assert [row["__problem"] or (row.a, row.b, row.c) for row in rows] == [
        ("1", "x\ny", "3"),
        "not the 3 fields that the header has",
    ]
