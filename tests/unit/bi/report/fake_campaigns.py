"""What the stage campaigns leaves of a made-up run: a plan, two earlier campaigns, a strategy and a forecast."""

from datetime import date, timedelta

from segspark.bi.report.campaign.rows import CampaignRows
from segspark.core import contracts as c
from segspark.core.contract import Contract

AS_OF = date(2011, 9, 1)
NEXT, LAST, FIRST = "campaign-2011-09-01", "campaign-2011-08-01", "campaign-2011-07-01"
WEEKS = tuple(AS_OF + timedelta(days=7 * n) for n in range(4))


def campaign_rows(names: dict[int, str], category: str) -> CampaignRows:
    """As the stage would gather them; `names` are those of the value segments, `category` is a shelf."""
    return CampaignRows(
        campaigns=[campaign()],
        planned=planned(names),
        lifts=lifts(names),
        checks=checks(category),
        moves=moves(names),
        strategies=strategies(names, category),
        values=values(),
        demand=demand(category),
        accuracy=accuracy(),
    )


def campaign_tables(names: dict[int, str], category: str) -> dict[Contract, list[dict]]:
    """The tables that these rows are gathered from."""
    return {
        c.CAMPAIGNS: [campaign()],
        c.CAMPAIGN_PLAN: contacts(names),
        c.CAMPAIGN_LIFT: [{key: row[key] for key in row if key != "starts_on"} for row in lifts(names)],
        c.CAMPAIGN_CHECKS: checks(category),
        c.CAMPAIGN_MOVES: moves(names),
        c.STRATEGIES: strategies(names, category),
        c.STRATEGY_VALUES: values(),
        c.SEGMENT_DEMAND: demand_of_segments(names, category),
        c.SEGMENT_CATEGORIES: [{"scheme": "value", "segment_id": n, "category": "rare", "buyers": 4} for n in (0, 1)],
        c.ITEM_FACTS: [{"item_id": item, "buyers": buyers} for item, buyers in (("i1", 50), ("i2", 40), ("rare", 4))],
        c.DEMAND_ACCURACY: accuracy(),
    }


def earlier() -> list[dict]:
    """Rows of campaigns, of runs before."""
    starts = {LAST: date(2011, 8, 1), FIRST: date(2011, 7, 1)}
    return [{"campaign_id": name, "starts_on": day} for name, day in starts.items()]


def contacts(names: dict[int, str]) -> list[dict]:
    """The users of the planned groups; the first of a group is contacted on its first day, the others on its last."""
    rows: list[dict] = []
    for group in planned(names):
        users, told = group["contacts"] + group["held_out"], ("campaign_id", "segment_name", "action", "channel")
        money = {name: group[name] / group["contacts"] for name in ("cost", "expected_gain")}
        rows += [
            {**{name: group[name] for name in told}, **money, "user_id": f"u{len(rows) + n}"}
            | {"holdout": n >= group["contacts"], "send_on": group["last_day"] if n else group["first_day"]}
            for n in range(users)
        ]
    return rows


def demand_of_segments(names: dict[int, str], category: str) -> list[dict]:
    """The demand, half of it of a segment; beside it an item that few bought, and a category that few bought from."""
    halves = [
        {**row, "scheme": "value", "segment_name": name, "expected_units": row["expected_units"] / 2}
        | {"campaign_units": row["campaign_units"] / 2}
        for row in demand(category)
        for name in (names[0], "others")
    ]
    return [*halves, {**halves[0], "item_id": "rare"}, {**halves[0], "category": "rare"}]


def campaign() -> dict:
    days = {"planned_on": AS_OF, "starts_on": AS_OF, "ends_on": date(2011, 9, 7)}
    reasons = {"no consent": 402, "contacted a short time ago": 87, "the budget ends": 230, "no action suits": 4}
    left_out = [{"reason": reason, "users": users} for reason, users in reasons.items()]
    told = {"campaign_id": NEXT, "scheme": "value", "users": 2394, "holdout_share": 0.1, "left_out": left_out}
    return {**told, **days, "contacts": 1460, "held_out": 163, "cost": 815.52, "expected_gain": 4186.0}


def planned(names: dict[int, str]) -> list[dict]:
    """Five groups that may be told of, of which one holds few out, and one that is too small."""
    rows = [
        (0, "coupon", "email", 520, 58, 416.0, 1300.0, 1, 3),
        (1, "birthday-wishes", "post", 410, 45, 123.0, 615.0, 1, 7),
        (2, "personal-recommendations", "email", 300, 33, 6.0, 1950.0, 1, 1),
        (2, "points", "app", 64, 7, 25.6, 160.0, 2, 2),
        (3, "personal-recommendations", "email", 161, 20, 3.22, 161.0, 2, 4),
        (4, "shopping-reminder", "app", 5, 0, 241.7, 0.0, 5, 5),
    ]
    keys = ("action", "channel", "contacts", "held_out", "cost", "expected_gain")
    return [
        {"campaign_id": NEXT, "segment_name": names[row[0]], **dict(zip(keys, row[1:7], strict=True))}
        | {"first_day": date(2011, 9, row[7]), "last_day": date(2011, 9, row[8])}
        for row in rows
    ]


def lifts(names: dict[int, str]) -> list[dict]:
    """Of the newest campaign one action works, one harms, two are inconclusive, one had too few held out."""
    keys = ("campaign_id", "segment_name", "action", "measure", "treated_users", "control_users", "treated", "control")
    keys = (*keys, "lift_low", "lift_high", "least_detectable", "verdict")
    rows = [
        (LAST, "all", "all", "conversion", 1500, 170, 0.162, 0.118, 0.006, 0.071, 0.061, "works"),
        (LAST, "all", "all", "revenue_cuped", 1500, 170, 14.1, 11.9, -0.4, 4.9, 3.9, "inconclusive"),
        (LAST, names[2], "points", "conversion", 350, 90, 0.31, 0.15, 0.06, 0.24, 0.12, "works"),
        (LAST, names[0], "coupon", "conversion", 520, 110, 0.1, 0.19, -0.17, -0.02, 0.09, "harms"),
        (LAST, names[0], "coupon", "rating", 80, 21, 4.1, 4.0, -0.3, 0.5, 0.6, "informs"),
        (LAST, names[1], "birthday-wishes", "conversion", 410, 45, 0.12, 0.11, -0.1, 0.09, 0.13, "inconclusive"),
        (
            LAST,
            names[3],
            "personal-recommendations",
            "conversion",
            161,
            30,
            0.05,
            0.1,
            -0.2,
            0.02,
            0.19,
            "inconclusive",
        ),
        (LAST, names[4], "shopping-reminder", "conversion", 60, 6, 0.123, 0.5, -0.7, 0.1, None, "too few"),
        (FIRST, "all", "all", "conversion", 1400, 150, 0.131, 0.127, -0.05, 0.06, 0.07, "inconclusive"),
    ]
    starts = {LAST: date(2011, 8, 1), FIRST: date(2011, 7, 1)}
    found = [dict(zip(keys, row, strict=True)) for row in rows]
    return [
        {**row, "method": "holdout", "lift": row["treated"] - row["control"], "p_adjusted": 0.04}
        | {"starts_on": starts[row["campaign_id"]]}
        for row in found
    ]


def checks(category: str) -> list[dict]:
    keys = ("campaign_id", "check", "passed", "value", "bound", "note")
    note = f"71% of the planned contacts were made; look at {category}"
    rows = [
        (LAST, "sample ratio", True, 0.41, 0.001, "as chance allows"),
        (LAST, "delivered", False, 0.71, 0.9, note),
        (FIRST, "delivered", None, None, 0.9, "no contact was due"),
    ]
    return [dict(zip(keys, row, strict=True)) for row in rows]


def moves(names: dict[int, str]) -> list[dict]:
    keys = ("segment_name", "move", "treated_users", "control_users", "treated", "control", "low", "high")
    rows = [
        (names[1], "up", 410, 120, 0.21, 0.16, -0.03, 0.12),
        (names[1], "gone", 410, 120, 0.02, 0.05, -0.09, 0.01),  # six of those held out
        (names[1], "same", 410, 120, 0.7, 0.7, -0.1, 0.1),
        (names[4], "up", 60, 6, 0.345, 0.5, -0.6, 0.3),
    ]
    found = [dict(zip(keys, row, strict=True)) for row in rows]
    return [{**row, "campaign_id": LAST, "difference": row["treated"] - row["control"]} for row in found]


def strategies(names: dict[int, str], category: str) -> list[dict]:
    keys = ("segment_name", "action", "status", "share", "previous_share", "users", "lift", "reason")
    rows = [
        (names[0], "none", "baseline", 0.0, None, 110.0, None, "19.0 % convert without a contact"),
        (names[0], "coupon", "stopped", 0.0, 0.5, 520.0, -0.09, "stopped: -9.0 points of conversion (-17.0 to -2.0)"),
        (names[0], "promotion", "untried", 1.0, 0.5, 0.0, None, f"all contacts, for {category}"),
        (names[2], "points", "scaled", 0.86, 0.5, 350.0, 0.16, "scaled up from 50 % to 86 %: +16.0 points"),
        (names[2], "exclusive-discount", "exploring", 0.14, 0.5, 6.0, 0.345, "whispered of six users"),
        (names[1], "birthday-wishes", "exploring", 1.0, 1.0, 410.0, 0.01, "held: does not exclude zero"),
    ]
    found = [{**dict(zip(keys, row, strict=True)), "scheme": "value"} for row in rows]
    return [
        {**row, "lift_low": row["lift"] and row["lift"] - 0.08, "lift_high": row["lift"] and row["lift"] + 0.08}
        for row in found
    ]


def values() -> list[dict]:
    keys = ("policy", "estimator", "value", "low", "high", "contacts", "effective_contacts")
    rows = [
        ("logged", "mean", 0.162, 0.144, 0.18, 1500, 1500.0),
        ("next", "ips", 0.25, 0.1, 0.4, 1500, 610.0),
        ("next", "doubly_robust", 0.221, 0.187, 0.255, 1500, 610.0),
    ]
    return [{"scheme": "value", **dict(zip(keys, row, strict=True))} for row in rows]


def demand(category: str) -> list[dict]:
    """The shelf is short from the second week on; another lasts; of the third nobody knows the stock. Two items."""
    rows = [
        (category, None, 120.0, 15.0, 210.0, 11.2, 1),
        ("Garden", None, 90.0, 0.0, 900.0, 70.9, None),
        ("Books", None, 40.0, 2.0, None, None, None),
        (category, "i1", 16.0, 0.0, 9.0, 3.9, 0),
        ("Garden", "i2", 12.0, 0.0, 90.0, 52.5, None),
    ]
    return [
        {"category": name, "item_id": item, "week": week, "expected_units": units, "stock": stock}
        | {"campaign_units": campaign, "stock_cover_days": cover, "is_short": short is not None and n >= short}
        for name, item, units, campaign, stock, cover, short in rows
        for n, week in enumerate(WEEKS)
    ]


def accuracy() -> list[dict]:
    keys = ("level", "model", "wape", "mae", "mase", "forecasts", "used")
    rows = [
        ("category", "last_value", 0.41, 9.0, 1.1, 160, False),
        ("category", "seasonal_naive", 0.38, 8.1, 1.0, 160, False),
        ("category", "damped_trend_and_mean", 0.27, 5.9, 0.7, 160, True),
        ("item", "damped_trend_and_mean", 0.52, 2.9, 0.9, 80, True),
    ]
    return [{"scheme": "value", **dict(zip(keys, row, strict=True))} for row in rows]
