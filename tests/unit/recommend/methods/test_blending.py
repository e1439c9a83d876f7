import numpy as np
import pytest
from pyspark.sql import functions as F
from sklearn.metrics import ndcg_score

from segspark.recommend.methods.blending import Mix, blend, candidates, learn_mix, mixes_of

METHODS = ("one", "two", "three")
USERS, ITEMS, PLACES, K = 40, 30, 12, 5


def frame_of(spark, lists, partitions=3):
    """Each method's rows; the first gives item 99 as the reason of everything."""
    rows = [(*row[:-1], float(row[-1])) for row in lists]
    frame = spark.createDataFrame(rows, "method string, user_no int, rank int, item_no int, score double")
    because = F.when(F.col("method") == "one", 99).cast("int")
    reasons = frame.withColumns({"because_no": because, "because_action": because - 98})
    return reasons.repartition(partitions)


@pytest.fixture(scope="module")
def lists():
    """Random lists of three methods; the second is right more often."""
    random = np.random.default_rng(3)
    likes = random.random((USERS, ITEMS))
    rows = []
    for number, (method, noise) in enumerate(zip(METHODS, (2.0, 0.3, 1.0), strict=True)):
        scores = likes + noise * random.random((USERS, ITEMS)) + number
        for user in range(USERS):
            best = np.argsort(-scores[user])[:PLACES]
            rows += [(method, user, place + 1, int(item), scores[user, item]) for place, item in enumerate(best)]
    return rows, likes


def relevant_of(likes):
    return [(user, int(item)) for user in range(USERS) for item in np.argsort(-likes[user])[: 2 + user % 5]]


def dense_scores(rows):
    """methods x users x items: 1 for the best of a list, 0 for its last and for what is not on it."""
    scaled = np.zeros((len(METHODS), USERS, ITEMS))
    for number, method in enumerate(METHODS):
        for user in range(USERS):
            own = {item: score for m, u, _, item, score in rows if (m, u) == (method, user)}
            low, high = min(own.values()), max(own.values())
            for item, score in own.items():
                scaled[number, user, item] = (score - low) / (high - low)
    return scaled


def test_mixes_split_one_among_the_methods_those_on_one_first():
    found = mixes_of(2, 4)
    assert found.tolist() == [[1, 0], [0, 1], [0.75, 0.25], [0.5, 0.5], [0.25, 0.75]]
    assert len(mixes_of(3)) == 21 and np.allclose(mixes_of(3).sum(axis=1), 1)
    with pytest.raises(ValueError, match="more than 1000"):
        mixes_of(12)


def test_the_mix_is_the_one_that_scikit_learn_finds_the_best(spark, lists):
    rows, likes = lists
    relevant = relevant_of(likes)
    truth = np.zeros((USERS, ITEMS))
    for user, item in relevant:
        truth[user, item] = 1
    scaled = dense_scores(rows)
    by_sklearn = {tuple(mix): ndcg_score(truth, np.tensordot(mix, scaled, 1), k=K) for mix in mixes_of(3)}
    pairs = spark.createDataFrame(relevant, "user_no int, item_no int")
    for partitions in (1, 5):
        found = learn_mix(candidates(frame_of(spark, rows, partitions), METHODS), pairs, METHODS, K, USERS)
        weights = tuple(found.weights[name] for name in METHODS)
        assert by_sklearn[weights] == pytest.approx(max(by_sklearn.values()))
        assert found.ndcg == pytest.approx(by_sklearn[weights], abs=1e-9)
        assert found.users == USERS
    assert found.weights["two"] > found.weights["one"]


def test_a_blend_is_the_weighted_sum_of_scaled_scores(spark, lists):
    rows, _ = lists
    mix = Mix({"one": 0.2, "two": 0.8, "three": 0.0}, 0.0, 0)
    found = blend(candidates(frame_of(spark, rows), METHODS), mix, METHODS, 4).collect()
    total = np.round(np.tensordot([0.2, 0.8, 0.0], dense_scores(rows), 1), 10)
    for user in range(USERS):
        own = sorted((row for row in found if row.user_no == user), key=lambda row: row["rank"])
        best = sorted(range(ITEMS), key=lambda item: (-total[user, item], item))[:4]
        assert [row.item_no for row in own] == best
        assert [row.score for row in own] == pytest.approx([total[user, item] for item in best])
        of_one = {item for method, number, _, item, _ in rows if (method, number) == ("one", user)}
        assert [row.because_no for row in own] == [99 if item in of_one else None for item in best]


def test_a_list_of_one_item_or_of_equal_scores_counts_in_full(spark):
    rows = [("one", 0, 1, 7, 0.4), ("two", 0, 1, 3, 2.0), ("two", 0, 2, 5, 2.0)]
    found = {row.item_no: row.scores for row in candidates(frame_of(spark, rows), METHODS).collect()}
    assert found == {7: [1.0, 0.0, 0.0], 3: [0.0, 1.0, 0.0], 5: [0.0, 1.0, 0.0]}


def test_users_whom_no_method_lists_anything_for_count_as_missed(spark):
    rows = [("one", 0, 1, 7, 0.4)]
    relevant = spark.createDataFrame([(0, 7), (1, 7)], "user_no int, item_no int")
    found = learn_mix(candidates(frame_of(spark, rows), METHODS), relevant, METHODS, K, 2)
    assert (found.weights, found.ndcg) == ({"one": 1.0, "two": 0.0, "three": 0.0}, 0.5)
