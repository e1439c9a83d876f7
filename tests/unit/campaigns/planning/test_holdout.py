import math

import pytest

from segspark.campaigns.planning.holdout import draw_members
from segspark.campaigns.planning.ranking import LONG

SCHEMA = "user_id string, segment_name string"
KNOWN = f"{SCHEMA}, holdout boolean"


def crowd(spark, sizes, first=0):
    rows, number = [], first
    for segment, size in sizes.items():
        rows += [(f"u{number + n}", segment) for n in range(size)]
        number += size
    return spark.createDataFrame(rows, SCHEMA)


def draw(people, known, campaign_id="c", share=0.1):
    return draw_members(people, people.count(), known, campaign_id, share)


def held(members):
    return {row.user_id for row in members.where("holdout").collect()}


def counts(members):
    rows = members.groupBy("segment_name").agg({"holdout": "count"}).collect()
    sizes = {row[0]: row[1] for row in rows}
    out = {row[0]: row[1] for row in members.where("holdout").groupBy("segment_name").count().collect()}
    return {name: (out.get(name, 0), size) for name, size in sizes.items()}


@pytest.mark.parametrize("share", [0.1, 0.15, 0.5])
def test_the_share_of_each_segment_is_met_to_less_than_a_user(spark, share):
    people = crowd(spark, {"a": 1003, "b": 57, "c": 4, "d": 1})
    members = draw(people, spark.createDataFrame([], KNOWN), share=share)
    for out, size in counts(members).values():
        assert abs(out - share * size) < 1


def test_the_same_users_are_held_out_whatever_the_partitions(spark):
    people, nobody = crowd(spark, {"a": 500, "b": 300}), spark.createDataFrame([], KNOWN)
    first = held(draw(people, nobody))
    assert held(draw(people.repartition(7).orderBy("user_id"), nobody)) == first
    assert held(draw(people, nobody, "another")) != first


def test_who_is_held_out_of_many_is_who_would_be_if_one_task_ranked_them_all(spark):
    people, nobody = crowd(spark, {"a": 500, "b": 300}), spark.createDataFrame([], KNOWN)
    before = draw(people.where("user_id < 'u3'"), nobody).localCheckpoint()
    for known in (nobody, before):
        in_buckets = draw_members(people, LONG + 1, known, "c", 0.1)
        assert sorted(in_buckets.collect()) == sorted(draw(people, known).collect())


def test_who_was_held_out_stays_so_when_users_come_go_and_move(spark):
    nobody = spark.createDataFrame([], KNOWN)
    first = draw(crowd(spark, {"a": 400, "b": 200}), nobody).localCheckpoint()
    more = crowd(spark, {"a": 150, "b": 450, "d": 90}, first=0)  # two hundred and fifty moved from a, ninety are new
    again = draw(more, first).localCheckpoint()
    before, after = held(first), held(again)
    known = {row.user_id for row in first.collect()}
    assert after & known == before
    new = {f"u{n}" for n in range(600, 690)}
    assert after - known <= new
    for out, size in counts(again).values():
        assert abs(out - 0.1 * size) < 1


def test_held_out_users_are_spread_as_chance_would(spark):
    members = draw(crowd(spark, {"a": 4000}), spark.createDataFrame([], KNOWN))
    first_half = sum(int(user[1:]) < 2000 for user in held(members))
    assert abs(first_half - 200) < 4 * math.sqrt(400 * 0.25)
