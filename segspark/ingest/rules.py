"""What a row must keep to be accepted: the first rule that it breaks is the reason that quarantine tells."""

from collections.abc import Callable, Iterator
from datetime import datetime

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.ingest.config import LOGS, REQUIRED, IngestConfig

EVENT_TYPES = (
    "impression",
    "view",
    "click",
    "search",
    "add_to_cart",
    "remove_from_cart",
    "wishlist",
    "purchase",
)
STATUSES = ("paid", "refunded", "cancelled")
DEFAULTS = {  # of columns that are not mapped
    "orders": {"quantity": "1", "discount": "0", "status": "'paid'"},
    "outcomes": {"treated": "true"},
}
TIMES = {"events": "event_time", "orders": "order_time", "ratings": "rated_at"}
_ALSO_KEYS = {
    "events": ("event_id",),
    "orders": ("line", "quantity", "status"),
    "outcomes": ("treated",),
}  # not to be missing where mapped

Rule = tuple[Column, str]


def judge(rows: DataFrame, name: str, config: IngestConfig, now: datetime) -> DataFrame:
    """The mapped rows with every column of the log table but those made later, and `__problem` where a rule is broken.

    Makes `day`. Columns that are not mapped are null, or what `DEFAULTS` says.
    """
    mapped = set(rows.columns)
    complete = rows.withColumns(
        {
            column.name: F.expr(DEFAULTS.get(name, {}).get(column.name, "NULL")).cast(column.type)
            for column in LOGS[name].columns
            if column.name not in mapped and column.name not in ("day", "ingest_seq")
        }
    )
    plain = complete.withColumns(_plain(name, config))
    broken = [F.when(condition, reason) for condition, reason in _rules(name, mapped, config, now)]
    problem = F.when(~F.col("__filtered"), F.coalesce("__problem", *broken))
    judged = plain.withColumn("__problem", problem)
    return judged.withColumn("day", F.to_date(TIMES[name])) if name in TIMES else judged


def _plain(name: str, config: IngestConfig) -> dict[str, Column]:
    """Values in their one spelling: event types and statuses in lower case, no discount as 0, nobody as null."""
    spelt: dict[str, Column] = {}
    if "user_id" in LOGS[name].names:
        is_nobody = F.lower("user_id").isin(*(text.lower() for text in config.null_user_ids))
        spelt["user_id"] = F.when(~is_nobody, F.col("user_id")) if config.null_user_ids else F.col("user_id")
    if name == "events":
        spelt["event_type"] = F.lower("event_type")
    if name == "orders":
        spelt |= {"status": F.lower("status"), "discount": F.coalesce("discount", F.lit(0.0))}
    return spelt


def _rules(name: str, mapped: set[str], config: IngestConfig, now: datetime) -> Iterator[Rule]:
    needed = [*REQUIRED[name], *(column for column in _ALSO_KEYS.get(name, ()) if column in mapped)]
    for column in needed:
        yield F.col(column).isNull(), f"{column} is missing"
    for each in LOGS[name].columns:
        if each.type == "double":
            yield _is_not_finite(each.name), f"{each.name} is not a finite number"
    if name in TIMES:
        time = TIMES[name]
        yield F.col(time) > F.lit(now), f"{time} is in the future"
        yield F.col(time) < F.lit(config.earliest).cast("timestamp"), f"{time} is before {config.earliest}"
    yield from OWN_RULES.get(name, lambda config, now: iter(()))(config, now)


def _of_events(config: IngestConfig, now: datetime) -> Iterator[Rule]:
    yield ~F.col("event_type").isin(*EVENT_TYPES), f"event_type is none of {', '.join(EVENT_TYPES)}"
    yield from _amount("price", config.max_price)


def _of_orders(config: IngestConfig, now: datetime) -> Iterator[Rule]:
    yield F.col("quantity") < 0, "quantity is negative; a refund is told by status"
    yield F.col("quantity") > config.max_quantity, f"quantity is above {config.max_quantity:,.0f}"
    yield from _amount("unit_price", config.max_price)
    yield F.col("discount") < 0, "discount is negative"
    too_much = F.col("discount") > F.col("quantity") * F.col("unit_price") + 0.01
    yield too_much, "discount is more than the line costs"
    yield ~F.col("status").isin(*STATUSES), f"status is none of {', '.join(STATUSES)}"


def _of_users(config: IngestConfig, now: datetime) -> Iterator[Rule]:
    yield ~F.col("age").between(0, config.max_age), f"age is outside 0 to {config.max_age}"
    yield from _amount("income", config.max_income)
    yield F.col("signup_time") > F.lit(now), "signup_time is in the future"


def _of_items(config: IngestConfig, now: datetime) -> Iterator[Rule]:
    yield from _amount("price", config.max_price)
    is_bad = F.exists("embedding", lambda x: x.isNull() | F.isnan(x) | (F.abs(x) == float("inf")))
    yield is_bad, "embedding has an element that is no finite number"


def _of_outcomes(config: IngestConfig, now: datetime) -> Iterator[Rule]:
    yield F.col("sent_at") > F.lit(now), "sent_at is in the future"
    yield F.col("sent_at") < F.lit(config.earliest).cast("timestamp"), f"sent_at is before {config.earliest}"
    yield F.col("converted_at") < F.col("sent_at"), "converted_at is before sent_at"
    yield F.col("converted_at").isNotNull() & ~F.col("converted"), "converted_at is told, but not converted"
    yield F.col("revenue") < 0, "revenue is negative"
    yield (F.col("revenue") > 0) & ~F.col("converted"), "revenue is told, but not converted"
    yield (F.col("propensity") <= 0) | (F.col("propensity") > 1), "propensity is outside 0 to 1"


def _amount(column: str, most: float) -> Iterator[Rule]:
    yield F.col(column) < 0, f"{column} is negative"
    yield F.col(column) > most, f"{column} is above {most:,.0f}"


OWN_RULES: dict[str, Callable[[IngestConfig, datetime], Iterator[Rule]]] = {
    "events": _of_events,
    "orders": _of_orders,
    "users": _of_users,
    "items": _of_items,
    "outcomes": _of_outcomes,
}


def _is_not_finite(column: str) -> Column:
    return F.isnan(column) | (F.abs(column) == float("inf"))
