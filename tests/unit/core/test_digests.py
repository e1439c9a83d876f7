"""Hashes and digests of the driver's rows against Spark's."""

import random
from dataclasses import replace
from datetime import date, datetime, timedelta

from pyspark.sql import functions as F

from segspark.core.arrow_rows import arrow_type, from_arrow
from segspark.core.contracts import CAMPAIGNS, QUALITY
from segspark.core.digests import digest_of_rows, digests_of_frames, digests_of_run, hash_of
from tests.builders import whole_rows, write_rows

KINDS = {
    "text": "string",
    "few": "int",
    "many": "bigint",
    "half": "float",
    "number": "double",
    "flag": "boolean",
    "day": "date",
    "moment": "timestamp",
    "numbers": "array<double>",
    "shape": "array<array<int>>",
    "told": "array<struct<reason:string,users:bigint>>",
    "place": "struct<name:string,at:double>",
}
NUMBERS = (0.0, -0.0, 1.5, -2.75, float("nan"), float("inf"), float("-inf"), 5e-324, 1.7976931348623157e308)
CAMPAIGN = {"campaign_id": "spring", "left_out": [{"reason": "no consent", "users": 3}, {"reason": "late", "users": 1}]}


def drawn_rows(rows):
    """Values of every kind, a quarter of them null; texts of up to seventy characters of one to four bytes."""
    draw = random.Random(11)
    text = lambda: "".join(draw.choices("abc é€🙂\0", k=draw.randrange(70)))  # noqa: E731
    number = lambda: draw.choice([*NUMBERS, draw.gauss(0, 1e6)])  # noqa: E731
    values = {
        "text": text,
        "few": lambda: draw.randrange(-(2**31), 2**31),
        "many": lambda: draw.randrange(-(2**63), 2**63),
        "half": lambda: draw.choice([0.0, -0.0, float("nan"), draw.randrange(-999, 999) / 8]),
        "number": number,
        "flag": lambda: draw.random() < 0.5,
        "day": lambda: date(1970, 1, 1) + timedelta(days=draw.randrange(-200_000, 200_000)),
        "moment": lambda: datetime(1970, 1, 1) + timedelta(microseconds=draw.randrange(-(10**15), 10**15)),
        "numbers": lambda: [draw.choice([None, number()]) for _ in range(draw.randrange(4))],
        "shape": lambda: [[n] * n for n in range(draw.randrange(4))],
        "told": lambda: [{"reason": text(), "users": n} for n in range(draw.randrange(3))],
        "place": lambda: {"name": draw.choice([None, text()]), "at": number()},
    }
    return [{name: None if draw.random() < 0.25 else values[name]() for name in KINDS} for _ in range(rows)]


def test_a_row_of_any_types_has_the_hash_that_spark_gives_it(spark):
    schema = ", ".join(f"{name} {kind}" for name, kind in KINDS.items())
    frame = spark.createDataFrame([tuple(row.values()) for row in drawn_rows(300)], schema)
    read = from_arrow(frame.toArrow())
    kinds = [arrow_type(kind) for kind in KINDS.values()]
    expected = [row[0] for row in frame.select(F.xxhash64(*KINDS)).collect()]
    assert [hash_of(list(row.values()), kinds) for row in read] == expected
    assert len(set(expected)) == 300


def test_the_digest_of_rows_is_that_of_their_frame_whatever_their_order(lake):
    rows = [{**CAMPAIGN, "campaign_id": f"c{n}", "cost": n / 3} for n in range(5)]
    write_rows(lake, CAMPAIGNS, "r-1", *rows)
    write_rows(lake, CAMPAIGNS, "r-2", *reversed(rows))
    found = digest_of_rows(lake, CAMPAIGNS, "r-1")
    assert found == digests_of_frames({"campaigns": lake.read_run(CAMPAIGNS, "r-1")})["campaigns"]
    assert found == digest_of_rows(lake, CAMPAIGNS, "r-2") and found[0] == 5
    assert digest_of_rows(lake, CAMPAIGNS, "r-3") == (0, 0)


def test_a_column_that_a_table_gained_is_hashed_after_those_that_it_had(lake):
    before = replace(QUALITY, columns=tuple(each for each in QUALITY.columns if each.name != "check"))
    rows = [{"source": "orders", "passed": True, "value": n / 7} for n in range(3)]
    lake.replace_rows(before, whole_rows(before, *rows), "r-1")
    lacking = digest_of_rows(lake, QUALITY, "r-1")
    assert lacking == digests_of_frames({"quality": lake.read_run(QUALITY, "r-1")})["quality"]
    write_rows(lake, QUALITY, "r-2", *({**row, "check": "share in quarantine"} for row in rows))
    gained = digest_of_rows(lake, QUALITY, "r-2")
    assert gained == digests_of_frames({"quality": lake.read_run(QUALITY, "r-2")})["quality"] != lacking
    assert digests_of_run(lake, "r-2") == {"quality": gained}
