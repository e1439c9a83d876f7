"""Where users went after a campaign, contacted against held out: rows of campaign_moves."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from pyspark.sql import DataFrame, Row
from pyspark.sql import functions as F
from statsmodels.stats.proportion import confint_proportions_2indep

from segspark.campaigns.lookup import looked_up

UP, DOWN, SAME, GONE = "up", "down", "same", "gone"
MOVES = (UP, DOWN, SAME, GONE)
OWN_CAUSES = ("behaviour", "new", "gone")  # of segment_changes; a refit moves users who did nothing


def last_moves(changes: DataFrame) -> DataFrame:
    """One row per user who moved: user_id, to_name, cause and seq of the last change by their own behaviour.

    `changes` has user_id, to_name, cause and seq, which orders them. A later refit does not undo what the user did.
    """
    own = changes.where(F.col("cause").isin(*OWN_CAUSES))
    last = own.groupBy("user_id").agg(F.max_by(F.struct("to_name", "cause", "seq"), "seq").alias("last"))
    return last.select("user_id", "last.*")


def count_moves(plan: DataFrame, moved: DataFrame, spending: Mapping[str, float | None]) -> DataFrame:
    """Users by campaign_id, segment_name, holdout and move.

    `plan` has campaign_id, user_id, segment_name, holdout and planned_seq; `moved` one row per user who moved, as
    `last_moves`; `spending` is what a user spends, by segment_name. Who did not move since the campaign was planned
    counts as same, and so does a move between segments that spend alike, or of which it is not known.
    """
    known = plan.join(moved, on="user_id", how="left")
    then, now = (looked_up(spending, name, "double") for name in ("segment_name", "to_name"))
    move = (
        F.when(~F.coalesce(F.col("seq") > F.col("planned_seq"), F.lit(False)), SAME)
        .when(F.col("cause") == "gone", GONE)
        .when(now > then, UP)
        .when(now < then, DOWN)
        .otherwise(SAME)
    )
    by_move = known.groupBy("campaign_id", "segment_name", "holdout", move.alias("move"))
    return by_move.agg(F.count(F.lit(1)).alias("users"))


def compare_moves(counts: Iterable[Row], level: float) -> list[dict[str, Any]]:
    """Rows of campaign_moves from collected rows of `count_moves`: four for each campaign and segment.

    Newcombe's interval (1998). What a side without users would show is null.
    """
    sides: dict[tuple[str, str], dict[tuple[bool, str], int]] = defaultdict(lambda: defaultdict(int))
    for row in counts:
        sides[row["campaign_id"], row["segment_name"]][row["holdout"], row["move"]] += row["users"]
    rows = []
    for (campaign_id, segment_name), users in sorted(sides.items()):
        key = {"campaign_id": campaign_id, "segment_name": segment_name}
        treated_users, control_users = (sum(users[side, move] for move in MOVES) for side in (False, True))
        for move in MOVES:
            counted = (users[False, move], treated_users, users[True, move], control_users)
            rows.append(key | {"move": move} | _compare(*counted, level))
    return rows


def _compare(treated: int, treated_users: int, control: int, control_users: int, level: float) -> dict[str, Any]:
    counted = (treated, treated_users, control, control_users)
    share = treated / treated_users if treated_users else None
    control_share = control / control_users if control_users else None
    is_told = share is not None and control_share is not None
    low, high = confint_proportions_2indep(*counted, method="newcomb", alpha=level) if is_told else (None, None)
    return {
        "treated_users": treated_users,
        "control_users": control_users,
        "treated": share,
        "control": control_share,
        "difference": share - control_share if share is not None and control_share is not None else None,
        "low": None if low is None else float(low),
        "high": None if high is None else float(high),
    }
