"""A shop whose visits are the same however many days they lie on, and many of these have none."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from benchmarks.shop_days import (
    DAY_MICROS,
    ShopSize,
    draw_visits,
    events_of,
    items_of,
    make_pools,
    orders_of,
    ratings_of,
    users_of,
)


def write_years(size: ShopSize, folder: Path) -> None:
    """Writes one file of each source. Each visit lies on one of the `days` days before `FIRST_DAY`, drawn evenly.

    Users, items, what a visit does and at what time of the day do not depend on `days`.
    """
    pools = make_pools(size)
    rng = np.random.default_rng(size.seed)
    drawn = draw_visits(rng, size.events, 0, pools)
    share = rng.random(int(drawn["visit"].max()) + 1)[drawn["visit"]]
    time = drawn["time"] - (1 + np.floor(share * size.days).astype(np.int64)) * DAY_MICROS
    rows = {**drawn, "time": time}  # in the order of drawing, so that what is drawn of a row does not follow its day
    dated = {
        "events": (events_of(rows, 0, pools), "event_time"),
        "orders": (orders_of(rng, rows, pools), "order_time"),
        "ratings": (ratings_of(rng, rows, pools), "rated_at"),
    }
    tables = {name: table.sort_by(column) for name, (table, column) in dated.items()}
    tables |= {"users": users_of(size, pools), "items": items_of(size, pools)}
    folder.mkdir(parents=True, exist_ok=True)
    for name, table in tables.items():
        pq.write_table(table, folder / f"{name}.parquet")
