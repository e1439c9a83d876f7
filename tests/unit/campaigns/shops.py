"""A small lake of one run, with segments, features and consent, for the tests of campaigns."""

from datetime import date, datetime

import numpy as np
from pyspark.sql import functions as F

from segspark.campaigns.catalogue import Strategies
from segspark.core.contracts import (
    ITEMS,
    OUTCOMES,
    PUBLICATIONS,
    RECOMMENDATIONS,
    USER_FEATURES,
    USER_SEGMENTS,
    USERS,
    Contract,
)
from segspark.core.stage import Run, StageContext

AS_OF = date(2024, 7, 1)
SEGMENTS = ("economy", "loyal", "segment-2")
STRATEGIES = Strategies.model_validate(
    {
        "channels": {
            "email": {"contacts_per_day": 40, "money_per_day": 21.0},
            "post": {"contacts_per_day": 15, "money_per_day": 1000.0},
        },
        "actions": {
            "coupon": {"title": "Coupon", "channel": "email", "personas": ["economy", "loyal"], "cost": 0.5},
            "goods": {
                "title": "Goods",
                "channel": "email",
                "personas": ["economy"],
                "cost": 0.1,
                "items": "recommended",
            },
            "wishes": {"title": "Wishes", "channel": "post", "personas": ["loyal"], "cost": 1.5},
        },
    }
)


def context_of(lake, run_id="r1", as_of=AS_OF, previous=None, ingest_seq=9):
    return StageContext(lake, Run(run_id, as_of, ingest_seq, 7, previous))


def fill_lake(lake, users=600, run_id="r1", seed=1):
    """Users u0, u1, … with a segment, an average order and consent (three of four)."""
    drawn = np.random.default_rng(seed)
    segments = drawn.integers(0, len(SEGMENTS), users)
    consent = drawn.uniform(size=users) < 0.75
    aov = drawn.lognormal(3.0, 0.6, users)
    ids = [f"u{n}" for n in range(users)]
    write(lake, USERS, [{"user_id": u, "consent": bool(c), "ingest_seq": 1} for u, c in zip(ids, consent, strict=True)])
    features = [{"user_id": u, "as_of": AS_OF, "is_bot": n % 97 == 0} for n, u in enumerate(ids)]
    frame = plain(lake, USER_FEATURES, features).join(
        lake.spark.createDataFrame(
            [(u, float(a)) for u, a in zip(ids, aov, strict=True)], "user_id string, aov double"
        ),
        on="user_id",
    )
    lake.replace_run(USER_FEATURES, frame, run_id)
    members = [
        {"scheme": "value", "user_id": u, "segment_id": int(s), "segment_name": SEGMENTS[s]}
        for u, s in zip(ids, segments, strict=True)
    ]
    lake.replace_run(USER_SEGMENTS, plain(lake, USER_SEGMENTS, members), run_id)
    items = [{"item_id": f"i{n}", "category": "toys", "price": 5.0, "stock": 3 + n, "ingest_seq": 1} for n in range(12)]
    write(lake, ITEMS, items)
    lists = [
        {"method": "als", "user_id": u, "rank": r + 1, "item_id": f"i{(n + r) % 12}", "score": 1.0}
        for n, u in enumerate(ids)
        for r in range(2)
    ]
    lake.replace_run(RECOMMENDATIONS, plain(lake, RECOMMENDATIONS, lists), run_id)
    return {u for u, c, n in zip(ids, consent, range(users), strict=True) if c and n % 97}


def publish(lake, run_id):
    return lake.publish(run_id, "test", "run", {}, {})


def send(lake, rows, campaign_id="campaign-2024-07-01"):
    """Outcomes of contacts that were made: (user_id, action, day)."""
    sent = [
        {
            "campaign_id": campaign_id,
            "user_id": user,
            "action": action,
            "treated": True,
            "sent_at": datetime.combine(day, datetime.min.time().replace(hour=10)),
            "ingest_seq": 2,
        }
        for user, action, day in rows
    ]
    write(lake, OUTCOMES, sent)


def plain(lake, contract: Contract, rows):
    schema = ", ".join(f"`{column.name}` {column.type}" for column in contract.columns)
    return lake.spark.createDataFrame([tuple(row.get(name) for name in contract.names) for row in rows], schema)


def write(lake, contract: Contract, rows):
    lake.append(contract, plain(lake, contract, rows))


def published(lake):
    return lake.read(PUBLICATIONS).select("run_id", F.col("seq"))
