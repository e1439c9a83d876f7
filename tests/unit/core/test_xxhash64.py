import pytest
from pyspark.sql import functions as F

from segspark.core.contract import USER_BUCKETS, user_bucket
from segspark.core.xxhash64 import xxhash64

TEXTS = ["", "u1", "u-00000003", "zürich", "日本語のユーザー", "a" * 31, "b" * 32, "c" * 33, "d" * 100, "e" * 1000]


@pytest.mark.parametrize(
    ("content", "hashed"),
    [
        (b"", 0xEF46DB3751D8E999),
        (b"a", 0xD24EC4F1A98C6E5B),
        (b"abc", 0x44BC2CF5AD770999),
        (b"Nobody inspects the spammish repetition", 0xFBCEA83C8A378BF1),
    ],
)
def test_published_hashes_are_met(content, hashed):
    """The vectors that implementations of XXH64 are held against, with the seed 0."""
    assert xxhash64(content, seed=0) == hashed


def test_a_text_has_the_hash_and_the_bucket_that_spark_gives_it(spark):
    frame = spark.createDataFrame([(text,) for text in TEXTS], "user_id string")
    found = frame.select(F.xxhash64("user_id"), user_bucket()).collect()
    assert [tuple(row) for row in found] == [
        (
            xxhash64(text.encode()) - (2**64 if xxhash64(text.encode()) >= 2**63 else 0),
            xxhash64(text.encode()) % USER_BUCKETS,
        )
        for text in TEXTS
    ]
