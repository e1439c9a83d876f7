"""What every contestant computes: the names, and how far apart two answers may lie."""

WINDOWS = (7, 30, 90, 365)
BY_WINDOW = ("events", "sessions", "views", "carts", "orders", "units", "spend", "active_days")
SESSION_GAP_MICROS = 30 * 60 * 1_000_000
NEW_PRODUCT_DAYS = 60
BOT_EVENTS_PER_DAY = 1000
NIGHT_FROM_HOUR, NIGHT_TO_HOUR = 22, 6

TEXTS = ("gender", "education", "region", "favourite_category")
PROFILE = ("age", "income", "tenure_days")
PURCHASES = (
    *("recency_days", "frequency", "monetary", "units", "aov", "items_per_order"),
    *("inter_purchase_days_mean", "inter_purchase_days_std", "discount_share", "refund_share"),
)
VISITS = (
    *("recency_visit_days", "events", "sessions", "views", "carts", "searches", "wishlists", "purchases"),
    *("events_per_session", "session_minutes", "bounce_share", "click_rate", "view_to_cart_rate"),
    *("cart_to_order_rate", "night_share", "weekend_share", "active_days"),
)
TASTE = (
    *("distinct_items", "distinct_categories", "category_entropy"),
    *("repeat_item_share", "new_product_share", "price_level"),
)
RATED = ("rating_count", "rating_mean")
WINDOWED = tuple(f"{name}_{days}d" for days in WINDOWS for name in BY_WINDOW)
NUMBERS = (*PURCHASES, *VISITS, *TASTE, *RATED, *WINDOWED, *PROFILE)

EQUAL = 1e-9  # relative, and absolute near 0
ROUNDED = 1e-3  # of what ours sums in whole ten-thousandths per row
BOUNDS = {**dict.fromkeys(NUMBERS, EQUAL), "category_entropy": ROUNDED, "price_level": ROUNDED}
