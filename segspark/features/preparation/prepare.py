"""The fitted preparation: from user_features to the vectors that models see, as an MLlib pipeline."""

import difflib
from dataclasses import dataclass

import numpy as np
from pyspark.ml import Pipeline, PipelineModel, Transformer
from pyspark.ml.base import Estimator
from pyspark.ml.feature import (
    PCA,
    ElementwiseProduct,
    OneHotEncoder,
    RobustScaler,
    SQLTransformer,
    StandardScaler,
    StringIndexer,
    VectorAssembler,
)
from pyspark.ml.functions import vector_to_array
from pyspark.ml.linalg import Vectors
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from segspark.core.errors import ConfigError, InputError
from segspark.features.config import PrepareConfig
from segspark.features.preparation.sampling import Sample
from segspark.features.preparation.selection import Choice, choose_features

Stage = Transformer | Estimator


@dataclass(frozen=True)
class Preparation:
    """The fitted pipeline and why it looks so; its output column is `prepared`."""

    model: PipelineModel
    choices: tuple[Choice, ...]
    keeps_names: bool  # whether each number of a vector is one feature: no category, no principal component


def numbers_of(config: PrepareConfig) -> tuple[str, ...]:
    """The numbers that the preparation looks at."""
    return tuple(name for block in config.blocks.values() for name in block.columns)


def check_names(schema: StructType, config: PrepareConfig) -> None:
    """Raises ConfigError for a feature that user_features does not have."""
    types = {field.name: field.dataType.simpleString() for field in schema.fields}
    named = {f"blocks.{key}.columns": (block.columns, "double") for key, block in config.blocks.items()}
    for path, (names, kind) in {**named, "categories": (config.categories, "string")}.items():
        for name in names:
            if types.get(name) != kind:
                known = sorted(column for column, other in types.items() if other == kind)
                near = difflib.get_close_matches(name, known, 3) or known
                raise ConfigError(f"features.prepare.{path}: there is no {kind} feature {name}; try {', '.join(near)}")


def fit_preparation(spark: SparkSession, sample: Sample, config: PrepareConfig) -> Preparation:
    """Fits the preparation to a sample of user_features that has all that `config` names.

    The sample is put into one partition, so that the fit does not depend on how rows are spread. Raises InputError
    where no feature varies.
    """
    numbers, rows = list(numbers_of(config)), sample.rows
    values = sample.numbers(numbers)
    choices = choose_features(np.where(np.isfinite(values), values, np.nan), numbers, config)
    categories = [name for name in config.categories if rows[name].nunique() > 1]
    choices += [Choice(name, None if name in categories else "constant") for name in config.categories]
    if not any(choice.kept for choice in choices):
        raise InputError(_nothing_varies(choices, len(rows)))
    local = spark.createDataFrame(rows, sample.schema).coalesce(1)
    keeps_names = config.pca_share is None and not categories
    return Preparation(_fit(choices, categories, config, local), tuple(choices), keeps_names)


def prepare(features: DataFrame, model: PipelineModel) -> DataFrame:
    """One row per user of user_features but the bots, as the table `prepared_features` has it."""
    people = features.where(~F.col("is_bot"))
    unknown = F.lit(None).cast("array<float>")
    return model.transform(people).select("user_id", _prepared("features"), unknown.alias("before"))


def prepare_both(features: DataFrame, model: PipelineModel, earlier: PipelineModel) -> DataFrame:
    """The same, and in `before` each user as an earlier run's pipeline prepares them."""
    people = features.where(~F.col("is_bot"))
    now = model.transform(people).select(*people.columns, _prepared("prepared_now"))
    then = earlier.transform(now)
    return then.select("user_id", F.col("prepared_now").alias("features"), _prepared("before"))


def _prepared(name: str) -> Column:
    return vector_to_array(F.col("prepared"), "float32").alias(name)


def selection_rows(preparation: Preparation, fitted_by: str, settings: str) -> list[dict[str, object]]:
    """One row per feature that was looked at, as the table `feature_selection` has it."""
    places = {choice.feature: place for place, choice in enumerate(c for c in preparation.choices if c.kept)}
    named = places if preparation.keeps_names else {}
    return [
        {
            "feature": choice.feature,
            "kept": choice.kept,
            "reason": choice.reason,
            "log_scaled": choice.log_scaled,
            "place": named.get(choice.feature),
            "fitted_by": fitted_by,
            "settings": settings,
        }
        for choice in preparation.choices
    ]


def _fit(choices: list[Choice], categories: list[str], config: PrepareConfig, sample: DataFrame) -> PipelineModel:
    """Fill, bound, logarithm, scale; one-hot; weigh; then as many components as hold the share of variance."""
    kept = [choice for choice in choices if choice.kept and choice.feature not in categories]
    stages = [*_number_stages(kept, config), *_category_stages(categories)]
    parts = (["scaled"] if kept else []) + [f"is_{name}" for name in categories]
    outputs = "prepared" if config.pca_share is None else "weighed"
    weights = _weights(kept, categories, config, sample)
    stages.append(VectorAssembler(inputCols=parts, outputCol="joined"))
    stages.append(ElementwiseProduct(scalingVec=Vectors.dense(weights), inputCol="joined", outputCol=outputs))
    front = Pipeline(stages=stages).fit(sample)
    if config.pca_share is None:
        return front
    weighed = front.transform(sample)
    shares = PCA(k=len(weights), inputCol="weighed", outputCol="all").fit(weighed).explainedVariance.toArray()
    k = int(np.searchsorted(np.cumsum(shares), config.pca_share - 1e-9)) + 1
    components = PCA(k=min(k, len(weights)), inputCol="weighed", outputCol="prepared").fit(weighed)
    return PipelineModel(stages=[*front.stages, components])


def _number_stages(kept: list[Choice], config: PrepareConfig) -> list[Stage]:
    if not kept:
        return []
    expressions = ", ".join(f"{_expression(choice)} AS `bounded_{choice.feature}`" for choice in kept)
    assembled = VectorAssembler(inputCols=[f"bounded_{choice.feature}" for choice in kept], outputCol="numbers")
    return [SQLTransformer(statement=f"SELECT *, {expressions} FROM __THIS__"), assembled, _scaler(config)]


def _category_stages(names: list[str]) -> list[Stage]:
    """One column for each value in the sample, in alphabetical order; others and missing ones are all zeros."""
    stages: list[Stage] = []
    for name in names:
        index = f"index_{name}"
        stages.append(
            StringIndexer(inputCol=name, outputCol=index, stringOrderType="alphabetAsc", handleInvalid="keep")
        )
        stages.append(OneHotEncoder(inputCols=[index], outputCols=[f"is_{name}"]))
    return stages


def _scaler(config: PrepareConfig) -> Stage:
    if config.scaling == "robust":
        return RobustScaler(inputCol="numbers", outputCol="scaled", withCentering=True, relativeError=1e-6)
    return StandardScaler(inputCol="numbers", outputCol="scaled", withMean=True)


def _weights(kept: list[Choice], categories: list[str], config: PrepareConfig, sample: DataFrame) -> list[float]:
    of_block = {name: block.weight for block in config.blocks.values() for name in block.columns}
    values = sample.agg(*(F.countDistinct(name) for name in categories)).first() if categories else ()
    return [*(of_block[choice.feature] for choice in kept), *([config.category_weight] * sum(values or ()))]


def _expression(choice: Choice) -> str:
    """The feature filled, winsorised and as a logarithm; NaN and infinity count as missing."""
    known = f"IF(abs(`{choice.feature}`) < double('Infinity'), `{choice.feature}`, NULL)"
    filled = f"coalesce({known}, double('{choice.fill!r}'))"
    bounded = f"least(greatest({filled}, double('{choice.low!r}')), double('{choice.high!r}'))"
    return f"log1p({bounded})" if choice.log_scaled else bounded


def _nothing_varies(choices: list[Choice], users: int) -> str:
    reasons = "; ".join(f"{choice.feature}: {choice.reason}" for choice in choices[:4])
    return (
        f"features.prepare: all features are constant or missing over {users} users ({reasons}); models need users who"
        " differ: give more users, or name other features in features.prepare.blocks"
    )
