"""Polars: lazy frames over the log tables' Parquet files, on all cores."""

from datetime import date

import polars as pl

from benchmarks.contestant import Ready, Task
from benchmarks.features.columns import (
    BOT_EVENTS_PER_DAY,
    NEW_PRODUCT_DAYS,
    NIGHT_FROM_HOUR,
    NIGHT_TO_HOUR,
    NUMBERS,
    SESSION_GAP_MICROS,
    TEXTS,
    WINDOWS,
)

KINDS = {
    "impressions": "impression",
    "views": "view",
    "clicks": "click",
    "searches": "search",
    "carts": "add_to_cart",
    "wishlists": "wishlist",
    "purchases": "purchase",
}
TOUCHES = ("view", "click", "add_to_cart", "wishlist", "purchase")
SUMMED = (
    *("events", *KINDS, "night_events", "sessions", "session_seconds", "session_events", "bounces"),
    *("orders", "order_lines", "refunds", "units", "spend", "ratings", "rating_sum"),
)
WINDOWED_SUMS = ("events", "sessions", "views", "carts", "orders", "units", "spend")
DAY = ["user_id", "day"]


def run(task: Task, ready: Ready) -> None:
    """Writes user_features."""
    ready()
    as_of = date.fromisoformat(task.inputs["as_of"])
    lake = task.inputs["lake"]
    events, orders, ratings = (_log(lake, name, as_of) for name in ("events", "orders", "ratings"))
    lines = orders.with_columns(
        paid=pl.col("status") == "paid",
        net=pl.col("quantity") * pl.col("unit_price").fill_null(0.0) - pl.col("discount").fill_null(0.0),
    )
    order_days = _order_days(lines)
    days = _days(events, order_days, ratings)
    items = pl.scan_parquet(f"{lake}/items/*.parquet").select(
        "item_id", "category", listed_launch=pl.col("launch_time").dt.date()
    )
    taste = _taste(_item_days(events, lines), items.filter(_before("listed_launch", as_of)))
    profiles = pl.scan_parquet(f"{lake}/users/*.parquet").select(
        "user_id", "age", "gender", "income", "education", "region", signup_day=pl.col("signup_time").dt.date()
    )
    users = (
        _activity(days, as_of)
        .join(_gaps(order_days), on="user_id", how="left")
        .join(taste, on="user_id", how="left")
        .join(profiles.filter(_before("signup_day", as_of)), on="user_id", how="full", coalesce=True)
    )
    features = users.with_columns(**_features(as_of)).with_columns(pl.col("is_bot").fill_null(False))
    features.select("user_id", "is_bot", *TEXTS, *NUMBERS).collect().write_parquet(task.output)


def _log(lake: str, name: str, as_of: date) -> pl.LazyFrame:
    log = pl.scan_parquet(f"{lake}/{name}/*.parquet")
    return log.filter(pl.col("user_id").is_not_null() & (pl.col("day") < as_of))


def _before(day: str, as_of: date) -> pl.Expr:
    return pl.col(day).is_null() | (pl.col(day) < as_of)


def _count_if(condition: pl.Expr) -> pl.Expr:
    return condition.sum().cast(pl.Int64)


def _days(events: pl.LazyFrame, order_days: pl.LazyFrame, ratings: pl.LazyFrame) -> pl.LazyFrame:
    hour = pl.col("event_time").dt.hour()
    at_night = (hour >= NIGHT_FROM_HOUR) | (hour < NIGHT_TO_HOUR)
    event_days = events.group_by(DAY).agg(
        events=pl.len().cast(pl.Int64),
        **{name: _count_if(pl.col("event_type") == kind) for name, kind in KINDS.items()},
        night_events=_count_if(at_night),
    )
    rating_days = ratings.group_by(DAY).agg(
        ratings=pl.col("rating").count().cast(pl.Int64), rating_sum=pl.col("rating").sum()
    )
    days = event_days
    for other in (_session_days(events), order_days, rating_days):
        days = days.join(other, on=DAY, how="full", coalesce=True)
    return days


def _session_days(events: pl.LazyFrame) -> pl.LazyFrame:
    micros = pl.col("event_time").dt.epoch("us")
    ordered = events.select("user_id", "day", t=micros, bought=pl.col("event_type") == "purchase").sort("user_id", "t")
    is_first = (pl.col("user_id") != pl.col("user_id").shift()) | (pl.col("t").diff() > SESSION_GAP_MICROS)
    sessions = (
        ordered.with_columns(visit=is_first.fill_null(True).cum_sum())
        .group_by("user_id", "visit")
        .agg(
            pl.col("day").min(),
            seconds=(pl.col("t").max() - pl.col("t").min()) // 1_000_000,
            events=pl.len().cast(pl.Int64),
            bought=pl.col("bought").any(),
        )
    )
    return sessions.group_by(DAY).agg(
        sessions=pl.len().cast(pl.Int64),
        session_seconds=pl.col("seconds").sum(),
        session_events=pl.col("events").sum(),
        bounces=_count_if((pl.col("events") == 1) & ~pl.col("bought")),
    )


def _order_days(lines: pl.LazyFrame) -> pl.LazyFrame:
    paid = pl.col("paid")
    return lines.group_by(DAY).agg(
        orders=pl.col("order_id").filter(paid).n_unique().cast(pl.Int64),
        order_lines=_count_if(paid),
        refunds=_count_if(~paid),
        units=pl.col("quantity").filter(paid).sum(),
        spend=pl.col("net").filter(paid).sum(),
        discount=pl.col("discount").filter(paid).sum(),
        discounts_known=pl.col("discount").filter(paid).count(),
    )


def _activity(days: pl.LazyFrame, as_of: date) -> pl.LazyFrame:
    day = pl.col("day")
    windows: dict[str, pl.Expr] = {}
    for length in WINDOWS:
        inside = day >= as_of - pl.duration(days=length)
        windows |= {f"{name}_{length}d": pl.col(name).filter(inside).sum() for name in WINDOWED_SUMS}
        windows[f"active_days_{length}d"] = _count_if(inside)
    known = pl.col("discounts_known").sum() > 0
    return days.group_by("user_id").agg(
        *(pl.col(name).sum() for name in SUMMED),
        first_day=day.min(),
        active_days=pl.len().cast(pl.Int64),
        is_bot=(pl.col("events") > BOT_EVENTS_PER_DAY).any(),
        last_order_day=day.filter(pl.col("orders") > 0).max(),
        last_visit_day=day.filter(pl.col("events") > 0).max(),
        weekend_events=pl.col("events").filter(day.dt.weekday() >= 6).sum(),
        discount=pl.when(known).then(pl.col("discount").sum()),
        **windows,
    )


def _gaps(order_days: pl.LazyFrame) -> pl.LazyFrame:
    gap = pl.col("day").sort().diff().dt.total_days().cast(pl.Float64)
    return (
        order_days.filter(pl.col("orders") > 0)
        .group_by("user_id")
        .agg(inter_purchase_days_mean=gap.mean(), inter_purchase_days_std=gap.std())
    )


def _item_days(events: pl.LazyFrame, lines: pl.LazyFrame) -> pl.LazyFrame:
    touched = events.filter(pl.col("item_id").is_not_null() & pl.col("event_type").is_in(TOUCHES)).select(
        *DAY, "item_id", touches=pl.lit(1), lines=pl.lit(0), units=pl.lit(0.0), spend=pl.lit(0.0)
    )
    bought = lines.filter(pl.col("paid") & pl.col("item_id").is_not_null()).select(
        *DAY, "item_id", touches=pl.lit(0), lines=pl.lit(1), units=pl.col("quantity"), spend=pl.col("net")
    )
    return pl.concat([touched, bought]).group_by("user_id", "item_id", "day").agg(pl.all().sum())


def _taste(item_days: pl.LazyFrame, listed: pl.LazyFrame) -> pl.LazyFrame:
    sold = item_days.group_by("item_id").agg(
        pl.col("units").sum(),
        pl.col("spend").sum(),
        first_sale=pl.col("day").filter(pl.col("lines") > 0).min(),
    )
    items = sold.join(listed, on="item_id", how="full", coalesce=True).select(
        "item_id", "category", "units", "spend", launch_day=pl.coalesce("listed_launch", "first_sale")
    )
    prices = items.group_by("category").agg(category_price=_ratio(pl.col("spend").sum(), pl.col("units").sum()))
    described = items.select("item_id", "category", "launch_day").join(
        prices, on="category", how="left", nulls_equal=True
    )
    level = _ratio(pl.col("spend"), pl.col("units") * pl.col("category_price"))
    is_new = (pl.col("day") - pl.col("launch_day")).dt.total_days() <= NEW_PRODUCT_DAYS
    pairs = (
        item_days.join(described, on="item_id", how="left")
        .with_columns(level=level, is_new=is_new.fill_null(False))
        .group_by("user_id", "item_id")
        .agg(
            pl.col("category").first(),
            pl.col("lines", "touches").sum(),
            days_bought=_count_if(pl.col("lines") > 0),
            new_lines=pl.col("lines").filter("is_new").sum(),
            priced_spend=pl.col("spend").filter(pl.col("level").is_not_null()).sum(),
            levelled_spend=(pl.col("spend") * pl.col("level")).sum(),
        )
    )
    by_category = pairs.group_by("user_id", "category").agg(
        pl.col("lines", "touches", "new_lines", "priced_spend", "levelled_spend").sum(),
        items=pl.len().cast(pl.Int64),
        bought_items=_count_if(pl.col("days_bought") > 0),
        repeated_items=_count_if(pl.col("days_bought") > 1),
    )
    has_bought = pl.col("lines").sum().over("user_id") > 0
    weighed = by_category.with_columns(weight=pl.when(has_bought).then("lines").otherwise("touches"))
    return weighed.group_by("user_id").agg(**_taste_columns())


def _taste_columns() -> dict[str, pl.Expr]:
    weight = pl.col("weight").cast(pl.Float64)
    spread = (weight * weight.clip(lower_bound=1.0).log()).sum() / weight.sum()
    categories = pl.col("category").count().cast(pl.Int64)
    return {
        "distinct_items": pl.col("items").sum(),
        "distinct_categories": pl.when(categories > 0).then(categories),
        "category_entropy": weight.sum().log() - spread,
        "repeat_item_share": _ratio(pl.col("repeated_items").sum(), pl.col("bought_items").sum()),
        "new_product_share": _ratio(pl.col("new_lines").sum(), pl.col("lines").sum()),
        "price_level": _ratio(pl.col("levelled_spend").sum(), pl.col("priced_spend").sum()),
        "favourite_category": pl.col("category").sort_by(-pl.col("weight"), "category").first(),
    }


def _features(as_of: date) -> dict[str, pl.Expr]:
    zeros = ("units", "events", "sessions", "views", "carts", "searches", "wishlists", "purchases")
    windowed = [f"{name}_{days}d" for days in WINDOWS for name in (*WINDOWED_SUMS, "active_days")]
    return {
        **{name: pl.col(name).fill_null(0) for name in (*zeros, *windowed, "active_days", "distinct_items")},
        "recency_days": (pl.lit(as_of) - pl.col("last_order_day")).dt.total_days(),
        "recency_visit_days": (pl.lit(as_of) - pl.col("last_visit_day")).dt.total_days(),
        "tenure_days": (pl.lit(as_of) - pl.min_horizontal("signup_day", "first_day")).dt.total_days(),
        "frequency": pl.col("orders").fill_null(0),
        "monetary": pl.col("spend").fill_null(0.0),
        "rating_count": pl.col("ratings").fill_null(0),
        "aov": _per("spend", "orders"),
        "items_per_order": _per("units", "orders"),
        "discount_share": _ratio(pl.col("discount"), pl.col("spend") + pl.col("discount")),
        "refund_share": _ratio(pl.col("refunds"), pl.col("refunds") + pl.col("order_lines")),
        "events_per_session": _per("session_events", "sessions"),
        "session_minutes": _ratio(pl.col("session_seconds"), pl.col("sessions") * 60),
        "bounce_share": _per("bounces", "sessions"),
        "click_rate": _per("clicks", "impressions"),
        "view_to_cart_rate": _per("carts", "views"),
        "cart_to_order_rate": _per("orders", "carts"),
        "night_share": _per("night_events", "events"),
        "weekend_share": _per("weekend_events", "events"),
        "rating_mean": _per("rating_sum", "ratings"),
    }


def _per(part: str, total: str) -> pl.Expr:
    return _ratio(pl.col(part), pl.col(total))


def _ratio(part: pl.Expr, total: pl.Expr) -> pl.Expr:
    return pl.when(total != 0).then(part / total)
