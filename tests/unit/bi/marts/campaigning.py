"""What the stage campaigns leaves behind, for the shop of trading.py; whatever is small says `tiny`."""

from datetime import date, timedelta

from segspark.core import contracts as c
from segspark.core.contract import Contract

SPRING = "spring"
TINY_MONEY = 777.25  # what each of the small segment pays, and what a contact with one of them costs
CHECKS = (("sample ratio", True, 0.4, 0.001), ("delivered", False, 0.7, 0.9), ("held-out contacted", None, None, 0.0))


def campaign_tables(told, segment_of) -> dict[Contract, list[dict]]:
    """By table its rows; `told` and `segment_of` are those of trading.py."""
    rounds = 2 if told.previous else 1
    plan = planned(told, segment_of, cost=0.5 * rounds)
    return {
        c.CAMPAIGNS: [campaign(told, plan, rounds)],
        c.CAMPAIGN_PLAN: plan,
        c.CAMPAIGN_LIFT: lifts(rounds),
        c.CAMPAIGN_CHECKS: checks(rounds),
        c.CAMPAIGN_BALANCE: balance(rounds),
        c.CAMPAIGN_MOVES: moves(rounds),
        c.STRATEGIES: strategies(rounds),
        c.STRATEGY_VALUES: values(rounds),
        c.SEGMENT_DEMAND: demand(told, rounds),
        c.DEMAND_ACCURACY: accuracy(rounds),
    }


OFFERS = (
    ("loyal", "coupon", "email"),
    ("economy", "promotion", "app"),
    ("rare", "news", "email"),
    ("tiny segment", "news", "tiny channel"),
)


def planned(told, segment_of, cost: float) -> list[dict]:
    """One action for each segment, but another for six of the rare; twelve of u0 … u23 are held out, and u36 … u39.

    So ten or more are held out of one segment and fewer of another, and on the fourth day few are contacted.
    """
    rows = []
    for n in range(80):
        name, action, channel = OFFERS[segment_of(n, told)]
        is_tiny = name == "tiny segment"
        rows.append(
            {
                "campaign_id": SPRING,
                "user_id": f"u{n}",
                "segment_name": name,
                "action": "tiny action" if 55 <= n < 61 else action,
                "channel": channel,
                "holdout": (n < 24 and n % 2 == 0) or 36 <= n < 40,
                "propensity": 0.5,
                "send_on": told.as_of + timedelta(days=3 if n % 10 == 9 else n % 2),
                "expected_uplift": 0.02,
                "expected_gain": 1.25 + n % 3,
                "cost": TINY_MONEY if is_tiny else cost,
            }
        )
    return rows


def campaign(told, plan: list[dict], rounds: int) -> dict:
    made = [row for row in plan if not row["holdout"]]
    days = {"planned_on": told.as_of, "starts_on": told.as_of, "ends_on": told.as_of + timedelta(days=6)}
    left_out = [("no consent", 11 * rounds), ("the budget ends", 20), ("tiny reason", 4)]
    return {
        "campaign_id": SPRING,
        "scheme": "value",
        **days,
        "holdout_share": 0.1,
        "users": 400,
        "contacts": len(made),
        "held_out": len(plan) - len(made),
        "cost": sum(row["cost"] for row in made),
        "expected_gain": sum(row["expected_gain"] for row in made),
        "left_out": [{"reason": reason, "users": users} for reason, users in left_out],
    }


def lifts(rounds: int) -> list[dict]:
    """One action works, one harms, of one nothing can be said; of few users nothing is told."""
    rows = [
        ("all", "all", "conversion", 2000, 220, 0.14, 0.1, 0.01, 0.07, "works"),
        ("loyal", "coupon", "conversion", 900, 100, 0.2, 0.1, 0.03, 0.16, "works"),
        ("loyal", "coupon", "revenue", 900, 100, 12.0, 9.5, -0.5, 5.5, "inconclusive"),
        ("loyal", "coupon", "rating", 90, 12, 4.5, 4.0, 0.1, 0.9, "informs"),
        ("economy", "promotion", "conversion", 800, 90, 0.1, 0.2, -0.17, -0.03, "harms"),
        ("rare", "news", "conversion", 300, 30, 0.05, 0.2, -0.3, 0.05, "inconclusive"),
        ("rare", "news", "revenue", 300, 30, 777.25, 1.0, -5.0, 5.0, "inconclusive"),  # of six who ordered
        ("tiny segment", "news", "conversion", 90, 4, 0.1, 0.2, -0.6, 0.3, "too few"),
        ("rare", "tiny action", "conversion", 3, 40, 0.1, 0.2, -0.6, 0.3, "too few"),
    ]
    names = ("segment_name", "action", "measure", "treated_users", "control_users", "treated", "control")
    names = (*names, "lift_low", "lift_high", "verdict")
    found = [{"campaign_id": "winter", **dict(zip(names, row, strict=True))} for row in rows]
    found.append({**found[0], "campaign_id": "tiny campaign", "treated_users": 6})
    told = {
        "method": "holdout",
        "p_adjusted": 0.02 / rounds,
        "least_detectable": 0.09 / rounds,
    }
    return [{**row, **told, "lift": (row["treated"] - row["control"]) / rounds} for row in found]


def balance(rounds: int) -> list[dict]:
    """Of a campaign whose effect is told, and of one of whom nothing is told: it had too few users."""
    rows = [
        ("winter", "spend_28d", 40.0, 25.0, 39.5, 0.3 / rounds, 0.01),
        ("winter", "orders_28d", 2.0, 1.5, 1.75, 0.4, -0.15),
        ("winter", "recency_days", None, None, None, None, None),
        ("tiny campaign", "spend_28d", TINY_MONEY, 1.0, 1.0, 2.0, 2.0),
    ]
    names = ("campaign_id", "covariate", "treated", "control", "control_weighted", "smd_before", "smd_after")
    return [dict(zip(names, row, strict=True)) for row in rows]


def checks(rounds: int) -> list[dict]:
    names = ("check", "passed", "value", "bound")
    told = {"campaign_id": "winter", "note": f"looked at {rounds} times"}
    return [{**told, **dict(zip(names, row, strict=True))} for row in CHECKS]


def moves(rounds: int) -> list[dict]:
    rows = [
        ("loyal", "up", 900, 100, 0.25, 0.15),
        ("loyal", "gone", 900, 100, 0.02, 0.05),  # five of those held out
        ("economy", "up", 800, 90, 0.3, 0.2),
        ("tiny segment", "up", 90, 5, 0.5, 0.4),
    ]
    names = ("segment_name", "move", "treated_users", "control_users", "treated", "control")
    found = [dict(zip(names, row, strict=True)) for row in rows]
    return [
        {**row, "campaign_id": "winter", "difference": row["treated"] - row["control"]}
        | {"low": 0.01 * rounds, "high": 0.2}
        for row in found
    ]


def strategies(rounds: int) -> list[dict]:
    rows = [
        ("loyal", "none", "baseline", 0.0, None, 100.0),
        ("loyal", "coupon", "scaled", 0.7, 0.5, 900.0),
        ("loyal", "points", "exploring", 0.3, 0.5, 777.25),  # of five users, as the count says below
        ("economy", "promotion", "stopped", 0.0, 0.5, 800.0),
        ("rare", "news", "untried", 1.0, None, 0.0),
        ("tiny segment", "news", "exploring", 1.0, 1.0, 90.0),
    ]
    names = ("segment_name", "action", "status", "share", "previous_share", "users")
    found = [{**dict(zip(names, row, strict=True)), "scheme": "value"} for row in rows]
    found[2] |= {"users": 5.0, "gain": 777.25, "lift": 777.25}
    return [
        {"alpha": 1.0 + rounds, "beta": 20.0, "gain": 0.5 * rounds, "lift": 0.1, "lift_low": 0.02, "lift_high": 0.2}
        | {"reason": f"tiny {row['action']}" if row["users"] == 5 else f"because of {row['action']}", **row}
        for row in found
    ]


def values(rounds: int) -> list[dict]:
    rows = [("logged", "mean", 1000), ("next", "snips", 1000), ("next", "doubly_robust", 1000), ("tiny", "ips", 6)]
    names = ("policy", "estimator", "contacts")
    told = {"scheme": "value", "effective_contacts": 400.0, "low": 0.1, "high": 0.3}
    return [{**told, **dict(zip(names, row, strict=True)), "value": 0.1 * rounds + n} for n, row in enumerate(rows)]


def demand(told, rounds: int) -> list[dict]:
    """A shelf that runs out and one that lasts, what few bought or few want, items of either, and guests."""
    weeks: list[date] = [told.as_of + timedelta(days=7 * n) for n in range(2)]
    rows = [
        ("loyal", told.shelves[0], None, True),
        ("economy", told.shelves[1], None, False),
        ("others", told.shelves[0], None, True),
        ("loyal", told.shelves[0], "i0", True),
        ("others", told.shelves[0], "i0", True),
        ("economy", "tiny shelf", None, True),
        ("tiny segment", told.shelves[0], None, True),
        ("loyal", "tiny shelf", "tiny item", True),
    ]
    names = ("segment_name", "category", "item_id", "is_short")
    return [
        {**dict(zip(names, row, strict=True)), "scheme": "value", "week": week, "trend": 0.1, "turnover": 2.0}
        | {"expected_units": 30.0 * rounds + n, "low": 20.0, "high": 45.0, "campaign_units": 4.0, "stock": 40.0}
        | {"stock_cover_days": 9.5 if row[-1] else 60.0}
        for row in rows
        for n, week in enumerate(weeks)
    ]


def accuracy(rounds: int) -> list[dict]:
    rows = [("last_value", 0.5, False), ("seasonal_naive", 0.45, False), ("damped_trend_and_mean", 0.3, True)]
    names = ("model", "wape", "used")
    told = {"scheme": "value", "level": "category", "mae": 3.5, "mase": 0.8, "forecasts": 40 * rounds}
    days = {"first_origin": date(2024, 1, 1), "last_origin": date(2024, 2, 1)}
    return [{**told, **days, **dict(zip(names, row, strict=True))} for row in rows]
