"""A shop with groups of two kinds: those that views may show, and small ones whose every name says `tiny`."""

from datetime import date
from typing import NamedTuple

from segspark.bi.marts.stage import build_marts, build_moves
from segspark.core import contracts as c
from segspark.core.lake import Lake
from segspark.core.stage import Run, StageContext
from tests.builders import at, day, rows_of, whole_rows, write_rows
from tests.unit.bi.marts.campaigning import TINY_MONEY, campaign_tables

USERS = 80
SHELVES = ("Garden", "Candles", "Books")
VALUE = ("loyal", "economy", "rare", "tiny segment")
TASTE = ("likes Garden", "likes Books", "tiny taste")


class Told(NamedTuple):
    """What differs from run to run."""

    run_id: str
    as_of: date
    previous: str | None
    shelves: tuple[str, ...] = SHELVES


FIRST = Told("r-1", date(2024, 3, 15), None)
SECOND = Told("r-2", date(2024, 4, 10), "r-1")


def write_shop(lake: Lake, first: Told = FIRST, second: Told | None = SECOND) -> None:
    """Logs and the runs with their marts; nothing is published."""
    plant_logs(lake, first.shelves)
    for told in filter(None, (first, second)):
        plant_run(lake, told)
        run = Run(told.run_id, told.as_of, ingest_seq=1, seed=7, previous=told.previous)
        build_marts(StageContext(lake, run))
        build_moves(StageContext(lake, run))


def bought(shelves: tuple[str, ...]) -> list[tuple[str, str, str, str, float]]:
    """user, day, item, category, money."""
    rows = []
    for n in range(USERS - 3):
        item = n % 3
        sold = (f"i{item}", shelves[item], (n % 7 + 1) * 1.25)
        days = [d for d, yes in (("2024-01-20", n % 2 == 0), ("2024-02-20", n % 3 != 1), ("2024-03-05", n < 70)) if yes]
        days += ["2024-04-05"] if n % 2 == 0 else []
        rows += [(f"u{n}", when, *sold) for when in days]
        if n % 5 == 0:
            rows.append((f"u{n}", "2024-03-05", f"i{(item + 1) % 3}", shelves[(item + 1) % 3], 2.5))
    rows += [(f"u{n}", "2023-12-20", "i0", shelves[0], 1.0) for n in range(60, 66)]  # a small cohort
    rows += [(f"u{n}", "2024-03-05", "tiny item", "tiny shelf", 9.0) for n in range(40, 44)]
    rows += [(f"u{n}", "2024-03-05", "i0", shelves[0], TINY_MONEY) for n in range(USERS - 3, USERS)]
    return rows


def plant_logs(lake: Lake, shelves: tuple[str, ...]) -> None:
    spark, rows = lake.spark, bought(shelves)
    days: dict[tuple[str, str], dict] = {}
    for user, when, _, _, money in rows:
        known = days.setdefault((user, when), {"user_id": user, "day": day(when), "orders": 1, "spend": 0.0})
        known["spend"] += money
    lake.replace_days(c.USER_DAYS, rows_of(spark, c.USER_DAYS, *days.values()), {row["day"] for row in days.values()})
    acts = [
        {"user_id": user, "day": day(when), "item_id": item, "category": category, "spend": money}
        for user, when, item, category, money in rows
    ]
    lake.replace_days(c.USER_ITEM_DAYS, rows_of(spark, c.USER_ITEM_DAYS, *acts), {row["day"] for row in acts})
    lines = [
        {"order_id": f"o{n}", "line": 1, "user_id": user, "item_id": item, "category": category, "quantity": 1.0}
        | {"unit_price": money, "status": "paid", "order_time": at(when), "day": day(when), "ingest_seq": 1}
        for n, (user, when, item, category, money) in enumerate(rows)
    ]
    lake.append(c.ORDERS, rows_of(spark, c.ORDERS, *lines))
    items = [
        {"item_id": f"i{n}", "category": shelf, "brand": shelf, "price": 2.5, "launch_time": at("2024-02-01")}
        for n, shelf in enumerate(shelves)
    ]
    lake.append(c.ITEMS, rows_of(spark, c.ITEMS, *items, {"item_id": "tiny item", "category": "tiny shelf"}))
    read = {"source": "orders", "ingest_seq": 1, "rows_in": len(lines), "accepted": len(lines)}
    lake.append_rows(c.SOURCE_FILES, whole_rows(c.SOURCE_FILES, read))


def segment_of(n: int, told: Told) -> int:
    """By value; in the second run twelve users moved by themselves and five by the refit."""
    if told.previous and (n < 12 or 30 <= n < 35):
        return 1 if n < 12 else 2
    return (n >= 30) + (n >= 55) + (n >= USERS - 3)


def taste_of(n: int) -> int:
    return 2 if n >= USERS - 3 else n % 2


def plant_run(lake: Lake, told: Told) -> None:
    """Everything of the run that views read and the stage does not write."""
    people = [f"u{n}" for n in range(USERS)]
    features = [{"user_id": user, "as_of": told.as_of, "is_bot": False, "region": "north"} for user in people]
    for contract, rows in {
        c.USER_FEATURES: features,
        c.USER_SEGMENTS: [row for n in range(USERS) for row in members(n, told)],
        c.SEGMENTS: segments(told),
        c.SEGMENT_CHANGES: changes(told) if told.previous else [],
        c.SEGMENT_PROFILES: profiles(told),
        c.RECOMMENDATIONS: [row for user in people for row in recommended(user, told)],
        c.ITEM_SIMILARITY: neighbours(),
        c.RECOMMENDATION_METRICS: metrics(told),
        c.QUALITY: [
            {"source": "orders", "check": "share in quarantine", "passed": bool(told.previous), "value": 0.1},
            {"source": "items", "check": "items without a category", "passed": False, "value": 0.5, "bound": 0.2},
        ],
        **campaign_tables(told, segment_of),
    }.items():
        write_rows(lake, contract, told.run_id, *rows)
    run = {"run_id": told.run_id, "as_of": told.as_of, "started_at": at("2024-05-01 10:00"), "status": "done"}
    stages = [
        {"stage": "features", "seconds": 20.0 + len(told.previous or ""), "heartbeat_at": at("2024-05-01 10:01")},
        {"stage": "report", "status": "failed", "heartbeat_at": at("2024-05-01 10:02")},
        {"stage": "report", "seconds": 3.0, "heartbeat_at": at("2024-05-01 10:03")},
        {"stage": "run", "seconds": 60.0, "heartbeat_at": at("2024-05-01 10:04")},
    ]
    lake.append_rows(c.RUNS, whole_rows(c.RUNS, *({**run, **stage} for stage in stages)))


def members(n: int, told: Told) -> list[dict]:
    number, moved = segment_of(n, told), {row["user_id"]: row["cause"] for row in changes(told)}
    change = moved.get(f"u{n}", "same") if told.previous else None
    named = ((VALUE, "value", number, change), (TASTE, "taste", taste_of(n), "same" if told.previous else None))
    return [
        {"scheme": scheme, "user_id": f"u{n}", "segment_id": which, "segment_name": names[which], "change": said}
        | {"confidence": n % 10 / 10}
        for names, scheme, which, said in named
    ]


def segments(told: Told) -> list[dict]:
    numbers = {"value": [segment_of(n, told) for n in range(USERS)], "taste": [taste_of(n) for n in range(USERS)]}
    return [
        {"scheme": scheme, "segment_id": n, "name": name, "title": name.capitalize(), "size": of.count(n)}
        | {"share": of.count(n) / USERS, "why": f"because of {name}", "strategy": "News."}
        for scheme, names in (("value", VALUE), ("taste", TASTE))
        for n, name in enumerate(names)
        for of in (numbers[scheme],)
    ]


def changes(told: Told) -> list[dict]:
    """Twelve by behaviour, five by refit (too few to be shown), ten who are gone, twelve who are new."""
    rows = [(f"u{n}", 0, 1, "behaviour") for n in range(12)] + [(f"u{n}", 1, 2, "refit") for n in range(30, 35)]
    rows += [(f"gone{n}", 1, None, "gone") for n in range(10)] + [(f"u{n}", None, 2, "new") for n in range(55, 67)]
    names = ("user_id", "from_segment", "to_segment", "cause")
    return [{"scheme": "value", **dict(zip(names, row, strict=True))} for row in rows]


def profiles(told: Told) -> list[dict]:
    rows = [("monetary", 40.0, 35.0, 20.0), ("region=north", 0.9, None, 0.8), ("region=tiny", 0.1, None, 0.02)]
    return [
        {"scheme": "value", "segment_id": n, "feature": feature, "mean": mean + n * (median is not None)}
        | {"median": median, "overall_mean": overall, "lift": (mean + n * (median is not None)) / overall}
        for n in range(len(VALUE))
        for feature, mean, median, overall in rows
    ]


def recommended(user: str, told: Told) -> list[dict]:
    reasons = ("because you bought tiny item", "popular")
    return [
        {"method": "als", "user_id": user, "rank": rank + 1, "item_id": f"i{rank}", "score": 0.5 / (rank + 1)}
        | {"reason": reason}
        for rank, reason in enumerate(reasons)
    ]


def neighbours() -> list[dict]:
    near = [("i0", 1, "i1", 0.8), ("i0", 2, "tiny item", 0.7), ("tiny item", 1, "i0", 0.7), ("i1", 1, "i0", 0.8)]
    names = ("item_id", "rank", "neighbour_id", "similarity")
    return [{"method": "cosine", **dict(zip(names, row, strict=True))} for row in near]


def metrics(told: Told) -> list[dict]:
    als = {"method": "als", "metric": "ndcg_at_k", "k": 10, "value": 0.2, "popularity_value": 0.1, "users": 50}
    return [als, {**als, "metric": "tiny metric", "users": 5}]
