"""The planning problem: users, 12 actions through 4 channels over 7 days, budgets for about half of the users."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from segspark.campaigns.catalogue import Strategies
from segspark.campaigns.planning.choosing import Rules

ACTIONS, SEGMENTS, DAYS, DRAWS, SEED = 12, 7, 7, 256, 7
CHANNELS = ("email", "app", "social", "post")
ROWS = 100_000  # of a file


def write_users(size: int, folder: str) -> None:
    """Rows of `ASKED` as the stage campaigns has them, some hundred thousand a file."""
    drawn = np.random.default_rng(SEED)
    for start in range(0, size, ROWS):
        rows = min(ROWS, size - start)
        allowed = pa.array(list(drawn.uniform(size=(rows, ACTIONS)) < 0.6), type=pa.list_(pa.bool_()))
        worth = 10 ** np.round(drawn.normal(1.4, 0.3, rows), 1)
        columns = {
            "user_id": pa.array([f"u-{start + n:09d}" for n in range(rows)]),
            "segment_no": pa.array(drawn.integers(0, SEGMENTS, rows), pa.int32()),
            "worth": pa.array(worth),
            "allowed": allowed,
            "holdout": pa.array(drawn.uniform(size=rows) < 0.1),
            **{name: pa.array(drawn.uniform(size=rows)) for name in ("lane", "draw", "tie")},
        }
        pq.write_table(pa.table(columns), f"{folder}/{start:09d}.parquet")


def strategies_for(users: int) -> Strategies:
    """Actions that cost from 2 cents to 1.5, and budgets that do not suffice."""
    costs = np.round(np.geomspace(0.02, 1.5, ACTIONS), 2)
    contacts = max(1, users // (2 * DAYS * len(CHANNELS)))
    channels = {name: {"contacts_per_day": contacts, "money_per_day": 0.3 * contacts + 2} for name in CHANNELS}
    actions = {
        f"a{n}": {"title": "x", "channel": CHANNELS[n % 4], "personas": ["all"], "cost": float(costs[n])}
        for n in range(ACTIONS)
    }
    return Strategies.model_validate({"channels": channels, "actions": actions})


def rules_for(strategies: Strategies) -> Rules:
    """Three proven actions in each segment, and nine that are still tried."""
    drawn = np.random.default_rng(SEED + 1)
    mean = drawn.gamma(2.0, 0.02, (SEGMENTS, ACTIONS))
    proven = np.argsort(-mean, axis=1).argsort(axis=1) < 3
    shares = np.where(proven, 0.2, 0.4 / (ACTIONS - 3))
    uplift = mean + drawn.normal(0, 0.01, (DRAWS, SEGMENTS, ACTIONS))
    costs = np.array([action.cost for action in strategies.actions.values()])
    return Rules(shares, proven, 0.02, mean, mean + 0.05, uplift, costs, np.zeros(ACTIONS))
