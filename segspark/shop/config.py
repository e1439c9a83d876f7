"""How big the shop is, how far apart its personas are, and how dirty its files."""

import math
from datetime import date, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from segspark.shop.personas import CATEGORIES, EXPECTED_EVENTS, TIERS

CELLS = CATEGORIES * TIERS  # shelves: a category at one price tier
LAUNCH_EVERY = 30  # days between launches on a shelf
LEAST_OLD = 6  # items on a shelf that were there before the first day


class ShopConfig(BaseModel):
    """A synthetic shop. The same values give the same shop on any number of cores and partitions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    users: int = Field(5_000, ge=1)  # people and bots with an account
    items: int = Field(1_200, multiple_of=CELLS)  # catalogue, the same number on each of the 50 shelves
    days: int = Field(182, ge=28, le=1_500)  # length of the logs
    ends_on: date = date(2024, 6, 30)  # last day of the logs, UTC
    seed: int = 7  # of everything that is drawn
    preset: Literal["demo", "hard"] = "demo"  # personas well apart, or overlapping
    events_per_user: int = Field(60, ge=20, le=100_000)  # mean events of a person over the whole period
    bot_share: float = Field(0.002, ge=0, le=0.2)  # of users: machines that view thousands of pages in a day
    guest_share: float = Field(0.04, ge=0, le=1)  # orders without a user, on top of the users' orders
    dirty_share: float = Field(0.005, ge=0, le=0.5)  # bad lines added to each text source, per good line
    files: Literal["month", "day"] = "month"  # how events and orders are cut into files

    @model_validator(mode="after")
    def _shelves_hold_the_launches(self) -> "ShopConfig":
        least = (self.launches + LEAST_OLD) * CELLS
        if self.items < least:
            raise ValueError(f"items: {self.items} is too few for {self.days} days; allowed is {least} and more")
        return self

    @property
    def starts_on(self) -> date:
        """The first day of the logs."""
        return self.ends_on - timedelta(days=self.days - 1)

    @property
    def slots(self) -> int:
        """Items on one shelf: those of old first, then the launches in their order."""
        return self.items // CELLS

    @property
    def launches(self) -> int:
        """Items launched on one shelf from 30 days before the first day on."""
        return math.ceil((self.days + LAUNCH_EVERY) / LAUNCH_EVERY)

    @property
    def activity(self) -> float:
        """What visits and orders of the persona table are multiplied by to reach `events_per_user`."""
        return self.events_per_user / EXPECTED_EVENTS
