"""Features and numbers as a person reads them, wherever a sentence is made."""

import math
import re

NOTHING = "\N{EN DASH}"
# Direction marks, overrides and isolates, and control characters: they could reorder or hide what stands around them.
_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")

FEATURE_LABELS = {
    "recency_days": "Days since last order",
    "recency_visit_days": "Days since last visit",
    "frequency": "Orders",
    "monetary": "Money spent",
    "units": "Units bought",
    "aov": "Average order value",
    "items_per_order": "Items per order",
    "inter_purchase_days_mean": "Days between orders",
    "inter_purchase_days_std": "Spread of days between orders",
    "tenure_days": "Days as a customer",
    "discount_share": "Share bought at a discount",
    "refund_share": "Share of lines returned",
    "repeat_item_share": "Share of repeat items",
    "new_product_share": "Share of new products",
    "price_level": "Price level within category",
    "sessions": "Visits",
    "active_days": "Active days",
    "events_per_session": "Events per visit",
    "session_minutes": "Minutes per visit",
    "bounce_share": "Share of visits that bounce",
    "click_rate": "Clicks per impression",
    "view_to_cart_rate": "Views that reach the cart",
    "cart_to_order_rate": "Carts that become orders",
    "night_share": "Share of activity at night",
    "weekend_share": "Share of activity at weekends",
    "distinct_items": "Different items",
    "distinct_categories": "Different categories",
    "category_entropy": "Variety of categories",
    "age": "Age in years",
    "income": "Yearly income",
    "rating_count": "Ratings given",
    "rating_mean": "Average rating given",
}


def neutral(text: object) -> str:
    """The text without characters that reorder or hide its surroundings, or steer a terminal."""
    return _UNSEEN.sub("", "" if text is None else str(text))


def number(value: float | None) -> str:
    """Three telling digits at least, thousands separated by commas; a dash for what is not known."""
    if value is None or not math.isfinite(value):
        return NOTHING
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 1 else 3
    return "0" if value == 0 else f"{value:.{digits}f}"


def percent(share: float | None) -> str:
    """A share of one as a percentage; never rounded up to all or down to none."""
    if share is None or not math.isfinite(share):
        return NOTHING
    value = 100 * share
    if 0 < value < 0.1:
        return "under 0.1%"
    if 99.9 < value < 100:
        return "over 99.9%"
    is_plain = value in (0, 100) or 10 <= round(abs(value), 1) <= 90
    return f"{value:.0f}%" if is_plain else f"{value:.1f}%"


def feature_label(feature: str) -> str:
    """A feature's name for a reader: `gender=f` as `Gender: f`, `spend_30d` as `Spend, last 30 days`."""
    windowed = re.fullmatch(r"(.+)_(\d+)d", feature)
    if windowed and feature not in FEATURE_LABELS:
        return f"{feature_label(windowed[1])}, last {windowed[2]} days"
    between = re.fullmatch(r"(.+)_(\d+)_(\d+)", feature)
    if between:
        return f"{sentence(between[1])} {between[2]} to {between[3]}"
    if "=" in feature:
        column, _, value = feature.partition("=")
        return f"{sentence(column)}: {neutral(value)}"
    return FEATURE_LABELS.get(feature, sentence(feature))


def feature_value(feature: str, value: float | None) -> str:
    """A feature's value in its unit: shares and rates as percentages."""
    return percent(value) if is_share(feature) else number(value)


def is_share(feature: str) -> bool:
    """Whether a feature is a share of one, by its name."""
    return "=" in feature or re.search(r"(_share|_rate)(_\d+d)?$|_\d+_\d+$", feature) is not None


def sentence(name: str) -> str:
    """A name in words: `favourite_category` as `Favourite category`."""
    text = neutral(name).replace("_", " ").strip()
    return text[:1].upper() + text[1:]
