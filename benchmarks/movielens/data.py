"""MovieLens 100K (Harper and Konstan 2015) as it lies in the recbole wheel, of which nothing is imported."""

from importlib import metadata
from pathlib import Path

import numpy as np
import pandas as pd

WHEEL, FILE = "recbole", "recbole/dataset_example/ml-100k/ml-100k.inter"
COLUMNS = ["user_id", "item_id", "rating", "rated_at"]
TEST_SHARE = 0.25


def ratings() -> pd.DataFrame:
    """user_id and item_id (text), rating from 1 to 5 and rated_at (seconds); 943 users, 1,682 items, 100,000 rows."""
    path = Path(str(metadata.distribution(WHEEL).locate_file(FILE)))
    return pd.read_csv(path, sep="\t", header=0, names=COLUMNS, dtype={"user_id": str, "item_id": str})


def is_test(rows: pd.DataFrame, seed: int = 7) -> np.ndarray:
    """Marks a random quarter of each user's rows, to the nearest row: stratified by user, time not looked at."""
    draw = pd.Series(np.random.default_rng(seed).random(len(rows)), index=rows.index)
    place = draw.groupby(rows["user_id"]).rank(method="first")
    count = rows.groupby("user_id")["user_id"].transform("size")
    return (place <= (count * TEST_SHARE).round()).to_numpy()
