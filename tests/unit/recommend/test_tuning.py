"""Two tastes: everybody buys in one half of the shop, and looks at things of the other that are never bought."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import yaml
from pyspark.sql import functions as F

from segspark.core.contracts import RATINGS, USER_ITEM_DAYS
from segspark.core.errors import InputError
from segspark.recommend import stage
from segspark.recommend.config import EvaluationConfig, EventWeights, RecommendConfig, TuningConfig
from segspark.recommend.interactions import BOUGHT, VIEWED
from segspark.recommend.judging.bootstrap import Estimate
from segspark.recommend.judging.evaluation import judge_lists, judge_ratings
from segspark.recommend.judging.split import Parts
from segspark.recommend.methods.by_factors import by_als
from segspark.recommend.tuning import LISTS, POPULARITY, Trial, Tuned, best_first, lines_of, tune
from tests.builders import day, rows_of
from tests.unit.recommend.test_stage import bought, context_of, stock_shop

pytestmark = pytest.mark.slow

ACTS = "user_id string, item_id string, weight double, action int, tested int"
RATED = "user_id string, item_id string, weight double, tested double"
USERS, HALF = 40, 10
TINY, SENSIBLE = 1e-4, 0.5
TUNING = TuningConfig(alphas=(TINY, SENSIBLE), reg_params=(0.1,), ranks=(), rating_reg_params=())
CONFIG = RecommendConfig(
    rank=2,
    iterations=6,
    alpha=TINY,
    reg_param=0.1,
    event_weights=EventWeights(view=1, purchase=40),
    evaluation=EvaluationConfig(k=4, bootstrap_rounds=60),
    tuning=TUNING,
)


def planted():
    """(user, item, action, held out): 4 buys and 2 held-out buys in the own half, 3 views in the other half."""
    random = np.random.default_rng(3)
    for user in range(USERS):
        own, other = (random.permutation(HALF) + HALF * ((user + side) % 2) for side in (0, 1))
        for place, item in enumerate(own[:6]):
            yield f"u{user:02}", f"i{item:02}", BOUGHT, place >= 4
        for item in other[:3]:
            yield f"u{user:02}", f"i{item:02}", VIEWED, False


def parts_of(spark, partitions=2, rated=()):
    """The parts as the stage would give them, weighed as the settings say."""

    def parts(config):
        weights = {VIEWED: config.event_weights.view, BOUGHT: config.event_weights.purchase}
        acts = [
            (user, item, None, None, action) if late else (user, item, float(weights[action]), action, None)
            for user, item, action, late in planted()
        ]
        ratings = [(user, item, *((None, stars) if late else (stars, None))) for user, item, stars, late in rated]
        frames = spark.createDataFrame(acts, ACTS), spark.createDataFrame(ratings, RATED)
        return Parts(*(frame.repartition(partitions) for frame in frames))

    return parts


def quiet(line):
    pass


def varied(tuning=None, **changes):
    return CONFIG.model_copy(update={"tuning": TUNING.model_copy(update=tuning or {}), **changes})


@pytest.fixture(scope="module")
def tuned(spark):
    return tune(parts_of(spark), CONFIG, 7, quiet)


def test_a_sensible_alpha_is_chosen_over_a_tiny_one(tuned):
    value = {trial.config.alpha: trial.estimate.value for trial in tuned.trials if trial.method == LISTS}
    assert value[SENSIBLE] > value[TINY] + 0.2
    assert tuned.chosen == varied(alpha=SENSIBLE)


def test_the_configured_row_and_popularity_are_what_judging_says_of_the_same_split(spark, tuned):
    rows, _ = judge_lists(parts_of(spark)(CONFIG).acts, {"als": by_als}, CONFIG, 7)
    told = {row.method: Estimate(row.value, row.low, row.high, row.users) for row in rows if row.metric == "ndcg_at_k"}
    for method in (LISTS, POPULARITY):
        trial = next(trial for trial in tuned.trials if trial.method == method and trial.config == CONFIG)
        assert trial.estimate == told[method]


def test_a_trial_is_what_judging_says_under_its_settings(spark, tuned):
    rows, _ = judge_lists(parts_of(spark)(CONFIG).acts, {"als": by_als}, varied(alpha=SENSIBLE), 7)
    trial = next(trial for trial in tuned.trials if trial.config.alpha == SENSIBLE)
    assert [trial.estimate.value] == [row.value for row in rows if (row.method, row.metric) == ("als", "ndcg_at_k")]


def test_partitions_change_no_trial(spark, tuned):
    assert tune(parts_of(spark, partitions=5), CONFIG, 7, quiet) == tuned


def test_event_weights_are_tried_last_and_judged_on_the_same_users(spark):
    upside_down = EventWeights(view=40, purchase=1)
    right, blind = EventWeights(view=1, purchase=40), EventWeights(view=0, purchase=1)
    config = varied({"alphas": (), "event_weights": (right, blind)}, alpha=SENSIBLE, event_weights=upside_down)
    found = tune(parts_of(spark), config, 7, quiet)
    weights = [trial.config.event_weights for trial in found.trials if trial.method == LISTS]
    assert weights == [upside_down, right, blind]
    assert found.chosen.event_weights in (right, blind)
    assert {trial.estimate.users for trial in found.trials} == {USERS}
    assert RecommendConfig(**{**config.model_dump(), **written(found, config)}) == found.chosen


def test_blocks_are_tried_one_after_another_each_at_the_best_before(spark):
    tuning = {"reg_params": (0.1, 10.0), "ranks": (2, 4)}
    trials = [t for t in tune(parts_of(spark), varied(tuning), 7, quiet).trials if t.method == LISTS]
    tried = [(t.config.alpha, t.config.reg_param, t.config.rank) for t in trials]
    first = [(alpha, reg_param, 2) for alpha in (TINY, SENSIBLE) for reg_param in (0.1, 10.0)]
    best = max(trials[:4], key=lambda t: t.estimate.value).config
    assert tried == [*first, (best.alpha, best.reg_param, 4)]


def test_all_is_tried_on_a_sample_and_the_best_beside_the_configured_on_everyone(spark):
    told = []
    found = tune(parts_of(spark), varied({"sample_users": 20, "finalists": 1}), 7, told.append)
    few, everyone = ([t for t in found.trials if t.on_everyone == whole] for whole in (False, True))
    assert {trial.estimate.users for trial in everyone} == {USERS}
    assert all(5 <= trial.estimate.users <= 35 for trial in few)
    assert [trial.config.alpha for trial in everyone if trial.method == LISTS] == [TINY, SENSIBLE]
    assert told == ["tune: 2 settings on a sample of 40 users", "tune: 2 settings on all of 40 users"]
    whole = tune(parts_of(spark), varied(), 7, quiet)
    assert [(t.config.alpha, t.estimate) for t in everyone] == [(t.config.alpha, t.estimate) for t in whole.trials]


def test_ratings_get_the_regularisation_with_the_least_error(spark):
    random = np.random.default_rng(5)
    cells = [(user, item) for user in range(USERS) for item in range(2 * HALF)]
    rated = [
        (f"u{u:02}", f"i{i:02}", 3.0 + (1 if u % 2 == i % 2 else -1), bool(random.random() < 0.2)) for u, i in cells
    ]
    config = varied({"alphas": (), "rating_reg_params": (0.01, 50.0)}, rating_reg_param=50.0)
    found = tune(parts_of(spark, rated=rated), config, 7, quiet)
    errors = {t.config.rating_reg_param: t.estimate.value for t in found.trials if t.method == "als_explicit"}
    assert errors[0.01] < 0.2 < errors[50.0] and found.chosen.rating_reg_param == 0.01
    ratings = parts_of(spark, rated=rated)(config).ratings
    assert errors[50.0] in [row.value for row in judge_ratings(ratings, config, 7) if row.metric == "rmse"]
    assert written(found, config)["rating_reg_param"] == 0.01


def test_of_equal_settings_the_configured_then_the_smaller_rank_comes_first():
    same = Estimate(0.5, 0.4, 0.6, 10)
    settings = [varied(rank=8), varied(rank=2), varied(rank=4), varied(rank=16)]
    trials = [Trial(LISTS, config, same, True) for config in settings]
    trials.append(Trial(LISTS, varied(rank=32), replace(same, value=0.6), True))
    assert [trial.config.rank for trial in best_first(trials, LISTS, settings[2])] == [32, 4, 2, 8, 16]


def test_nobody_to_judge_is_one_readable_line(spark):
    def nothing_before(config):
        parts = parts_of(spark)(config)
        return replace(parts, acts=parts.acts.where("tested IS NOT NULL"))

    def nothing_after(config):
        parts = parts_of(spark)(config)
        return replace(parts, acts=parts.acts.where("tested IS NULL"))

    for parts in (nothing_before, nothing_after):
        with pytest.raises(InputError, match=r"^tune: nobody among the users acted .* recommend.tuning.days"):
            tune(parts, CONFIG, 7, quiet)


def written(found: Tuned, config):
    """What the lines put under `recommend`."""
    return yaml.safe_load(lines_of(found, config))["recommend"]


SHOP = CONFIG.model_copy(  # of test_stage: everybody's last two buys are on March 14 and 15
    update={
        "evaluation": EvaluationConfig(k=4, bootstrap_rounds=60, test_days=15),  # from March 17
        "tuning": TUNING.model_copy(update={"days": 10, "alphas": (), "rating_reg_params": (0.5,)}),
    }
)


def files_of(lake):
    return {path for path in Path(lake.root).rglob("*") if path.is_file()}


@pytest.mark.slow
def test_no_table_is_written_and_the_held_out_days_change_nothing(spark, lake):
    stock_shop(lake, spark)
    files = files_of(lake)
    before = stage.tune_als(context_of(lake), SHOP)
    assert files_of(lake) == files
    assert {trial.method for trial in before.trials} == {"als", "popularity", "als_explicit"}

    held_out = [day("2024-03-17"), day("2024-03-31")]
    acts = {(row["user_id"], item): row | {"item_id": item} for row in bought() for item in (row["item_id"], "new")}
    late = [{**row, "day": on, "order_lines": 50} for row in acts.values() for on in held_out]
    lake.replace_days(USER_ITEM_DAYS, rows_of(spark, USER_ITEM_DAYS, *late), set(held_out))
    names = ("user_id", "item_id", "day")
    given = [{name: row[name] for name in names} | {"rating": 5.0, "ingest_seq": 1} for row in late]
    ratings = rows_of(spark, RATINGS, *given).withColumn("rated_at", F.expr("day + INTERVAL 12 HOURS"))
    lake.append(RATINGS, ratings)
    assert stage.tune_als(context_of(lake), SHOP) == before


@pytest.mark.slow
@pytest.mark.parametrize("split", [{"split": "last"}, {"split": "random", "test_share": 0.3}])
def test_other_splits_are_tuned_within_what_they_leave(spark, lake, split):
    stock_shop(lake, spark)
    evaluation = EvaluationConfig(k=4, bootstrap_rounds=60, **split)
    found = stage.tune_als(context_of(lake), SHOP.model_copy(update={"evaluation": evaluation}))
    assert found.trials[0].estimate.users > 10


def test_a_validation_part_before_the_first_day_is_one_readable_line(spark, lake):
    stock_shop(lake, spark)
    with pytest.raises(InputError, match=r"^tune: nobody"):
        stage.tune_als(context_of(lake), varied({"days": 300}))
