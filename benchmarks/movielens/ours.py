"""Our recommenders on MovieLens, each by the method that a run would use."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from benchmarks.contestant import Ready, Task
from benchmarks.movielens.comparison import K
from benchmarks.spark import session
from segspark.core.checkpoints import checkpointed, cut_off
from segspark.recommend.config import EvaluationConfig, RecommendConfig
from segspark.recommend.factors import arranged, fit_explicit
from segspark.recommend.interactions import BOUGHT, with_numbers
from segspark.recommend.judging.evaluation import plan_of
from segspark.recommend.judging.mixing import best_mix
from segspark.recommend.judging.ratings import around_expected, mean_rating, micros, with_expected
from segspark.recommend.judging.split import is_drawn
from segspark.recommend.methods.by_factors import by_popularity
from segspark.recommend.methods.hybrid import by_hybrid
from segspark.recommend.methods.method import Method, Settings, listed
from segspark.recommend.methods.registry import methods_of
from segspark.recommend.methods.train import train_part
from segspark.recommend.numbering import number_both
from segspark.recommend.sizes import als_blocks

SEED = 7
CONFIG = RecommendConfig(user_neighbours=50, evaluation=EvaluationConfig(k=K))
MEMBERS = ("als", "item_cf", "user_cf")
VALIDATION_SHARE = 0.2


def run(task: Task, ready: Ready) -> dict[str, object]:
    """Writes lists of 10 without what the user rated before, or predictions of the held-out ratings."""
    spark = session(task)
    ready()
    rows = spark.read.parquet(task.inputs["train"])
    told: dict[str, object] = {}
    if task.settings["method"] == "als_explicit":
        found = _predictions(rows, spark.read.parquet(task.inputs["held_out"]))
    else:
        pairs = rows.select("user_id", "item_id", F.col("rating").alias("weight"), F.lit(BOUGHT).alias("action"))
        method, told = _method(task.settings["method"], pairs)
        train = train_part(pairs, CONFIG, SEED)
        assert train is not None
        lists = listed(method, train, None, Settings(CONFIG, plan_of(train, CONFIG), SEED))
        named = lists.join(train.user_index, on="user_no", how="inner")
        found = named.join(train.item_index, on="item_no", how="inner").select("user_id", "rank", "item_id", "score")
    found.write.parquet(task.output)
    spark.stop()
    return told


def _method(name: str, pairs: DataFrame) -> tuple[Method, dict[str, object]]:
    """The method, and what there is to tell of it; a mix is learnt on a part of the training part."""
    members = methods_of(MEMBERS, pairs.limit(0))
    if name != "hybrid":
        return {**members, "popularity": by_popularity}[name], {}
    held_out = is_drawn(VALIDATION_SHARE, "user_id", "item_id", seed=SEED)
    known = {name: F.when(~held_out, F.col(name)) for name in ("weight", "action")}
    acts = pairs.withColumns({**known, "tested": F.when(held_out, F.col("action"))})
    mix = best_mix(acts, members, CONFIG, SEED)
    return by_hybrid(members, mix), {"mix": mix.told}


def _predictions(rows: DataFrame, held_out: DataFrame) -> DataFrame:
    """Explicit ALS around what to expect of the item and the user, on users and items that the training part has."""
    known = rows.select("user_id", "item_id", F.col("rating").alias("weight"))
    asked = held_out.select("user_id", "item_id", F.col("rating").alias("tested"))
    rated = {"pairs": F.count("weight"), "micros": micros(F.col("weight"))}
    ratings, found = checkpointed(known.join(asked, on=["user_id", "item_id"], how="full"), rated)
    users, items = (cut_off(index) for index in number_both(ratings.where("weight IS NOT NULL"), found["pairs"]))
    blocks = als_blocks(found["pairs"], CONFIG)
    expected = with_expected(with_numbers(ratings, users, items), mean_rating(found["micros"], found["pairs"]))
    expected = cut_off(arranged(expected, blocks))
    model = fit_explicit(around_expected(expected), CONFIG, blocks, SEED)
    predicted = model.transform(expected.where("tested IS NOT NULL"))
    named = predicted.join(users, on="user_no", how="inner").join(items, on="item_no", how="inner")
    return named.select("user_id", "item_id", (F.col("expected") + F.col("prediction")).alias("prediction"))
