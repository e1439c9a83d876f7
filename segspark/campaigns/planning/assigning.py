"""From who may be contacted to who should get which action: prices from a sample, choices by everyone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from segspark.campaigns.planning.choosing import NO_ONE, Rules, Users, choose, options
from segspark.campaigns.planning.prices import Budget, price_actions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

ASKED = ("user_id", "segment_no", "worth", "allowed", "holdout", "lane", "draw", "tie")
WANTED = (
    "user_id string, action_no int, surplus double, expected_gain double, propensity double, holdout boolean,"
    " tie double"
)


ROUNDS = 3  # of prices: what is too dear for a user is not among their lots, which changes what is asked for


def with_prices(rules: Rules, sample: pa.Table, share: float, budgets: list[Budget]) -> Rules:
    """The rules with the prices of the budgets, from rows of ASKED, which are `share` of the users not held out."""
    if not sample.num_rows:
        return rules
    users = users_of(sample)
    scaled = [Budget(each.actions, each.contacts * share, each.money * share) for each in budgets]
    prices = price_actions(options(users, rules), rules.costs, scaled)
    for _ in range(ROUNDS - 1):
        asked = options(users, replace(rules, prices=prices))
        prices = (prices + price_actions(asked, rules.costs, scaled)) / 2
    return replace(rules, prices=prices)


def choose_for_everyone(people: DataFrame, rules: Rules) -> DataFrame:
    """WANTED: one row per user of `people` (ASKED) who should be contacted, were it not for the quotas of the days."""

    def answer(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield wanted_of(pa.Table.from_batches([batch]), rules)

    return people.select(*ASKED).mapInArrow(answer, WANTED)


def users_of(table: pa.Table) -> Users:
    """A batch of ASKED as arrays."""
    flat = table["allowed"].combine_chunks()
    allowed = np.asarray(flat.flatten().to_numpy(zero_copy_only=False), dtype=bool)
    return Users(
        segment=table["segment_no"].to_numpy().astype(int),
        worth=table["worth"].to_numpy().astype(float),
        allowed=allowed.reshape(table.num_rows, -1),
        lane=table["lane"].to_numpy().astype(float),
        draw=table["draw"].to_numpy().astype(float),
    )


def wanted_of(table: pa.Table, rules: Rules) -> pa.RecordBatch:
    """The rows of WANTED for a batch of ASKED."""
    if not table.num_rows:
        return pa.RecordBatch.from_pylist([], schema=_schema())
    chosen = choose(users_of(table), rules)
    kept = np.flatnonzero(chosen.action != NO_ONE)
    columns = [
        table["user_id"].combine_chunks().take(pa.array(kept)),
        pa.array(chosen.action[kept], pa.int32()),
        pa.array(chosen.surplus[kept], pa.float64()),
        pa.array(chosen.gain[kept], pa.float64()),
        pa.array(chosen.propensity[kept], pa.float64()),
        table["holdout"].combine_chunks().take(pa.array(kept)),
        table["tie"].combine_chunks().take(pa.array(kept)),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_schema())


def _schema() -> pa.Schema:
    kinds = {"user_id": pa.string(), "action_no": pa.int32(), "holdout": pa.bool_()}
    names = [column.split()[0] for column in WANTED.split(",")]
    return pa.schema([(name, kinds.get(name, pa.float64())) for name in names])
