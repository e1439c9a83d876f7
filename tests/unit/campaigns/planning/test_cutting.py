from collections import Counter
from datetime import date

from segspark.campaigns.planning.cutting import cut_to_quotas

SCHEMA = "user_id string, action string, surplus double, tie double, holdout boolean"


def cut(spark, rows, quotas):
    counts = Counter(row[1] for row in rows if not row[4])
    found = cut_to_quotas(spark.createDataFrame(rows, SCHEMA), counts, quotas, "2024-07-01").collect()
    return {row.user_id: row.send_on for row in found}


def test_the_best_go_first_and_what_is_beyond_the_last_day_is_left_out(spark):
    rows = [(f"u{n}", "a", float(10 - n), 0.5, False) for n in range(5)]
    found = cut(spark, rows, {"a": [2, 1], "b": [9, 9]})
    assert found == {"u0": date(2024, 7, 1), "u1": date(2024, 7, 1), "u2": date(2024, 7, 2)}


def test_who_is_held_out_takes_no_place_of_others(spark):
    rows = [(f"u{n}", "a", float(10 - n), 0.5, n in (0, 2, 3)) for n in range(6)]
    found = cut(spark, rows, {"a": [1, 1]})
    assert found == {
        "u0": date(2024, 7, 1),  # held out, before the first
        "u1": date(2024, 7, 1),
        "u2": date(2024, 7, 2),  # held out
        "u3": date(2024, 7, 2),  # held out
        "u4": date(2024, 7, 2),
    }


def test_where_all_contacts_go_out_the_last_of_the_held_out_is_in_too(spark):
    rows = [("u0", "a", 3.0, 0.5, False), ("u1", "a", 2.0, 0.5, False), ("u2", "a", 1.0, 0.5, True)]
    assert cut(spark, rows, {"a": [1, 1]})["u2"] == date(2024, 7, 2)
    assert "u2" not in cut(spark, rows, {"a": [1, 0]})


def test_equals_go_by_the_tie_whatever_the_partitions(spark):
    rows = [(f"u{n}", "a", 1.0, (n * 37 % 100) / 100, False) for n in range(100)]
    frame = spark.createDataFrame(rows, SCHEMA)
    firsts = [
        {row.user_id for row in cut_to_quotas(frame.repartition(n), {"a": 100}, {"a": [7]}, "2024-07-01").collect()}
        for n in (1, 5)
    ]
    assert firsts[0] == firsts[1] == {f"u{n}" for n in range(100) if n * 37 % 100 < 7}


def test_a_campaign_that_is_over_contacts_nobody(spark):
    assert cut(spark, [("u", "a", 1.0, 0.5, False)], {"a": []}) == {}
