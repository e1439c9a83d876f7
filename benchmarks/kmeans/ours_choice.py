"""Our choice among the nine numbers of segments from 2 to 10, on a sample of everyone's vectors."""

from benchmarks.contestant import Ready, Task
from benchmarks.spark import session
from segspark.segments.choice import best, try_candidates
from segspark.segments.config import SchemeConfig
from segspark.segments.methods.registry import METHODS
from segspark.segments.sample import sample_vectors

SEED = 7


def run(task: Task, ready: Ready) -> dict[str, int]:
    """Every candidate fitted and measured with the product's defaults."""
    spark = session(task)
    ready()
    vectors = spark.read.parquet(task.inputs["vectors"])
    config = SchemeConfig()
    sample = sample_vectors(vectors, config.sample, vectors.count(), SEED)
    candidates = METHODS[config.algorithm].candidates(config, sample.points)
    chosen = best(try_candidates(sample, candidates, config, SEED))
    spark.stop()
    return {"chosen_k": chosen.k, "candidates": len(candidates)}
