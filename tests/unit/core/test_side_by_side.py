import threading

import pytest

from segspark.core.side_by_side import InTurn, do_all

NAMES = ("logs", "factors", "segments", "lists", "marts")
ON_LOGS = dict.fromkeys(("factors", "segments"), ("logs",))
NEEDS = {"logs": (), **ON_LOGS, "lists": ("factors", "segments"), "marts": ("segments",)}
WAIT_SECONDS = 30


class Work:
    """Notes what began and ended, in which order."""

    def __init__(self, meet=(), fail=()):
        self.events, self.fail = [], fail
        self.meet, self.barrier = meet, threading.Barrier(max(len(meet), 1))

    def __call__(self, name):
        self.events.append(("begun", name))
        if name in self.meet:
            self.barrier.wait(WAIT_SECONDS)
        if name in self.fail:
            raise RuntimeError(name)
        self.events.append(("ended", name))


@pytest.mark.parametrize("width", [1, 2, 5])
def test_each_is_done_once_and_after_all_that_it_needs(width):
    work = Work()
    do_all(NAMES, NEEDS, width, work)
    assert sorted(work.events) == sorted((what, name) for what in ("begun", "ended") for name in NAMES)
    for name, needed in NEEDS.items():
        begun = work.events.index(("begun", name))
        assert all(work.events.index(("ended", other)) < begun for other in needed)


def test_with_a_width_of_one_all_is_done_in_order_in_the_same_thread():
    threads = []
    do_all(NAMES, NEEDS, 1, lambda name: threads.append((name, threading.get_ident())))
    assert threads == [(name, threading.get_ident()) for name in NAMES]


def test_what_does_not_need_each_other_is_done_at_the_same_time():
    do_all(NAMES, NEEDS, 2, Work(meet=("factors", "segments")))  # each waits for the other


def test_what_is_not_asked_for_is_not_waited_for():
    work = Work()
    do_all(("lists",), NEEDS, 2, work)
    assert work.events == [("begun", "lists"), ("ended", "lists")]


def test_a_failure_lets_no_other_begin_and_those_end_that_have_begun():
    work = Work(meet=("factors", "segments"), fail=("segments",))
    with pytest.raises(RuntimeError, match="segments"):
        do_all(NAMES, NEEDS, 2, work)
    assert {name for what, name in work.events if what == "begun"} == {"logs", "factors", "segments"}
    assert ("ended", "factors") in work.events


def test_of_two_failures_the_first_in_order_is_told():
    with pytest.raises(RuntimeError, match="factors"):
        do_all(NAMES, NEEDS, 2, Work(meet=("factors", "segments"), fail=("segments", "factors")))


def test_lines_come_in_the_order_of_the_stages_each_as_soon_as_it_can():
    told = []
    in_turn = InTurn(told.append, ("factors", "segments", "marts"))
    in_turn.of("segments")("s1")
    in_turn.of("factors")("f1")
    assert told == ["f1"]
    in_turn.of("marts")("m1")
    in_turn.end("marts")
    in_turn.end("factors")
    assert told == ["f1", "s1"]
    in_turn.of("segments")("s2")
    assert told == ["f1", "s1", "s2"]
    in_turn.end("segments")
    assert told == ["f1", "s1", "s2", "m1"]


def test_what_is_kept_is_told_in_the_end():
    told = []
    in_turn = InTurn(told.append, ("factors", "segments"))
    in_turn.of("segments")("s1")
    in_turn.close()
    assert told == ["s1"]
