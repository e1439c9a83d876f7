"""A plain shop's log files, one per source and day, by numpy: nothing of ours is needed to make them.

Visits of several events, Zipf popularity, prices in cents, orders with several lines, refunds, guests. The same for the
same seed. Rows lie in the file of their own UTC day: what a visit does after midnight is in the next file.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

FIRST_DAY = date(2025, 1, 1)
DAY_MICROS = 86_400_000_000
EVENTS_PER_VISIT = 8
KINDS = ("impression", "view", "click", "search", "add_to_cart", "remove_from_cart", "wishlist", "purchase")
KIND_SHARES = (0.06, 0.60, 0.14, 0.05, 0.07, 0.02, 0.02, 0.04)
SEARCH, PURCHASE = 3, 7
STATUSES = ("paid", "refunded", "cancelled")
CATEGORIES = 24
UTC_MICROS = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True)
class ShopSize:
    """`events` over `days`; one user per 60 events and one item per 600, never fewer than 50."""

    events: int
    days: int
    seed: int = 7

    @property
    def users(self) -> int:
        """Users."""
        return max(50, self.events // 60)

    @property
    def items(self) -> int:
        """Items."""
        return max(50, self.events // 600)


@dataclass(frozen=True)
class Pools:
    """What is drawn from, once per shop."""

    users: pa.Array
    items: pa.Array
    categories: pa.Array
    category_of: np.ndarray
    price_of: np.ndarray  # whole cents
    activity: np.ndarray  # cumulative share of visits by user
    popularity: np.ndarray  # cumulative share of looks by item


def write_shop(size: ShopSize, folder: Path) -> None:
    """Writes events/, orders/ and ratings/ with a file per day, and one file each of users and items."""
    pools = make_pools(size)
    carried = None
    for source in ("events", "orders", "ratings", "users", "items"):
        (folder / source).mkdir(parents=True, exist_ok=True)
    pq.write_table(users_of(size, pools), folder / "users" / "users.parquet")
    pq.write_table(items_of(size, pools), folder / "items" / "items.parquet")
    for number in range(size.days):
        rng = np.random.default_rng([size.seed, number])
        drawn = draw_visits(rng, size.events // size.days, number, pools)
        today, carried = _cut_at_midnight(drawn, carried, number)
        name = f"{FIRST_DAY + timedelta(days=number)}.parquet"
        pq.write_table(events_of(today, number, pools), folder / "events" / name)
        pq.write_table(orders_of(rng, today, pools), folder / "orders" / name)
        pq.write_table(ratings_of(rng, today, pools), folder / "ratings" / name)


def make_pools(size: ShopSize) -> Pools:
    """What a shop of that size draws from."""
    rng = np.random.default_rng([size.seed, 10_000])
    activity = np.cumsum(rng.lognormal(0.0, 1.0, size.users))
    popularity = np.cumsum(1.0 / (np.arange(size.items) + 10.0))
    category_of = rng.integers(0, CATEGORIES, size.items)
    level = rng.integers(300, 6000, CATEGORIES)
    return Pools(
        users=_names("u", np.arange(size.users)),
        items=_names("i", rng.permutation(size.items)),
        categories=_names("category ", np.arange(CATEGORIES)),
        category_of=category_of,
        price_of=(level[category_of] * rng.lognormal(0.0, 0.5, size.items)).astype(np.int64) + 50,
        activity=activity / activity[-1],
        popularity=popularity / popularity[-1],
    )


def _names(prefix: str, numbers: np.ndarray) -> pa.Array:
    return pc.binary_join_element_wise(prefix, pc.cast(pa.array(numbers), pa.string()), "")


def draw_visits(rng: np.random.Generator, events: int, number: int, pools: Pools) -> dict[str, np.ndarray]:
    """Columns of about `events` events of visits that begin on the day: visit, user, time, kind, item."""
    lengths = rng.geometric(1.0 / EVENTS_PER_VISIT, max(1, events // EVENTS_PER_VISIT))
    total = int(lengths.sum())
    visit = np.repeat(np.arange(len(lengths)), lengths)
    gaps = np.minimum(rng.exponential(90e6, total), 1.2e9).astype(np.int64)
    so_far = np.cumsum(gaps)
    firsts = np.cumsum(lengths) - lengths
    begun = rng.beta(3.0, 2.0, len(lengths)) * DAY_MICROS
    day_start = _micros(FIRST_DAY) + number * DAY_MICROS
    time = day_start + begun.astype(np.int64)[visit] + so_far - so_far[firsts][visit]
    return {
        "visit": visit + number * 10_000_000,
        "user": np.searchsorted(pools.activity, rng.random(len(lengths)))[visit],
        "time": time,
        "kind": np.searchsorted(np.cumsum(KIND_SHARES)[:-1], rng.random(total)),
        "item": np.searchsorted(pools.popularity, rng.random(total)),
    }


def _cut_at_midnight(
    drawn: dict[str, np.ndarray], carried: dict[str, np.ndarray] | None, number: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The rows of the day, with what the day before left, and what goes on after midnight."""
    rows = drawn if carried is None else {name: np.concatenate([carried[name], drawn[name]]) for name in drawn}
    is_today = rows["time"] < _micros(FIRST_DAY) + (number + 1) * DAY_MICROS
    return {n: v[is_today] for n, v in rows.items()}, {n: v[~is_today] for n, v in rows.items()}


def events_of(rows: dict[str, np.ndarray], number: int, pools: Pools) -> pa.Table:
    """The rows as the source has them; `number` tells its events from those of other files."""
    count = len(rows["time"])
    has_no_item = rows["kind"] == SEARCH
    item = pa.array(rows["item"], mask=has_no_item)
    return pa.table(
        {
            "event_id": _names(f"e{number}-", np.arange(count)),
            "user_id": pools.users.take(pa.array(rows["user"])),
            "event_time": pa.array(rows["time"], UTC_MICROS),
            "event_type": pa.array(KINDS).take(pa.array(rows["kind"])),
            "item_id": pools.items.take(item),
            "category": pools.categories.take(pa.array(pools.category_of[rows["item"]], mask=has_no_item)),
            "price": pa.array(pools.price_of[rows["item"]] / 100.0, mask=has_no_item),
            **{name: pa.nulls(count, pa.string()) for name in ("session_id", "device", "region")},
        }
    )


def orders_of(rng: np.random.Generator, rows: dict[str, np.ndarray], pools: Pools) -> pa.Table:
    """The purchases of a visit on one day are lines of one order; 3 in 100 lines are a guest's, 5 in 100 not paid."""
    bought = {name: values[rows["kind"] == PURCHASE] for name, values in rows.items()}
    order = np.argsort(bought["visit"], kind="stable")
    visit, item, time = (bought[name][order] for name in ("visit", "item", "time"))
    count = len(visit)
    line = np.arange(count) - np.searchsorted(visit, visit) + 1
    quantity = rng.integers(1, 4, count)
    cents = np.where(rng.random(count) < 0.2, pools.price_of[item] * quantity // 10, 0)
    return pa.table(
        {
            "order_id": _names(f"o{int(time[0]) // DAY_MICROS if count else 0}-", visit),
            "line": pa.array(line, pa.int32()),
            "user_id": pools.users.take(pa.array(bought["user"][order], mask=rng.random(count) < 0.03)),
            "item_id": pools.items.take(pa.array(item)),
            "category": pools.categories.take(pa.array(pools.category_of[item])),
            "quantity": pa.array(quantity, pa.float64()),
            "unit_price": pools.price_of[item] / 100.0,
            "discount": pa.array(cents / 100.0, mask=rng.random(count) < 0.1),
            "status": pa.array(STATUSES).take(pa.array(np.searchsorted([0.95, 0.98], rng.random(count)))),
            "order_time": pa.array(time, UTC_MICROS),
        }
    )


def ratings_of(rng: np.random.Generator, rows: dict[str, np.ndarray], pools: Pools) -> pa.Table:
    """One purchase in three is rated, a second after it."""
    is_rated = (rows["kind"] == PURCHASE) & (rng.random(len(rows["kind"])) < 1 / 3)
    is_rated &= (rows["time"] + 1_000_000) % DAY_MICROS > 1_000_000
    user, item, time = (rows[name][is_rated] for name in ("user", "item", "time"))
    return pa.table(
        {
            "user_id": pools.users.take(pa.array(user)),
            "item_id": pools.items.take(pa.array(item)),
            "rated_at": pa.array(time + 1_000_000, UTC_MICROS),
            "rating": rng.integers(1, 6, len(user)).astype(np.float64),
            "review": pa.nulls(len(user), pa.string()),
        }
    )


def users_of(size: ShopSize, pools: Pools) -> pa.Table:
    """One user in ten is not in the list; some have no income."""
    rng = np.random.default_rng([size.seed, 20_000])
    count = size.users - size.users // 10
    signup = _micros(FIRST_DAY) - rng.integers(-20, 400, count) * DAY_MICROS
    return pa.table(
        {
            "user_id": pools.users.slice(0, count),
            "age": pa.array(rng.integers(16, 90, count), pa.int32()),
            "gender": pa.array(["f", "m", "x"]).take(pa.array(rng.integers(0, 3, count))),
            "income": pa.array(rng.lognormal(10.4, 0.5, count).round(0), mask=rng.random(count) < 0.1),
            "education": pa.array(["school", "college", "university"]).take(pa.array(rng.integers(0, 3, count))),
            "region": _names("region ", rng.integers(0, 12, count)),
            "signup_time": pa.array(signup, UTC_MICROS),
            "consent": pa.array(rng.random(count) < 0.8),
        }
    )


def items_of(size: ShopSize, pools: Pools) -> pa.Table:
    """All items; one in five has no launch."""
    rng = np.random.default_rng([size.seed, 30_000])
    launch = _micros(FIRST_DAY) + rng.integers(-300, max(2, size.days // 2), size.items) * DAY_MICROS
    return pa.table(
        {
            "item_id": pools.items,
            "category": pools.categories.take(pa.array(pools.category_of)),
            "brand": _names("brand ", rng.integers(0, 40, size.items)),
            "price": pools.price_of / 100.0,
            "launch_time": pa.array(launch, UTC_MICROS, mask=rng.random(size.items) < 0.2),
            "stock": pa.array(rng.integers(0, 500, size.items), pa.int64()),
            "description": pa.nulls(size.items, pa.string()),
            "embedding": pa.nulls(size.items, pa.list_(pa.float32())),
        }
    )


def _micros(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=timezone.utc).timestamp()) * 1_000_000
