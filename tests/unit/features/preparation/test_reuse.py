"""When the published run's preparation serves again, and what `before` holds where it does not."""

import re
import shutil
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from segspark.core.contracts import FEATURE_DRIFT, FEATURE_SELECTION, PREPARED_FEATURES, USER_FEATURES
from segspark.core.stage import Run, StageContext
from segspark.features.config import Block, FeaturesConfig, PrepareConfig
from segspark.features.preparation.drift import Drift
from segspark.features.preparation.reuse import Earlier, reason_to_fit, settings_digest, without
from segspark.features.preparation.stage import write_prepared

DAY = date(2024, 7, 1)
COLUMNS = ("frequency", "monetary", "income")
CONFIG = FeaturesConfig(prepare=PrepareConfig(blocks={"all": Block(columns=COLUMNS)}))
MODEL = object()


def configured(refit="auto", **more):
    return FeaturesConfig(prepare=PrepareConfig(blocks={"all": Block(columns=COLUMNS)}, refit=refit), **more)


def earlier(**more):
    plain = Earlier("r-1", "r-1", settings_digest(CONFIG), frozenset(COLUMNS), frozenset(COLUMNS[:2]), (), MODEL)
    return replace(plain, **more)


def test_the_digest_knows_the_settings_and_not_when_to_fit_again():
    assert settings_digest(configured("never", drift_bound=0.5)) == settings_digest(CONFIG)
    assert settings_digest(configured(session_gap_minutes=20)) != settings_digest(CONFIG)


@pytest.mark.parametrize(
    ("before", "drift", "config", "expected"),
    [
        (earlier(), Drift("income", 0.2, 0.25), CONFIG, None),
        (earlier(), Drift("income", 0.3, 0.25), CONFIG, r"income \(0.30\) drifted"),
        (earlier(), Drift("sessions", 9.0, 0.25), CONFIG, None),
        (earlier(), Drift("income", 0.3, 0.25), configured("never"), None),
        (earlier(), Drift("income", 0.0, 0.25), configured("always"), "refit is always"),
        (earlier(settings="other"), Drift("income", 0.0, 0.25), configured("never"), "settings of features are others"),
        (earlier(model=None, missing="lost"), Drift("income", 0.0, 0.25), configured("never"), "lost"),
        (
            earlier(),
            Drift("monetary", 9.0, 0.25, has_vanished=True),
            configured("never"),
            "monetary vanished since run r-1",
        ),
        (earlier(), Drift("income", 0.0, 0.25, has_vanished=True), CONFIG, None),
    ],
)
def test_the_preparation_is_fitted_anew_for_a_reason(before, drift, config, expected):
    reason = reason_to_fit(before, [drift], without(before, [drift], [*COLUMNS, "sessions"]), config)
    assert reason is None if expected is None else re.search(expected, reason)


def test_a_column_that_is_not_in_the_table_any_more_has_vanished():
    assert without(earlier(), [], ["frequency"]) == ["monetary"]


class Runs:
    """User features put straight into the lake, a run after another."""

    def __init__(self, lake):
        self.lake = lake

    def prepare(self, run_id, previous, users, config=CONFIG, genders=(None,)):
        schema = "user_id string, as_of date, is_bot boolean, gender string, education string, region string,"
        schema += "favourite_category string, " + ", ".join(f"{name} double" for name in COLUMNS)
        texts = [(genders[n % len(genders)], None, None, None) for n in range(len(users))]
        rows = [
            (f"u{n:02}", DAY, n == 0, *texts[n], *(None if v is None else float(v) for v in row))
            for n, row in enumerate(users)
        ]
        self.lake.replace_run(USER_FEATURES, self.lake.spark.createDataFrame(rows, schema), run_id)
        done = write_prepared(StageContext(self.lake, Run(run_id, DAY, 1, 7, previous)), config)
        return done.rows, done.notes

    def vectors(self, run_id, column="features"):
        rows = self.lake.read_run(PREPARED_FEATURES, run_id).orderBy("user_id").collect()
        return [row[column] for row in rows]

    def fitted_by(self, run_id):
        return {row.fitted_by for row in self.lake.read_run(FEATURE_SELECTION, run_id).collect()}


@pytest.mark.slow
def test_a_preparation_is_used_again_until_a_feature_drifts_or_vanishes_or_its_files_are_lost(lake):
    draw = np.random.default_rng(2)
    users = np.column_stack([draw.poisson(5, 40), draw.lognormal(4, 1, 40), draw.normal(3000, 500, 40)])
    runs = Runs(lake)
    _, notes = runs.prepare("r-1", None, users)
    assert notes == () and runs.fitted_by("r-1") == {"r-1"}
    assert lake.read_run(FEATURE_DRIFT, "r-1").isEmpty()

    users[3] = [9, 500.0, 4000.0]
    rows, notes = runs.prepare("r-2", "r-1", users)
    assert notes == () and runs.fitted_by("r-2") == {"r-1"}
    assert rows == {"feature_drift": 3, "feature_selection": 3, "prepared_features": 39}
    first, second = runs.vectors("r-1"), runs.vectors("r-2")
    assert [n for n in range(39) if first[n] != second[n]] == [2], "u00 is a bot; only u03 is another"
    assert set(runs.vectors("r-2", "before")) == {None}

    richer = users * [1, 20, 1]
    richer[5] = users[5]
    _, notes = runs.prepare("r-3", "r-2", richer)
    assert "fitted anew: monetary (" in notes[0] and runs.fitted_by("r-3") == {"r-3"}
    drifted = {row.feature: row.drifted for row in lake.read_run(FEATURE_DRIFT, "r-3").collect()}
    assert drifted == {"frequency": False, "monetary": True, "income": False}
    assert runs.vectors("r-3", "before")[4] == second[4] != runs.vectors("r-3")[4]

    poor = [[*row[:2], None] for row in richer.tolist()]
    _, notes = runs.prepare("r-4", "r-3", poor)
    assert "income vanished since run r-3: nobody has it any more" in notes[0]
    assert set(runs.vectors("r-4", "before")) == {None} and len(runs.vectors("r-4")[0]) == 2

    shutil.rmtree(lake.path("_models/r-4"))
    _, notes = runs.prepare("r-5", "r-4", poor)
    assert "the files of run r-4's are not there" in notes[0] and runs.fitted_by("r-5") == {"r-5"}
    assert runs.vectors("r-5") == runs.vectors("r-4")


@pytest.mark.slow
def test_a_category_that_only_bots_have_any_more_has_vanished(lake):
    config = FeaturesConfig(prepare=PrepareConfig(blocks={"all": Block(columns=COLUMNS)}, categories=("gender",)))
    users = np.random.default_rng(5).lognormal(3, 1, (40, 3))
    runs = Runs(lake)
    runs.prepare("r-1", None, users, config, genders=("f", "m"))
    assert runs.prepare("r-2", "r-1", users, config, genders=("f", "m"))[1] == ()
    _, (note,) = runs.prepare("r-3", "r-2", users, config, genders=("f", *[None] * 39))
    assert "fitted anew: gender vanished since run r-2: nobody has it any more, and models do without it" in note
    assert len(runs.vectors("r-2")[0]) == 5 and len(runs.vectors("r-3")[0]) == 3
