"""What is compared with what: the two sides of a segment and action, of several, or of a whole campaign."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from scipy import stats

from segspark.campaigns.evidence import ALL, Evidence, Sums

SAME_SHARES = 0.001  # p-value below which shares of held-out users differ by more than chance

Cell = tuple[str, str]  # segment and action


@dataclass(frozen=True)
class Pair:
    """The two sides of what is alike but for the contact."""

    treated: Sums = field(default_factory=Sums)
    control: Sums = field(default_factory=Sums)

    def __add__(self, other: Pair) -> Pair:
        return Pair(self.treated + other.treated, self.control + other.control)


@dataclass(frozen=True)
class Group:
    """One row's users: one pair, or several that may only be compared each by itself."""

    segment_name: str
    action: str
    cells: frozenset[Cell]
    pairs: tuple[Pair, ...]


def cells_by_campaign(evidence: Iterable[Evidence]) -> dict[str, dict[Cell, Pair]]:
    """The pair of each segment and action by campaign, all in the order of names, whatever the order of the rows."""
    found: dict[str, dict[Cell, Pair]] = defaultdict(lambda: defaultdict(Pair))
    for row in sorted(evidence, key=lambda row: (row.campaign_id, row.segment_name, row.action, row.starts_on)):
        side = Pair(treated=row.sums) if row.treated else Pair(control=row.sums)
        found[row.campaign_id][row.segment_name, row.action] += side
    return {campaign_id: dict(cells) for campaign_id, cells in found.items()}


def groups_of(cells: Mapping[Cell, Pair]) -> list[Group]:
    """Each cell, each segment over all actions, each action over all segments, and all."""
    members: dict[Cell, list[Cell]] = defaultdict(list)
    for segment_name, action in cells:
        for key in ((segment_name, action), (segment_name, ALL), (ALL, action), (ALL, ALL)):
            members[key].append((segment_name, action))
    return [Group(*key, frozenset(own), pool([cells[cell] for cell in own])) for key, own in sorted(members.items())]


def pool(pairs: list[Pair]) -> tuple[Pair, ...]:
    """One pair where each has the same share of held-out users, else the pairs as they are.

    A campaign holds out the same share of each segment, to one user, and knows what the held-out would have got: then
    plain sums compare like with like. Where the shares differ by more than chance (two plans with different holdouts),
    sums would compare segments (Simpson's paradox): each pair is compared by itself, and the differences averaged.
    """
    total = sum(pairs, Pair())
    sizes = [(pair.treated.users, pair.control.users) for pair in pairs if pair.treated.users + pair.control.users]
    if len(sizes) < 2 or not total.treated.users or not total.control.users:
        return (total,)
    return tuple(pairs) if stats.chi2_contingency(sizes).pvalue < SAME_SHARES else (total,)
