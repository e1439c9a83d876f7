"""Which rows of logs campaigns are measured by."""

from datetime import date

import pytest

from segspark.campaigns.past.settled import Span
from segspark.campaigns.past.stage import logs_within
from segspark.core.contracts import EVENTS, ORDERS, RATINGS, USER_DAYS
from tests.builders import at
from tests.unit.campaigns.shops import context_of, plain, write

pytestmark = pytest.mark.slow
AS_OF = date(2024, 7, 1)
BEGIN = date(2024, 6, 10)  # of orders
DAYS = [date(2024, 6, day) for day in (1, 5, 9, 10, 20)]


@pytest.fixture
def shop(lake):
    """u buys for 5 on each of the days by an event, and from BEGIN on for 7 by an order."""
    events = [
        {"event_id": f"e{d}", "user_id": "u", "event_time": at(f"{d} 09:00"), "event_type": "purchase", "price": 5.0}
        | {"day": d, "ingest_seq": 1}
        for d in DAYS
    ]
    orders = [
        {"order_id": f"o{d}", "order_line": 1, "user_id": "u", "order_time": at(f"{d} 09:00"), "quantity": 1.0}
        | {"unit_price": 7.0, "status": "paid", "day": d, "ingest_seq": seq}
        for d, seq in [*((d, 1) for d in DAYS if d >= BEGIN), (date(2024, 6, 21), 99)]
    ]
    write(lake, EVENTS, events)
    write(lake, ORDERS, orders)
    write(lake, RATINGS, [{"user_id": "u", "item_id": "i", "rating": 4.0, "rated_at": at("2024-06-05 08:00")}
                          | {"day": date(2024, 6, 5), "ingest_seq": 1}])  # fmt: skip
    days = [{"user_id": "u", "day": d, "orders": int(d >= BEGIN), "spend": 7.0 * (d >= BEGIN)} for d in DAYS]
    lake.replace_days(USER_DAYS, plain(lake, USER_DAYS, days), DAYS)
    return lake


def bought(logs):
    return sorted((row.order_id[1:], row.unit_price) for row in logs["orders"].collect())


def paid(logs):
    return {row.day: (row.orders, row.spend) for row in logs["user_days"].collect()}


def test_purchase_events_stand_in_for_orders_on_the_days_before_the_first_order(shop):
    logs = logs_within(context_of(shop, as_of=AS_OF), BEGIN, [Span(DAYS[0], DAYS[-1])])
    assert bought(logs) == [(str(d), 5.0 if d < BEGIN else 7.0) for d in DAYS]
    assert paid(logs) == {d: (1, 5.0 if d < BEGIN else 7.0) for d in DAYS}


def test_a_shop_without_orders_has_its_purchases_on_all_days(shop):
    logs = logs_within(context_of(shop, as_of=AS_OF, ingest_seq=1), None, [Span(DAYS[0], date(2024, 6, 9))])
    assert bought(logs) == [(str(d), 5.0) for d in DAYS[:3]]
    assert paid(logs) == dict.fromkeys(DAYS[:3], (1, 5.0))


def test_days_between_the_spans_after_as_of_and_files_that_came_later_are_not_looked_at(shop):
    spans = [Span(date(2024, 6, 20), date(2024, 7, 9)), Span(date(2024, 6, 10), date(2024, 6, 12))]
    logs = logs_within(context_of(shop, as_of=AS_OF, ingest_seq=1), BEGIN, spans)
    assert bought(logs) == [("2024-06-10", 7.0), ("2024-06-20", 7.0)]
    assert set(paid(logs)) == {date(2024, 6, 10), date(2024, 6, 20)}
    assert logs["ratings"].isEmpty()
    early = logs_within(context_of(shop, as_of=date(2024, 6, 20)), BEGIN, spans)
    assert bought(early) == [("2024-06-10", 7.0)]
    nothing = logs_within(context_of(shop, as_of=AS_OF), BEGIN, [])
    assert all(frame.isEmpty() for frame in nothing.values())
