from segspark.core.contracts import EVENTS, SESSIONS, conform
from segspark.features.config import FeaturesConfig
from segspark.features.visits import count_slots, cut_visits, list_sessions
from tests.builders import at, day, rows_of
from tests.unit.features.shops import event


def visits(spark, *rows, config=None):
    config = config or FeaturesConfig()
    events = rows_of(spark, EVENTS, *({**row, "day": row["event_time"].date()} for row in rows))
    frame = conform(list_sessions(cut_visits(count_slots(events, config), config)), SESSIONS)
    return frame.orderBy("user_id", "started_at").collect()


def every(minutes, first, last, user="a"):
    """Events from `first` to `last`, `minutes` apart."""
    start, end, step = at(first), at(last), 60 * minutes
    times = range(int(start.timestamp()), int(end.timestamp()) + 1, step)
    return [event(f"{user}{n}", user, str(at(first) + (t - times[0]) * _SECOND)) for n, t in enumerate(times)]


_SECOND = at("2024-01-01 00:00:01") - at("2024-01-01 00:00:00")


def test_a_silence_of_exactly_the_gap_keeps_the_visit_and_a_second_more_ends_it(spark):
    times = ("10:00:00", "10:30:00", "11:00:01")
    rows = visits(spark, *(event(n, "a", f"2024-03-01 {time}") for n, time in enumerate(times)))
    assert [(row.started_at, row.events) for row in rows] == [
        (at("2024-03-01 10:00"), 2),
        (at("2024-03-01 11:00:01"), 1),
    ]


def test_a_session_that_crosses_midnight_counts_on_its_first_day(spark):
    rows = visits(spark, event(1, "a", "2024-03-01 23:50"), event(2, "a", "2024-03-02 00:05", "add_to_cart"))
    assert [(row.day, row.ended_at, row.events, row.views, row.carts) for row in rows] == [
        (day("2024-03-01"), at("2024-03-02 00:05"), 2, 1, 1)
    ]


def test_a_single_event_is_a_bounce_unless_it_is_a_purchase(spark):
    rows = visits(spark, event(1, "a", "2024-03-01 10:00"), event(2, "b", "2024-03-01 10:00", "purchase"))
    assert [row.bounced for row in rows] == [True, False]


def test_users_do_not_share_visits_and_events_without_a_user_make_none(spark):
    rows = visits(spark, *(event(n, user, "2024-03-01 10:00") for n, user in enumerate(("a", "b", None))))
    assert [row.user_id for row in rows] == ["a", "b"] and len({row.session_id for row in rows}) == 2


def test_a_visit_is_cut_at_24_hours(spark):
    rows = visits(spark, *every(20, "2024-03-01 08:00", "2024-03-02 20:00"))
    assert [(row.started_at, row.ended_at) for row in rows] == [
        (at("2024-03-01 08:00"), at("2024-03-02 07:40")),
        (at("2024-03-02 08:00"), at("2024-03-02 20:00")),
    ]


def test_after_a_day_without_silence_a_new_visit_begins_at_midnight(spark):
    rows = visits(spark, *every(20, "2024-03-01 08:00", "2024-03-04 02:00"))
    assert [row.started_at for row in rows] == [
        at("2024-03-01 08:00"),
        at("2024-03-02 08:00"),
        at("2024-03-03 00:00"),
        at("2024-03-04 00:00"),
    ]


def test_the_gap_is_configurable_and_need_not_divide_a_day(spark):
    config = FeaturesConfig(session_gap_minutes=7)
    times = ("2024-03-01 23:55", "2024-03-02 00:02", "2024-03-02 00:10")
    rows = visits(spark, *(event(n, "a", time) for n, time in enumerate(times)), config=config)
    assert [row.events for row in rows] == [2, 1]


def test_the_id_of_a_visit_does_not_depend_on_what_else_is_in_the_log(spark):
    alone = visits(spark, event(1, "a", "2024-03-02 10:00"))
    among = visits(spark, event(7, "a", "2024-02-01 09:00"), event(8, "a", "2024-03-02 10:00"))
    assert alone[0].session_id == among[1].session_id
