import numpy as np
from pyspark.sql import functions as F

from segspark.segments.sample import sample_vectors
from tests.unit.segments.blobs import blobs, vectors_of


def test_a_sample_has_its_size_and_is_the_same_wherever_rows_lie(spark):
    points, _ = blobs([[0, 0]], [900])
    vectors = vectors_of(spark, points)
    one = sample_vectors(vectors.coalesce(1), 200, 900, seed=7)
    other = sample_vectors(vectors.repartition(5, F.rand(1)), 200, 900, seed=7)
    assert one.points.shape == (200, 2)
    assert (one.points == other.points).all()
    assert (one.bits == other.bits).all()
    assert not np.array_equal(sample_vectors(vectors, 200, 900, seed=8).points, one.points)


def test_a_larger_sample_holds_the_smaller_and_the_largest_is_everyone_in_the_order_of_user_id(spark):
    points, _ = blobs([[0, 0]], [500])
    vectors = vectors_of(spark, points)
    small, large = (sample_vectors(vectors, size, 500, seed=7).points for size in (100, 300))
    assert {tuple(point) for point in small} < {tuple(point) for point in large}
    assert (sample_vectors(vectors, 500, 500, seed=7).points == points).all()


def test_halves_are_even_and_drawn_apart_from_the_sample(spark):
    points, _ = blobs([[0, 0]], [2000])
    bits = sample_vectors(vectors_of(spark, points), 1000, 2000, seed=7).bits
    shares = [np.mean((bits >> split) & 1) for split in range(10)]
    assert all(0.44 < share < 0.56 for share in shares)
