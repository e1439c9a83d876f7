"""Our plan: prices from a sample, everyone's choice, whole numbers a day, and the best contacts first."""

import numpy as np
from pyspark import StorageLevel
from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.planning.work import DAYS, rules_for, strategies_for
from benchmarks.spark import session
from segspark.campaigns.planning.assigning import ASKED, choose_for_everyone, with_prices
from segspark.campaigns.planning.cutting import cut_to_quotas
from segspark.campaigns.planning.prices import Budget
from segspark.campaigns.planning.quotas import set_quotas

SAMPLE = 4000  # users, as the product's default


def run(task: Task, ready: Ready) -> dict[str, float]:
    """As the stage does, but for reading and writing tables."""
    spark = session(task)
    ready()
    people = spark.read.parquet(task.inputs["users"])
    users = people.where("NOT holdout").count()
    strategies = strategies_for(int(task.inputs["size"]))
    through = np.array([action.channel for action in strategies.actions.values()])
    budgets = [
        Budget(through == name, float(channel.contacts_per_day * DAYS), channel.money_per_day * DAYS)
        for name, channel in strategies.channels.items()
    ]
    sample = people.where("NOT holdout").orderBy("tie", "user_id").limit(SAMPLE).select(*ASKED).toArrow()
    rules = with_prices(rules_for(strategies), sample, sample.num_rows / users, budgets)
    names = F.array(*map(F.lit, strategies.actions))
    wanted = choose_for_everyone(people, rules).withColumn("action", F.get(names, F.col("action_no")))
    wanted.persist(StorageLevel.MEMORY_AND_DISK)
    counts = {row.action: row["count"] for row in wanted.where("NOT holdout").groupBy("action").count().collect()}
    cut = cut_to_quotas(wanted, counts, set_quotas(counts, strategies, DAYS), "2024-07-01")
    cut.where("NOT holdout").select("user_id", "action_no", "send_on").write.parquet(task.output)
    spark.stop()
    return {"highest_price": float(rules.prices.max())}
