"""A lake with weekly campaigns, and a year of days and orders of the users they are about.

The last week of orders and days came with the second file, after the run r2: r3 is the first that knows of it.
"""

from datetime import date, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.campaigns.catalogue import Strategies
from segspark.core.contracts import (
    CAMPAIGN_PLAN,
    CAMPAIGNS,
    DAY_BUILDS,
    ORDERS,
    OUTCOMES,
    USER_DAYS,
    USER_FEATURES,
    Contract,
    frame_of,
)
from segspark.core.lake import Lake

CAMPAIGNS_MADE = 20
AS_OF = date(2025, 1, 6)
FIRST = AS_OF - timedelta(weeks=CAMPAIGNS_MADE)  # of the first campaign: the last began a week before AS_OF
SETTLED = CAMPAIGNS_MADE - 3  # windows close three weeks after a campaign began; a day more is looked at for news
LOG_DAYS = 364  # before the day after the last
LAST = AS_OF + timedelta(days=7)  # the first day that no log knows
ACTIONS, SEGMENTS = 4, 5
STRATEGIES = Strategies.model_validate(
    {
        "channels": {"email": {"contacts_per_day": 1, "money_per_day": 1.0}},
        "actions": {
            f"a{number}": {"title": "x", "channel": "email", "personas": ["all"], "cost": 0.1}
            for number in range(ACTIONS)
        },
    }
)


def write_lake(lake: Lake, contacts: int) -> None:
    """Each user is in every campaign: contacted on its first day, one in ten held out."""
    users = lake.spark.range(contacts // CAMPAIGNS_MADE).withColumn("user_id", F.format_string("u-%09d", F.col("id")))
    made = [_campaign(number) for number in range(CAMPAIGNS_MADE)]
    lake.replace_run(CAMPAIGNS, _as(CAMPAIGNS, _rows_of(lake, CAMPAIGNS, made)), "r1")
    plan = _plan(lake, users).cache()
    lake.replace_run(CAMPAIGN_PLAN, _as(CAMPAIGN_PLAN, plan), "r1")
    sent = plan.where("NOT holdout").withColumns({"treated": F.lit(True), "sent_at": _at_ten("send_on")})
    lake.append(OUTCOMES, _as(OUTCOMES, sent))
    plan.unpersist()
    days = _days(lake, users)
    first = LAST - timedelta(days=LOG_DAYS)
    lake.replace_days(USER_DAYS, _as(USER_DAYS, days), [first + timedelta(days=n) for n in range(LOG_DAYS)])
    bought = days.where("orders > 0").withColumns(
        {
            "order_id": F.concat_ws("-", "user_id", "day"),
            "order_line": F.lit(1),
            "order_time": _at_ten("day"),
            "quantity": F.lit(1.0),
            "unit_price": F.col("spend"),
            "status": F.lit("paid"),
        }
    )
    lake.append(ORDERS, _as(ORDERS, bought))
    known = users.withColumns({"as_of": F.lit(AS_OF), "is_bot": F.lit(False)})
    for run_id in ("r2", "r3"):
        lake.replace_run(USER_FEATURES, _as(USER_FEATURES, known), run_id)
    built = {"ingest_seq": 2, "shape": "s", "days": LOG_DAYS, "first_day": first, "built_at": datetime(2025, 1, 6)}
    lake.append(DAY_BUILDS, frame_of(lake.spark, DAY_BUILDS, [built]))


def _campaign(number: int) -> dict[str, object]:
    first = FIRST + timedelta(weeks=number)
    row = {"campaign_id": f"week-{number:02d}", "scheme": "value", "planned_on": first, "starts_on": first}
    return row | {"ends_on": first + timedelta(days=6), "holdout_share": 0.1}


def _plan(lake: Lake, users: DataFrame) -> DataFrame:
    weeks = lake.spark.range(CAMPAIGNS_MADE).select(F.col("id").cast("int").alias("week"))
    both = users.crossJoin(F.broadcast(weeks))
    actions = [f"a{number}" for number in range(ACTIONS)]
    return both.withColumns(
        {
            "campaign_id": F.format_string("week-%02d", F.col("week")),
            "segment_name": F.format_string("s%d", F.col("id") % SEGMENTS),
            "action": F.format_string("a%d", _drawn(ACTIONS, "id", "week")),
            "send_on": F.date_add(F.lit(FIRST), F.col("week") * 7),
            "holdout": _drawn(10, "week", "id") == 0,
            "propensity": F.lit(1 / ACTIONS),
            "allowed": F.array(*map(F.lit, actions)),
        }
    )


def _days(lake: Lake, users: DataFrame) -> DataFrame:
    """A user is there on two days of seven and buys on one of ten of them."""
    dates = lake.spark.range(1, LOG_DAYS + 1).select(F.date_sub(F.lit(LAST), F.col("id").cast("int")).alias("day"))
    rows = users.crossJoin(F.broadcast(dates)).where(_drawn(7, "id", "day") < 2)
    buys = _drawn(10, "day", "id") == 0
    price = F.when(buys, (_drawn(9_000, "id", "day", "user_id") + 1_000) / 100).otherwise(0.0)
    return rows.withColumns({"orders": buys.cast("bigint"), "spend": price})


def _drawn(among: int, *columns: str) -> Column:
    return F.pmod(F.xxhash64(*columns), F.lit(among))


def _at_ten(day: str) -> Column:
    return F.timestamp_seconds(F.unix_timestamp(F.col(day).cast("timestamp")) + 36_000)


def _rows_of(lake: Lake, contract: Contract, rows: list[dict[str, object]]) -> DataFrame:
    return frame_of(lake.spark, contract, [dict.fromkeys(contract.names) | row for row in rows])


def _as(contract: Contract, frame: DataFrame) -> DataFrame:
    """The contract's columns; nulls where the frame has none."""
    is_late = F.col("day") >= F.lit(AS_OF) if "day" in frame.columns else F.lit(False)
    columns = {"ingest_seq": F.when(is_late, 2).otherwise(1)} | {name: F.col(name) for name in frame.columns}
    return frame.select(*(columns.get(c.name, F.lit(None)).cast(c.type).alias(c.name) for c in contract.columns))
