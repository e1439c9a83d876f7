"""Alternating least squares over numbered users and items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyspark.ml.recommendation import ALS, ALSModel
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.core.errors import SegsparkError
from segspark.recommend.vectors import Factors

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from segspark.recommend.config import RecommendConfig

CHECKPOINT_EVERY = 5  # iterations; each cuts the lineage


def arranged(pairs: DataFrame, blocks: int) -> DataFrame:
    """The same rows in the one order that a fit takes them in, whatever order they had: MLlib's sums depend on it.

    Rows may be left out of what was arranged before it is fitted to.
    """
    return pairs.repartition(blocks, "user_no").sortWithinPartitions("user_no", "item_no")


def fit_implicit(interactions: DataFrame, config: RecommendConfig, blocks: int, seed: int) -> Factors:
    """Factors of user_no, item_no, weight (Hu, Koren, Volinsky 2008): preference 1, confidence 1 + alpha * weight.

    MLlib solves, for each user with n interactions, (Y'Y + Y'(C - I)Y + reg_param * n * I) x = Y'C p. Same rows and
    `blocks` give the same factors up to the last digits. The rows are as `arranged` left them in as many blocks, and
    a checkpoint: MLlib evaluates its input twice, once for a line of its log.
    """
    model = _als(config, blocks, seed).setImplicitPrefs(True).setAlpha(config.alpha)
    return factors_of(model.setRegParam(config.reg_param).fit(_narrow(interactions)))


def fit_explicit(ratings: DataFrame, config: RecommendConfig, blocks: int, seed: int) -> ALSModel:
    """A model of `weight`, a rating's distance from what to expect, by user_no and item_no (Zhou et al. 2008).

    The rows are arranged, and a checkpoint, as for `fit_implicit`.
    """
    model = _als(config, blocks, seed).setImplicitPrefs(False).setColdStartStrategy("drop")
    return model.setRegParam(config.rating_reg_param).fit(_narrow(ratings))


def factors_of(model: ALSModel) -> Factors:
    """The model's vectors under the numbers of users and items."""
    users = model.userFactors.select(F.col("id").alias("user_no"), F.col("features").alias("factors"))
    items = model.itemFactors.select(F.col("id").alias("item_no"), F.col("features").alias("factors"))
    return Factors(users, items)


def require_checkpoints(spark: SparkSession) -> None:
    """Raises SegsparkError where no checkpoint folder is set: ALS would silently grow its lineage until it breaks."""
    if spark.sparkContext.getCheckpointDir() is None:
        raise SegsparkError(
            "factors: the Spark session has no checkpoint folder, without which ALS overflows the stack; open the"
            " session by segspark.core.session.open_session, or call setCheckpointDir before the run"
        )


def _als(config: RecommendConfig, blocks: int, seed: int) -> ALS:
    return ALS(
        rank=config.rank,
        maxIter=config.iterations,
        numUserBlocks=blocks,
        numItemBlocks=blocks,
        checkpointInterval=CHECKPOINT_EVERY,
        seed=seed,
        userCol="user_no",
        itemCol="item_no",
        ratingCol="weight",
    )


def _narrow(pairs: DataFrame) -> DataFrame:
    return pairs.select("user_no", "item_no", F.col("weight").cast("float").alias("weight"))
