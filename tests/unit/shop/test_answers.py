"""Answers to a plan are held against the planted rates, and their files against the shop's own."""

from datetime import date, datetime, timedelta

import duckdb
import pytest
from pydantic import ValidationError
from pyspark.sql import functions as F
from scipy.stats import binomtest

from segspark.core.contracts import OUTCOMES
from segspark.core.errors import InputError
from segspark.ingest.config import IngestConfig
from segspark.ingest.rules import judge
from segspark.shop.answers import AnswersConfig, answer_plan, outcome_source, write_answers
from segspark.shop.config import ShopConfig
from segspark.shop.personas import PERSONAS, TYPICAL

CONFIG = AnswersConfig()
SHOP = ShopConfig()
START = date(2024, 7, 1)
PLAN = "campaign_id string, user_id string, action string, holdout boolean, propensity double, send_on date"


def plan_of(spark, *rows):
    return spark.createDataFrame([(*row, 0.5, START) for row in rows], PLAN)


@pytest.fixture(scope="module")
def crowd(spark):
    """1,000 users of each persona: half get the best action, 300 the harmful one, 200 are held out from the best."""
    number = F.col("id")
    people = spark.range(7_000).select(
        F.format_string("u-%05d", number).alias("user_id"),
        F.get(F.array(*map(F.lit, PERSONAS)), (number % 7).cast("int")).alias("persona"),
    )
    actions = [(p, max(e, key=e.get), min(e, key=e.get)) for p, e in CONFIG.effects.items()]
    named = spark.createDataFrame(actions, "persona string, best string, harmful string")
    place = F.substring("user_id", 3, 5).cast("int") / 7
    planned = people.join(named, on="persona").select(
        F.lit("july").alias("campaign_id"),
        "user_id",
        F.when(place % 10 < 7, F.col("best")).otherwise(F.col("harmful")).alias("action"),
        (place % 10 < 2).alias("holdout"),
        F.lit(0.5).alias("propensity"),
        F.date_add(F.lit(START), (place % 3).cast("int")).alias("send_on"),
    )
    return planned, people


@pytest.fixture(scope="module")
def answered(crowd):
    answers = answer_plan(*crowd, CONFIG, SHOP)
    outcomes = answers.outcomes.join(crowd[1], on="user_id").toPandas()
    return outcomes, answers.lines.toPandas()


def test_each_persona_converts_at_its_planted_rate_and_the_held_out_at_the_base_rate(answered):
    outcomes, _ = answered
    what = outcomes["action"].where(outcomes["treated"], None)
    groups = outcomes.assign(what=what).groupby(["persona", "what"], dropna=False)["converted"].agg(["sum", "count"])
    assert len(groups) == 21
    for (persona, action), (converted, users) in groups.iterrows():
        planted = CONFIG.rate(persona, action if isinstance(action, str) else None)
        assert binomtest(int(converted), int(users), planted).pvalue > 1e-3, (persona, action)


def test_orders_are_of_those_who_converted_in_time_and_sum_to_the_revenue(answered):
    outcomes, lines = answered
    paid = (lines["quantity"] * lines["unit_price"] - lines["discount"]).round(2).groupby(lines["user_id"]).sum()
    buyers = outcomes[outcomes["converted"]].set_index("user_id").sort_index()
    assert set(paid.index) == set(buyers.index)
    assert (buyers["revenue"] - paid).abs().max() < 0.005
    assert (outcomes[~outcomes["converted"]]["revenue"] == 0).all()
    assert outcomes[~outcomes["converted"]]["converted_at"].isna().all()
    waited = buyers["converted_at"] - buyers["sent_at"]
    assert waited.min() > timedelta(0) and waited.max() <= timedelta(days=CONFIG.order_days)
    assert (lines.groupby("user_id")["order_time"].first() == buyers["converted_at"]).all()


def test_baskets_are_typical_of_the_persona(answered):
    outcomes, lines = answered
    sizes = lines.groupby("user_id").size().rename("size").reset_index()
    means = sizes.merge(outcomes, on="user_id").groupby("persona")["size"].mean()
    for persona, typical in zip(PERSONAS, TYPICAL["items_per_order"], strict=True):
        assert means[persona] == pytest.approx(typical, rel=0.1)


def test_answers_hang_on_seed_campaign_and_user_only(spark, crowd, answered):
    planned, people = crowd
    few = planned.where("user_id < 'u-00700'").repartition(5)
    again = answer_plan(few, people.repartition(3), CONFIG, SHOP).outcomes.toPandas().set_index("user_id").sort_index()
    outcomes = answered[0].set_index("user_id").loc[again.index]
    assert (again["converted"] == outcomes["converted"]).all() and (again["revenue"] == outcomes["revenue"]).all()


def test_another_seed_or_campaign_is_answered_otherwise(spark):
    people = spark.createDataFrame([(f"u{n}", "young") for n in range(100)], "user_id string, persona string")
    plan = plan_of(spark, *[(c, f"u{n}", "coupon", False) for c in ("july", "august") for n in range(100)])

    def who(config):
        rows = answer_plan(plan, people, config, SHOP).outcomes.where("converted").collect()
        return {c: {row.user_id for row in rows if row.campaign_id == c} for c in ("july", "august")}

    found, other = who(CONFIG), who(CONFIG.model_copy(update={"seed": 8}))
    assert found["july"] != found["august"] and found["july"] != other["july"]


def test_an_action_without_an_effect_changes_nobody(spark):
    people = spark.createDataFrame([(f"u{n}", "young") for n in range(400)], "user_id string, persona string")

    def who(actions, holdout):
        frame = plan_of(spark, *[("c", f"u{n}", actions[n % len(actions)], holdout) for n in range(400)])
        return {r.user_id for r in answer_plan(frame, people, CONFIG, SHOP).outcomes.where("converted").collect()}

    base = who(["social-campaign", "celebrity-campaign"], True)
    assert base == who(["promotion", "never-heard-of"], False)
    assert base < who(["social-campaign"], False)
    assert base > who(["celebrity-campaign"], False)


def test_bots_and_unknown_users_never_convert(spark):
    people = spark.createDataFrame([(f"b{n}", "bot") for n in range(50)], "user_id string, persona string")
    frame = plan_of(spark, *[("c", f"{kind}{n}", "coupon", False) for kind in "bx" for n in range(50)])
    answers = answer_plan(frame, people, CONFIG, SHOP)
    assert answers.outcomes.count() == 100
    assert answers.outcomes.where("converted").count() == 0 and answers.lines.count() == 0


def test_ingest_accepts_every_outcome_and_every_order_line(crowd):
    answers = answer_plan(*crowd, CONFIG, SHOP)
    for name, frame in (("outcomes", answers.outcomes), ("orders", answers.lines)):
        rows = frame.withColumns({"__filtered": F.lit(False), "__problem": F.lit(None).cast("string")})
        judged = judge(rows, name, IngestConfig(), datetime(2024, 8, 1))
        assert judged.where("__problem is not null").count() == 0 < judged.count()


def test_outcomes_have_the_columns_of_the_table(answered):
    assert set(answered[0].columns) - {"persona"} <= set(OUTCOMES.names)


def test_files_stand_beside_the_shop_s_own_with_the_same_header(spark, shop, tmp_path):
    people = spark.read.parquet(str(shop.folder / "truth" / "users")).limit(200).orderBy("user_id").collect()
    rows = [(c, p.user_id, "coupon", False) for c in ("july-1", "july-8") for p in people]
    folder = tmp_path / "shop"
    (folder / "orders").mkdir(parents=True)
    (folder / "truth").symlink_to(shop.folder / "truth")
    assert write_answers(spark, plan_of(spark, *rows), str(folder), CONFIG) == ["july-1", "july-8"]
    first = (folder / "outcomes" / "july-1.csv").read_text()
    write_answers(spark, plan_of(spark, *rows[:200]), str(folder), CONFIG)
    assert (folder / "outcomes" / "july-1.csv").read_text() == first
    assert sorted(p.name for p in (folder / "outcomes").glob("[!._]*")) == ["july-1.csv", "july-8.csv"]
    own = next(shop.folder.glob("orders/*.csv")).read_text().splitlines()[0]
    for campaign in ("july-1", "july-8"):
        header, *lines = (folder / "orders" / f"{campaign}.csv").read_text().splitlines()
        assert header == own and all(line.startswith(f"a/{campaign}/") for line in lines)
    read = f"read_csv('{folder}/{{}}/*.csv', header = true)"
    users, told = duckdb.sql(
        f"select count(*), sum(revenue) from {read.format('outcomes')} where sent::date = '2024-07-01' and treated"
    ).fetchall()[0]
    (paid,) = duckdb.sql(f"select sum(quantity * price - discount) from {read.format('orders')}").fetchall()[0]
    assert users == 400 and told == pytest.approx(paid, abs=0.01) and told > 1_000
    assert first.splitlines()[0] == outcome_source().header


def test_a_folder_without_a_shop_is_refused(spark, tmp_path):
    with pytest.raises(InputError, match="holds no shop"):
        write_answers(spark, plan_of(spark), str(tmp_path), CONFIG)


def test_a_planted_share_outside_0_to_1_or_of_an_unknown_persona_is_refused():
    with pytest.raises(ValidationError, match=r"effects.young.coupon: a share of -0.2 is outside"):
        AnswersConfig(effects={"young": {"coupon": -0.5}})
    with pytest.raises(ValidationError, match="rich: is no persona"):
        AnswersConfig(rates={"rich": 0.2})


def test_each_persona_has_an_action_that_works_one_without_effect_and_one_that_harms():
    for persona in PERSONAS:
        effects = sorted(CONFIG.effects[persona].values())
        assert effects[0] < 0 < effects[-1] and 0.0 in effects
