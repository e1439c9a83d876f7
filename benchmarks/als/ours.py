"""Our factors and lists: numbers for the ids, ALS, the best items in blocks, ids again."""

from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.spark import kept, session
from segspark.core.checkpoints import cut_off
from segspark.recommend.config import RecommendConfig
from segspark.recommend.factors import arranged, fit_implicit
from segspark.recommend.interactions import BOUGHT, with_numbers
from segspark.recommend.numbering import number_both
from segspark.recommend.reasons import with_names
from segspark.recommend.sizes import als_blocks, user_block_rows
from segspark.recommend.topn import ListPlan, best_items

SEED = 7


def run(task: Task, ready: Ready) -> dict[str, int]:
    """Fits and writes the best items of every user, without those the user has; reasons where asked."""
    spark = session(task)
    ready()
    known = ("rank", "iterations", "alpha", "reg_param", "top_n")
    config = RecommendConfig(**{name: task.settings[name] for name in known})
    pairs = spark.read.parquet(task.inputs["pairs"]).withColumn("action", F.lit(BOUGHT))
    pair_count = pairs.count()
    users, items = (kept(index, task, f"ids-{place}") for place, index in enumerate(number_both(pairs, pair_count)))
    plan = _plan(users.count(), config, task.settings["reasons"])
    blocks = als_blocks(pair_count, config)
    numbered = cut_off(arranged(with_numbers(pairs, users, items), blocks))
    factors = fit_implicit(numbered, config, blocks, SEED)
    lists = best_items(factors, numbered, items.limit(0), plan)
    with_names(lists, users, items).write.parquet(task.output)
    spark.stop()
    return {"users": plan.users, "blocks": blocks}


def _plan(users: int, config: RecommendConfig, reasons: bool) -> ListPlan:
    return ListPlan(
        users=users,
        top_n=config.top_n,
        leave_out=BOUGHT,
        explain=reasons,
        user_block_rows=user_block_rows(users, config),
        item_block_rows=config.item_block_rows,
    )
