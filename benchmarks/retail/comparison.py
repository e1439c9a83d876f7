"""Online retail: a fifth of the customer and item pairs masked at random, ranked by factors against popularity."""

from pathlib import Path

import click
import duckdb
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from benchmarks.case import Case, Check, Contestant, Inputs, Workshop

ORDERS = Path(__file__).parents[3] / "shared" / "data" / "online_retail"
MASKED_SHARE = 0.2
LEAD = 0.05  # of the factors' mean area under the curve over popularity's
OURS = "ours"
PAIRS = """
    SELECT CAST(CAST(CustomerID AS BIGINT) AS TEXT) AS user_id, StockCode AS item_id,
        CAST(sum(Quantity) AS DOUBLE) AS weight
    FROM read_csv('{path}/*.csv.gz', types = {{'StockCode': 'TEXT', 'InvoiceNo': 'TEXT'}})
    WHERE CustomerID IS NOT NULL AND Quantity > 0 GROUP BY ALL ORDER BY ALL
"""


def prepare(size: int, workshop: Workshop) -> Inputs:
    """Summed positive quantities by customer and item (`size` says how many pairs), cut by chance."""
    if not ORDERS.exists():
        raise click.ClickException("retail: ../shared/data/online_retail is not beside the repository; put it there")
    workshop.folder.mkdir(parents=True, exist_ok=True)
    pairs = duckdb.sql(PAIRS.format(path=ORDERS)).df()
    masked = np.random.default_rng(7).random(len(pairs)) < MASKED_SHARE
    paths = {"train": workshop.folder / "train.parquet", "masked": workshop.folder / "masked.parquet"}
    pairs[~masked].to_parquet(paths["train"])
    pairs[masked].to_parquet(paths["masked"])
    return {name: str(path) for name, path in paths.items()}


def check(inputs: Inputs, outputs: dict[str, Path]) -> list[Check]:
    """Mean area under the curve over customers, by scikit-learn: masked items against those never bought."""
    train, masked = pd.read_parquet(inputs["train"]), pd.read_parquet(inputs["masked"])
    bought = train.groupby("item_id").size()
    items = bought.index
    by_popularity = mean_auc(train, masked, items, lambda user: bought.to_numpy())
    checks = []
    for name, path in outputs.items():
        factors = pd.read_parquet(path).set_index(["kind", "id"])["factors"]
        of_items, of_users = np.stack(factors["item"].reindex(items)), factors["user"]
        found = mean_auc(train, masked, items, lambda user: of_items @ of_users[user])  # noqa: B023
        told = f"{found:.4f} against {by_popularity:.4f}"
        checks.append(Check(f"mean AUC of {name} at least popularity's + {LEAD}", found >= by_popularity + LEAD, told))
    return checks


def mean_auc(train: pd.DataFrame, masked: pd.DataFrame, items: pd.Index, scores_of) -> float:
    """Over the customers with a masked item; candidates are the items that the customer has not in `train`."""
    own = train.groupby("user_id")["item_id"].agg(set)
    found = []
    for user, hidden in masked[masked["item_id"].isin(items)].groupby("user_id")["item_id"]:
        if user not in own.index:
            continue
        open_to = ~items.isin(own[user])
        found.append(roc_auc_score(items.isin(hidden)[open_to], scores_of(user)[open_to]))
    return float(np.mean(found))


CASE = Case(
    name="retail",
    title="Online retail, a fifth of the pairs masked: quality, not cost",
    unit="pairs",
    sizes={"tiny": (162_829,), "small": (162_829,), "full": (162_829,)},
    prepare=prepare,
    contestants=(Contestant(OURS, "benchmarks.retail.ours"),),
    baseline=OURS,
    check=check,
)
