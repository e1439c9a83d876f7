"""The seven personas: what is typical of each, in plain units, and how much people vary around it.

Visits and orders are per period at the table's own scale; shares are of visits or order lines; `price_level` is the
mean price tier from 0 (cheapest) to 4; `log` latents vary by a factor, the others by an addition.
"""

import math
from dataclasses import dataclass

CATEGORIES = 10
TIERS = 5
CATEGORY_NAMES = ("kitchen", "garden", "toys", "books", "sports", "beauty", "fashion", "pets", "office", "gadgets")


@dataclass(frozen=True)
class Latent:
    """One trait of a user. `deviation`, `low` and `high` are on its own scale: of the logarithm where `log`."""

    name: str
    log: bool
    deviation: float
    low: float
    high: float


@dataclass(frozen=True)
class Overlap:
    """How far people stray from their persona."""

    spread: float  # multiplies every deviation
    lean: float  # most weight that a second persona can have in a user
    lean_power: float  # weight = lean * u ** lean_power for uniform u: the higher, the fewer people between personas


OVERLAPS = {"demo": Overlap(1.0, 0.0, 1.0), "hard": Overlap(1.25, 0.9, 9.0)}

LATENTS = (
    Latent("visits", True, 0.11, 0.0, 9.0),
    Latent("orders", True, 0.11, 0.0, 9.0),
    Latent("views_per_visit", True, 0.1, 0.0, 2.7),
    Latent("items_per_order", True, 0.11, 0.0, 3.6),
    Latent("price_level", False, 0.28, 0.0, 4.0),
    Latent("discount_share", False, 0.06, 0.0, 0.95),
    Latent("new_share", False, 0.06, 0.0, 0.9),
    Latent("repeat_share", False, 0.06, 0.0, 0.8),
    Latent("refund_share", False, 0.02, 0.0, 0.3),
    Latent("recency_days", True, 0.30, 0.0, 4.6),
    Latent("tenure_days", True, 0.25, 4.2, 8.2),
    Latent("age", True, 0.09, 2.89, 4.4),
    Latent("income", True, 0.15, 9.2, 12.5),
    Latent("night_share", False, 0.05, 0.0, 0.9),
    Latent("weekend_share", False, 0.06, 0.0, 0.95),
    Latent("abandon_share", False, 0.07, 0.0, 1.0),
    Latent("rating_share", False, 0.07, 0.0, 1.0),
)

# fmt: off
TYPICAL: dict[str, tuple[float, ...]] = {
    #                   high   young  econ.  loyal  freq.  rare   taster
    "share":           (.12,   .16,   .17,   .16,   .14,   .11,   .14),
    "visits":          (16,    14,    10,    9,     19,    5,     11),
    "orders":          (8,     5,     5,     6,     16,    3.6,   6),
    "views_per_visit": (2.6,   4.0,   3.0,   1.8,   1.2,   5.5,   4.8),
    "items_per_order": (4.2,   1.7,   3.0,   2.0,   1.3,   16,    2.2),
    "price_level":     (3.4,   1.5,   0.4,   1.9,   1.9,   2.4,   2.8),
    "discount_share":  (.10,   .30,   .65,   .20,   .22,   .14,   .06),
    "new_share":       (.14,   .22,   .05,   .06,   .10,   .08,   .70),
    "repeat_share":    (.18,   .04,   .25,   .60,   .40,   .05,   .03),
    "refund_share":    (.05,   .15,   .10,   .01,   .08,   .05,   .12),
    "recency_days":    (8,     15,    18,    5,     3,     50,    12),
    "tenure_days":     (700,   220,   600,   2300,  500,   900,   420),
    "age":             (45,    21.5,  49,    55,    36,    42,    31),
    "income":          (95e3,  23e3,  26e3,  47e3,  50e3,  70e3,  60e3),
    "night_share":     (.12,   .48,   .02,   .02,   .14,   .02,   .24),
    "weekend_share":   (.30,   .42,   .32,   .22,   .12,   .66,   .36),
    "abandon_share":   (.30,   .60,   .45,   .10,   .15,   .20,   .40),
    "rating_share":    (.30,   .45,   .12,   .40,   .14,   .20,   .65),
}
# fmt: on
PERSONAS = ("high_value", "young", "economy", "loyal", "frequent", "rare_big_basket", "new_product_taster")

CLICKS_PER_VISIT = 0.35  # of the one item shown on arrival
SEARCHES_PER_VISIT = 0.3
WISHES_PER_VISIT = 0.12


def centres(latent: Latent) -> list[float]:
    """What is typical of each persona, in the order of PERSONAS, on the latent's own scale."""
    return [math.log(value) if latent.log else value for value in TYPICAL[latent.name]]


def _expected_events() -> float:
    fixed = 1 + CLICKS_PER_VISIT + SEARCHES_PER_VISIT + WISHES_PER_VISIT
    total = 0.0
    columns = ("share", "visits", "orders", "views_per_visit", "items_per_order", "abandon_share")
    for share, visits, orders, views, items, abandon in zip(*(TYPICAL[name] for name in columns), strict=True):
        total += share * (visits * (fixed + views) + 2 * orders * items + 1.5 * abandon * max(visits - orders, 0))
    return total


EXPECTED_EVENTS = _expected_events()  # of a person, at the table's own scale
