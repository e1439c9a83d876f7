"""When the published run's model of a scheme places the users again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from segspark.segments.config import SchemeConfig
from segspark.segments.model import SegmentModel
from segspark.segments.notes import refusal
from segspark.segments.placement import NearestCentre
from segspark.segments.stability.alignment import Rotation
from segspark.segments.stability.changes import Churn
from segspark.segments.stability.identity import identify_anew
from segspark.segments.stability.reuse import (
    Earlier,
    Spaces,
    reason_to_fit,
    settings_from,
    settings_of,
    spaces_of,
)

CENTRES = np.array([[0.0, 0.0], [5.0, 5.0]])
MODEL = SegmentModel(NearestCentre(CENTRES), np.array([3, 1]), CENTRES, np.array([5, 5]), np.zeros(2), np.eye(2))
CONFIG = SchemeConfig(k=2)
EARLIER = Earlier("r-1", {3: "loyal", 1: "segment-1"}, None, [], MODEL, CONFIG)
SAME = Spaces(("a", "b"), ("a", "b"), True)


def test_what_changes_no_model_is_no_part_of_the_settings():
    freer = SchemeConfig(k=2, refit="never", churn_budget=0.9, names="tastes")
    assert settings_of(freer) == settings_of(CONFIG) != settings_of(SchemeConfig(k=3))


def test_settings_come_back_from_the_chosen_row():
    weighed = SchemeConfig(k=2, columns=("a",), weights={"a": 2.0})
    params = json.dumps({"k": 2, "settings": settings_of(weighed)})
    rows = [{"chosen": False, "params": "{}"}, {"chosen": True, "params": params}]
    assert settings_of(settings_from(rows)) == settings_of(weighed)
    assert settings_from(rows[:1]) is None
    assert settings_from([{"chosen": True, "params": '{"k": 2}'}]) is None
    assert settings_from([{"chosen": True, "params": '{"settings": {"colour": "red"}}'}]) is None


@pytest.mark.parametrize(
    ("earlier", "config", "spaces", "expected"),
    [
        (EARLIER, CONFIG, SAME, None),
        (EARLIER, SchemeConfig(k=3), SAME, "settings"),
        (EARLIER, CONFIG, replace(SAME, is_same=False), "prepared anew"),
        (EARLIER, SchemeConfig(k=2, refit="never"), replace(SAME, is_same=False), "prepared anew"),
        (EARLIER, SchemeConfig(k=2, refit="always"), SAME, "always"),
        (EARLIER, CONFIG, replace(SAME, drifted=frozenset("b")), "b drifted"),
        (EARLIER, SchemeConfig(k=2, refit="never"), replace(SAME, drifted=frozenset("b")), None),
        (replace(EARLIER, model=None), CONFIG, SAME, "cannot be read"),
        (replace(EARLIER, settings=None), CONFIG, SAME, "cannot be read"),
    ],
)
def test_a_model_is_fitted_anew_for_a_reason(earlier, config, spaces, expected):
    reason = reason_to_fit(earlier, config, spaces)
    assert reason is None if expected is None else expected in reason


def test_a_scheme_heeds_the_drift_of_its_own_columns():
    narrow = SchemeConfig(k=2, columns=("a",))
    earlier = replace(EARLIER, settings=narrow)
    assert reason_to_fit(earlier, narrow, replace(SAME, drifted=frozenset("b"))) is None
    assert reason_to_fit(earlier, narrow, replace(SAME, drifted=frozenset("a"))) == "a drifted"


def test_a_model_of_factors_serves_again_where_they_lie_alike_once_turned():
    factors = SchemeConfig(k=2, source="factors")
    quarter = np.array([[0.0, -1.0], [1.0, 0.0]])  # today's (x, y) were (y, -x) then
    earlier = replace(EARLIER, settings=factors, rotation=Rotation(quarter, 0.97))
    assert reason_to_fit(earlier, factors, Spaces()) is None
    assert earlier.today.placement.centres.tolist() == [[0.0, 0.0], [-5.0, 5.0]]
    points = np.random.default_rng(5).normal(size=(50, 2)) * 4
    then, today = MODEL.placement.place(points @ quarter), earlier.today.placement.place(points)
    assert (then.number == today.number).all()
    for rotation in (Rotation(quarter, 0.5), None):
        assert "do not lie like" in reason_to_fit(replace(earlier, rotation=rotation), factors, Spaces())


@pytest.mark.parametrize("refit", ["auto", "never"])
def test_a_graph_is_fitted_anew_in_every_run(refit):
    graph = SchemeConfig(k=2, source="graph", refit=refit)
    assert "those of one run" in reason_to_fit(replace(EARLIER, settings=graph), graph, SAME)


def selection(fitted_by, *features):
    return [
        {"feature": name, "place": place, "kept": place is not None, "fitted_by": fitted_by} for name, place in features
    ]


def test_spaces_are_the_same_where_one_run_fitted_both_preparations():
    rows = selection("r-1", ("b", 1), ("a", 0), ("left", None))
    spaces = spaces_of(rows, rows, ["a", "left"])
    assert spaces == Spaces(("a", "b"), ("a", "b"), True, frozenset({"a"}))
    assert not spaces_of(selection("r-2", ("a", 0)), selection("r-1", ("a", 0))).is_same
    unknown = selection(None, ("a", 0))
    assert not spaces_of(unknown, unknown).is_same, "runs of an earlier version fitted each their own"
    assert spaces_of(rows) == Spaces(("a", "b"))


def crossing(position, earlier, expected, users):
    return {"position": position, "earlier": earlier, "expected": expected, "users": users}


def test_ids_follow_the_users_and_where_nobody_is_in_both_the_earlier_model():
    shared = [crossing(0, 1, 1, 40), crossing(1, 3, 3, 30), crossing(0, None, 1, 9), crossing(None, 3, None, 5)]
    model, found = identify_anew(MODEL, EARLIER, shared, last_id=8)
    assert model.ids.tolist() == [1, 3]
    assert [(link.from_segment, link.to_segment, link.overlap) for link in found] == [(1, 1, 1.0), (3, 3, 1.0)]
    strangers = [crossing(0, None, 3, 40), crossing(1, None, 1, 30), crossing(None, 1, None, 50)]
    assert identify_anew(MODEL, EARLIER, strangers, last_id=8)[0].ids.tolist() == [3, 1]
    unknown = [crossing(0, None, None, 40), crossing(1, None, None, 30)]
    assert identify_anew(MODEL, EARLIER, unknown, last_id=8)[0].ids.tolist() == [9, 10]


def test_a_run_is_refused_above_the_budget_only_and_is_told_what_to_do():
    churn = Churn({"same": 70, "behaviour": 10, "refit": 20, "new": 500, "gone": 9})
    assert churn.in_both == 100 and churn.by_refit == 0.2
    assert refusal("value", CONFIG, churn, "r-9") is None
    said = refusal("value", SchemeConfig(k=2, churn_budget=0.19), churn, "r-9")
    assert said.startswith("segments.value: the refit would move 20.0% of 100 users without new behaviour")
    assert (
        "above churn_budget 19%" in said
        and "features.prepare.refit and segments.value.refit: never" in said
        and "r-9" in said
    )
    assert Churn({"new": 5}).by_refit == 0.0
