"""Numbers and names as a person reads them."""

import math
import re
from datetime import date

NOTHING, TIMES = "\N{EN DASH}", "\N{MULTIPLICATION SIGN}"
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
METRIC_LABELS = {
    "ndcg_at_k": ("Ranking quality", "NDCG"),
    "recall_at_k": ("Purchases found", "recall"),
    "precision_at_k": ("Hits per place in the list", "precision"),
    "map_at_k": ("Precision over the list", "MAP"),
    "hit_rate_at_k": ("Users with a hit", "hit rate"),
    "coverage": ("Catalogue shown", "coverage"),
    "rmse": ("Error of predicted ratings", "RMSE"),
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
    is_plain = value in (0, 100) or 10 <= abs(value) <= 90
    return f"{value:.0f}%" if is_plain else f"{value:.1f}%"


def times(ratio: float | None) -> str:
    """A ratio as 1.8 and the multiplication sign."""
    if ratio is None or not math.isfinite(ratio):
        return NOTHING
    digits = 0 if abs(ratio) >= 10 else 1 if abs(ratio) >= 1 else 2
    return f"{ratio:,.{digits}f}{TIMES}"


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 user`, `1,234 users`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def day(value: date) -> str:
    """`1 September 2011`, whatever the locale."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


def feature_label(feature: str) -> str:
    """A feature's name for a reader: `gender=f` as `Gender: f`, `spend_30d` as `Spend, last 30 days`."""
    windowed = re.fullmatch(r"(.+)_(\d+)d", feature)
    if windowed and feature not in FEATURE_LABELS:
        return f"{feature_label(windowed[1])}, last {windowed[2]} days"
    between = re.fullmatch(r"(.+)_(\d+)_(\d+)", feature)
    if between:
        return f"{_sentence(between[1])} {between[2]} to {between[3]}"
    if "=" in feature:
        column, _, value = feature.partition("=")
        return f"{_sentence(column)}: {neutral(value)}"
    return FEATURE_LABELS.get(feature, _sentence(feature))


def feature_value(feature: str, value: float | None) -> str:
    """A feature's value in its unit: shares and rates as percentages."""
    is_share = "=" in feature or re.search(r"(_share|_rate)(_\d+d)?$|_\d+_\d+$", feature)
    return percent(value) if is_share else number(value)


def reasons(why: str) -> list[str]:
    """The parts of `segments.why`, one per number, each beginning with the feature as a reader knows it."""
    return [_with_label(part) for part in neutral(why).split("; ") if part]


def _with_label(part: str) -> str:
    found = re.fullmatch(r"(most unusual: )?([a-z0-9_]+)([ =])(.*)", part, re.DOTALL)
    if found is None:
        return part
    before, feature, between, told = found.groups(default="")
    is_feature = feature in FEATURE_LABELS or "_" in feature or between == "="
    label = feature_label(feature) if is_feature else feature
    text = f"{before}{label}{': ' if between == '=' else between}{told}"
    return text[:1].upper() + text[1:]


def metric_term(metric: str, k: int) -> str:
    """A ranking metric's technical name: `NDCG@10`."""
    term = METRIC_LABELS.get(metric, ("", neutral(metric)))[1]
    return f"{term}@{k}" if k else term


def metric_label(metric: str, k: int) -> str:
    """A ranking metric in plain words with its technical name: `Ranking quality (NDCG@10)`."""
    return f"{metric_words(metric)} ({metric_term(metric, k)})"


def metric_words(metric: str) -> str:
    """A ranking metric in plain words: `Ranking quality`."""
    return METRIC_LABELS.get(metric, (_sentence(metric), ""))[0]


def _sentence(name: str) -> str:
    text = neutral(name).replace("_", " ").strip()
    return text[:1].upper() + text[1:]


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
