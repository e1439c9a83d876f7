"""The run tables that views for BI read where the rest would be personal, or too much to add up at each look."""

from segspark.core.contract import ITEM_ID, USER_ID, Column, run_table

SCHEME = Column("scheme", "string", "value, taste or one of segments.others")
SEGMENT_ID = Column("segment_id", "int", "as in segments")

USER_FACTS = run_table(
    "user_facts",
    "one user at as_of, bots left out, with the pseudonym that views show",
    ["user_id"],
    [
        USER_ID,
        Column("user_key", "string", "the first 32 hex digits of HMAC-SHA256 of user_id"),
        Column("recency_score", "int", "fifth of the buyers by days since the last order: 5 the latest; null: never"),
        Column("frequency_score", "int", "fifth of the buyers by orders: 5 the most"),
        Column("monetary_score", "int", "fifth of the buyers by money, told to three digits: 5 the most"),
        Column("recency_band", "string", "days since the last order, in words"),
        Column("frequency_band", "string", "orders, in words"),
        Column("first_order_month", "date", "the first day of the month of the first order; null: never"),
        Column("orders", "bigint", "orders with a paid line"),
        Column("revenue", "double", "paid lines after discount, in the shop's currency"),
        Column("revenue_30d", "double", "the same of the 30 days before as_of"),
    ],
)

ITEM_FACTS = run_table(
    "item_facts",
    "one item at as_of: in the list, bought, or acted on",
    ["item_id"],
    [
        ITEM_ID,
        Column("category", "string", "the list's, else the newest of the orders"),
        Column("brand", "string", "the list's"),
        Column("price", "double", "list price, in the shop's currency"),
        Column("launch_day", "date", "the list's"),
        Column("units", "double", "units of paid lines, also of guests"),
        Column("revenue", "double", "paid lines after discount, also of guests"),
        Column("buyers", "bigint", "known users with a paid line"),
        Column("users", "bigint", "known users who viewed, rated, bought or otherwise acted on it"),
    ],
)

SEGMENT_FACTS = run_table(
    "segment_facts",
    "one segment with what its users ever did",
    ["scheme", "segment_id"],
    [
        SCHEME,
        SEGMENT_ID,
        Column("users", "bigint", "users"),
        Column("buyers", "bigint", "users with a paid line"),
        Column("orders", "bigint", "orders with a paid line"),
        Column("revenue", "double", "paid lines after discount"),
        Column("buyers_30d", "bigint", "users with a paid line above 0 in the 30 days before as_of"),
        Column("revenue_30d", "double", "paid lines after discount in these days"),
    ],
    driver_sized=True,
)

SEGMENT_MONTHS = run_table(
    "segment_months",
    "one segment in one month, by who is in it at as_of",
    ["scheme", "segment_id", "month"],
    [
        SCHEME,
        SEGMENT_ID,
        Column("month", "date", "its first day, UTC"),
        Column("days", "int", "its days before as_of: fewer than the month has where as_of lies in it"),
        Column("active_users", "bigint", "users with any event, order or rating"),
        Column("buyers", "bigint", "users with a paid line"),
        Column("orders", "bigint", "orders with a paid line"),
        Column("revenue", "double", "paid lines after discount"),
    ],
    driver_sized=True,
)

COHORT_MONTHS = run_table(
    "cohort_months",
    "the buyers of one first month, so many months later",
    ["cohort_month", "months_since"],
    [
        Column("cohort_month", "date", "the first day of the month of the users' first order"),
        Column("months_since", "int", "calendar months since; 0 is the first month itself"),
        Column("month", "date", "the first day of that month"),
        Column("cohort_users", "bigint", "users of the cohort"),
        Column("buyers", "bigint", "those of them who ordered in the month"),
        Column("orders", "bigint", "their orders in the month"),
        Column("revenue", "double", "what they paid in the month"),
    ],
    driver_sized=True,
)

SEGMENT_CATEGORIES = run_table(
    "segment_categories",
    "one category bought by one segment",
    ["scheme", "segment_id", "category"],
    [
        SCHEME,
        SEGMENT_ID,
        Column("category", "string", "as in item_facts; an empty text where the item has none"),
        Column("buyers", "bigint", "users with a paid line"),
        Column("units", "double", "units of paid lines"),
        Column("revenue", "double", "paid lines after discount"),
    ],
    driver_sized=True,
)

SEGMENT_MOVES = run_table(
    "segment_moves",
    "users who went from one segment of the run that was published to one of this run, by cause",
    ["scheme", "from_segment", "to_segment", "cause"],
    [
        SCHEME,
        Column("from_segment", "int", "segment_id in the published run; null for new users"),
        Column("from_name", "string", "its name there"),
        Column("to_segment", "int", "segment_id in this run; null for users who are gone"),
        Column("to_name", "string", "its name here"),
        Column("cause", "string", "same, behaviour, refit, new or gone"),
        Column("users", "bigint", "how many"),
        Column("buyers_30d", "bigint", "those of them with a paid line above 0 in the 30 days before as_of"),
        Column("revenue_30d", "double", "what they paid in these days"),
    ],
    kept=True,
    driver_sized=True,
)
