"""The log tables, and the ledgers that the system keeps about itself."""

from segspark.core.contract import ITEM_ID, USER_ID, Column, ledger, log

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

OUTCOMES = log(
    "outcomes",
    "one campaign contact",
    ["campaign_id", "user_id"],
    [
        Column("campaign_id", "string", "the campaign, as campaign_plan or another tool names it"),
        USER_ID,
        Column("action", "string", "what was done, as in strategies; null where it is not told"),
        Column("treated", "boolean", "whether the user was contacted; false tells of one who was held out"),
        Column("propensity", "double", "how likely the action was for the user, where the sender tells it"),
        Column("sent_at", "timestamp", "when, UTC"),
        Column("converted", "boolean", "as the sender tells it; counts where it is told of held-out users, too"),
        Column("converted_at", "timestamp", "when, UTC; not before sent_at"),
        Column("revenue", "double", "as converted; otherwise orders after the contact tell both"),
    ],
)

QUARANTINE = ledger(
    "quarantine",
    "one rejected input row",
    ["source", "file", "line"],
    [
        Column("source", "string", "events, orders, users, items, ratings or outcomes"),
        Column("file", "string", "the file's path"),
        Column(
            "line",
            "bigint",
            "the line in the file, from 1; the row's number where there are no lines; 0 for a whole file",
        ),
        Column("reason", "string", "what is wrong with it, for a person"),
        Column("raw", "string", "the row as it came; null for a whole file that could not be read", personal=True),
        Column("seen_at", "timestamp", "when it was rejected, UTC"),
        Column("ingest_seq", "bigint", "the number of the file, as in source_files"),
    ],
    driver_sized=False,
)

SOURCE_FILES = ledger(
    "source_files",
    "one input file that was read",
    ["ingest_seq"],
    [
        Column("source", "string", "events, orders, users, items, ratings or outcomes"),
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
        Column(
            "problem",
            "string",
            "why it could not be read; null where it could. Its rows, as its footer tells, or else estimated from its"
            " size by the source's other files, count as quarantined",
        ),
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
        Column("first_day", "date", "the earliest of them"),
        Column("built_at", "timestamp", "when, UTC"),
    ],
)

RUNS = ledger(
    "runs",
    "one change of status of a stage of one attempt; the newest by heartbeat_at counts",
    ["run_id", "stage", "heartbeat_at"],
    [
        Column("run_id", "string", "digest of configuration, input, as_of and code, and the attempt; or a lease's id"),
        Column("stage", "string", "the stage, `run` for the whole attempt, `pin`, or `lease`: who works on the lake"),
        Column(
            "status",
            "string",
            "started, done, taken over (from the run published before), skipped, refused (a quality gate), failed,"
            " pruned; pinned, unpinned; held, released",
        ),
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
        Column(
            "parts",
            "array<struct<fingerprint:string,rows:bigint,note:string>>",
            "the stage's parts in order: digest of all that the rows depend on, how many, and what deserves a look",
        ),
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
