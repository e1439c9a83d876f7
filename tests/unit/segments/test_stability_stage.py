"""Ids, names and causes from run to run, through the stage: three groups of users who lie far apart."""

import json
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from segspark.core.contracts import (
    FEATURE_DRIFT,
    FEATURE_SELECTION,
    ITEM_FACTORS,
    PREPARED_FEATURES,
    SEGMENT_CHANGES,
    SEGMENT_LINEAGE,
    SEGMENT_MODELS,
    SEGMENTS,
    USER_FACTORS,
    USER_FEATURES,
    USER_SEGMENTS,
    USER_SIMILARITY,
)
from segspark.core.stage import Run, StageContext
from segspark.segments.config import SegmentsConfig
from segspark.segments.stage import build_segments
from tests.builders import rows_of

pytestmark = pytest.mark.slow

DAY = date(2024, 7, 1)
PERSONAS = """
personas:
  big: {title: Big, strategy: "", all: [{feature: monetary, lift: true, at_least: 1.4}]}
  small: {title: Small, strategy: "", all: [{feature: monetary, lift: true, at_most: 0.6}]}
unnamed: nothing
"""
FEATURES = """user_id string, as_of date, is_bot boolean, gender string, education string, region string,
    favourite_category string, monetary double"""
PLACES = {"low": (0.0, 0.0, 10.0), "middle": (6.0, 0.0, 100.0), "high": (0.0, 6.0, 200.0)}  # prepared twice; money
QUICK = {"splits": 1, "starts": 2, "fit": "sample", "k": 3}


class Shop:
    """A lake with the tables that the features and factors stages would have written, a run after another."""

    def __init__(self, lake, personas):
        self.lake, self.personas, self.published = lake, personas, None

    def run(self, run_id, users, fitted_by=None, moved=0.0, drifted=(), turn=None, befriended=None, **scheme):
        """`users` is their groups by id. `moved` shifts all prepared numbers, as another preparation would."""
        spark, lake = self.lake.spark, self.lake
        random = np.random.default_rng(1)
        noise = {user: random.normal(size=2) * 0.3 for user in sorted(users)}
        people = [(u, DAY, False, None, None, None, None, PLACES[group][2]) for u, group in users.items()]
        lake.replace_run(USER_FEATURES, spark.createDataFrame(people, FEATURES), run_id)
        prepared = []
        for user, group in users.items():
            now = (np.array(PLACES[group][:2]) + noise[user]).tolist()
            is_own = fitted_by == run_id and self.published
            prepared.append({"user_id": user, "features": [v + moved for v in now], "before": now if is_own else None})
        lake.replace_run(PREPARED_FEATURES, rows_of(spark, PREPARED_FEATURES, *prepared), run_id)
        kept = {"kept": True, "log_scaled": False, "fitted_by": fitted_by or "r-1"}
        selection = [{"feature": name, "place": place, **kept} for place, name in enumerate(("monetary", "frequency"))]
        lake.replace_run(FEATURE_SELECTION, rows_of(spark, FEATURE_SELECTION, *selection), run_id)
        drift = [{"feature": name, "psi": 1.0, "bound": 0.25, "drifted": True} for name in drifted]
        lake.replace_run(FEATURE_DRIFT, rows_of(spark, FEATURE_DRIFT, *drift), run_id)
        if turn is not None:
            self._factors(run_id, users, noise, np.asarray(turn))
        others = {"friends": {**QUICK, "source": "graph"}} if befriended else {}
        if befriended:
            self.befriend(run_id, befriended)
        config = {"value": {**QUICK, **scheme}, "taste": {**QUICK, "unit_length": False, "names": "personas", **scheme}}
        run = Run(run_id, DAY, 1, 7, self.published)
        config = SegmentsConfig.model_validate({**config, "others": others, "personas": self.personas})
        return build_segments(StageContext(lake, run), config)

    def _factors(self, run_id, users, noise, turn):
        """Users' places as factors, and items', both turned alike."""
        rows = [
            {"user_id": user, "factors": ((np.array(PLACES[group][:2]) + noise[user]) @ turn).tolist()}
            for user, group in users.items()
        ]
        items = [{"item_id": f"i{n}", "factors": (np.eye(2)[n % 2] * (1 + n) @ turn).tolist()} for n in range(6)]
        self.lake.replace_run(USER_FACTORS, rows_of(self.lake.spark, USER_FACTORS, *rows), run_id)
        self.lake.replace_run(ITEM_FACTORS, rows_of(self.lake.spark, ITEM_FACTORS, *items), run_id)

    def befriend(self, run_id, users):
        """Everyone is like the next five of the own group, in a ring."""
        lists = []
        for user, group in users.items():
            own = [each for each in users if users[each] == group]
            place = own.index(user)
            near = [(own[(place + step) % len(own)], 0.9) for step in range(1, 6)]
            lists.append((user, near))
        kind = "user_id string, neighbours array<struct<neighbour_id:string,similarity:double>>"
        frame = self.lake.spark.createDataFrame(lists, kind).selectExpr("'cosine' AS method", "*")
        self.lake.replace_run(USER_SIMILARITY, frame, run_id)

    def publish(self, run_id):
        self.lake.publish(run_id, "me", "run", {}, {})
        self.published = run_id

    def segments(self, run_id, scheme="value"):
        """Name and size by segment_id."""
        rows = self.lake.read_run(SEGMENTS, run_id).where(f"scheme = '{scheme}'").collect()
        return {row.segment_id: (row.name, row.size) for row in rows}

    def users(self, run_id, scheme="value"):
        rows = self.lake.read_run(USER_SEGMENTS, run_id).where(f"scheme = '{scheme}'").collect()
        return {row.user_id: (row.segment_id, row.change) for row in rows}

    def changes(self, run_id, scheme="value"):
        rows = self.lake.read_run(SEGMENT_CHANGES, run_id).where(f"scheme = '{scheme}'").collect()
        return {row.user_id: (row.from_segment, row.to_segment, row.cause) for row in rows}

    def lineage(self, run_id, scheme="value"):
        rows = self.lake.read_run(SEGMENT_LINEAGE, run_id).where(f"scheme = '{scheme}'").collect()
        return {(row.from_segment, row.to_segment, row.kind) for row in rows}


@pytest.fixture
def shop(lake, tmp_path):
    path = Path(tmp_path) / "personas.yaml"
    path.write_text(PERSONAS)
    return Shop(lake, str(path))


def people(low, middle, high):
    """Ids by group: l00, l01, … m00, … h00, …"""
    sizes = {"low": low, "middle": middle, "high": high}
    return {f"{group[0]}{n:02}": group for group, size in sizes.items() for n in range(size)}


def of_value(result):
    """What is told of the scheme `value`."""
    return next(note for note in result.notes if note.startswith("value: "))


FIRST = people(14, 12, 10)  # largest first: the low ones are 0, the middle ones 1, the high ones 2
NAMES = {0: "small", 1: "segment-1", 2: "big"}


def begin(shop):
    shop.run("r-1", FIRST)
    assert shop.segments("r-1") == {0: ("small", 14), 1: ("segment-1", 12), 2: ("big", 10)}
    assert shop.lineage("r-1") == {(None, 0, "born"), (None, 1, "born"), (None, 2, "born")}
    assert shop.changes("r-1") == {} and {change for _, change in shop.users("r-1").values()} == {None}
    shop.publish("r-1")


def test_the_published_model_serves_again_and_users_who_move_moved_by_themselves(shop):
    begin(shop)
    later = {**FIRST, "l00": "high", "l01": "middle", "zoe": "high"}
    later.pop("m00")
    result = shop.run("r-2", later)
    assert "the published model serves again" in of_value(result) and result.refused is None
    assert shop.segments("r-2") == {0: ("small", 12), 1: ("segment-1", 12), 2: ("big", 12)}
    assert shop.changes("r-2") == {
        "l00": (0, 2, "behaviour"),
        "l01": (0, 1, "behaviour"),
        "zoe": (None, 2, "new"),
        "m00": (1, None, "gone"),
    }
    users = shop.users("r-2")
    assert users["l00"] == (2, "behaviour") and users["zoe"] == (2, "new") and users["h00"] == (2, "same")
    assert shop.lineage("r-2") == {(n, n, "same") for n in range(3)}
    (chosen,) = shop.lake.read_run(SEGMENT_MODELS, "r-2").where("chosen").collect()
    assert json.loads(chosen.params)["fitted_in"] == "r-1"


def test_a_refit_keeps_ids_and_names_and_tells_who_moved_by_themselves(shop):
    """The order by size turns round, and the prepared space is another: nothing but the users tells which is which."""
    begin(shop)
    later = {**FIRST, **{f"h{n:02}": "high" for n in range(20)}, "l00": "high"}
    result = shop.run("r-2", later, fitted_by="r-2", moved=50.0)
    assert "fitted anew (the features were prepared anew)" in of_value(result) and result.refused is None
    assert {i: name for i, (name, _) in shop.segments("r-2").items()} == NAMES
    assert [size for _, size in sorted(shop.segments("r-2").values())] == [21, 12, 13]
    moved = {user: told for user, told in shop.changes("r-2").items() if told[2] != "new"}
    assert moved == {"l00": (0, 2, "behaviour")}


def test_ids_are_never_used_again_and_a_refit_that_moves_too_many_is_refused(shop):
    begin(shop)
    result = shop.run("r-2", FIRST, k=2, churn_budget=0.2)
    assert "segments.value: the refit would move" in result.refused and "of 36 users" in result.refused
    assert "(the settings of the scheme are others)" in of_value(result)
    assert len(shop.segments("r-2")) == 2 and {cause for *_, cause in shop.changes("r-2").values()} == {"refit"}
    kinds = {kind for *_, kind in shop.lineage("r-2")}
    assert kinds == {"same", "merge"}

    shop.publish("r-2")
    (ended,) = set(NAMES) - set(shop.segments("r-2"))
    assert shop.run("r-3", FIRST, k=3, churn_budget=0.5).refused is None
    assert set(shop.segments("r-3")) - set(shop.segments("r-2")) == {3}, f"{ended} was used before"
    shop.publish("r-3")
    shop.publish("r-2")
    shop.run("r-4", FIRST, k=3, churn_budget=0.5)
    assert set(shop.segments("r-4")) - set(shop.segments("r-2")) == {4}, "3 was published, and rolled back"


def test_without_the_earlier_preparation_no_move_is_put_down_to_the_user(shop):
    begin(shop)
    later = {**FIRST, "l00": "high"}
    shop.run("r-2", later, fitted_by="r-2", moved=50.0)
    prepared = shop.lake.read_run(PREPARED_FEATURES, "r-2").withColumn("before", _nothing())
    shop.lake.replace_run(PREPARED_FEATURES, prepared.localCheckpoint(), "r-2")
    result = build_segments(
        StageContext(shop.lake, Run("r-2", DAY, 1, 7, "r-1")),
        SegmentsConfig.model_validate({"value": QUICK, "personas": shop.personas}),
    )
    assert any("every move counts as refit" in note for note in result.notes)
    assert shop.changes("r-2") == {"l00": (0, 2, "refit")}
    assert {i: name for i, (name, _) in shop.segments("r-2").items()} == NAMES


def test_drift_or_an_emptied_segment_asks_for_a_refit_unless_it_is_forbidden(shop):
    begin(shop)
    left = {user: group for user, group in FIRST.items() if group != "high"}
    told = of_value(shop.run("r-2", left, drifted=("monetary",), churn_budget=1.0))
    assert "fitted anew (monetary drifted)" in told
    assert "nobody is in segment 2 any more" in of_value(shop.run("r-3", left, churn_budget=1.0))
    assert "serves again" in of_value(shop.run("r-4", left, drifted=("monetary",), refit="never"))
    assert shop.segments("r-4")[2] == ("segment-2", 0)
    assert shop.changes("r-4")["h00"] == (2, None, "gone")


def test_factors_that_turned_as_a_whole_move_nobody_and_a_user_who_changed_moved_by_themselves(shop):
    shop.run("r-1", FIRST, turn=[[1, 0], [0, 1]])
    first = {i: name for i, (name, _) in shop.segments("r-1", "taste").items()}
    assert first == NAMES
    shop.publish("r-1")
    angle = np.radians(130)
    turn = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    result = shop.run("r-2", {**FIRST, "l00": "high"}, turn=turn)
    (told,) = [note for note in result.notes if note.startswith("taste")]
    assert "serves again; today's items lie like that run's to 1.00 once turned" in told
    assert shop.changes("r-2", "taste") == {"l00": (0, 2, "behaviour")}
    assert {i: name for i, (name, _) in shop.segments("r-2", "taste").items()} == NAMES
    result = shop.run("r-3", {**FIRST, "l01": "high"}, turn=turn, refit="always")
    assert any("fitted anew (refit is always)" in note for note in result.notes if note.startswith("taste"))
    assert shop.changes("r-3", "taste") == {"l01": (0, 2, "behaviour")}


def test_segments_of_a_graph_are_fitted_anew_and_keep_their_ids_by_the_users_in_them(shop):
    lonely = {"l00"}
    result = shop.run("r-1", FIRST, befriended={user: group for user, group in FIRST.items() if user not in lonely})
    assert "friends: 1 of 36 users are like nobody, and so in no segment" in result.notes
    first = shop.users("r-1", "friends")
    assert "l00" not in first and len(first) == 35
    groups = {segment: {user[0] for user, (own, _) in first.items() if own == segment} for segment, _ in first.values()}
    assert groups == {0: {"l"}, 1: {"m"}, 2: {"h"}}
    shop.publish("r-1")
    moved = {**FIRST, "l01": "high"}
    result = shop.run("r-2", FIRST, befriended=moved)
    told = [note for note in result.notes if note.startswith("friends: ")]
    assert any("fitted anew (the places in a graph are those of one run)" in note for note in told)
    assert any("r-1's model cannot be asked about today's users" in note for note in result.notes)
    assert {own for user, (own, _) in shop.users("r-2", "friends").items() if user[0] == "m"} == {1}
    assert shop.changes("r-2", "friends") == {"l01": (0, 2, "refit"), "l00": (None, 0, "new")}


def _nothing():
    from pyspark.sql import functions as F

    return F.lit(None).cast("array<float>")
