"""Numbers and names as a person reads them."""

import math
import re
from datetime import date

from segspark.core.words import FEATURE_LABELS, NOTHING, feature_label, neutral, number, sentence

TIMES = "\N{MULTIPLICATION SIGN}"

METRIC_LABELS = {
    "ndcg_at_k": ("Ranking quality", "NDCG"),
    "recall_at_k": ("Purchases found", "recall"),
    "precision_at_k": ("Hits per place in the list", "precision"),
    "map_at_k": ("Precision over the list", "MAP"),
    "hit_rate_at_k": ("Users with a hit", "hit rate"),
    "mrr": ("Closeness of the first hit to the top", "MRR"),
    "auc": ("Wanted items ranked above others", "AUC"),
    "coverage": ("Catalogue shown", "coverage"),
    "gini": ("Unevenness of what is shown", "Gini"),
    "novelty": ("Surprise of what is shown", "bits"),
    "diversity": ("Variety within a list", "diversity"),
    "rmse": ("Error of predicted ratings", "RMSE"),
    "mae": ("Mean error of predicted ratings", "MAE"),
}

METHOD_LABELS = {
    "als": "Learnt tastes (ALS)",
    "item_cf": "Items like their own",
    "user_cf": "From similar users",
    "content": "Items of the same kind",
    "hybrid": "Blend of methods",
    "popularity": "Bestsellers",
    "segment_popularity": "Bestsellers of the segment",
    "als_explicit": "Predicted ratings (ALS)",
}


def times(ratio: float | None) -> str:
    """A ratio as 1.8 and the multiplication sign."""
    if ratio is None or not math.isfinite(ratio):
        return NOTHING
    digits = 0 if abs(ratio) >= 10 else 1 if abs(ratio) >= 1 else 2
    return f"{ratio:,.{digits}f}{TIMES}"


def amount(value: float | None) -> str:
    """A number that may count something: a whole one without decimals."""
    is_whole = value is not None and math.isfinite(value) and value == int(value)
    return number(int(value) if value is not None and is_whole else value)


def counted(count: int, noun: str, plural: str | None = None) -> str:
    """`1 user`, `1,234 users`."""
    return f"{count:,} {noun if count == 1 else plural or noun + 's'}"


def duration(seconds: float) -> str:
    """`42.5 seconds`, `12 min 5 s`, `3 h 20 min`."""
    if seconds < 100:
        return f"{number(seconds)} seconds"
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60} s" if whole < 6000 else f"{whole // 3600} h {whole % 3600 // 60} min"


def day(value: date) -> str:
    """`1 September 2011`, whatever the locale."""
    return f"{value.day} {_MONTHS[value.month - 1]} {value.year}"


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


def method_name(method: str) -> str:
    """A recommender in plain words."""
    return METHOD_LABELS.get(method, sentence(method))


def metric_words(metric: str) -> str:
    """A ranking metric in plain words: `Ranking quality`."""
    return METRIC_LABELS.get(metric, (sentence(metric), ""))[0]


_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
