from segspark.bi.marts.moves import named_moves


def test_a_move_has_the_name_that_the_segment_had_then_and_the_one_that_it_has_now():
    then = [{"scheme": "value", "segment_id": 1, "name": "old few"}, {"scheme": "taste", "segment_id": 1, "name": "x"}]
    now = [{"scheme": "value", "segment_id": 1, "name": "few"}]
    moves = [(1, 1, "same"), (None, 1, "new"), (1, None, "gone"), (7, 8, "refit")]
    counted = [{"scheme": "value", "from_segment": a, "to_segment": b, "cause": cause} for a, b, cause in moves]
    assert [(row["from_name"], row["to_name"]) for row in named_moves(counted, then, now)] == [
        ("old few", "few"),
        (None, "few"),
        ("old few", None),
        (None, None),
    ]
