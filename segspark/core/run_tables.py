"""The run tables: written whole for one run, visible when the run is published."""

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

SEGMENT_MODELS = run_table(
    "segment_models",
    "one model tried",
    ["scheme", "model_id"],
    [
        Column("scheme", "string", "value, taste or one of segments.others"),
        Column("model_id", "string", "unique in the scheme"),
        Column("algorithm", "string", "as in the configuration"),
        Column("k", "int", "segments found, noise left out"),
        Column("params", "string", "JSON; of the chosen one also users, where its centres come from and their cost"),
        Column("silhouette", "double", "simplified silhouette (Hruschka 2004), on the sample"),
        Column("davies_bouldin", "double", "lower is better"),
        Column("calinski_harabasz", "double", "higher is better"),
        Column("prediction_strength", "double", "Tibshirani and Walther 2005"),
        Column(
            "stability",
            "double",
            "mean adjusted Rand index with refits to hash-chosen 80 % of the sample",
        ),
        Column("min_share", "double", "share of the sample's users in the smallest segment, noise left out"),
        Column("max_share", "double", "share of the sample's users in the largest segment"),
        Column("cophenetic", "double", "correlation of distances and dendrogram; null for methods without one"),
        Column("cost", "double", "what the algorithm makes small, per user of the sample"),
        Column("score", "double", "what the choice went by"),
        Column("fidelity", "double", "of the chosen one: share of users that segment_rules put in their segment"),
        Column("chosen", "boolean", "whether the segments come from it"),
    ],
)

SEGMENT_MODEL_ARRAYS = run_table(
    "segment_model_arrays",
    "one array of a scheme's fitted model",
    ["scheme", "name"],
    [
        Column("scheme", "string", "as in segments"),
        Column("name", "string", "what it is of the model"),
        Column("shape", "array<int>", "rows and columns; one number for a vector"),
        Column("cells", "array<double>", "row by row"),
    ],
)

SEGMENTS = run_table(
    "segments",
    "one segment",
    ["scheme", "segment_id"],
    [
        Column("scheme", "string", "value, taste or one of segments.others"),
        Column("segment_id", "int", "number in the scheme, kept from run to run"),
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
        Column("scheme", "string", "value, taste or one of segments.others"),
        USER_ID,
        Column("segment_id", "int", "as in segments"),
        Column("segment_name", "string", "as in segments"),
        Column("distance", "double", "to the segment's centre, or its nearest anchor, by the algorithm's own measure"),
        Column("confidence", "double", "0 on the border to 1: 1 - distance / that to the next; mixture: probability"),
        Column(
            "change",
            "string",
            "since the published run: same, or the cause of the move; null where there is none",
        ),
        Column("pca", "array<float>", "the user on the scheme's first two principal components"),
    ],
)

SEGMENT_PROFILES = run_table(
    "segment_profiles",
    "one feature of one segment",
    ["scheme", "segment_id", "feature"],
    [
        Column("scheme", "string", "value, taste or one of segments.others"),
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

SEGMENT_RULES = run_table(
    "segment_rules",
    "one readable rule for a segment",
    ["scheme", "segment_id", "rule_no"],
    [
        Column("scheme", "string", "as in segments"),
        Column("segment_id", "int", "as in segments"),
        Column("rule_no", "int", "from 1, the rule that covers most of the segment first"),
        Column("rule", "string", "in the features' own units; a missing value is less than any number"),
        Column("coverage", "double", "of the segment's users, the share for whom the rule holds"),
        Column("precision", "double", "of the users for whom the rule holds, the share in the segment"),
    ],
)

SEGMENT_IMPORTANCES = run_table(
    "segment_importances",
    "one feature that tells a scheme's segments apart",
    ["scheme", "feature"],
    [
        Column("scheme", "string", "as in segments"),
        Column("feature", "string", "as in segment_profiles"),
        Column("importance", "double", "share of what a random forest learns; sums to 1 over a scheme"),
    ],
)

SEGMENT_LINEAGE = run_table(
    "segment_lineage",
    "one link from a segment of the run that was published to one of this run",
    ["scheme", "from_segment", "to_segment"],
    [
        Column("scheme", "string", "as in segments"),
        Column("from_segment", "int", "segment_id in the published run; null for born"),
        Column("to_segment", "int", "segment_id in this run; null for ended"),
        Column("kind", "string", "same, split (to is new, out of from), merge (from ended in to), born or ended"),
        Column("overlap", "double", "users in both / users in either (Jaccard), of those who are in both runs"),
    ],
    kept=True,
)

SEGMENT_CHANGES = run_table(
    "segment_changes",
    "one user who moved since the run that was published",
    ["scheme", "user_id"],
    [
        Column("scheme", "string", "as in segments"),
        USER_ID,
        Column("from_segment", "int", "segment_id in the published run; null for new"),
        Column("to_segment", "int", "segment_id in this run; null for gone"),
        Column(
            "cause", "string", "behaviour (the published model would move them too), refit (it would not), new or gone"
        ),
    ],
    kept=True,
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
