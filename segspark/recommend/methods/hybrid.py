"""Several methods' lists blended into one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from segspark.recommend.methods.blending import Mix, blend, candidates
from segspark.recommend.methods.method import Answer, Method, Settings, Train, Wanted, columns_of_lists, listed

DEPTH = 5  # places of each method's list for one of the blended list


def by_hybrid(members: Mapping[str, Method], mix: Mix) -> Method:
    """The members' lists blended by the mix; those that count for nothing are not asked."""
    used = {name: method for name, method in members.items() if mix.weights[name] > 0}

    def lists_by_hybrid(train: Train, wanted: Wanted, settings: Settings) -> Answer:
        offered = candidates(deeper_lists(used, train, wanted, settings), list(used))
        return Answer(blend(offered, mix, list(used), settings.plan.top_n))

    return lists_by_hybrid


def deeper_lists(members: Mapping[str, Method], train: Train, wanted: Wanted, settings: Settings) -> DataFrame:
    """method and LISTS of every member, five times as long as the plan says."""
    deep = replace(settings, plan=replace(settings.plan, top_n=DEPTH * settings.plan.top_n))
    lists = [
        columns_of_lists(listed(method, train, wanted, deep)).withColumn("method", F.lit(name))
        for name, method in members.items()
    ]
    return reduce(DataFrame.unionByName, lists)
