from dataclasses import replace
from datetime import date

import pytest

from segspark.campaigns.config import LiftConfig
from segspark.campaigns.history import Planned
from segspark.campaigns.past.settled import Measured, Span, basis_of, settled_campaigns, spans_of

JUNE = Planned("june", "r1", date(2024, 6, 1), date(2024, 6, 7), None, "value", 1, 0.1)
LAST = {"june": date(2024, 6, 7)}
CLOSED = date(2024, 6, 22)  # 14 days after the seventh, and the rest of its last day
METHOD = ("code", "settings")
BASIS = {"june": basis_of([JUNE], METHOD)}
CONFIG = LiftConfig()  # 28 days before a contact, 14 after it


def settled(as_of=date(2024, 7, 1), last=LAST, before=CLOSED, **changes):
    known = {"basis": BASIS, "new_days": frozenset(), "told_of": frozenset()} | changes
    return settled_campaigns(
        last, spans_of([JUNE], last, CONFIG), BASIS, Measured(as_of=before, **known), CONFIG, as_of
    )


@pytest.mark.parametrize(
    ("changes", "is_settled"),
    [
        ({}, True),
        ({"told_of": frozenset({"may"})}, True),
        ({"new_days": frozenset({date(2024, 6, 23), date(2024, 5, 2), date(2022, 1, 1)})}, True),
        ({"before": date(2024, 6, 21)}, False),  # its last window was open when it was measured
        ({"told_of": frozenset({"june"})}, False),
        ({"new_days": frozenset({date(2024, 6, 22)})}, False),
        ({"new_days": frozenset({date(2024, 5, 3), date(2024, 6, 23)})}, False),
        ({"basis": {}}, False),
        ({"basis": {"june": None}}, False),
        ({"basis": {"june": basis_of([JUNE], ("code", "others"))}}, False),
    ],
)
def test_a_campaign_is_settled_where_it_was_measured_whole_and_nothing_came_since(changes, is_settled):
    assert settled(**changes) == ({"june"} if is_settled else set())


def test_for_an_earlier_day_than_that_of_the_run_before_nothing_is_settled():
    assert settled(as_of=CLOSED) == {"june"}
    assert settled(as_of=date(2024, 6, 21)) == set()


def test_a_window_that_begins_after_the_plans_last_day_is_waited_for():
    assert settled(last={"june": date(2024, 6, 8)}) == set()


def test_a_span_is_from_the_days_before_the_first_contact_to_the_end_of_the_last_window_and_a_day_around():
    again = replace(JUNE, run_id="r2", starts_on=date(2024, 6, 1))
    assert spans_of([JUNE, again], LAST, CONFIG) == {"june": Span(date(2024, 5, 3), date(2024, 6, 22))}


@pytest.mark.parametrize(
    "plans",
    [
        [replace(JUNE, until=date(2024, 6, 4))],
        [replace(JUNE, run_id="r2")],
        [JUNE, replace(JUNE, run_id="r2")],
        [replace(JUNE, ends_on=date(2024, 6, 6))],
        [replace(JUNE, holdout_share=0.2)],
    ],
)
def test_other_plans_are_another_basis(plans):
    assert basis_of(plans, METHOD) != BASIS["june"]


def test_the_seq_of_a_plan_changes_with_each_rollback_and_decides_nothing():
    assert basis_of([replace(JUNE, seq=9)], METHOD) == BASIS["june"]
