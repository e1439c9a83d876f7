"""Of any text, every line ends in exactly one of the log table, quarantine and filtered."""

from datetime import datetime, timezone

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from segspark.ingest.config import LOGS, IngestConfig
from segspark.ingest.files import list_files
from segspark.ingest.mapping import map_columns
from segspark.ingest.reading import PLACE, content_of, parse, scan
from segspark.ingest.rules import judge
from tests.unit.ingest.sources import EVENT_COLUMNS, ORDER_COLUMNS, events_from, orders_from

NOW = datetime(2024, 6, 1, tzinfo=timezone.utc)
SETTINGS = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
HEADER = "no,item,at,who,qty,price"

any_text = st.text(st.characters(codec="utf-8", exclude_characters="\r\n"), max_size=30)
fields = st.one_of(
    any_text,
    st.sampled_from(
        ["", "0", "-3", "1e400", "NaN", '"', '""', '"a,b"', "2024-01-02", "0000-00-00", "\\", "\x00", "\x01"]
    ),
)
csv_lines = st.one_of(
    any_text,
    st.lists(fields, min_size=5, max_size=8).map(",".join),
    st.sampled_from(["", " ", HEADER, "\ufeff", '"' * 7]),
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | any_text | st.sampled_from(["view", "2024-01-02 10:00"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("utki"), inner, max_size=4),
    max_leaves=6,
)


@st.composite
def json_lines(draw):
    import json

    if draw(st.booleans()):
        return draw(any_text)
    keys = {"u": values, "t": values, "kind": values, "i": values}
    return json.dumps(
        draw(st.one_of(values, st.fixed_dictionaries({}, optional=keys))), ensure_ascii=draw(st.booleans())
    )


def outcome(spark, sources, columns):
    """(line, raw, ok, filtered, problem) of every row, in the order of the file, through all pure steps."""
    ((name, source),) = sources.given().items()
    rows = scan(spark, source, columns, list_files(spark, name, source))
    mapped = map_columns(parse(rows, source, columns), source, LOGS[name], kept=PLACE)
    shown = ("__id", "__raw", "__problem", "__filtered")  # not times: Python knows no year after 9999
    judged = judge(mapped, name, IngestConfig(), NOW).orderBy("__id").select(*shown).collect()
    assert content_of(rows).collect()[0].rows == len(judged) if judged else content_of(rows).isEmpty()
    return [(row["__id"], row["__raw"], row["__problem"], row["__filtered"]) for row in judged]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "any.txt"


@SETTINGS
@given(lines=st.lists(csv_lines, max_size=20))
def test_every_csv_line_ends_in_one_place(spark, file, lines):
    file.write_bytes("".join(f"{line}\n" for line in [HEADER, *lines]).encode("utf-8", "surrogatepass"))
    sources = orders_from(file, where="cast(price AS double) < 10", columns={**ORDER_COLUMNS, "discount": "1 / qty"})
    found = outcome(spark, sources, tuple(HEADER.split(",")))
    assert [number for number, *_ in found] == list(range(len(lines) + 1))
    assert [raw for _, raw, *_ in found] == [HEADER, *lines]
    assert not any(problem and filtered for *_, problem, filtered in found)


@SETTINGS
@example(lines=['{"u": null, "t": 10000}'])
@given(lines=st.lists(json_lines(), min_size=1, max_size=20))
def test_every_json_line_ends_in_one_place(spark, file, lines):
    file.write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8", "surrogatepass"))
    sources = events_from(file, where="u <> 'x'", columns={**EVENT_COLUMNS, "price": "10 / length(i)"})
    found = outcome(spark, sources, ("i", "kind", "t", "u"))
    assert [raw for _, raw, *_ in found] == lines
    assert not any(problem and filtered for *_, problem, filtered in found)
