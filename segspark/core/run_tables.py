"""The run tables of features, recommendations and quality: written whole for one run, visible when it is published."""

from segspark.core.contract import ITEM_ID, USER_ID, Column, run_table

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

FEATURE_SELECTION = run_table(
    "feature_selection",
    "one feature that the preparation looked at",
    ["feature"],
    [
        Column("feature", "string", "as in user_features"),
        Column("kept", "boolean", "whether models see it"),
        Column("reason", "string", "why it was left out: constant, mostly missing, or correlated with which"),
        Column("log_scaled", "boolean", "whether its logarithm is taken, being skewed"),
        Column("place", "int", "in the vectors of prepared_features, from 0; null where these have no names"),
        Column("fitted_by", "string", "the run whose users the preparation was fitted to; this one, or one before it"),
        Column("settings", "string", "digest of what is configured of the features"),
    ],
    driver_sized=True,
)

FEATURE_DRIFT = run_table(
    "feature_drift",
    "one number of user_features against the run that was published",
    ["feature"],
    [
        Column("feature", "string", "as in user_features"),
        Column("psi", "double", "population stability index of its values, the missing ones as a bin of their own"),
        Column("bound", "double", "features.drift_bound, or more where chance alone would reach it among so few users"),
        Column("drifted", "boolean", "whether the index is above the bound"),
    ],
    driver_sized=True,
)

PREPARED_FEATURES = run_table(
    "prepared_features",
    "one user that models see: every user at as_of but the bots",
    ["user_id"],
    [
        USER_ID,
        Column("features", "array<float>", "imputed, scaled and selected features; see feature_selection"),
        Column("before", "array<float>", "the same user as the published run would prepare them, where that differs"),
    ],
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
        Column("method", "string", "cosine, adjusted_cosine, pearson or content"),
        ITEM_ID,
        Column("rank", "int", "1 is the nearest; ties by neighbour_id"),
        Column("neighbour_id", "string", "the neighbour"),
        Column("similarity", "double", "in [-1, 1], never 0"),
    ],
)

USER_SIMILARITY = run_table(
    "user_similarity",
    "one user's neighbours",
    ["method", "user_id"],
    [
        Column("method", "string", "cosine, adjusted_cosine or pearson; factors: by ALS vectors, in cells"),
        USER_ID,
        Column(
            "neighbours",
            "array<struct<neighbour_id:string,similarity:double>>",
            "best first; ties by neighbour_id",
            personal=True,
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
        Column(
            "method",
            "string",
            "als, popularity, segment_popularity (by the run's segments, which know the held-out part), als_explicit,"
            " or a difference user by user as als-popularity",
        ),
        Column(
            "metric",
            "string",
            "means over users: ndcg_at_k, recall_at_k, precision_at_k, map_at_k, hit_rate_at_k, mrr, auc, novelty,"
            " diversity; over ratings: rmse, mae; over all lists: coverage, gini",
        ),
        Column("k", "int", "length of the list that was judged; 0 where there is no list: auc, rmse, mae"),
        Column("value", "double", "over the users judged"),
        Column("low", "double", "2.5 % point of the bootstrap over users; null for coverage and gini"),
        Column("high", "double", "97.5 % point of the bootstrap over users; null for coverage and gini"),
        Column(
            "popularity_value", "double", "the same of the most popular items; for ratings of the item's mean rating"
        ),
        Column("users", "bigint", "users judged for whom the metric is defined"),
    ],
    driver_sized=True,
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
    driver_sized=True,
)
