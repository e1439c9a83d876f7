from segspark.bi.report.ledgers import named_in, newest_stages, rows_by_source, with_items
from tests.builders import at

LISTED = {"scheme": "value", "segment_id": 0, "item_id": "i1", "reason": "because you bought i7", "monetary": 2.5}


def test_files_are_added_up_by_source_up_to_the_one_that_the_run_saw_last():
    counts = {"rows_in": 5, "accepted": 3, "quarantined": 2, "filtered": None}
    read = [{**counts, "source": s, "ingest_seq": n} for n, s in enumerate(("orders", "items", "orders", "orders"))]
    assert rows_by_source(read, ingest_seq=2) == [
        {"source": "items", "files": 1, "rows_in": 5, "accepted": 3, "quarantined": 2, "filtered": 0},
        {"source": "orders", "files": 2, "rows_in": 10, "accepted": 6, "quarantined": 4, "filtered": 0},
    ]


def test_a_stage_is_what_became_of_it_last_and_stages_stand_as_they_began():
    times = [
        ("segments", 3, 4, "done"),
        ("features", 1, 2, "failed"),
        ("features", 1, 5, "done"),
        ("run", 6, 6, "done"),
    ]
    entered = [
        {"run_id": run_id, "stage": stage, "status": status if run_id == "r" else "another run's"}
        | {"started_at": at(f"2024-03-01 10:0{start}"), "heartbeat_at": at(f"2024-03-01 10:0{end}")}
        for run_id in ("r", "other")
        for stage, start, end, status in times
    ]
    told = newest_stages([*entered, {**entered[0], "stage": "pin"}], "r")
    assert [(row["stage"], row["status"]) for row in told] == [("features", "done"), ("segments", "done")]


def test_items_are_looked_up_by_id_in_lists_and_in_the_words_of_reasons():
    lists = [{**LISTED, "rank": 2, "item_id": "i2", "reason": None}, {**LISTED, "rank": 1}]
    assert named_in(lists) == {"i1", "i2", "because", "you", "bought", "i7"}
    items = {
        "i1": {"description": None, "category": "Garden"},
        "i7": {"description": "chair", "category": "Garden"},
    }
    told = with_items(lists, items)
    assert [(row["rank"], row["description"], row["category"]) for row in told] == [
        (1, None, "Garden"),
        (2, None, None),
    ]
    assert [row["names"] for row in told] == [{"i7": "chair"}] * 2
    assert [row["features"] for row in told] == [{"monetary": 2.5}] * 2
