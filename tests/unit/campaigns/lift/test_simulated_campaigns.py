"""Hundreds of campaigns whose truth is known: how often a verdict is given, and how often it should be."""

import gc
import math
from functools import cache

import numpy as np
import pytest

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.evidence import Evidence
from segspark.campaigns.lift.effects import MEASURES, UNJUDGED, measure_lifts
from tests.unit.campaigns.lift.arrays import STARTS_ON, Shop, row_of

CONFIG = LiftConfig()
CAMPAIGNS = 500
JUDGED = [measure for measure in MEASURES if measure not in UNJUDGED]
CELLS = [(segment, action) for segment in "abc" for action in "xy"]


@pytest.fixture(scope="module", autouse=True)
def _no_collection_of_garbage():
    """statsmodels collects garbage in each adjustment, which is most of the time of a simulation."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gc, "collect", lambda *generation: 0)
        yield


def campaign(rng: np.random.Generator, shop: Shop, sizes: dict, effects: dict) -> list[Evidence]:
    """A tenth held out in every segment and action; `effects` are of segments and actions."""
    return [
        row
        for cell, users in sizes.items()
        for row in shop.pair(rng, *cell, (users - users // 10, users // 10), **effects.get(cell, {}))
    ]


@cache
def null_campaigns(count: int) -> list[list[dict]]:
    rng, shop = np.random.default_rng(2024), Shop()
    made = []
    for _ in range(count):
        sizes = {cell: int(math.exp(rng.uniform(math.log(300), math.log(6000)))) for cell in CELLS}
        made.append(measure_lifts(campaign(rng, shop, sizes, {}), CONFIG))
    return made


def share_with_a_verdict(campaigns: list[list[dict]], measure: str) -> float:
    """Of campaigns, who get works or harms in any row of the measure: cells, segments, actions, all."""
    given = [any(r["verdict"] in ("works", "harms") for r in rows if r["measure"] == measure) for rows in campaigns]
    return sum(given) / len(campaigns)


@pytest.mark.slow
@pytest.mark.parametrize("measure", JUDGED)
def test_of_500_campaigns_without_effect_at_most_6_percent_get_any_verdict(measure):
    assert share_with_a_verdict(null_campaigns(CAMPAIGNS), measure) <= 0.06


@pytest.mark.parametrize("measure", JUDGED)
def test_of_campaigns_without_effect_few_get_any_verdict(measure):
    assert share_with_a_verdict(null_campaigns(40), measure) <= 0.125  # 5 of 40: chance allows as many in 95 of 100


def designed(shop: Shop, sizes: dict) -> list[dict]:
    """The rows of a campaign in which everybody does what is expected of them, from a million users a side."""
    rng = np.random.default_rng(1)
    expected = shop.pair(rng, "a", "x", (10, 1_000_000))[1].sums
    made = []
    for cell, users in sizes.items():
        for treated, count in ((True, users - users // 10), (False, users // 10)):
            scaled = {name: value * count / expected.users for name, value in vars(expected).items()}
            whole = ("users", "converted", "active_days", "active_squares", "raters")
            sums = type(expected)(**{n: round(v) if n in whole else v for n, v in scaled.items()})
            made.append(Evidence("spring", STARTS_ON, *cell, treated, sums))
    return measure_lifts(made, CONFIG)


def power(shop: Shop, users: int, measure: str, cell: tuple[str, str], effect_of, campaigns: int) -> float:
    """Of campaigns with the least detectable effect of the design in `cell` (all: everywhere): who find it."""
    sizes = dict.fromkeys(CELLS, users)
    least = row_of(designed(shop, sizes), measure, *cell)["least_detectable"]
    effects = {each: effect_of(shop, least) for each in (CELLS if cell == ("all", "all") else [cell])}
    rng, found = np.random.default_rng(99), 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("segspark.campaigns.lift.effects.MEASURES", {measure: MEASURES[measure]})  # only for speed
        for _ in range(campaigns):
            rows = measure_lifts(campaign(rng, shop, sizes, effects), CONFIG)
            found += row_of(rows, measure, *cell)["verdict"] == "works"
    return found / campaigns


def more_orders(shop: Shop, least: float) -> dict:
    return {"more_orders": least}


def orders_worth(shop: Shop, least: float) -> dict:
    """More orders that are worth as much as the others."""
    return {"more_orders": least / math.exp(shop.level + shop.sigma**2 / 2)}


WHOLE, PART = ("all", "all"), ("a", "x")  # the effect is everywhere, or in one segment and action of six


@pytest.mark.slow
@pytest.mark.parametrize("row", [WHOLE, PART], ids=["whole", "part"])
@pytest.mark.parametrize(
    ("measure", "effect_of"), [("conversion", more_orders), ("revenue", orders_worth), ("revenue_cuped", orders_worth)]
)
def test_of_500_campaigns_with_the_least_detectable_effect_80_percent_find_it(measure, effect_of, row):
    found = power(Shop(rate=0.1), 6000, measure, row, effect_of, CAMPAIGNS)
    assert found == pytest.approx(CONFIG.power, abs=0.05)
