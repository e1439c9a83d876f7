import bz2
import gzip
import json

import pytest

from segspark.core.errors import InputError
from segspark.ingest import peek
from segspark.ingest.config import SourceConfig
from segspark.ingest.files import list_files
from segspark.ingest.headers import headers
from segspark.ingest.peek import Beginning, beginnings


def looked_at(spark, folder, **changes):
    """The columns by file name, and why files cannot be read; no Spark execution is needed for text and Parquet."""
    source = SourceConfig(path=str(folder), **{"columns": {"user_id": "a"}, **changes})
    before = executions(spark)
    groups, unreadable = headers(spark, "users", source, list_files(spark, "users", source))
    assert executions(spark) == before
    columns = {file.path.rpartition("/")[2]: group.columns for group in groups for file in group.files}
    return columns, {each.file.path.rpartition("/")[2]: each.reason for each in unreadable}


def executions(spark):
    return spark._jsparkSession.sharedState().statusStore().executionsCount()


def test_the_first_line_of_plain_and_compressed_files_names_the_columns(spark, tmp_path):
    (tmp_path / "a.csv").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "b.csv").write_bytes("\ufeffa,b\r\n1,2\r\n".encode())
    (tmp_path / "c.csv").write_bytes(b"a,c\r1,2")
    (tmp_path / "d.csv.gz").write_bytes(gzip.compress(b"a,b\n" + b"1,2\n" * 100_000))
    (tmp_path / "e.csv.bz2").write_bytes(bz2.compress(b'"a","b b",\n1,2,3\n'))
    (tmp_path / "f.csv").write_bytes(b"a," + b"b" * 40_000 + b"\n1,2\n")
    (tmp_path / "g.csv.gz").write_bytes(gzip.compress(b""))
    columns, unreadable = looked_at(spark, tmp_path)
    assert columns == {
        "a.csv": ("a", "b"),
        "b.csv": ("a", "b"),
        "c.csv": ("a", "c"),
        "d.csv.gz": ("a", "b"),
        "e.csv.bz2": ("a", "b b", "_c2"),
        "f.csv": ("a", "b" * 40_000),
        "g.csv.gz": (),
    }
    assert unreadable == {}


def test_what_is_no_text_or_no_archive_is_told(spark, tmp_path):
    (tmp_path / "a.csv").write_bytes("a,größe\n".encode("latin-1"))
    (tmp_path / "b.csv").write_bytes("a,b\n".encode("utf-16"))
    (tmp_path / "c.csv.gz").write_bytes(b"a,b\n1,2\n" * 9)
    (tmp_path / "d.csv").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "e.csv").write_bytes(gzip.compress(b"a,b\n1,2\n"))
    (tmp_path / "f.csv").write_bytes(b"PK\x03\x04 and so on")
    (tmp_path / "g.csv").write_bytes(b"\xef\xbb\xbfsep=;\r\na;b\r\n1;2\r\n")
    columns, unreadable = looked_at(spark, tmp_path)
    assert columns == {"d.csv": ("a", "b")}
    assert unreadable["e.csv"].startswith("the file is a gzip file, although its name does not end in .gz")
    assert unreadable["f.csv"].startswith("the file is a zip archive; unpack it")
    assert unreadable["g.csv"].startswith("the first line is `sep=;`, a note for Excel, and no header")
    assert unreadable["a.csv"].startswith("the first line, which should name the columns, is not UTF-8")
    assert unreadable["b.csv"].startswith("the text is UTF-16")
    assert unreadable["c.csv.gz"].startswith("no gzip file")


def test_a_field_of_json_is_looked_for_in_a_thousand_lines(spark, tmp_path):
    (tmp_path / "a.json").write_text("".join(json.dumps({"b": number}) + "\n" for number in range(999)) + '{"a": 1}\n')
    (tmp_path / "b.json").write_text('{"c": 1}\n{"a": 1, "b": 2}\n')
    (tmp_path / "none.json").write_text("no object\n")
    columns, _ = looked_at(spark, tmp_path, format="json")
    assert columns == {"a.json": ("a",), "b.json": ("a",), "none.json": ("a",)}
    late = tmp_path / "late"
    late.mkdir()
    (late / "late.json").write_text('{"b": 1}\n' * 1000 + '{"a": 1}\n')
    assert looked_at(spark, tmp_path, format="json")[0]["late.json"] == ("a",)
    with pytest.raises(InputError, match=r"columns\.user_id: no column a in .*late\.json; it has: b$"):
        looked_at(spark, late, format="json")


def test_fields_may_be_set_apart_by_several_signs(spark, tmp_path):
    (tmp_path / "a.csv").write_text('a::"b::b"::c\n1::2::3\n')
    (tmp_path / "b.csv").write_text("a::x:y\n1::2\n")
    columns, unreadable = looked_at(spark, tmp_path, options={"sep": "::"})
    assert columns == {"a.csv": ("a", "b::b", "c"), "b.csv": ("a", "x:y")} and not unreadable


def test_a_record_that_names_the_columns_may_go_over_lines(spark, tmp_path):
    long = "x\n" * 20_000
    (tmp_path / "a.csv").write_text(f'\n"first\nname",a,"{long}"\n1,2,3\n')
    (tmp_path / "b.csv").write_text("a,b")
    (tmp_path / "open.csv").write_text('a,"' + "x" * 200_000)
    columns, unreadable = looked_at(spark, tmp_path, options={"multiLine": True})
    assert columns == {"a.csv": ("first\nname", "a", long.strip()), "b.csv": ("a", "b")}
    assert unreadable["open.csv"].startswith("the first line is no csv")
    numbered, _ = looked_at(
        spark, tmp_path / "b.csv", options={"multiLine": True, "header": False}, columns={"user_id": "_c0"}
    )
    assert numbered == {"b.csv": ("_c0", "_c1")}


def test_parquet_files_are_grouped_by_names_and_types(spark, tmp_path):
    def write(name, schema, rows):
        spark.createDataFrame(rows, schema).coalesce(1).write.parquet(str(tmp_path / name))

    write("a", "a string, n int", [("x", 1)])
    write("b", "A string, N int", [("x", None)])
    write("c", "a string, n string", [("x", "1")])
    source = SourceConfig(path=str(tmp_path), format="parquet", columns={"user_id": "a"})
    groups, unreadable = headers(spark, "users", source, list_files(spark, "users", source))
    folders = sorted(sorted(file.path.split("/")[-2] for file in group.files) for group in groups)
    assert (folders, unreadable) == ([["a", "b"], ["c"]], [])


def test_lines_are_whole_where_a_beginning_ends_within_one():
    def lines(content, is_whole=False, **options):
        return Beginning(content, is_whole, is_whole).lines(options)

    assert lines(b"a\r\nb\rc\nd") == [b"a", b"b", b"c"]
    assert lines(b"a\nb\n", is_whole=True) == lines(b"a\nb", is_whole=True) == [b"a", b"b"]
    assert lines(b"a\nb|c|", is_whole=True, lineSep="|") == [b"a\nb", b"c"]
    assert lines(b"a|b", lineSep="|") == [b"a"]
    assert lines(b"", is_whole=True) == lines(b"", is_whole=True, lineSep="|") == lines(b"abc") == []


def test_beginnings_grow_to_the_end_of_the_file_or_to_the_most_that_is_looked_at(spark, tmp_path, monkeypatch):
    file = tmp_path / "a.txt"
    file.write_bytes(bytes(range(256)) * 200)  # 51,200 bytes
    found = list(beginnings(spark, str(file)))
    assert [len(each.content) for each in found] == [16_384, 32_768, 51_200]
    assert found[-1].content == file.read_bytes()
    assert [(each.is_whole, each.is_last) for each in found] == [(False, False), (False, False), (True, True)]
    monkeypatch.setattr(peek, "MOST_BYTES", 32_768)
    found = list(beginnings(spark, str(file)))
    assert [(len(each.content), each.is_whole, each.is_last) for each in found] == [
        (16_384, False, False),
        (32_768, False, True),
    ]
