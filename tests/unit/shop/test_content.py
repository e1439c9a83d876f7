import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score
from sklearn.preprocessing import StandardScaler

from segspark.shop.config import ShopConfig
from segspark.shop.draws import normal, uniform
from segspark.shop.people import people, truth
from segspark.shop.personas import CATEGORY_NAMES, PERSONAS

FEATURES = """
    with lines as (
      select o.*, row_number() over (partition by user_id, o.item order by order_time, order_id, line) > 1 as again,
        launched > order_time - interval 60 day as is_new,
        percent_rank() over (partition by category order by o.price) as level
      from orders o join items using (item) where user_id is not null),
    bought as (
      select user_id, date_diff('day', max(order_time), timestamp '2024-07-01') as recency_days,
        count(distinct order_id) as frequency, sum(quantity * price - discount) as monetary,
        count(*) / count(distinct order_id) as items_per_order, avg((discount > 0)::int) as discount_share,
        avg((status <> 'paid')::int) as refund_share, avg(again::int) as repeat_share, avg(is_new::int) as new_share,
        avg(level) as price_level
      from lines group by user_id),
    seen as (
      select user_id, count(distinct session) as sessions, count(*) / count(distinct session) as events_per_session,
        count(*) filter (type = 'view') / count(distinct session) as views_per_visit
      from events group by user_id)
    select persona, bought.* exclude (user_id), seen.* exclude (user_id), age, income,
      date_diff('day', signup_time, timestamp '2024-07-01') as tenure_days, columns('latent_.*')
    from truth join users using (user_id) left join bought using (user_id) left join seen using (user_id)
    where not is_bot order by user_id
"""
COUNTED = ("recency_days", "frequency", "monetary", "items_per_order", "sessions", "events_per_session", "tenure_days")


@pytest.fixture(scope="module")
def features(tables):
    return tables.sql(FEATURES).df()


def agreement(matrix, personas):
    found = KMeans(7, n_init=10, random_state=0).fit_predict(StandardScaler().fit_transform(matrix))
    return adjusted_rand_score(personas, found)


def test_the_personas_are_recovered_from_the_files(features):
    behaviour = features[[c for c in features if c != "persona" and not c.startswith("latent_")]]
    behaviour = behaviour.fillna(behaviour.median())
    behaviour = behaviour.assign(**{name: np.log1p(behaviour[name]) for name in COUNTED})
    assert agreement(behaviour, features["persona"]) >= 0.9


def test_the_logs_carry_the_latents(features):
    assert np.allclose(np.log(features["frequency"]), features["latent_log_orders"])
    assert np.allclose(np.log(features["items_per_order"]), features["latent_log_items_per_order"])
    assert np.allclose(np.log(features["sessions"]), features["latent_log_visits"])
    assert np.allclose(np.log(features["views_per_visit"]), features["latent_log_views_per_visit"])
    assert np.allclose(features["discount_share"], features["latent_discount_share"])
    assert np.allclose(features["refund_share"], features["latent_refund_share"])
    assert np.allclose(features["recency_days"] - 1, np.expm1(features["latent_log_recency_days"]), atol=1.01)
    assert np.corrcoef(features["new_share"], features["latent_new_share"])[0, 1] > 0.97
    assert np.corrcoef(features["price_level"], features["latent_price_level"])[0, 1] > 0.95
    assert np.corrcoef(features["repeat_share"], features["latent_repeat_share"])[0, 1] > 0.9


@pytest.mark.parametrize("seed", [7, pytest.param(8, marks=pytest.mark.slow), pytest.param(9, marks=pytest.mark.slow)])
def test_hard_personas_overlap_as_much_as_they_should(spark, seed):
    frame = truth(people(spark, ShopConfig(preset="hard", seed=seed))).where("not is_bot").toPandas()
    latents = frame[[name for name in frame if name.startswith("latent_")]]
    assert 0.80 <= agreement(latents, frame["persona"]) <= 0.90


def test_the_truth_has_each_user_once_with_persona_taste_and_every_latent(shop, tables):
    total, users, unknown = tables.sql(
        """select count(*), count(distinct t.user_id), count(*) filter (u.user_id is null)
           from truth t left join users u using (user_id)"""
    ).fetchall()[0]
    assert (total, users, unknown) == (shop.config.users, shop.config.users, 0)
    personas = dict(tables.sql("select persona, count(*) from truth group by 1").fetchall())
    assert set(personas) == {*PERSONAS, "bot"}
    assert all(0.07 <= personas[name] / total <= 0.23 for name in PERSONAS)
    assert personas["bot"] == 3
    frame = tables.sql("select columns('latent_.*') from truth").df()
    assert np.isfinite(frame.to_numpy()).all()


def test_people_make_as_many_events_as_asked_and_bots_thousands_a_day(shop, tables):
    mean = tables.sql(
        "select count(*) / count(distinct user_id) from events join truth using (user_id) where not is_bot"
    ).fetchall()[0][0]
    assert mean == pytest.approx(shop.config.events_per_user, rel=0.1)
    least = """select min(n) from (select count(*) as n from events join truth using (user_id) where is_bot
               group by user_id, session)"""
    assert tables.sql(least).fetchall()[0][0] >= 2_000


def test_every_line_and_event_is_about_an_item_on_sale_at_its_price(tables):
    for table, time, price in (("orders", "order_time", "o.price <> i.price"), ("events", "event_time", "false")):
        wrong = tables.sql(
            f"""select count(*) from {table} o left join items i using (item)
                where item is not null and (i.item is null or launched > {time} or {price})"""
        ).fetchall()[0][0]
        assert wrong == 0


def test_every_purchase_event_has_its_order_line(tables):
    unmatched = tables.sql(
        """select count(*) from
             (select user_id, item, event_time as t from events where type = 'purchase') e full join
             (select user_id, item, order_time as t from orders where user_id is not null) o using (user_id, item, t)
           where e.t is null or o.t is null"""
    ).fetchall()[0][0]
    assert unmatched == 0


def test_taste_groups_buy_in_their_two_categories_whatever_the_persona(tables):
    bought = tables.sql(
        """select taste_group, category, count(*) as n from orders join truth using (user_id) join items using (item)
           group by all"""
    ).df()
    for group, rows in bought.groupby("taste_group"):
        liked = {CATEGORY_NAMES[group], CATEGORY_NAMES[(group + 3) % 10]}
        assert rows.loc[rows["category"].isin(liked), "n"].sum() / rows["n"].sum() > 0.7


def test_visits_cross_midnight_now_and_then_and_the_sale_is_busier(tables):
    crossing, visits = tables.sql(
        """select count(*) filter (first <> last), count(*) from
             (select min(event_time)::date as first, max(event_time)::date as last from events group by session)"""
    ).fetchall()[0]
    assert 0.001 < crossing / visits < 0.1
    usual, sale = tables.sql(
        """select count(distinct session) filter (event_time between '2024-03-20' and '2024-04-17') / 28,
             count(distinct session) filter (event_time between '2024-04-20' and '2024-04-29') / 9 from events"""
    ).fetchall()[0]
    assert sale > 1.4 * usual


def test_the_draws_follow_their_distributions(spark):
    frame = spark.range(4_000)
    drawn = frame.select(uniform(1, "a", frame.id).alias("u"), normal(1, "b", frame.id).alias("n")).toPandas()
    assert stats.kstest(drawn["u"], "uniform").pvalue > 0.001
    assert stats.kstest(drawn["n"], "norm").pvalue > 0.001


def test_a_catalogue_too_small_for_its_launches_is_refused():
    with pytest.raises(ValidationError, match="allowed is 700 and more"):
        ShopConfig(items=500)
