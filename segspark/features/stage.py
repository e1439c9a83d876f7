"""The features stage: brings the day tables up to date, then describes every user at as_of."""

from datetime import date, datetime, timedelta, timezone
from functools import reduce
from itertools import count

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
)
from segspark.core.days import within
from segspark.core.errors import InputError
from segspark.core.lake import Lake
from segspark.core.stage import StageContext, StageResult
from segspark.features.changes import Changes, changed_days, with_neighbours
from segspark.features.config import FeaturesConfig
from segspark.features.days import count_user_days
from segspark.features.item_days import count_item_days, count_purchases, count_user_item_days
from segspark.features.items import describe_items, place_items, price_categories
from segspark.features.layout import Layout
from segspark.features.sources import Sources
from segspark.features.taste import measure_taste
from segspark.features.touches import (
    PACK,
    Packed,
    day_to_pack_to,
    item_key,
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
    rows = _write_visits_and_days(context, changes, (events, orders, ratings), config)
    rows |= _write_item_days(lake, changes.of_user_item_days, events, orders)
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
    context: StageContext, changes: Changes, logs: tuple[DataFrame, DataFrame, DataFrame], config: FeaturesConfig
) -> dict[str, int]:
    events, orders, ratings = logs
    days, of_sessions = changes.of_user_days, changes.of_sessions
    read = within(with_neighbours(of_sessions) | days)
    parts = cut_visits(count_slots(events.where(read), config), config).persist()
    try:
        sessions = list_sessions(parts)
        orders, ratings = (log.where(within(days)) for log in (orders, ratings))
        of_days = count_user_days(parts, sessions, orders, ratings, config, _layout(context.lake, days))
        return {
            SESSIONS.name: context.lake.replace_days(SESSIONS, sessions.where(within(of_sessions)), of_sessions),
            USER_DAYS.name: context.lake.replace_days(USER_DAYS, of_days.where(within(days)), days),
        }
    finally:
        parts.unpersist()


def _write_item_days(lake: Lake, days: set[date], events: DataFrame, orders: DataFrame) -> dict[str, int]:
    if not days:  # ratings alone changed
        return {}
    counted = count_user_item_days(events.where(within(days)), orders.where(within(days)), _layout(lake, days))
    rows = lake.replace_days(USER_ITEM_DAYS, counted, days)
    item_days = count_item_days(lake.read(USER_ITEM_DAYS).where(within(days)))
    return {USER_ITEM_DAYS.name: rows, ITEM_DAYS.name: lake.replace_days(ITEM_DAYS, item_days, days)}


def _layout(lake: Lake, days: set[date]) -> Layout:
    return Layout(len(days), _partitions(lake))


def _partitions(lake: Lake) -> int:
    return int(lake.spark.conf.get("spark.sql.shuffle.partitions") or 1)


def write_user_features(context: StageContext, config: FeaturesConfig, sources: Sources) -> dict[str, int]:
    """Writes the run's user_features from day tables that are up to date; returns the rows written by table."""
    lake, as_of = context.lake, context.run.as_of
    context.tell(f"features: describing users at {as_of}")
    described = describe_items(lake.read(ITEM_DAYS), lake.read(ITEMS), as_of).persist()
    categories = price_categories(described).persist()
    items = place_items(described, categories).persist()
    try:
        held, packed = _held(lake)
        touches = _touches_before(context, config, items, held, packed)
        is_held = (F.col("ingest_seq") <= held) & (F.col("day") < F.lit(as_of))
        purchases = count_purchases(lake.read(ORDERS).where(is_held))
        taste = measure_taste(touches, purchases, items, categories, config)
        user_days = _days_before(lake, as_of, config, sources)
        features = describe_users(user_days, taste, lake.read(USERS), as_of, config, sources)
        return {USER_FEATURES.name: lake.replace_run(USER_FEATURES, features, context.run.run_id)}
    finally:
        for frame in (items, categories, described):
            frame.unpersist()


def _touches_before(
    context: StageContext, config: FeaturesConfig, items: DataFrame, held: int, packed: Packed | None
) -> DataFrame:
    """What every user touched before as_of, from what is packed and the days since; packs more where that pays.

    What is packed stays as it is for a run before its day, and is made anew where its days changed or its shape did.
    """
    lake, as_of = context.lake, context.run.as_of
    salt = next(salt for salt in count() if _tells_apart(salt, items))
    keyed = items.select(item_key(salt).alias("item_key"), "category_no")
    days = lake.read(USER_ITEM_DAYS).where(F.col("day") < F.lit(as_of))
    rows = {row.day: row["count"] for row in days.groupBy("day").count().collect()}
    tasks = touch_tasks(sum(rows.values()), _partitions(lake))
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


def _tells_apart(salt: int, items: DataFrame) -> bool:
    """Whether with that salt all items have different keys."""
    keys = items.agg(F.count(F.lit(1)).alias("items"), F.count_distinct(item_key(salt)).alias("keys")).collect()[0]
    return bool(keys["items"] == keys["keys"])


def _held(lake: Lake) -> tuple[int, Packed | None]:
    """The highest file number that the day tables hold, and what is packed of their touches."""
    row = lake.read(USER_TOUCHES).select("day", "ingest_seq", "shape").first() if lake.exists(USER_TOUCHES) else None
    is_later = F.col("ingest_seq") > F.lit(row.ingest_seq if row else -1)
    changed = F.min(F.when(is_later, F.coalesce("first_day", F.lit(LONG_AGO)))).alias("changed")
    builds = lake.read(DAY_BUILDS)
    newest = builds.agg(F.max_by("ingest_seq", "built_at").alias("ingest_seq"), changed).collect()[0]
    return newest.ingest_seq, Packed(row.day, row["shape"], newest.changed) if row else None


def _sources_before(lake: Lake, as_of: date) -> Sources | None:
    """Which logs have rows before as_of; None where there is no row at all."""
    before, at = F.col("day") < F.lit(as_of), F.col("day") == F.lit(as_of)
    looks = [*((log, before) for log in LOGS), (EVENTS, at)]
    rows = [lake.read(log).where(where).select(F.lit(n).alias("look")).limit(1) for n, (log, where) in enumerate(looks)]
    found = {row.look for row in reduce(DataFrame.union, rows).collect()}
    sources = Sources(*(number in found for number in range(len(looks))))
    if sources.events or sources.orders or sources.ratings:
        return sources
    if all(lake.read(log).isEmpty() for log in LOGS):
        return None
    raise InputError(f"as_of: no event, order or rating lies before {as_of}; choose a later day")


def _days_before(lake: Lake, as_of: date, config: FeaturesConfig, sources: Sources) -> DataFrame:
    """user_days before as_of, the last of them counted anew where its visits may go on at as_of."""
    events, orders, ratings = (lake.read(log) for log in LOGS)
    user_days = lake.read(USER_DAYS).select(*USER_DAYS.names)
    if not sources.visits_go_on:
        return user_days.where(F.col("day") < F.lit(as_of))
    last = as_of - timedelta(days=1)
    parts = cut_visits(count_slots(events.where(within([last - timedelta(days=1), last])), config), config)
    is_last = within([last])
    orders, ratings = orders.where(is_last), ratings.where(is_last)
    counted = count_user_days(parts, list_sessions(parts), orders, ratings, config, _layout(lake, {last}))
    return user_days.where(F.col("day") < F.lit(last)).unionByName(counted.where(is_last))


def _last_build(lake: Lake, config: FeaturesConfig) -> int:
    """The highest ingest_seq that the day tables hold; -1 where they must be built from nothing."""
    newest = lake.read(DAY_BUILDS).agg(F.max_by(F.struct("ingest_seq", "shape"), "built_at")).first()
    if newest is None or newest[0] is None or newest[0].shape != config.shapes_days():
        return -1
    return int(newest[0].ingest_seq)
