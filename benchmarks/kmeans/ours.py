"""Our fit and assignment. `fit` is full (MLlib on everyone) or sample (scikit-learn on 200,000 chosen by hash)."""

from benchmarks.contestant import Ready, Task
from benchmarks.spark import session
from benchmarks.vectors import FEATURES
from segspark.segments.assign import assign
from segspark.segments.config import SchemeConfig
from segspark.segments.fit import count_under, full_centres, sampled_centres
from segspark.segments.geometry import principal_axes
from segspark.segments.model import SegmentModel
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
    users = vectors.count()
    if fit == "full":
        found = full_centres(vectors, k, users * FEATURES, config, SEED)
    else:
        found = sampled_centres(vectors, k, users, config, SEED)
    (name, centres), *_ = found.items()
    sizes, _ = count_under(vectors, [centres])[0]
    origin, axes = principal_axes(sample_vectors(vectors, AXES_SAMPLE, users, SEED).points)
    model = SegmentModel(centres, sizes, origin, axes)
    assign(vectors, model).withColumnRenamed("segment_id", "label").write.parquet(task.output)
    spark.stop()
    return {"centres_from": name}
