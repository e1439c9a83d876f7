import pytest
from statsmodels.stats.proportion import confint_proportions_2indep

from segspark.campaigns.lift.moves import compare_moves, count_moves, last_moves
from segspark.core.contracts import CAMPAIGN_MOVES

SPENDING = {"economy": 5.0, "loyal": 20.0, "high-value": 90.0, "twin": 20.0, "nobody knows": None}
PLANNED = [  # user, segment then, held out, segment now (None: gone; absent: no change), cause, seq, move
    ("u1", "loyal", False, "high-value", "behaviour", 9, "up"),
    ("u2", "loyal", False, "economy", "behaviour", 6, "down"),
    ("u3", "loyal", False, None, "gone", 9, "gone"),
    ("u4", "loyal", True, "high-value", "behaviour", 5, "same"),  # in the run that planned the campaign
    ("u5", "loyal", True, None, None, None, "same"),
    ("u6", "economy", True, "loyal", "new", 9, "up"),
    ("u7", "loyal", False, "twin", "behaviour", 9, "same"),
    ("u8", "loyal", False, "unheard-of", "behaviour", 9, "same"),
    ("u9", "loyal", False, None, "behaviour", 9, "same"),  # to a segment that is no more, which is not gone
]


@pytest.fixture(scope="module")
def counted(spark):
    plan = spark.createDataFrame(
        [("spring", user, segment, held, 5) for user, segment, held, *_ in PLANNED],
        "campaign_id string, user_id string, segment_name string, holdout boolean, planned_seq bigint",
    )
    moved = [(user, to, cause, seq) for user, _, _, to, cause, seq, _ in PLANNED if cause]
    moved += [("stranger", "loyal", "behaviour", 9)]
    frame = spark.createDataFrame(moved, "user_id string, to_name string, cause string, seq bigint")
    return count_moves(plan, frame, SPENDING).collect()


def test_moves_are_by_what_segments_spend_and_only_those_since_the_plan_count(counted):
    expected: dict = {}
    for _, segment, held, *_, move in PLANNED:
        key = ("spring", segment, held, move)
        expected[key] = expected.get(key, 0) + 1
    found = {(r.campaign_id, r.segment_name, r.holdout, r.move): r.users for r in counted}
    assert found == expected


def test_a_refit_after_a_move_does_not_undo_it(spark):
    changes = [
        ("u1", "high-value", "behaviour", 1),
        ("u1", "loyal", "refit", 2),
        ("u2", "high-value", "behaviour", 1),
        ("u2", "economy", "behaviour", 2),
        ("u3", None, "gone", 1),
        ("u3", "economy", "new", 3),
        ("u4", "economy", "refit", 1),
    ]
    frame = spark.createDataFrame(changes, "user_id string, to_name string, cause string, seq bigint")
    found = {row.user_id: (row.to_name, row.cause, row.seq) for row in last_moves(frame).collect()}
    assert found == {
        "u1": ("high-value", "behaviour", 1),
        "u2": ("economy", "behaviour", 2),
        "u3": ("economy", "new", 3),
    }


def test_each_segment_has_every_move_and_what_a_side_without_users_shows_is_null(counted):
    rows = compare_moves(counted, 0.05)
    assert [(row["segment_name"], row["move"]) for row in rows] == [
        (name, move) for name in ("economy", "loyal") for move in ("up", "down", "same", "gone")
    ]
    assert {frozenset(row) for row in rows} == {frozenset(CAMPAIGN_MOVES.names)}
    economy = rows[0]
    assert (economy["control"], economy["treated"], economy["difference"], economy["low"]) == (1.0, None, None, None)


def test_shares_of_moves_have_newcombes_interval():
    counts = [
        {"campaign_id": "c", "segment_name": "s", "holdout": held, "move": move, "users": users}
        for held, move, users in [(False, "up", 90), (False, "same", 810), (True, "up", 4), (True, "same", 96)]
    ]
    up = compare_moves(counts, 0.05)[0]
    assert (up["treated"], up["control"], up["difference"]) == pytest.approx((0.1, 0.04, 0.06))
    assert (up["low"], up["high"]) == pytest.approx(confint_proportions_2indep(90, 900, 4, 100, method="newcomb"))
