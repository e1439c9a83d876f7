import pytest

from segspark.core.contracts import RECOMMENDATIONS
from segspark.core.merit import best_lists
from tests.builders import rows_of


def judged(*rows):
    return [dict(zip(("method", "metric", "k", "value"), row, strict=True)) for row in rows]


def lists(spark, **methods):
    rows = ((user, method, rank) for user, named in methods.items() for method in named for rank in (1, 2))
    keys = ("user_id", "method", "rank")
    return rows_of(spark, RECOMMENDATIONS, *(dict(zip(keys, row, strict=True)) for row in rows))


def shown(frame):
    return sorted((row.user_id, row.method, row["rank"]) for row in frame.collect())


def test_each_user_is_shown_the_whole_list_of_the_method_that_was_judged_best_of_those_they_have(spark):
    metrics = judged(
        ("als", "ndcg_at_k", 10, 0.1),
        ("user_cosine", "ndcg_at_k", 10, 0.3),
        ("popularity", "ndcg_at_k", 10, 0.2),
        ("user_cosine-als", "ndcg_at_k", 10, 0.9),  # a difference is no method
    )
    both = lists(spark, u=["als", "user_cosine"], v=["als", "popularity"], w=["als"])
    found = best_lists(both, metrics)
    assert set(found.columns) == set(both.columns)
    assert shown(found) == [
        ("u", "user_cosine", 1),
        ("u", "user_cosine", 2),
        ("v", "popularity", 1),
        ("v", "popularity", 2),
        ("w", "als", 1),
        ("w", "als", 2),
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("b", "ndcg_at_k", 10, 0.2), ("a", "ndcg_at_k", 10, 0.2)],
        [("b", "ndcg_at_k", 5, 0.9), ("b", "ndcg_at_k", 10, 0.1), ("a", "ndcg_at_k", 10, 0.2)],
        [("b", "recall_at_k", 10, 0.9), ("a", "ndcg_at_k", 10, 0.0)],
        [("b", "ndcg_at_k", 10, None), ("a", "ndcg_at_k", 10, 0.0)],
    ],
    ids=["nothing was judged", "a tie", "the longest list counts", "one was not judged", "one has no value"],
)
def test_what_counts_is_ndcg_at_the_longest_list_then_the_alphabet(spark, rows):
    assert {row.method for row in best_lists(lists(spark, u=["b", "a"]), judged(*rows)).collect()} == {"a"}
