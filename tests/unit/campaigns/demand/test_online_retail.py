"""The back-test on a real shop, April to August 2011, beside naive ways and one with a weekly season of daily units.

`pytest -m slow -s tests/unit/campaigns/demand/test_online_retail.py` prints the table of docs/quality.md.
"""

import warnings
from datetime import date, timedelta
from pathlib import Path
from time import process_time

import numpy as np
import pandas as pd
import pytest
import yaml
from pyspark.sql import functions as F
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from segspark.campaigns.config import DemandConfig
from segspark.campaigns.demand.backtest import demand_accuracy, forecasts_of, judge, ways_of
from segspark.campaigns.demand.forecasting import OURS, damped_trend_and_mean, weekly_totals
from segspark.campaigns.demand.series import daily_units, known_categories, order_lines, sold_units
from segspark.core.arrow_rows import Row

ROOT = Path(__file__).parents[4]
DATA = ROOT.parent / "shared" / "data" / "online_retail"
FIRST, AS_OF = date(2011, 4, 1), date(2011, 9, 1)
CONFIG = DemandConfig()
WEEKLY = [AS_OF - timedelta(weeks=back) for back in range(21, 3, -1)]  # 7 April to 4 August
DAILY = "Holt-Winters of days"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def orders(spark):
    if not DATA.exists():
        pytest.skip("the shared online_retail data is not beside the repository")
    source = yaml.safe_load((ROOT / "conf/datasets/online_retail.yaml").read_text())["sources"]["orders"]
    raw = spark.read.csv(str(DATA / "*.csv.gz"), header=True).where(source["where"])
    lines = raw.select(*(F.expr(text).alias(name) for name, text in source["columns"].items()))
    typed = lines.withColumn("quantity", F.col("quantity").cast("double")).withColumn("day", F.to_date("order_time"))
    return typed.withColumn("category", F.lit(None).cast("string")).cache()


@pytest.fixture(scope="module")
def members(spark, orders):
    """Customers before April 2011, above or below the median in recency and in money."""
    paid = orders.where((F.col("day") < F.lit(FIRST)) & (F.col("status") == "paid") & F.col("user_id").isNotNull())
    spent = F.sum(F.col("quantity") * F.col("unit_price").cast("double")).alias("money")
    rfm = paid.groupBy("user_id").agg(F.max("day").alias("last"), spent).toPandas()
    is_recent = pd.to_datetime(rfm["last"]) >= pd.to_datetime(rfm["last"]).median()
    is_big = rfm.money >= rfm.money.median()
    names = np.where(is_recent, "recent", "lapsing") + np.where(is_big, " big", " small").astype(object)
    return spark.createDataFrame(list(zip(rfm.user_id, names, strict=True)), "user_id string, segment_name string")


@pytest.fixture(scope="module")
def series(orders, members):
    """Per segment the whole shop, and the 20 best sellers of the 91 days before April."""
    none = orders.select("item_id", "category").limit(0)

    def sold_before(as_of):
        lines = order_lines(orders, members, CONFIG, as_of)
        return sold_units(lines, known_categories(lines, none))

    before = sold_before(FIRST)
    best = daily_units(before, members, CONFIG, FIRST).where("item_id IS NOT NULL").select("item_id").distinct()
    sold = sold_before(AS_OF).cache()
    whole = daily_units(sold, members, DemandConfig(top_items=0), AS_OF)
    items = daily_units(sold.join(best, on="item_id", how="left_semi"), members, CONFIG, AS_OF)
    return whole.unionByName(items.where("item_id IS NOT NULL")).cache()


@pytest.fixture(scope="module")
def begins(series):
    """The first day with a sale."""
    return series.agg(F.min("day")).first()[0]


@pytest.fixture(scope="module")
def forecasts(series, begins):
    return forecasts_of(series, begins, WEEKLY, CONFIG.weeks, AS_OF).cache()


@pytest.fixture(scope="module")
def daily(series, begins):
    """The units of each day, by segment and item; an empty text in place of none."""
    days = pd.date_range(begins, AS_OF - timedelta(days=1)).date
    by_series = series.where("day IS NOT NULL").toPandas().fillna({"item_id": ""})
    return {
        key: rows.set_index("day").units.reindex(days, fill_value=0.0).to_numpy()
        for key, rows in by_series.groupby(["segment_name", "item_id"])
    }


def seasonal_of_days(daily: np.ndarray, weeks: int) -> np.ndarray:
    """A damped trend with a weekly season of daily units, by statsmodels."""
    whole = daily[len(daily) % 7 :]
    if not whole.any():
        return np.zeros(weeks)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        model = ExponentialSmoothing(
            whole,
            trend="add",
            damped_trend=True,
            seasonal="add",
            seasonal_periods=7,
            initialization_method="heuristic",
        )
        days = model.fit().forecast(weeks * 7)
    return np.maximum(days.reshape(weeks, 7).sum(axis=1), 0)


@pytest.fixture(scope="module")
def judged(daily, forecasts):
    """Forecasts of the weeks that are over, with those of the daily seasonal model."""
    ours = forecasts.where("actual IS NOT NULL").toPandas().fillna({"item_id": ""})
    seasonal = ours[ours.model == OURS].assign(model=DAILY)
    for (segment, item, origin), rows in seasonal.groupby(["segment_name", "item_id", "origin"]):
        x = daily[segment, item]
        forecast = seasonal_of_days(x[: len(x) - (AS_OF - origin).days], CONFIG.weeks)
        ahead = [(week - origin).days // 7 for week in rows.week]
        seasonal.loc[rows.index, "expected"] = forecast[ahead]
    return pd.concat([ours, seasonal], ignore_index=True).assign(error=lambda f: (f.expected - f.actual).abs())


def test_ours_beats_last_value_seasonal_naive_and_a_daily_season(judged):
    judged["level"] = np.where(judged.item_id == "", "whole", "item")
    judged["scaled"] = judged.error / judged.naive_error.where(judged.naive_error > 0)
    sums = judged.groupby(["level", "model"], sort=False).agg(
        mae=("error", "mean"),
        errors=("error", "sum"),
        units=("actual", "sum"),
        expected=("expected", "sum"),
        mase=("scaled", "mean"),
        forecasts=("error", "size"),
    )
    sums["wape"], sums["bias"] = sums.errors / sums.units, sums.expected / sums.units - 1
    print(f"\n{sums[['forecasts', 'mae', 'wape', 'mase', 'bias']].round(3)}")
    for level in ("whole", "item"):
        wape = sums.wape[level]
        assert wape[OURS] == wape.min()


def test_ours_takes_a_fifth_of_the_time_of_a_daily_season(daily):
    histories = [units for (segment, _), units in daily.items() if segment == "recent big"]
    began = process_time()
    for units in histories:
        seasonal_of_days(units, CONFIG.weeks)
    between = process_time()
    for units in histories:
        damped_trend_and_mean(weekly_totals(units), CONFIG.weeks)
    theirs, ours = between - began, process_time() - between
    print(f"\nCPU per forecast: ours {1000 * ours / len(histories):.1f} ms, {1000 * theirs / len(histories):.0f} ms")
    assert ours < theirs / 5


def test_the_table_of_accuracy_is_what_pandas_finds(judged, forecasts):
    accuracy = demand_accuracy(judge(forecasts).collect(), "value")
    found = {(row["level"], row["model"]): Row(row) for row in accuracy}
    for (level, model), row in found.items():
        rows = judged[((judged.item_id == "") == (level == "category")) & (judged.model == model)]
        scaled = (rows.error / rows.naive_error)[rows.naive_error > 0]
        assert row.forecasts == len(rows)
        assert row.mae == pytest.approx(rows.error.mean(), abs=1e-4)
        assert row.wape == pytest.approx(rows.error.sum() / rows.actual.sum(), abs=1e-6)
        assert row.mase == pytest.approx(scaled.mean(), abs=1e-4)
        assert row.used == (model == OURS)
        assert (row.first_origin, row.last_origin) == (WEEKLY[0], WEEKLY[-1])


def test_no_origin_sees_what_comes_after_it(series, begins, forecasts):
    """From each of two origins the forecasts are those of a shop whose log ends there."""
    for origin in WEEKLY[::9]:
        cut = series.where(F.col("day").isNull() | (F.col("day") < F.lit(origin)))
        known = forecasts_of(cut, begins, [], CONFIG.weeks, origin).drop("actual", "level", "naive_error")
        same = forecasts.where(F.col("origin") == F.lit(origin)).drop("actual", "level", "naive_error")
        assert known.exceptAll(same).count() == same.exceptAll(known).count() == 0


def test_most_weeks_are_between_the_points_of_earlier_errors(forecasts):
    """The origins before a month, from April on and at most four, give the points; its weeks are held against them."""
    found = forecasts.toPandas().fillna({"item_id": ""})
    ours = found[(found.model == OURS) & (found.item_id == "")]
    inside = []
    for back in range(1, 4):
        origin = AS_OF - timedelta(weeks=CONFIG.weeks * back)
        earlier = [origin - timedelta(weeks=CONFIG.weeks * n) for n in range(1, 5)]
        spark_rows = forecasts.where(F.col("origin").isin(earlier) & F.col("item_id").isNull())
        point = ways_of([row for row in judge(spark_rows).collect() if row.model == OURS])["category"]
        month = ours[ours.origin == origin]
        low, high = month.expected + point.low * month.level, month.expected + point.high * month.level
        inside += list((month.actual >= low) & (month.actual <= high))
    print(f"\nwhole shop: {np.mean(inside):.0%} of {len(inside)} weeks between low and high")
    assert np.mean(inside) > 0.7
