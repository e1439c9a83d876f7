"""The run tables of segments: which there are, who is in them and why, and what moved."""

from segspark.core.contract import USER_ID, Column, run_table

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
    driver_sized=True,
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
    driver_sized=True,
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
    driver_sized=True,
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
    driver_sized=True,
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
    driver_sized=True,
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
    driver_sized=True,
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
    driver_sized=True,
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
