"""Our factors on online retail, the regularisation chosen on a further masked part."""

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.retail.comparison import MASKED_SHARE, mean_auc
from benchmarks.spark import session
from segspark.core.checkpoints import cut_off
from segspark.recommend.config import RecommendConfig
from segspark.recommend.factors import arranged, fit_implicit
from segspark.recommend.interactions import with_numbers
from segspark.recommend.numbering import number_both
from segspark.recommend.sizes import als_blocks

SEED = 7
RANK, ALPHA, ITERATIONS = 20, 15.0, 10
REG_PARAMS = (1.0, 2.0, 4.0, 8.0, 16.0)


def run(task: Task, ready: Ready) -> dict[str, object]:
    """Writes kind (user or item), id and factors, fitted to the whole training part; tells each trial's area."""
    spark = session(task)
    ready()
    train = pd.read_parquet(task.inputs["train"])
    hidden = np.random.default_rng(SEED).random(len(train)) < MASKED_SHARE
    part, validation = train[~hidden], train[hidden]
    trials = {reg_param: _area(fitted(spark, part, reg_param), part, validation) for reg_param in REG_PARAMS}
    chosen = max(trials, key=lambda reg_param: trials[reg_param])
    fitted(spark, train, chosen).to_parquet(task.output)
    spark.stop()
    return {"reg_param": chosen, "trials": {str(key): round(value, 4) for key, value in trials.items()}}


def fitted(spark: SparkSession, rows: pd.DataFrame, reg_param: float) -> pd.DataFrame:
    """Factors of customers and items."""
    config = RecommendConfig(rank=RANK, alpha=ALPHA, iterations=ITERATIONS, reg_param=reg_param)
    pairs = spark.createDataFrame(rows).withColumn("action", F.lit(1))
    users, items = number_both(pairs, len(rows))
    blocks = als_blocks(len(rows), config)
    factors = fit_implicit(cut_off(arranged(with_numbers(pairs, users, items), blocks)), config, blocks, SEED)
    of_users = _named(factors.users.join(users, on="user_no", how="inner"), "user")
    return pd.concat([of_users, _named(factors.items.join(items, on="item_no", how="inner"), "item")])


def _named(factors: DataFrame, kind: str) -> pd.DataFrame:
    return factors.select(F.lit(kind).alias("kind"), F.col(f"{kind}_id").alias("id"), "factors").toPandas()


def _area(factors: pd.DataFrame, part: pd.DataFrame, validation: pd.DataFrame) -> float:
    items = pd.Index(sorted(part["item_id"].unique()))
    by_id = factors.set_index(["kind", "id"])["factors"]
    of_items, of_users = np.stack(by_id["item"].reindex(items)), by_id["user"]
    return mean_auc(part, validation, items, lambda user: of_items @ of_users[user])
