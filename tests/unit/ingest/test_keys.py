from pyspark.sql import functions as F

from segspark.ingest.keys import (
    exact_repeats,
    highest_lines,
    last_of_each,
    mark_duplicates,
    name_events,
    number_lines,
    repeated_contents,
    repeated_keys,
)


def rows_of(spark, *rows):
    """Rows of (key, file, line, fit)."""
    frame = spark.createDataFrame(rows, "event_id string, ingest_seq bigint, __line bigint, __ok boolean")
    return frame.withColumn("__problem", F.when(~F.col("__ok"), "broken"))


def raw_rows(spark, *rows):
    """Rows of (order, raw text, file, line)."""
    frame = spark.createDataFrame(rows, "order_id string, __raw string, ingest_seq bigint, __line bigint")
    return frame.withColumns({"__ok": F.lit(True), "event_id": F.lit(None).cast("string"), "line": F.lit(0)})


def test_of_rows_with_one_key_the_first_fit_one_by_file_and_line_stays(spark):
    rows = rows_of(
        spark, ("a", 2, 1, True), ("a", 1, 9, True), ("a", 1, 2, False), ("b", 1, 3, True), ("c", 1, 4, True)
    )
    log = spark.createDataFrame([("c",)], "event_id string")
    marked = mark_duplicates(rows, repeated_keys(rows, ["event_id"], log), ["event_id"])
    assert {(r.event_id, r.ingest_seq, r["__line"]): r["__problem"] for r in marked.collect()} == {
        ("a", 1, 2): "broken",
        ("a", 1, 9): None,
        ("a", 2, 1): "duplicate: an earlier row has event_id",
        ("b", 1, 3): None,
        ("c", 1, 4): "duplicate: the log has event_id already",
    }
    assert [r["__ok"] for r in marked.orderBy("event_id", "ingest_seq", "__line").collect()] == [
        False,
        True,
        False,
        True,
        False,
    ]


def test_events_are_named_by_content_whatever_the_files_and_partitions(spark):
    no_log = spark.createDataFrame([], "event_id string")
    one_file = raw_rows(spark, *((None, raw, 1, n) for n, raw in enumerate("xyxzx")))
    two_files = raw_rows(spark, *((None, raw, 1 + n % 2, n) for n, raw in enumerate("zxxyx"))).repartition(5)

    def names(rows):
        named = name_events(rows, repeated_contents(rows, no_log))
        return sorted((r["__raw"], r.event_id) for r in named.collect())

    found = names(one_file)
    assert found == names(two_files)
    x, y = "9dd4e461268c8034f5c8564e155c67a6", "415290769594460e2e485922904f345d"  # as md5sum says
    assert [event_id for _, event_id in found][:4] == [x, f"{x}-2", f"{x}-3", y]


def test_numbers_of_repeated_events_go_on_after_those_in_the_log(spark):
    x = "9dd4e461268c8034f5c8564e155c67a6"
    log = spark.createDataFrame([(x,), (f"{x}-2",)], "event_id string")
    rows = raw_rows(spark, (None, "x", 3, 1), (None, "y", 3, 2))
    named = name_events(rows, repeated_contents(rows, log))
    assert {r["__raw"]: r.event_id[32:] for r in named.collect()} == {"x": "-3", "y": ""}


def test_lines_of_an_order_go_by_file_then_content_and_on_after_the_log(spark):
    rows = raw_rows(spark, ("o", "b", 2, 1), ("o", "a", 1, 8), ("o", "c", 1, 7), ("p", "d", 2, 2), ("o", "a", 1, 9))

    def lines(rows, highest=None):
        return {(r.ingest_seq, r["__line"]): r.line for r in number_lines(rows, highest).collect()}

    found = lines(rows)
    assert found[(2, 1)] == 4 and found[(2, 2)] == 1
    assert found[(1, 9)] == found[(1, 8)] + 1
    assert found == lines(rows.repartition(7))
    log = spark.createDataFrame([("o", 5), ("o", 2), ("z", 9)], "order_id string, line int")
    on = lines(rows, highest_lines(rows, log))
    assert on == {place: line + 5 if place != (2, 2) else 1 for place, line in found.items()}


def test_exact_repeats_are_counted_within_a_file(spark):
    rows = raw_rows(spark, *(("o", raw, 1, n) for n, raw in enumerate("aabca")), ("o", "a", 2, 1))
    assert [r.ingest_seq for r in exact_repeats(rows).collect()] == [1, 1]


def test_of_several_files_the_last_tells_a_user(spark):
    rows = spark.createDataFrame(
        [("u", 1, 20), ("u", 3, None), ("u", 2, 22), ("v", 1, 30)], "u string, ingest_seq long, age int"
    )
    assert sorted((r.u, r.ingest_seq, r.age) for r in last_of_each(rows, ["u"]).collect()) == [
        ("u", 3, None),
        ("v", 1, 30),
    ]
