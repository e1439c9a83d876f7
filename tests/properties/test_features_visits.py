"""Visits against a sequential sessionizer, on any events."""

from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from segspark.core.contracts import EVENTS
from segspark.core.days import within
from segspark.features.config import FeaturesConfig
from segspark.features.visits import count_slots, cut_visits, list_sessions
from tests.builders import rows_of

START = datetime(2024, 2, 27)
CONFIG = FeaturesConfig()
GAP, DAY = timedelta(minutes=30), timedelta(days=1)
FEW = settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

# A user: when they begin (seconds), then stretches of steps of so many seconds so many times. Short steps repeated for
# days are bots; 1800 and 1801 are the two sides of the gap; whole hours put events on midnight.
stretch = st.tuples(st.sampled_from([0, 1, 600, 1200, 1799, 1800, 1801, 3600, 40_000]), st.integers(1, 130))
user = st.tuples(
    st.one_of(st.integers(0, 86_399), st.sampled_from([0, 1799, 1800, 84_600])), st.lists(stretch, max_size=4)
)
crowds = st.lists(user, min_size=12, max_size=30)


def times_of(first, stretches):
    times = [START + timedelta(seconds=first)]
    for step, repeats in stretches:
        for _ in range(repeats):
            times.append(times[-1] + timedelta(seconds=step))
    return [time for time in times if time < START + timedelta(days=6)]


def midnight(time):
    return datetime.combine(time.date(), datetime.min.time())


def slot(time):
    return midnight(time) + (time - midnight(time)) // GAP * GAP


def sessionize(times):
    """The rules one after the other, event by event: lists of times."""
    by_day = {}
    for time in times:
        by_day.setdefault(midnight(time), []).append(time)

    def is_full(begin):
        on_day = by_day.get(begin, [])
        inner = [after - before for before, after in zip(on_day, on_day[1:])]  # noqa: B905, RUF007
        return (
            bool(on_day)
            and on_day[0] < begin + GAP
            and begin + DAY - on_day[-1] <= GAP
            and max(inner, default=GAP) <= GAP
        )

    visits = []
    for before, time in zip([None, *times], times):  # noqa: B905
        is_new = before is None or time - before > GAP or slot(time) >= slot(visits[-1][0]) + DAY
        is_new = is_new or (midnight(before) < midnight(time) and is_full(midnight(time) - DAY))
        visits.append([time]) if is_new else visits[-1].append(time)
    return visits


def frame_of(spark, crowd):
    rows = [
        {"event_id": f"{n}-{m}", "user_id": f"u{n}", "event_time": time, "event_type": "view", "day": time.date()}
        for n, (first, stretches) in enumerate(crowd)
        for m, time in enumerate(times_of(first, stretches))
    ]
    return rows_of(spark, EVENTS, *rows)


def found(events):
    rows = list_sessions(cut_visits(count_slots(events, CONFIG), CONFIG)).collect()
    return {(row.user_id, row.started_at, row.ended_at, row.events, row.day, row.session_id) for row in rows}


@FEW
@given(crowds)
def test_every_event_is_in_exactly_one_visit_the_one_a_sequential_reader_puts_it_in(spark, crowd):
    expected = {
        (f"u{n}", visit[0], visit[-1], len(visit), visit[0].date())
        for n, (first, stretches) in enumerate(crowd)
        for visit in sessionize(times_of(first, stretches))
    }
    rows = found(frame_of(spark, crowd))
    assert {row[:5] for row in rows} == expected
    assert len({row[5] for row in rows}) == len(expected)


@FEW
@given(crowds, st.integers(1, 4))
def test_the_visits_of_a_day_depend_on_that_day_and_its_neighbours_only(spark, crowd, number):
    events = frame_of(spark, crowd).repartition(3).cache()
    chosen = (START + timedelta(days=number)).date()
    near = [chosen + timedelta(days=step) for step in (-1, 0, 1)]
    of_all = {row for row in found(events) if row[4] == chosen}
    of_near = {row for row in found(events.where(within(near))) if row[4] == chosen}
    events.unpersist()
    assert of_near == of_all
