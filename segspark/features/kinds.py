"""The types of events that are counted, by the name of the count."""

from collections.abc import Iterable

from pyspark.sql import Column
from pyspark.sql import functions as F

KINDS = {
    "views": "view",
    "clicks": "click",
    "impressions": "impression",
    "searches": "search",
    "carts": "add_to_cart",
    "wishlists": "wishlist",
    "purchases": "purchase",
}


def kind_number(names: Iterable[str]) -> Column:
    """The place of the row's event_type among those counts, null for others.

    Text is compared here once for each row, the most frequent first, and not once for each count.
    """
    kind = F.lit(None).cast("int")
    for number, name in reversed(list(enumerate(names))):
        kind = F.when(F.col("event_type") == KINDS[name], F.lit(number)).otherwise(kind)
    return kind
