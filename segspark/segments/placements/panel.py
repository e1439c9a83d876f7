"""Placement by the vote of several."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from segspark.segments.placements.placed import Placed, places_after

if TYPE_CHECKING:
    from segspark.segments.placement import Placement


@dataclass(frozen=True)
class Panel:
    """The segment that most members vote for; of equals, the one that the earliest member is for."""

    members: tuple[Placement, ...]
    votes: tuple[np.ndarray, ...]  # of each member: which segment each of its own stands for
    segments: int
    kind: ClassVar[str] = "panel"

    @property
    def noise(self) -> int | None:
        """Everyone has the most votes somewhere."""
        return None

    def place(self, points: np.ndarray) -> Placed:
        """Confidence is the share of members for the segment, distance and cost the share against."""
        voices = zip(self.members, self.votes, strict=True)
        number, share = most_voted([stands_for[member.place(points).number] for member, stands_for in voices])
        return Placed(number, 1.0 - share, share, 1.0 - share)

    def reordered(self, order: np.ndarray) -> Panel:
        """The segments in another order; the members stay as they are."""
        places = places_after(order)
        return Panel(self.members, tuple(places[stands_for] for stands_for in self.votes), self.segments)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every member's votes and arrays, under its number and kind."""
        found = {"segments": np.array([self.segments])}
        for number, (member, stands_for) in enumerate(zip(self.members, self.votes, strict=True)):
            found[f"{number}/votes"] = stands_for
            found |= {f"{number}/{member.kind}/{name}": values for name, values in member.arrays().items()}
        return found

    @classmethod
    def restored(
        cls, arrays: dict[str, np.ndarray], restore: Callable[[str, dict[str, np.ndarray]], Placement]
    ) -> Panel:
        """From its arrays; `restore` makes a member of its kind and arrays."""
        members: list[Placement] = []
        votes: list[np.ndarray] = []
        while (place := f"{len(votes)}/") + "votes" in arrays:
            own = [tuple(name.split("/")[1:]) for name in arrays if name.startswith(place) and name.count("/") == 2]
            kind = own[0][0]
            members.append(restore(kind, {name: arrays[f"{place}{kind}/{name}"] for _, name in own}))
            votes.append(arrays[place + "votes"].astype(np.int64))
        return cls(tuple(members), tuple(votes), int(arrays["segments"][0]))


def most_voted(voices: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The label most voices are for, of equals that of the earliest voice; and the share of voices for it."""
    every = np.array(voices)
    support = (every[:, None, :] == every[None, :, :]).sum(axis=1)
    winner, everyone = support.argmax(axis=0), np.arange(every.shape[1])
    return every[winner, everyone], support[winner, everyone] / len(voices)
