"""Every table: its columns, types, key, what a row is, and which kind of table it is.

Three kinds. `log` tables are appended to or merged into and belong to no run; `day` tables are derived from logs and
replaced a day at a time; `run` tables are written whole for one run and become visible when the run is published.
The lake adds what a kind needs: `run_id` to run tables, and `user_bucket` where a row is about one user, so that a
point look-up prunes files without statistics on the id itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column as SparkColumn
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.errors import ContractError

USER_BUCKETS = 4096  # hash buckets of user ids; point look-ups prune files by them


@dataclass(frozen=True)
class Column:
    """One column. `type` is spelled as Spark's `simpleString` does; a `personal` column is kept out of statistics."""

    name: str
    type: str
    comment: str
    personal: bool = False


@dataclass(frozen=True)
class Contract:
    """One table. `key` is unique among the rows of a log or day table, and among a run's rows of a run table."""

    name: str
    kind: str
    grain: str
    key: tuple[str, ...]
    columns: tuple[Column, ...]
    partition_by: tuple[str, ...] = ()
    open_type: str | None = None  # further columns are allowed when they have this type
    kept: bool = False  # spared by prune

    @property
    def names(self) -> list[str]:
        """The names of the columns, in order."""
        return [column.name for column in self.columns]

    @property
    def has_user_bucket(self) -> bool:
        """Whether the lake adds `user_bucket`, as it does where rows are about one user."""
        return "user_id" in self.names

    @property
    def is_personal(self) -> bool:
        """Whether any column identifies or describes a person."""
        return any(column.personal for column in self.columns)


def conform(frame: DataFrame, contract: Contract) -> DataFrame:
    """The contract's columns of `frame`, in order, checked and never cast.

    Raises ContractError where a column is missing or has another type. Columns that the contract does not name are
    left out, except in a contract with `open_type`, where those of that type follow the named ones.
    """
    actual = {field.name: field.dataType.simpleString() for field in frame.schema.fields}
    missing = [f"{c.name} is missing" for c in contract.columns if c.name not in actual]
    mistyped = [
        f"{c.name} is {actual[c.name]}, not {c.type}"
        for c in contract.columns
        if c.name in actual and actual[c.name] != c.type
    ]
    if missing or mistyped:
        raise ContractError(f"{contract.name}: {'; '.join(missing + mistyped)}")
    extra = [name for name, kind in actual.items() if name not in contract.names and kind == contract.open_type]
    return frame.select(*contract.names, *extra)


def user_bucket(user_id: str = "user_id") -> SparkColumn:
    """The bucket of a user id, as stored beside it."""
    return F.pmod(F.xxhash64(user_id), F.lit(USER_BUCKETS)).cast("int")


def log(name: str, grain: str, key: Sequence[str], columns: Sequence[Column], by_day: bool = False) -> Contract:
    """A log table; each row knows the `ingest_seq` of the file that brought it."""
    added = [Column("day", "date", "the UTC day of the row's time")] if by_day else []
    added.append(Column("ingest_seq", "bigint", "the number of the file that brought the row, as in source_files"))
    return Contract(name, "log", grain, tuple(key), (*columns, *added), ("day",) if by_day else ())


def ledger(name: str, grain: str, key: Sequence[str], columns: Sequence[Column]) -> Contract:
    """A log table that the system keeps about itself."""
    return Contract(name, "log", grain, tuple(key), tuple(columns))


def daily(name: str, grain: str, key: Sequence[str], columns: Sequence[Column]) -> Contract:
    """A day table: partitioned by `day` and replaced a day at a time."""
    return Contract(name, "day", grain, tuple(key), tuple(columns), ("day",))


def run_table(
    name: str, grain: str, key: Sequence[str], columns: Sequence[Column], open_type: str | None = None
) -> Contract:
    """A run table: partitioned by `run_id`, which the lake adds."""
    return Contract(name, "run", grain, tuple(key), tuple(columns), ("run_id",), open_type)


USER_ID = Column("user_id", "string", "the user, as the shop names them", personal=True)
ITEM_ID = Column("item_id", "string", "the item, as the shop names it")

# --- logs -----------------------------------------------------------------------------------------------------------

EVENTS = log(
    "events",
    "one click-stream event",
    ["event_id"],
    [
        Column("event_id", "string", "unique; made from the row's content where the source has none"),
        USER_ID,
        Column("event_time", "timestamp", "when it happened, UTC"),
        Column(
            "event_type",
            "string",
            "impression, view, click, search, add_to_cart, remove_from_cart, wishlist or purchase",
        ),
        ITEM_ID,
        Column("category", "string", "the item's category as the event saw it"),
        Column("price", "double", "the item's price as the event saw it, in the shop's currency"),
        Column("session_id", "string", "the source's own session, where it has one"),
        Column("device", "string", "the device, where known"),
        Column("region", "string", "where the user was, where known"),
    ],
    by_day=True,
)

ORDERS = log(
    "orders",
    "one order line",
    ["order_id", "line"],
    [
        Column("order_id", "string", "the order"),
        Column("line", "int", "the line within the order; numbered by content where the source has none"),
        Column("user_id", "string", "the buyer; null for a guest, who counts for items and demand only", personal=True),
        ITEM_ID,
        Column("category", "string", "the item's category at the time"),
        Column("quantity", "double", "units, never negative; a refund or cancellation is told by status"),
        Column("unit_price", "double", "price of one unit before the discount, in the shop's currency"),
        Column("discount", "double", "money taken off the whole line"),
        Column("status", "string", "paid, refunded or cancelled"),
        Column("order_time", "timestamp", "when it was ordered, UTC"),
    ],
    by_day=True,
)

USERS = log(
    "users",
    "one user",
    ["user_id"],
    [
        USER_ID,
        Column("age", "int", "years", personal=True),
        Column("gender", "string", "as the source says", personal=True),
        Column("income", "double", "yearly, in the shop's currency", personal=True),
        Column("education", "string", "highest level, as the source says", personal=True),
        Column("region", "string", "home region", personal=True),
        Column("signup_time", "timestamp", "when the account was made, UTC", personal=True),
        Column("consent", "boolean", "whether the user may be contacted", personal=True),
    ],
)

ITEMS = log(
    "items",
    "one item",
    ["item_id"],
    [
        ITEM_ID,
        Column("category", "string", "the shelf it stands on"),
        Column("brand", "string", "the brand"),
        Column("price", "double", "list price, in the shop's currency"),
        Column("launch_time", "timestamp", "first day on sale, UTC"),
        Column("stock", "bigint", "units at hand"),
        Column("description", "string", "text for people"),
        Column("embedding", "array<float>", "a given vector of the item"),
    ],
)

RATINGS = log(
    "ratings",
    "one rating or review",
    ["user_id", "item_id", "rated_at"],
    [
        USER_ID,
        ITEM_ID,
        Column("rated_at", "timestamp", "when, UTC"),
        Column("rating", "double", "on the shop's own scale"),
        Column("review", "string", "text", personal=True),
    ],
    by_day=True,
)

QUARANTINE = ledger(
    "quarantine",
    "one rejected input row",
    ["source", "file", "line"],
    [
        Column("source", "string", "events, orders, users, items or ratings"),
        Column("file", "string", "the file's path"),
        Column("line", "bigint", "the line in the file, from 1; the row's number in formats without lines"),
        Column("reason", "string", "what is wrong with it, for a person"),
        Column("raw", "string", "the row as it came", personal=True),
        Column("seen_at", "timestamp", "when it was rejected, UTC"),
        Column("ingest_seq", "bigint", "the number of the file, as in source_files"),
    ],
)

SOURCE_FILES = ledger(
    "source_files",
    "one input file that was read",
    ["ingest_seq"],
    [
        Column("source", "string", "events, orders, users, items or ratings"),
        Column("path", "string", "the file's path"),
        Column("size", "bigint", "bytes"),
        Column("modified_at", "timestamp", "the file's own time"),
        Column("digest", "string", "of the content: a file under a known path with another digest was changed"),
        Column("mapping_digest", "string", "of the mapping that read it"),
        Column("rows_in", "bigint", "rows in the file, counted apart from what became of them"),
        Column("accepted", "bigint", "rows that went to the log table"),
        Column("quarantined", "bigint", "rows that went to quarantine"),
        Column("filtered", "bigint", "rows that `where` left out"),
        Column("repeated", "bigint", "accepted rows that equal an earlier one in every raw field, where keys are made"),
        Column("ingest_seq", "bigint", "the file's number, rising in the order of reading"),
        Column("read_at", "timestamp", "when, UTC"),
    ],
)

DAY_BUILDS = ledger(
    "day_builds",
    "one time that day tables were brought up to date",
    ["built_at"],
    [
        Column("ingest_seq", "bigint", "the highest file number whose rows they hold"),
        Column("shape", "string", "the settings they were built with; with others they are built anew"),
        Column("days", "bigint", "days whose logs had changed"),
        Column("built_at", "timestamp", "when, UTC"),
    ],
)

RUNS = ledger(
    "runs",
    "one change of status of a stage of one attempt; the newest by heartbeat_at counts",
    ["run_id", "stage", "heartbeat_at"],
    [
        Column("run_id", "string", "digest of configuration, input, as_of and code, with the number of the attempt"),
        Column("stage", "string", "the stage, or `run` for the attempt as a whole"),
        Column("status", "string", "started, done, skipped or failed"),
        Column("started_at", "timestamp", "when the stage began, UTC"),
        Column("heartbeat_at", "timestamp", "when this row was written, UTC"),
        Column("seconds", "double", "wall seconds the stage took"),
        Column("rows", "bigint", "rows the stage wrote"),
        Column("note", "string", "why it was skipped, failed, or what deserves a look"),
        Column("as_of", "date", "nothing on or after this day counts"),
        Column("ingest_seq", "bigint", "the highest file number the run saw"),
        Column("config_hash", "string", "digest of the configuration without execution settings"),
        Column("seed", "bigint", "of everything that draws"),
        Column("code_version", "string", "version of the package and digest of its source"),
    ],
)

PUBLICATIONS = ledger(
    "publications",
    "one act of publishing",
    ["seq"],
    [
        Column("seq", "bigint", "rises by one with every act; the highest is what readers see"),
        Column("run_id", "string", "the run that became visible"),
        Column("published_at", "timestamp", "when, UTC"),
        Column("by", "string", "who: the name of the account"),
        Column("reason", "string", "run, publish or rollback"),
        Column("rows", "map<string,bigint>", "rows of each run table"),
        Column("digests", "map<string,bigint>", "order-free digest of each run table's rows"),
    ],
)

# --- days -----------------------------------------------------------------------------------------------------------

SESSIONS = daily(
    "sessions",
    "one visit",
    ["session_id"],
    [
        Column("session_id", "string", "unique"),
        USER_ID,
        Column("day", "date", "the UTC day on which the visit began"),
        Column("started_at", "timestamp", "first event"),
        Column("ended_at", "timestamp", "last event"),
        Column("events", "bigint", "events"),
        Column("views", "bigint", "views"),
        Column("carts", "bigint", "additions to the cart"),
        Column("purchases", "bigint", "purchase events"),
        Column("bounced", "boolean", "a single event and no purchase"),
    ],
)

USER_DAYS = daily(
    "user_days",
    "one user on one day with any event, order or rating",
    ["user_id", "day"],
    [
        USER_ID,
        Column("day", "date", "UTC"),
        Column("events", "bigint", "events of any type"),
        Column("impressions", "bigint", "impressions"),
        Column("views", "bigint", "views"),
        Column("clicks", "bigint", "clicks"),
        Column("searches", "bigint", "searches"),
        Column("carts", "bigint", "additions to the cart"),
        Column("wishlists", "bigint", "additions to the wish list"),
        Column("purchases", "bigint", "purchase events"),
        Column("night_events", "bigint", "events from 22:00 to 05:59 UTC"),
        Column("first_event_at", "timestamp", "first event"),
        Column("last_event_at", "timestamp", "last event"),
        Column("sessions", "bigint", "visits that began on the day"),
        Column("session_seconds", "bigint", "their length together"),
        Column("session_events", "bigint", "their events, also those after midnight"),
        Column("bounces", "bigint", "those of one event and no purchase"),
        Column("orders", "bigint", "orders with a paid line"),
        Column("order_lines", "bigint", "paid lines"),
        Column("units", "double", "units of paid lines"),
        Column("spend", "double", "paid lines after discount"),
        Column("discount", "double", "money taken off paid lines; null where no line says"),
        Column("refunds", "bigint", "refunded or cancelled lines"),
        Column("refunded", "double", "money of refunded or cancelled lines"),
        Column("night_orders", "bigint", "orders with a paid line from 22:00 to 05:59 UTC"),
        Column("first_order_at", "timestamp", "first paid line"),
        Column("last_order_at", "timestamp", "last paid line"),
        Column("ratings", "bigint", "ratings given"),
        Column("rating_sum", "double", "their sum"),
        Column("is_bot", "boolean", "more events on the day than a person makes"),
    ],
)

USER_ITEM_DAYS = daily(
    "user_item_days",
    "one user and item on one day",
    ["user_id", "item_id", "day"],
    [
        USER_ID,
        ITEM_ID,
        Column("day", "date", "UTC"),
        Column("category", "string", "the item's category in the log; where the day names several, one of them"),
        Column("views", "bigint", "views"),
        Column("clicks", "bigint", "clicks"),
        Column("carts", "bigint", "additions to the cart"),
        Column("wishlists", "bigint", "additions to the wish list"),
        Column("purchases", "bigint", "purchase events"),
        Column("order_lines", "bigint", "paid lines"),
        Column("units", "double", "units of paid lines"),
        Column("spend", "double", "paid lines after discount"),
    ],
)

# --- runs -----------------------------------------------------------------------------------------------------------

USER_FEATURES = run_table(
    "user_features",
    "one user at as_of",
    ["user_id"],
    [
        USER_ID,
        Column("as_of", "date", "nothing on or after this day counts"),
        Column("is_bot", "boolean", "kept out of every model"),
        Column("gender", "string", "as the source says", personal=True),
        Column("education", "string", "highest level", personal=True),
        Column("region", "string", "home region", personal=True),
        Column("favourite_category", "string", "the category bought most, or seen most where nothing was bought"),
    ],
    open_type="double",
)

SEGMENT_MODELS = run_table(
    "segment_models",
    "one model tried",
    ["scheme", "model_id"],
    [
        Column("scheme", "string", "value or taste"),
        Column("model_id", "string", "unique in the scheme"),
        Column("algorithm", "string", "kmeans"),
        Column("k", "int", "segments asked for"),
        Column("params", "string", "JSON; of the chosen one also users, where its centres come from and their cost"),
        Column("silhouette", "double", "simplified silhouette (Hruschka 2004), on the sample"),
        Column("davies_bouldin", "double", "lower is better"),
        Column("calinski_harabasz", "double", "higher is better"),
        Column("prediction_strength", "double", "Tibshirani and Walther 2005"),
        Column(
            "stability", "double", "mean adjusted Rand index of halves clustered by themselves and by the other half"
        ),
        Column("min_share", "double", "share of the sample's users in the smallest segment"),
        Column("cost", "double", "within-cluster sum of squares per user of the sample"),
        Column("score", "double", "what the choice went by"),
        Column("chosen", "boolean", "whether the segments come from it"),
    ],
)

SEGMENTS = run_table(
    "segments",
    "one segment",
    ["scheme", "segment_id"],
    [
        Column("scheme", "string", "value or taste"),
        Column("segment_id", "int", "number in the scheme, from 0, largest first"),
        Column("name", "string", "a persona whose predicate holds, else segment-N"),
        Column("title", "string", "the name as people write it"),
        Column("size", "bigint", "users"),
        Column("share", "double", "of all users in the scheme"),
        Column("why", "string", "the numbers that earned the name"),
        Column("strategy", "string", "what marketing does with it"),
        Column("centroid", "array<float>", "in the prepared space"),
        Column("pca", "array<float>", "the centroid on the scheme's first two principal components"),
    ],
)

USER_SEGMENTS = run_table(
    "user_segments",
    "one user in one scheme",
    ["scheme", "user_id"],
    [
        Column("scheme", "string", "value or taste"),
        USER_ID,
        Column("segment_id", "int", "as in segments"),
        Column("segment_name", "string", "as in segments"),
        Column("distance", "double", "Euclidean, to the segment's centre in the prepared space"),
        Column("confidence", "double", "1 - distance / distance to the next nearest centre"),
        Column("change", "string", "cause of a move since the published run; null where nothing is compared"),
        Column("pca", "array<float>", "the user on the scheme's first two principal components"),
    ],
)

SEGMENT_PROFILES = run_table(
    "segment_profiles",
    "one feature of one segment",
    ["scheme", "segment_id", "feature"],
    [
        Column("scheme", "string", "value or taste"),
        Column("segment_id", "int", "as in segments"),
        Column("feature", "string", "in its own unit; a share for one value of a category, as gender=f"),
        Column("mean", "double", "over the segment's users who have it"),
        Column("median", "double", "over a stated number of users chosen by hash, as p10 and p90"),
        Column("p10", "double", "tenth percentile"),
        Column("p90", "double", "ninetieth percentile"),
        Column("overall_mean", "double", "over all users who have it"),
        Column("overall_median", "double", "over all users who have it"),
        Column("lift", "double", "mean / overall mean; null where that is 0"),
    ],
)

FEATURE_SELECTION = run_table(
    "feature_selection",
    "one feature that the preparation looked at",
    ["feature"],
    [
        Column("feature", "string", "as in user_features"),
        Column("kept", "boolean", "whether models see it"),
        Column("reason", "string", "why it was left out: constant, mostly missing, or correlated with which"),
        Column("log_scaled", "boolean", "whether its logarithm is taken, being skewed"),
    ],
)

PREPARED_FEATURES = run_table(
    "prepared_features",
    "one user that models see: every user at as_of but the bots",
    ["user_id"],
    [USER_ID, Column("features", "array<float>", "imputed, scaled and selected features; see feature_selection")],
)

USER_INDEX = run_table(
    "user_index",
    "one user who interacted with an item",
    ["user_id"],
    [USER_ID, Column("user_no", "int", "from 0, in the order of user_id")],
)

ITEM_INDEX = run_table(
    "item_index",
    "one item that a user interacted with",
    ["item_id"],
    [ITEM_ID, Column("item_no", "int", "from 0, in the order of item_id")],
)

USER_FACTORS = run_table(
    "user_factors",
    "one user's ALS vector",
    ["user_id"],
    [USER_ID, Column("factors", "array<float>", "length rank")],
)

ITEM_FACTORS = run_table(
    "item_factors",
    "one item's ALS vector",
    ["item_id"],
    [ITEM_ID, Column("factors", "array<float>", "length rank")],
)

ITEM_SIMILARITY = run_table(
    "item_similarity",
    "one neighbour of an item",
    ["method", "item_id", "rank"],
    [
        Column("method", "string", "cosine"),
        ITEM_ID,
        Column("rank", "int", "1 is the nearest; ties by neighbour_id"),
        Column("neighbour_id", "string", "the neighbour"),
        Column("similarity", "double", "in [-1, 1]"),
    ],
)

USER_SIMILARITY = run_table(
    "user_similarity",
    "one user's neighbours",
    ["method", "user_id"],
    [
        Column("method", "string", "cosine"),
        USER_ID,
        Column(
            "neighbours", "array<struct<neighbour_id:string,similarity:double>>", "best first; ties by neighbour_id"
        ),
    ],
)

RECOMMENDATIONS = run_table(
    "recommendations",
    "one item for a user",
    ["method", "user_id", "rank"],
    [
        Column("method", "string", "als, or popularity for users without a vector"),
        USER_ID,
        Column("rank", "int", "1 is the best"),
        ITEM_ID,
        Column("score", "double", "what the ranking went by; comparable within one method"),
        Column("reason", "string", "for a person: because you bought …, popular in your segment, popular"),
    ],
)

RECOMMENDATION_METRICS = run_table(
    "recommendation_metrics",
    "one metric of one method",
    ["method", "metric", "k"],
    [
        Column("method", "string", "als, popularity, als_explicit, or a difference of two as als-popularity"),
        Column("metric", "string", "ndcg_at_k, recall_at_k, precision_at_k, map_at_k, hit_rate_at_k, coverage, rmse"),
        Column("k", "int", "length of the list that was judged; 0 where there is no list"),
        Column("value", "double", "mean over the users judged"),
        Column("low", "double", "2.5 % point of the bootstrap over users"),
        Column("high", "double", "97.5 % point of the bootstrap over users"),
        Column("popularity_value", "double", "the same of the most popular items; for rmse of the item's mean rating"),
        Column("users", "bigint", "users judged"),
    ],
)

QUALITY = run_table(
    "quality",
    "one check on one source",
    ["source", "check"],
    [
        Column("source", "string", "the source or table"),
        Column("check", "string", "what was checked"),
        Column("passed", "boolean", "whether it holds"),
        Column("value", "double", "the number found"),
        Column("bound", "double", "the number allowed; null where it only informs"),
    ],
)

TABLES: dict[str, Contract] = {
    contract.name: contract for contract in list(globals().values()) if isinstance(contract, Contract)
}
RUN_TABLES: tuple[Contract, ...] = tuple(contract for contract in TABLES.values() if contract.kind == "run")
