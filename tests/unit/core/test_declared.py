import pytest

from segspark.core.contracts import EVENTS, ITEM_FACTORS, USER_DAYS, USER_FACTORS, USER_FEATURES, USER_SIMILARITY
from segspark.core.declared import Part, Read, Stage, in_order, needs, only, without, writers
from segspark.recommend.config import RecommendConfig


def part(*reads, writes=(), **more):
    return Part(run=lambda context: None, reads=reads, writes=writes, **more)


LOGS = Stage("logs", (part(writes=(EVENTS,)),))
DAYS = Stage("days", (part(EVENTS, writes=(USER_DAYS,)), part(USER_DAYS, writes=(USER_FEATURES,))))
FACTORS = Stage("factors", (part(USER_FEATURES, writes=(USER_FACTORS,)),))
GRAPH = Stage("graph", (part(Read(USER_FACTORS, wanted=lambda config: config == "by factors"), USER_FEATURES),))


@pytest.mark.parametrize("given", [(LOGS, DAYS, FACTORS, GRAPH), (GRAPH, FACTORS, DAYS, LOGS)])
def test_a_stage_comes_behind_all_that_it_may_read(given):
    assert list(in_order(given)) == ["logs", "days", "factors", "graph"]


def test_stages_that_need_nothing_of_each_other_stay_as_they_are_given():
    one, other = Stage("one", (part(EVENTS),)), Stage("other", (part(EVENTS),))
    assert list(in_order((other, one))) == ["other", "one"]


def test_a_circle_is_named():
    there = Stage("there", (part(ITEM_FACTORS, writes=(USER_FACTORS,)),))
    back = Stage("back", (part(USER_FACTORS, writes=(ITEM_FACTORS,)),))
    with pytest.raises(ValueError, match="each of there, back reads what another of them writes"):
        in_order((LOGS, there, back))


def test_a_table_that_two_stages_write_is_named():
    with pytest.raises(ValueError, match="factors and again both write user_factors"):
        writers({"factors": FACTORS, "again": Stage("again", (part(writes=(USER_FACTORS,)),))})


def test_what_a_stage_needs_follows_from_the_configuration():
    stages = (LOGS, DAYS, FACTORS, GRAPH)
    assert needs(stages, "by factors")["graph"] == {"days", "factors"}
    assert needs(stages, "by features")["graph"] == {"days"}
    assert needs(stages)["graph"] == {"days", "factors"}
    assert needs(stages)["days"] == {"logs"}, "no stage needs itself"


def test_rows_can_be_taken_over_where_they_belong_to_the_run_and_follow_from_it_alone():
    assert part(EVENTS, writes=(USER_FACTORS,)).can_be_taken_over
    assert not part(EVENTS, writes=(USER_FACTORS,), earlier=(USER_SIMILARITY,)).can_be_taken_over
    assert not part(EVENTS, writes=(USER_FACTORS, USER_DAYS)).can_be_taken_over
    assert not part(EVENTS).can_be_taken_over


def test_a_key_that_was_left_out_cannot_be_asked_for():
    config = RecommendConfig(rank=8)
    for narrowed in (only(config, "rank"), without(config, "top_n", "evaluation")):
        assert narrowed.rank == 8
        with pytest.raises(AttributeError):
            _ = narrowed.top_n
    assert only(config, "rank").model_dump() == {"rank": 8}
    assert config.top_n == 10
