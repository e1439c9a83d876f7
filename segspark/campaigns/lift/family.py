"""Many comparisons of one campaign: how often any of them may look like an effect where there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from statsmodels.stats.multitest import multipletests

Members = TypeVar("Members", bound=frozenset)


@dataclass(frozen=True)
class Standing:
    """What one comparison is worth among the others.

    `level` is that at which its own test has to reject if nothing else in the campaign has an effect.
    """

    p_adjusted: float | None
    level: float


def stand(p_values: Mapping[Members, float | None], level: float) -> dict[Members, Standing]:
    """The standing of each comparison, by what it compares: the whole campaign and its parts.

    Half of the level is for the whole, the other half for its parts by Holm (1979): of the campaigns that change
    nothing, at most `level` get a verdict in any row of a measure (a weighted Bonferroni split), and the whole, which
    has most users, is not held back by how many parts there are. A campaign of one part has nothing to split.
    """
    whole = max(p_values, key=len)
    parts = [members for members in p_values if members != whole]
    told = [p for p in (p_values[members] for members in parts) if p is not None]
    share = 0.5 if told else 1.0
    adjusted = iter(multipletests(told, alpha=level, method="holm")[1] if told else ())
    standings = {whole: Standing(_bounded(p_values[whole], share), level * share)}
    for members in parts:
        p_adjusted = None if p_values[members] is None else float(next(adjusted))
        standings[members] = Standing(_bounded(p_adjusted, share), level * share / max(1, len(told)))
    return standings


def _bounded(p_value: float | None, share: float) -> float | None:
    return None if p_value is None else min(1.0, p_value / share)
