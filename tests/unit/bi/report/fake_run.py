"""A made-up run in a lake: every table that the report reads, with the shapes and sizes of a small shop."""

import json
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

import numpy as np
from pyspark.sql import DataFrame

from segspark.bi.report.content import RunRows
from segspark.core import contracts as c
from segspark.core.contract import Contract
from segspark.core.lake import Lake
from segspark.core.stage import Run, StageContext
from tests.builders import at, rows_of, whole_rows, write_rows
from tests.unit.bi.report.fake_campaigns import campaign_rows, campaign_tables, earlier

AS_OF = date(2011, 9, 1)
SMALL = 6  # users of the taste segment that is too small to be described
HOSTILE = "<script>alert('x')</script>\" onload=\"x $\\frac{1}{2}$ \u202eevil [red]"

NAMES = ("economy", "loyal", "high-value", "rare big-basket buyers", "segment-4")
SIZES = (900, 640, 410, 300, 144)
CENTRES = ((-1.6, 0.4), (0.7, 1.5), (3.1, 0.2), (0.9, -1.9), (-2.3, -1.8))
SPENT = (180.0, 690.0, 2950.0, 610.0, 44.0)  # mean money of a user
REASONS = (
    "aov 43.7 against 84.0 for all users (0.5 times); discount_share 31 % against 19 % for all users (1.6 times)",
    "tenure_days 302 against 216 for all users (1.4 times); recency_days 20.9 against 58.0 for all users (0.4 times)",
    "monetary 2,948 against 684 for all users (4.3 times); frequency 14.2 against 6.8 for all users (2.1 times)",
    "frequency 1.6 against 6.8 for all users (0.2 times); aov 381 against 84.0 for all users (4.5 times)",
    "no persona's conditions hold; most unusual: recency_days 214 against 58.0 for all users (3.7 times)",
)
STRATEGIES = (
    "Cost-effective goods, coupons and promotions.",
    "Birthday wishes, shopping reminders and member services.",
    "Personal recommendations, exclusive discounts and points; priority in customer service.",
    "Personal recommendations.",
    "A survey: ask what they came for.",
)
LIFTS = {  # of each value segment, beside the mean of all users
    "monetary": (684.0, (0.26, 1.01, 4.31, 0.89, 0.06)),
    "frequency": (6.8, (0.6, 1.16, 2.09, 0.24, 0.15)),
    "recency_days": (58.0, (1.07, 0.36, 0.21, 2.03, 3.69)),
    "aov": (84.0, (0.52, 1.04, 2.47, 4.54, 0.52)),
    "tenure_days": (216.0, (0.9, 1.4, 1.31, 0.71, 0.5)),
    "sessions": (19.0, (1.08, 1.3, 1.52, 0.4, 0.06)),
    "discount_share": (0.19, (1.63, 0.9, 0.42, 0.7, 1.1)),
    "night_share": (0.11, (1.2, 0.8, 0.9, 1.0, 1.3)),
    "spend_30d": (61.0, (0.3, 1.2, 4.9, 0.1, 0.0)),
    "distinct_items": (27.0, (1.1, 0.9, 1.3, 0.8, 0.7)),
    "age_18_25": (0.14, (1.9, 0.4, 0.3, 0.6, 1.4)),
    "gender=f": (0.55, (1.1, 0.9, 1.3, 0.8, 0.7)),
}
METRICS = {  # of ALS, and of the most popular items
    "ndcg_at_k": (0.121, 0.052),
    "recall_at_k": (0.164, 0.081),
    "precision_at_k": (0.048, 0.025),
    "map_at_k": (0.069, 0.028),
    "hit_rate_at_k": (0.341, 0.204),
    "coverage": (0.583, 0.004),
}


@dataclass(frozen=True)
class FakeRun:
    """What differs from run to run."""

    run_id: str = "r4f2a9c01b7d3-1"
    seed: int = 7
    names: dict[int, str] = field(default_factory=dict)  # of value segments, by segment_id
    category: str = "Candles"  # a shelf that stands in names, features and reasons
    previous: str | None = None  # the run that was published when it began

    def context(self, lake: Lake) -> StageContext:
        return StageContext(lake, Run(self.run_id, AS_OF, ingest_seq=2, seed=self.seed, previous=self.previous))

    @property
    def value_names(self) -> dict[int, str]:
        return {number: self.name("value", number) for number in range(len(NAMES))}

    def name(self, scheme: str, number: int) -> str:
        if scheme == "value":
            return self.names.get(number, NAMES[number])
        return (f"likes {self.category}", "likes Garden", "segment-2", "segment-3")[number]


def write_run(lake: Lake, fake: FakeRun) -> None:
    """All tables of the run, and the ledgers of what was read where they are not there yet."""
    tables = {
        **tables_of_segments(fake),
        **campaign_tables(fake.value_names, fake.category),
        c.PREPARED_FEATURES: [{"user_id": "u0", "features": [1.0, 0.5]}],
        c.USER_SEGMENTS: members(fake),
        c.USER_SIMILARITY: [{"method": "cosine", "user_id": "u0", "neighbours": [("u2", 0.9), ("u1", 0.5)]}],
        c.RECOMMENDATIONS: recommendations(fake),
    }
    for contract, rows in tables.items():
        write_rows(lake, contract, fake.run_id, *rows)
    lake.replace_run(c.USER_FEATURES, features(lake, fake), fake.run_id)
    lake.append_rows(c.RUNS, whole_rows(c.RUNS, *stages(fake)))
    write_rows(lake, c.CAMPAIGNS, "r-earlier", *earlier())
    if not lake.exists(c.SOURCE_FILES):
        lake.append_rows(c.SOURCE_FILES, whole_rows(c.SOURCE_FILES, *sources()))
        lake.append(c.QUARANTINE, rows_of(lake.spark, c.QUARANTINE, *quarantined(fake)))


def tables_of_segments(fake: FakeRun) -> dict[Contract, list[dict]]:
    """What the run tells of segments, models, features and checks, by table."""
    return {
        c.SEGMENTS: segments(fake),
        c.SEGMENT_MODELS: models(),
        c.SEGMENT_MODEL_ARRAYS: [*tree_arrays(), {"scheme": "taste", "name": "axes", "shape": [1], "cells": [0.5]}],
        c.SEGMENT_MOVES: [*moves(), {**STAYED, "users": 850}],
        c.SEGMENT_FACTS: [
            {"scheme": row["scheme"], "segment_id": row["segment_id"], "revenue": row["spending"]} for row in spending()
        ],
        c.SEGMENT_LINEAGE: lineage(),
        c.FEATURE_DRIFT: drift(),
        c.SEGMENT_PROFILES: profiles(fake),
        c.SEGMENT_RULES: rules(fake),
        c.RECOMMENDATION_METRICS: metrics(),
        c.QUALITY: checks(),
        c.FEATURE_SELECTION: selection(),
    }


def run_rows(fake: FakeRun) -> RunRows:
    """What the stage would gather from the run's tables, without them."""
    places = [{**row, "x": row["pca"][0], "y": row["pca"][1]} for row in members(fake)]
    return RunRows(
        run_id=fake.run_id,
        as_of=AS_OF,
        seed=fake.seed,
        segments=segments(fake),
        models=models(),
        profiles=profiles(fake),
        rules=rules(fake),
        metrics=metrics(),
        quality=checks(),
        sources=[{**row, "files": 1} for row in sources() if row["ingest_seq"] <= 2],
        reasons=[{"source": "orders", "reason": f"category: {fake.category} is not known", "count": 2}],
        stages=stages(fake),
        selection=selection(),
        spending=spending(),
        samples={scheme: [p for p in places if p["scheme"] == scheme] for scheme in ("value", "taste")},
        trees=tree_arrays(),
        examples=offers(fake),
        campaign=campaign_rows(fake.value_names, fake.category),
    )


def compared_rows(fake: FakeRun) -> RunRows:
    """The same with a published run before it, whose segments bore the plain names."""
    return replace(
        run_rows(fake),
        before={"run_id": "r-before", "as_of": date(2011, 8, 25), "segments": segments(replace(fake, names={}))},
        moved=moves(),
        lineage=lineage(),
        drift=drift(),
    )


def members(fake: FakeRun) -> list[dict]:
    """Users u0, u1, … by value in the order of the segments; by taste, the first few in the small segment."""
    rng, rows = np.random.default_rng(fake.seed), []
    numbers = np.repeat(range(len(SIZES)), SIZES)
    places = rng.normal(size=(len(numbers), 2)) * (0.75, 0.6) + np.array(CENTRES)[numbers]
    for user_no, (number, place) in enumerate(zip(numbers.tolist(), places.tolist(), strict=True)):
        taste = 3 if user_no < SMALL else user_no % 3
        angle = 2.1 * taste + rng.normal() * 0.45
        tasted = np.array([np.cos(angle), np.sin(angle)]) + rng.normal(size=2) * 0.2
        rows.append(member(fake, "value", user_no, number, place))
        rows.append(member(fake, "taste", user_no, taste, tasted.tolist()))
    return rows


def member(fake: FakeRun, scheme: str, user_no: int, number: int, place: list[float]) -> dict:
    name = fake.name(scheme, number)
    place_of = {"segment_id": number, "segment_name": name, "distance": 0.8, "confidence": 0.6, "pca": place}
    return {"scheme": scheme, "user_id": f"u{user_no}", **place_of}


def features(lake: Lake, fake: FakeRun) -> DataFrame:
    rng = np.random.default_rng(fake.seed + 1)
    spent = np.concatenate([rng.gamma(4.0, mean / 4.0, size) for mean, size in zip(SPENT, SIZES, strict=True)])
    people = [
        (f"u{n}", AS_OF, False, "f", None, "north", fake.category, 21.0, float(money))
        for n, money in enumerate(spent.round(2))
    ]
    named = ", ".join(f"{column.name} {column.type}" for column in c.USER_FEATURES.columns)
    return lake.spark.createDataFrame(people, f"{named}, recency_days double, monetary double")


def segments(fake: FakeRun) -> list[dict]:
    total = sum(SIZES)
    rows = [
        {"scheme": "value", "segment_id": number, "size": size, "why": why, "strategy": strategy, "pca": list(centre)}
        | {"centroid": [1.0 - number, 0.25 * number]}
        for number, (size, why, strategy, centre) in enumerate(zip(SIZES, REASONS, STRATEGIES, CENTRES, strict=True))
    ]
    why = f"favourite_category={fake.category} 62 % against 26 % for all users (2.4 times)"
    for number, size in enumerate((798, 796, 794, SMALL)):
        centre = [float(np.cos(2.1 * number)), float(np.sin(2.1 * number))]
        told = {"why": why, "strategy": f"News from {fake.category}."}
        rows.append({"scheme": "taste", "segment_id": number, "size": size, "pca": centre, **told})
    return [{**row, "name": fake.name(row["scheme"], row["segment_id"]), "share": row["size"] / total} for row in rows]


def models() -> list[dict]:
    strengths = {2: 0.97, 3: 0.91, 4: 0.88, 5: 0.86, 6: 0.71, 7: 0.62, 8: 0.55}
    tried = [
        {
            "k": k,
            "silhouette": 0.48 - abs(k - 5) * 0.035,
            "davies_bouldin": 0.9 + abs(k - 5) * 0.11,
            "calinski_harabasz": 1840.0 - (k - 5) ** 2 * 74,
            "stability": 0.95 - k * 0.03,
            "min_share": 0.42 / k,
            "max_share": 1.5 / k,
            "params": json.dumps({"k": k, "sample_users": 2394, "starts": 5, "fitted_in": "r-before", "users": 2394}),
        }
        for k in strengths
    ]
    own = {
        "value": (5, {"algorithm": "kmeans", "cophenetic": None}),
        "taste": (4, {"algorithm": "ward", "cophenetic": 0.714, "prediction_strength": None}),
    }
    return [
        {**m, "prediction_strength": strengths[m["k"]], "scheme": scheme, "chosen": m["k"] == chosen}
        | {"score": 2.9 if m["k"] == chosen else 2.5, "model_id": f"{told['algorithm']}-{m['k']}", **told}
        for scheme, (chosen, told) in own.items()
        for m in tried
    ]


def tree_arrays() -> list[dict]:
    """The dendrogram of the taste scheme: eight points, cut into its four segments between the heights 2.5 and 5."""
    merges = [
        *((0, 1, 1.0, 2), (3, 4, 1.5, 2), (5, 6, 2.0, 2), (8, 2, 2.5, 3)),
        *((9, 10, 5.0, 4), (11, 12, 6.0, 7), (13, 7, 9.0, 8)),
    ]
    arrays = {
        "ids": [0, 1, 2, 3],
        "placement: cut tree: labels": [0, 0, 0, 1, 1, 2, 2, 3],
        "placement: cut tree: weights": [300, 300, 198, 400, 396, 500, 294, SMALL],
        "placement: cut tree: merges": merges,
    }
    return [
        {"scheme": "taste", "name": name, "shape": list(np.shape(v)), "cells": np.ravel(v).astype(float).tolist()}
        for name, v in arrays.items()
    ]


STAYED = {"scheme": "value", "from_segment": 0, "to_segment": 0, "cause": "same"}


def moves() -> list[dict]:
    """By value 30 users moved by themselves, 12 by a refit, 40 are new and 5 are gone; by taste nobody."""
    moved = [("behaviour", 0, 1, 30), ("refit", 1, 2, 12), ("new", None, 0, 40), ("gone", 3, None, 5)]
    names = ("cause", "from_segment", "to_segment", "users")
    return [{"scheme": "value", **dict(zip(names, row, strict=True))} for row in moved]


def spending() -> list[dict]:
    """What the users of each value segment paid."""
    by_segment = enumerate(zip(SPENT, SIZES, strict=True))
    return [{"scheme": "value", "segment_id": n, "spending": mean * size} for n, (mean, size) in by_segment]


def lineage() -> list[dict]:
    """By value all kinds of fate; by taste every segment goes on."""
    rows = [
        ("value", 0, 0, "same", 0.93),
        ("value", 1, 1, "same", 0.88),
        ("value", 0, 2, "split", 0.21),
        ("value", 4, 3, "merge", 0.34),
        ("value", None, 4, "born", 0.0),
        ("value", 2, None, "ended", 0.0),
        *(("taste", number, number, "same", 1.0) for number in range(4)),
    ]
    return [dict(zip(("scheme", "from_segment", "to_segment", "kind", "overlap"), row, strict=True)) for row in rows]


def drift() -> list[dict]:
    names = ("feature", "psi", "bound", "drifted")
    rows = [("monetary", 0.02, 0.2, False), ("spend_30d", 0.412, 0.2, True), ("aov", 0.09, 0.2, False)]
    return [dict(zip(names, row, strict=True)) for row in rows]


def profiles(fake: FakeRun) -> list[dict]:
    lifts = {**LIFTS, f"favourite_category={fake.category}": (0.26, (1.9, 0.8, 0.6, 3.0, 1.0))}
    return [
        {
            "scheme": scheme,
            "segment_id": number,
            "feature": feature,
            "mean": mean * by_segment[number],
            "overall_mean": mean,
            "lift": by_segment[number],
        }
        for scheme, size in (("value", 5), ("taste", 4))
        for feature, (mean, by_segment) in lifts.items()
        for number in range(size)
    ]


def rules(fake: FakeRun) -> list[dict]:
    """One rule for each segment, and a second for the first; it names the shelf, which may be anything."""
    texts = [f"Money spent below {50 * (number + 1)}" for number in range(5)]
    rows = [(number, 1, text) for number, text in enumerate(texts)] + [(0, 2, f"Favourite category: {fake.category}")]
    names = ("segment_id", "rule_no", "rule")
    told = {"scheme": "value", "coverage": 0.83, "precision": 0.91}
    return [{**dict(zip(names, row, strict=True)), **told} for row in rows]


def metrics() -> list[dict]:
    als = {"method": "als", "k": 10, "users": 1833}
    rows = [
        {**als, "metric": m, "value": v, "low": v * 0.93, "high": v * 1.07, "popularity_value": popular}
        for m, (v, popular) in METRICS.items()
    ]
    gain = {**als, "method": "als-popularity", "metric": "ndcg_at_k", "value": 0.069, "low": 0.061, "high": 0.078}
    return [*rows, {**gain, "popularity_value": None}]


def recommendations(fake: FakeRun) -> list[dict]:
    row = {"method": "als", "user_id": "u0", "reason": f"like {fake.category}"}
    return [{**row, "rank": rank, "item_id": f"i{rank}", "score": 1 / rank} for rank in (1, 2)]


def offers(fake: FakeRun) -> list[dict]:
    """Three items for one user of each value segment, as the stage gathers them."""
    return [
        {
            "scheme": "value",
            "segment_id": number,
            "rank": rank,
            "item_id": f"i{rank}",
            "description": (f"{fake.category} holder, {number + 1} arms", "Garden chair", None)[rank - 1],
            "category": (fake.category, "Garden", None)[rank - 1],
            "names": {"i7": f"{fake.category} stand"},
            "reason": ("because you bought i7", "popular in your segment", "popular")[rank - 1],
            "features": {"monetary": mean, "frequency": 6.8, "recency_days": None},
        }
        for number, mean in enumerate(SPENT)
        for rank in (1, 2, 3)
    ]


def checks() -> list[dict]:
    names = ("source", "check", "passed", "value", "bound")
    rows = [
        ("orders", "rows in = accepted + quarantined + filtered", True, 0.0, 0.0),
        ("orders", "share in quarantine", True, 0.018, 0.05),
        ("orders", "lines without a user", True, 69_432.0, None),
        ("items", "share of items without a category", False, 0.31, 0.2),
    ]
    return [dict(zip(names, row, strict=True)) for row in rows]


def selection() -> list[dict]:
    return [
        {"feature": "monetary", "kept": True, "log_scaled": True, "place": 0},
        {"feature": "aov", "kept": True, "log_scaled": False, "place": 1},
        {"feature": "spend_365d", "kept": False, "reason": "correlated with monetary", "log_scaled": False},
        {"feature": "refund_share", "kept": False, "reason": "constant", "log_scaled": False},
    ]


def stages(fake: FakeRun) -> list[dict]:
    names = ("stage", "status", "seconds", "rows", "note")
    rows = [
        ("ingest", "done", 14.2, 320_705, None),
        ("features", "done", 21.8, 2_394, None),
        ("segments", "done", 33.1, 4_788, None),
        ("predict", "skipped", 0.0, 0, "no outcome of a campaign is known; the source outcomes would bring it"),
        ("campaigns", "done", 12.9, 4_402, None),
    ]
    run = {"run_id": fake.run_id, "as_of": AS_OF, "ingest_seq": 2, "config_hash": "9f3c1e", "code_version": "0.1.0+ab"}
    start = at("2026-11-22 10:00")
    times = [{"started_at": start + timedelta(minutes=n), "heartbeat_at": start} for n in range(len(rows))]
    return [{**run, **time, **dict(zip(names, row, strict=True))} for time, row in zip(times, rows, strict=True)]


def sources() -> list[dict]:
    names = ("ingest_seq", "source", "rows_in", "accepted", "quarantined", "filtered")
    rows = [
        (1, "orders", 320_705, 313_960, 5_760, 985),
        (2, "items", 4_070, 4_070, 0, 0),
        (3, "orders", 999, 999, 0, 0),  # read after the run
    ]
    return [dict(zip(names, row, strict=True)) for row in rows]


def quarantined(fake: FakeRun) -> list[dict]:
    reasons = ["price: not above 0"] * 9 + ["quantity: no number"] * 4 + [f"category: {fake.category} is not known"] * 2
    rows = [{"source": "orders", "file": "a", "line": n, "reason": r, "ingest_seq": 1} for n, r in enumerate(reasons)]
    return [*rows, {**rows[0], "line": 99, "reason": "read after the run", "ingest_seq": 3}]
