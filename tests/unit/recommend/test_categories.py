from segspark.core.contracts import ITEMS, USER_ITEM_DAYS
from segspark.recommend.categories import item_categories, number_categories
from tests.builders import at, day, rows_of

AS_OF = day("2024-03-05")


def test_the_item_lists_category_counts_else_the_newest_of_the_log_before_as_of(spark):
    days = rows_of(
        spark,
        USER_ITEM_DAYS,
        {"user_id": "u", "item_id": "a", "day": day("2024-03-01"), "category": "old"},
        {"user_id": "u", "item_id": "a", "day": day("2024-03-02"), "category": "new"},
        {"user_id": "u", "item_id": "a", "day": day("2024-03-03"), "category": None},
        {"user_id": "u", "item_id": "a", "day": AS_OF, "category": "later"},
        {"user_id": "u", "item_id": "b", "day": day("2024-03-01"), "category": "logged"},
        {"user_id": "u", "item_id": "c", "day": day("2024-03-01"), "category": "logged"},
        {"user_id": "u", "item_id": "none", "day": day("2024-03-01"), "category": None},
    )
    listed = rows_of(
        spark,
        ITEMS,
        {"item_id": "b", "category": "listed"},
        {"item_id": "c", "category": "not yet", "launch_time": at("2024-03-05 00:00")},
        {"item_id": "d", "category": "listed"},
        {"item_id": "e", "category": None},
    )
    found = item_categories(days, listed, AS_OF)
    by_item = {row.item_id: row.category for row in found.collect()}
    assert by_item == {"a": "new", "b": "listed", "c": "logged", "d": "listed"}
    index = spark.createDataFrame([("c", 0), ("b", 1), ("a", 2), ("none", 3)], "item_id string, item_no int")
    numbered = {row.item_no: row.category_no for row in number_categories(found, index).collect()}
    assert numbered == {0: 1, 1: 0, 2: 2}
