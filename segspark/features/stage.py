"""The features stage: brings the day tables up to date, then describes every user at as_of."""

from collections.abc import Iterable
from datetime import date, datetime, timezone
from itertools import count

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import (
    DAY_BUILDS,
    EVENTS,
    ITEM_DAYS,
    ITEMS,
    ORDERS,
    RATINGS,
    SESSIONS,
    USER_DAYS,
    USER_FEATURES,
    USER_ITEM_DAYS,
    USER_TOUCHES,
    USERS,
    Contract,
)
from segspark.core.days import ONE_DAY, within
from segspark.core.errors import InputError
from segspark.core.lake import Lake
from segspark.core.stage import StageContext, StageResult
from segspark.features.changes import Changes, changed_days, with_neighbours
from segspark.features.config import FeaturesConfig
from segspark.features.days import count_user_days
from segspark.features.item_days import count_item_days, count_purchases, count_user_item_days
from segspark.features.items import describe_items, place_items, price_categories
from segspark.features.layout import Layout, by_user, few_in_one, in_order, lay_out
from segspark.features.sources import Sources, sources_before
from segspark.features.taste import measure_taste
from segspark.features.touches import (
    PACK,
    SAME_KEY,
    Packed,
    day_to_pack_to,
    item_key,
    may_pack,
    pack_touches,
    single_touches,
    sum_touches,
    touch_tasks,
)
from segspark.features.users import describe_users
from segspark.features.visits import count_slots, cut_visits, list_sessions

LOGS = (EVENTS, ORDERS, RATINGS)
# Batches to Python are bounded by rows (10,000) here, as these are small. A bound on bytes is looked at for each row:
# with two columns of arrays that took thirteen of fourteen CPU seconds of the JVM.
BY_ROWS = {"spark.sql.execution.arrow.maxBytesPerBatch": str(2**31 - 1)}
LONG_AGO = date(1900, 1, 1)  # stands for a first day that the ledger did not keep
# Rows of the logs that make a file of some 32 MB or more: as many as measured on a shop of 3 million events.
FULL = {
    SESSIONS.name: 8_000_000,
    USER_DAYS.name: 8_000_000,
    USER_ITEM_DAYS.name: 3_000_000,
    ITEM_DAYS.name: 40_000_000,
}


def build_features(context: StageContext, config: FeaturesConfig) -> StageResult:
    """Writes user_features of the run, from day tables that are up to date.

    Skipped where no log has a row. Raises InputError where nothing lies before as_of.
    """
    sources = _sources_before(context.lake, context.run.as_of)
    if sources is None:
        return StageResult(skipped="there are no events, orders or ratings; any of these sources brings features")
    with context.lake.settings(BY_ROWS):
        return StageResult(rows=write_user_features(context, config, sources))


def update_days(context: StageContext, config: FeaturesConfig) -> StageResult:
    """Brings the day tables up to date.

    Days are built for which a log has rows of a higher ingest_seq than the last build saw, all of them where the
    settings changed. The ledger is written last: after a crash the same days are built again.
    """
    lake = context.lake
    last = _last_build(lake, config)
    up_to = max(last, context.run.ingest_seq)
    changes = changed_days([lake.read(log) for log in LOGS], last, up_to)
    if not changes.days:
        context.tell("features: the day tables are up to date")
        return StageResult()
    context.tell(f"features: {len(changes.days)} days changed, from {min(changes.days)} to {max(changes.days)}")
    events, orders, ratings = (lake.read(log).where(F.col("ingest_seq") <= up_to) for log in LOGS)
    rows = _write_visits_and_days(lake, changes, (events, orders, ratings), config)
    rows |= _write_item_days(lake, changes, events, orders)
    built = {
        "ingest_seq": up_to,
        "shape": config.shapes_days(),
        "days": len(changes.days),
        "first_day": min(changes.days),
        "built_at": datetime.now(timezone.utc),
    }
    lake.append_rows(DAY_BUILDS, [built])
    return StageResult(rows=rows)


def _write_visits_and_days(
    lake: Lake, changes: Changes, logs: tuple[DataFrame, DataFrame, DataFrame], config: FeaturesConfig
) -> dict[str, int]:
    days, of_sessions = changes.of_user_days, changes.of_sessions
    layout = _layout(lake, USER_DAYS, days, changes)
    events, orders, ratings = (layout.read(log) for log in logs)
    slots = count_slots(events.where(within(with_neighbours(days))), config)
    parts = cut_visits(slots, config).persist()
    try:
        sessions = list_sessions(parts)
        orders, ratings = (log.where(within(days)) for log in (orders, ratings))
        of_days = count_user_days(parts, sessions, orders, ratings, config, layout)
        layout_of_sessions = _layout(lake, SESSIONS, of_sessions, changes)
        gathered = layout_of_sessions.gather(sessions.where(within(of_sessions)))
        return {
            SESSIONS.name: _replace_days(lake, SESSIONS, gathered, of_sessions, layout_of_sessions),
            USER_DAYS.name: _replace_days(lake, USER_DAYS, of_days.where(within(days)), days, layout),
        }
    finally:
        parts.unpersist()


def _write_item_days(lake: Lake, changes: Changes, events: DataFrame, orders: DataFrame) -> dict[str, int]:
    days = changes.of_user_item_days
    if not days:  # ratings alone changed
        return {}
    layout = _layout(lake, USER_ITEM_DAYS, days, changes)
    events, orders = (layout.read(log).where(within(days)) for log in (events, orders))
    rows = _replace_days(lake, USER_ITEM_DAYS, count_user_item_days(events, orders, layout), days, layout)
    layout_of_items = _layout(lake, ITEM_DAYS, days, changes)
    item_days = count_item_days(layout.read(lake.read(USER_ITEM_DAYS).where(within(days))))
    gathered = layout_of_items.gather(item_days, by="item_id")
    return {
        USER_ITEM_DAYS.name: rows,
        ITEM_DAYS.name: _replace_days(lake, ITEM_DAYS, gathered, days, layout_of_items),
    }


def _layout(lake: Lake, table: Contract, days: Iterable[date], changes: Changes | None = None) -> Layout:
    usual = sum(lake.extent(log).rows_a_day() for log in LOGS)
    return lay_out(days, changes.rows() if changes else {}, usual, FULL[table.name])


def _replace_days(lake: Lake, table: Contract, gathered: DataFrame, days: set[date], layout: Layout) -> int:
    return lake.replace_days(table, in_order(gathered), days, files=layout.tasks)


def write_user_features(context: StageContext, config: FeaturesConfig, sources: Sources) -> dict[str, int]:
    """Writes the run's user_features from day tables that are up to date; returns the rows written by table."""
    context.tell(f"features: describing users at {context.run.as_of}")
    for salt in count():
        try:
            return _write_user_features(context, config, sources, salt)
        except (PySparkException, Py4JError) as error:
            if SAME_KEY not in str(error):
                raise
    raise AssertionError("there is always another salt")


def _write_user_features(context: StageContext, config: FeaturesConfig, sources: Sources, salt: int) -> dict[str, int]:
    lake, as_of = context.lake, context.run.as_of
    rows = sum(lake.extent(table).rows for table in (USER_ITEM_DAYS, USER_DAYS, ORDERS))
    items = _items_before(lake, as_of, rows)
    held, packed = _held(lake)
    touches = _touches_before(context, config, items, held, packed, salt)
    is_held = (F.col("ingest_seq") <= held) & (F.col("day") < F.lit(as_of))
    purchases = count_purchases(by_user(lake.read(ORDERS).where(is_held), rows))
    taste = measure_taste(touches, purchases, items, config)
    user_days = few_in_one(_days_before(lake, as_of, config, sources), rows)
    users = few_in_one(lake.read(USERS), rows)
    features = describe_users(user_days, taste, users, as_of, config, sources)
    return {USER_FEATURES.name: context.view.write(USER_FEATURES, features)}


def _items_before(lake: Lake, as_of: date, rows: int) -> DataFrame:
    """The items as of `place_items`; checkpoints, as the plan of a cached frame stands inside each that uses it."""
    item_days, items = (few_in_one(lake.read(table), rows) for table in (ITEM_DAYS, ITEMS))
    described = describe_items(item_days, items, as_of).checkpoint()
    described = few_in_one(described, rows)
    return few_in_one(place_items(described, price_categories(described)).checkpoint(), rows)


def _touches_before(
    context: StageContext, config: FeaturesConfig, items: DataFrame, held: int, packed: Packed | None, salt: int
) -> DataFrame:
    """What every user touched before as_of, from what is packed and the days since; packs more where that pays.

    What is packed stays as it is for a run before its day, and is made anew where its days changed or its shape did.
    """
    lake, as_of = context.lake, context.run.as_of
    keyed = items.select(item_key(salt).alias("item_key"), "category_no")
    days = lake.read(USER_ITEM_DAYS).where(F.col("day") < F.lit(as_of))
    in_all = lake.extent(USER_ITEM_DAYS).rows
    tasks = touch_tasks(in_all, _partitions(lake))
    rows = _rows_a_day(days) if packed or may_pack(in_all) else {}
    shape = f"{config.shapes_days()}|salt={salt}"
    start = packed.day if packed and packed.serves(as_of, shape) else None
    end = start if packed and packed.day > as_of else day_to_pack_to(rows, as_of, start)
    if end is not None and end != start:
        context.tell(f"features: packing what users touched before {end}")
        more = pack_touches(_touches(lake, days.where(F.col("day") < F.lit(end)), start, salt), keyed, tasks)
        about = {"day": F.lit(end), "ingest_seq": F.lit(held).cast("bigint"), "shape": F.lit(shape)}
        replaced = {end, packed.day} if packed else {end}
        lake.replace_days(USER_TOUCHES, more.withColumns(about), replaced)
    return sum_touches(_touches(lake, days, end, salt), keyed, tasks)


def _touches(lake: Lake, days: DataFrame, packed_to: date | None, salt: int) -> list[DataFrame]:
    """Packed touches before that day, and those of the rows of `days` since."""
    if packed_to is None:
        return [single_touches(days, salt)]
    packed = lake.read(USER_TOUCHES).where(F.col("day") == F.lit(packed_to)).select(*PACK)
    return [packed, single_touches(days.where(F.col("day") >= F.lit(packed_to)), salt)]


def _rows_a_day(days: DataFrame) -> dict[date, int]:
    return {row.day: row["count"] for row in days.groupBy("day").count().collect()}


def _partitions(lake: Lake) -> int:
    return int(lake.spark.conf.get("spark.sql.shuffle.partitions") or 1)


def _held(lake: Lake) -> tuple[int, Packed | None]:
    """The highest file number that the day tables hold, and what is packed of their touches."""
    builds = lake.rows(DAY_BUILDS)
    held = max(builds, key=lambda build: build.built_at).ingest_seq
    row = lake.read(USER_TOUCHES).select("day", "ingest_seq", "shape").first() if lake.exists(USER_TOUCHES) else None
    if row is None:
        return held, None
    since = [build.first_day or LONG_AGO for build in builds if build.ingest_seq > row.ingest_seq]
    return held, Packed(row.day, row["shape"], min(since, default=None))


def _sources_before(lake: Lake, as_of: date) -> Sources | None:
    """Which logs have rows before as_of; None where there is no row at all."""
    logs = [lake.extent(log) for log in LOGS]
    sources = sources_before(as_of, *logs)
    if sources.events or sources.orders or sources.ratings:
        return sources
    if all(log.rows == 0 for log in logs):
        return None
    raise InputError(f"as_of: no event, order or rating lies before {as_of}; choose a later day")


def _days_before(lake: Lake, as_of: date, config: FeaturesConfig, sources: Sources) -> DataFrame:
    """user_days before as_of, the last of them counted anew where its visits may go on at as_of."""
    user_days = lake.read(USER_DAYS).select(*USER_DAYS.names)
    if not sources.visits_go_on:
        return user_days.where(F.col("day") < F.lit(as_of))
    last = as_of - ONE_DAY
    layout, is_last = _layout(lake, USER_DAYS, [last]), within([last])
    events, orders, ratings = (layout.read(lake.read(log)) for log in LOGS)
    parts = cut_visits(count_slots(events.where(within([last - ONE_DAY, last])), config), config)
    orders, ratings = orders.where(is_last), ratings.where(is_last)
    counted = count_user_days(parts, list_sessions(parts), orders, ratings, config, layout).drop("task")
    return user_days.where(F.col("day") < F.lit(last)).unionByName(counted.where(is_last))


def _last_build(lake: Lake, config: FeaturesConfig) -> int:
    """The highest ingest_seq that the day tables hold; -1 where they must be built from nothing."""
    newest = max(lake.rows(DAY_BUILDS), key=lambda build: build.built_at, default=None)
    return newest.ingest_seq if newest is not None and newest["shape"] == config.shapes_days() else -1
