"""A lake with what the marts are made from: two months of a shop whose every number can be added up by hand."""

from datetime import date

from segspark.core import contracts as c
from segspark.core.lake import Lake
from segspark.core.stage import Run, StageContext
from tests.builders import at, day, rows_of, write_rows

AS_OF = date(2024, 3, 15)
CROWD = 12  # users of the large segment; the small one has two


def context(lake: Lake, run_id: str = "r-1", previous: str | None = None, seed: int = 7) -> StageContext:
    return StageContext(lake, Run(run_id, AS_OF, ingest_seq=1, seed=seed, previous=previous))


def plant_logs(lake: Lake, category: str = "Candles") -> None:
    """The crowd c0 … c11 buys once in February and once in March; s0 and s1 buy dearer; a bot, a guest, and the future.

    Each of the crowd pays 10 on 2024-02-10 and 5 on 2024-03-10, s0 and s1 pay 100 on 2024-03-01.
    """
    spark = lake.spark
    bought = [(f"c{n}", "2024-02-10", "i1", 10.0) for n in range(CROWD)]
    bought += [(f"c{n}", "2024-03-10", "i2", 5.0) for n in range(CROWD)]
    bought += [(f"s{n}", "2024-03-01", "i3", 100.0) for n in range(2)]
    bought += [("bot", "2024-03-02", "i1", 1000.0), ("c0", "2024-03-15", "i1", 777.0)]
    days = [
        {"user_id": user, "day": day(when), "orders": 1, "order_lines": 1, "spend": money, "is_bot": user == "bot"}
        for user, when, _, money in bought
    ]
    looked = {"user_id": "idle", "day": day("2024-03-03"), "events": 2}
    lake.replace_days(c.USER_DAYS, rows_of(spark, c.USER_DAYS, *days, looked), {row["day"] for row in [*days, looked]})
    acts = [
        {"user_id": user, "day": day(when), "item_id": item, "order_lines": 1, "units": 1.0, "spend": money}
        for user, when, item, money in bought
    ]
    acts.append({"user_id": "idle", "day": day("2024-03-03"), "item_id": "i3", "views": 1})
    lake.replace_days(c.USER_ITEM_DAYS, rows_of(spark, c.USER_ITEM_DAYS, *acts), {row["day"] for row in acts})
    lines = [
        {"order_id": f"o{n}", "line": 1, "user_id": user, "item_id": item, "category": category, "quantity": 2.0}
        | {"unit_price": money, "discount": money, "status": "paid", "order_time": at(when), "day": day(when)}
        for n, (user, when, item, money) in enumerate([*bought, (None, "2024-03-04", "i3", 30.0)])
    ]
    refunded = {**lines[0], "order_id": "back", "status": "refunded"}
    later = {**lines[0], "order_id": "read later", "ingest_seq": 2}
    lines = [{"ingest_seq": 1, **line} for line in [*lines, refunded, later]]
    lake.append(c.ORDERS, rows_of(spark, c.ORDERS, *lines))
    listed = {"price": 3.5, "brand": "Wick", "ingest_seq": 1}
    items = [
        {"item_id": "i1", "category": category, "launch_time": at("2023-01-01"), **listed},
        {"item_id": "i3", "category": None, "launch_time": None, **listed},
        {"item_id": "new", "category": category, "launch_time": at("2024-03-15"), **listed},
    ]
    lake.append(c.ITEMS, rows_of(spark, c.ITEMS, *items))


def plant_run(
    lake: Lake, run_id: str, changes: tuple[dict, ...] = (), names: tuple[str, str] = ("crowd", "few")
) -> None:
    """Who the users are and where they belong: the crowd and `idle` to segment 0, s0 and s1 to segment 1."""
    spark = lake.spark
    people = [*(f"c{n}" for n in range(CROWD)), "s0", "s1", "idle", "bot"]
    features = [{"user_id": user, "as_of": AS_OF, "is_bot": user == "bot"} for user in people]
    lake.replace_run(c.USER_FEATURES, rows_of(spark, c.USER_FEATURES, *features), run_id)
    members = [
        {"scheme": "value", "user_id": user, "segment_id": int(user[0] == "s"), "segment_name": names[user[0] == "s"]}
        | {"change": None if changes == () else "same", "confidence": 0.5}
        for user in people
        if user != "bot"
    ]
    moved = {change["user_id"]: change["cause"] for change in changes}
    members = [{**row, "change": moved.get(row["user_id"], row["change"])} for row in members]
    lake.replace_run(c.USER_SEGMENTS, rows_of(spark, c.USER_SEGMENTS, *members), run_id)
    segments = [
        {"scheme": "value", "segment_id": n, "name": name, "size": size, "share": size / 15, "why": "", "title": name}
        for n, (name, size) in enumerate(zip(names, (CROWD + 1, 2), strict=True))
    ]
    write_rows(lake, c.SEGMENTS, run_id, *segments)
    lake.replace_run(c.SEGMENT_CHANGES, rows_of(spark, c.SEGMENT_CHANGES, *changes), run_id)
