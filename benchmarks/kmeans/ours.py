"""Our fit and assignment. `fit` is full (MLlib on everyone) or sample (scikit-learn on 200,000 chosen by hash)."""

from benchmarks.contestant import Ready, Task
from benchmarks.spark import session
from benchmarks.vectors import FEATURES
from segspark.segments.assign import assign
from segspark.segments.config import SchemeConfig
from segspark.segments.fit import count_under, model_of
from segspark.segments.methods.kmeans import full_centres, sampled_centres
from segspark.segments.methods.method import Everyone
from segspark.segments.placement import NearestCentre
from segspark.segments.sample import sample_vectors

SEED = 7
AXES_SAMPLE = 20_000  # users that the two axes of the map are taken from, as in the stage


def run(task: Task, ready: Ready) -> dict[str, str]:
    """One start of `iterations`, then everyone's segment, distance, confidence and place on the map."""
    spark = session(task)
    ready()
    vectors = spark.read.parquet(task.inputs["vectors"])
    k, iterations, fit = task.settings["k"], task.settings["iterations"], task.settings["fit"]
    config = SchemeConfig(k=k, fit=fit, fit_starts=1, starts=1, max_iter=iterations, tolerance=0.0)
    everyone = Everyone(vectors, vectors.count())
    fits = {"full": full_centres, "sample": sampled_centres}
    (name, centres), *_ = fits[fit](everyone, k, config, SEED).items()
    placement = NearestCentre(centres)
    (counts,) = count_under(everyone, [placement], FEATURES)
    model = model_of(placement, counts, sample_vectors(vectors, AXES_SAMPLE, everyone.users, SEED).points)
    assign(vectors, model).withColumnRenamed("segment_id", "label").write.parquet(task.output)
    spark.stop()
    return {"fitted_by": name}
