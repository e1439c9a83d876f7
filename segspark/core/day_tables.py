"""The day tables: what a day adds, counted once."""

from segspark.core.contract import ITEM_ID, USER_ID, Column, daily

SESSIONS = daily(
    "sessions",
    "one visit",
    ["session_id"],
    [
        Column("session_id", "string", "unique"),
        USER_ID,
        Column("day", "date", "the UTC day on which the visit began"),
        Column("started_at", "timestamp", "first event"),
        Column("ended_at", "timestamp", "last event"),
        Column("events", "bigint", "events"),
        Column("views", "bigint", "views"),
        Column("carts", "bigint", "additions to the cart"),
        Column("purchases", "bigint", "purchase events"),
        Column("bounced", "boolean", "a single event and no purchase"),
    ],
)

USER_DAYS = daily(
    "user_days",
    "one user on one day with any event, order or rating",
    ["user_id", "day"],
    [
        USER_ID,
        Column("day", "date", "UTC"),
        Column("events", "bigint", "events of any type"),
        Column("impressions", "bigint", "impressions"),
        Column("views", "bigint", "views"),
        Column("clicks", "bigint", "clicks"),
        Column("searches", "bigint", "searches"),
        Column("carts", "bigint", "additions to the cart"),
        Column("wishlists", "bigint", "additions to the wish list"),
        Column("purchases", "bigint", "purchase events"),
        Column("night_events", "bigint", "events from 22:00 to 05:59 UTC"),
        Column("first_event_at", "timestamp", "first event"),
        Column("last_event_at", "timestamp", "last event"),
        Column("sessions", "bigint", "visits that began on the day"),
        Column("session_seconds", "bigint", "their length together"),
        Column("session_events", "bigint", "their events, also those after midnight"),
        Column("bounces", "bigint", "those of one event and no purchase"),
        Column("orders", "bigint", "orders with a paid line"),
        Column("order_lines", "bigint", "paid lines"),
        Column("units", "double", "units of paid lines"),
        Column("spend", "double", "paid lines after discount"),
        Column("discount", "double", "money taken off paid lines; null where no line says"),
        Column("refunds", "bigint", "refunded or cancelled lines"),
        Column("refunded", "double", "money of refunded or cancelled lines"),
        Column("night_orders", "bigint", "orders with a paid line from 22:00 to 05:59 UTC"),
        Column("first_order_at", "timestamp", "first paid line"),
        Column("last_order_at", "timestamp", "last paid line"),
        Column("ratings", "bigint", "ratings given"),
        Column("rating_sum", "double", "their sum"),
        Column("is_bot", "boolean", "more events on the day than a person makes"),
    ],
)

USER_ITEM_DAYS = daily(
    "user_item_days",
    "one user and item on one day",
    ["user_id", "item_id", "day"],
    [
        USER_ID,
        ITEM_ID,
        Column("day", "date", "UTC"),
        Column("category", "string", "the item's category in the log; where the day names several, one of them"),
        Column("views", "bigint", "views"),
        Column("clicks", "bigint", "clicks"),
        Column("carts", "bigint", "additions to the cart"),
        Column("wishlists", "bigint", "additions to the wish list"),
        Column("purchases", "bigint", "purchase events"),
        Column("order_lines", "bigint", "paid lines"),
        Column("units", "double", "units of paid lines"),
        Column("spend", "double", "paid lines after discount"),
    ],
)

ITEM_DAYS = daily(
    "item_days",
    "one item on one day, under one category",
    ["item_id", "day", "category"],
    [
        ITEM_ID,
        Column("day", "date", "UTC"),
        Column("category", "string", "as in user_item_days; null where nobody's row names one"),
        Column("order_lines", "bigint", "paid lines of all known users"),
        Column("units", "double", "units of these lines"),
        Column("spend", "double", "these lines after discount"),
    ],
)

USER_TOUCHES = daily(
    "user_touches",
    "one user with all that they touched before the day",
    ["user_id", "day"],
    [
        USER_ID,
        Column("day", "date", "the first day that is not in it; the table holds one, moved forward from time to time"),
        Column("item_keys", "array<bigint>", "hashes of item_id, rising"),
        Column("item_touches", "array<bigint>", "views, clicks, carts, wish lists and purchases of each together"),
        Column("ingest_seq", "bigint", "the highest file number that the day tables held when it was written"),
        Column("shape", "string", "how it was made; made otherwise it is not used"),
    ],
)
