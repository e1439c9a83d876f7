"""Who moved and why, on a handful of users."""

import numpy as np
import pytest

from segspark.segments.stability.changes import (
    Churn,
    changed_users,
    count_causes,
    count_crossings,
    cross,
    overlap_table,
    with_causes,
)

IDS = np.array([4, 7])
USERS = {  # position, earlier, expected -> segment now, cause
    "stayed": (0, 4, 4, 4, "same"),
    "stayed though the old model would not": (1, 7, 4, 7, "same"),
    "moved by themselves": (1, 4, 7, 7, "behaviour"),
    "moved elsewhere than the old model would": (0, 7, 9, 4, "behaviour"),
    "moved by the new model": (0, 7, 7, 4, "refit"),
    "moved, and nobody knows": (0, 7, None, 4, "refit"),
    "came": (1, None, 7, 7, "new"),
    "went": (None, 7, None, None, "gone"),
}


@pytest.fixture(scope="module")
def caused(spark):
    def frame(column, place):
        rows = [(user, told[place]) for user, told in USERS.items() if told[place] is not None]
        return spark.createDataFrame(rows, f"user_id string, {column} int")

    crossed = cross(frame("position", 0), frame("earlier", 1), frame("expected", 2))
    return with_causes(crossed, IDS).cache()


def test_every_user_of_either_run_has_one_cause(caused):
    found = {row.user_id: (row.segment_id, row.cause) for row in caused.collect()}
    assert found == {user: told[3:] for user, told in USERS.items()}
    assert caused.count() == len(USERS)


def test_only_those_who_moved_stand_in_the_changes(caused):
    rows = {row.user_id: row for row in changed_users(caused, "value").collect()}
    assert set(rows) == {user for user, told in USERS.items() if told[4] != "same"}
    row = rows["moved by themselves"]
    assert (row.scheme, row.from_segment, row.to_segment, row.cause) == ("value", 4, 7, "behaviour")
    assert (rows["came"].from_segment, rows["went"].to_segment) == (None, None)


def test_the_share_that_a_refit_moved_is_of_the_users_in_both(caused):
    churn = Churn({row.cause: row.users for row in count_causes(caused).collect()})
    assert churn.in_both == 6
    assert churn.by_refit == pytest.approx(2 / 6)


def test_crossings_add_up_to_the_overlap_of_users_in_both(caused):
    crossings = count_crossings(caused).collect()
    assert sum(row.users for row in crossings) == len(USERS)
    assert overlap_table(crossings, np.array([4, 7, 9]), 2).tolist() == [[1, 3, 0], [1, 1, 0]]
