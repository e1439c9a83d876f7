"""The `campaigns:` part of the configuration: what is planned, how it is judged, what is learned from it."""

from datetime import date
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class LiftConfig(BaseModel):
    """How the effect of a campaign is measured."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    attribution_days: int = Field(14, ge=1, le=365)  # after a contact in which orders and visits count
    before_days: int = Field(28, ge=1, le=365)  # before the contact, whose spending narrows the interval of revenue
    level: float = Field(0.05, gt=0, lt=0.5)  # of all tests: share of campaigns without effect that may look like one
    power: float = Field(0.8, gt=0.5, lt=1)  # share of campaigns with the least detectable effect that would find it
    bootstrap_samples: int = Field(1000, ge=0, le=10_000)  # resamples of money; 0 leaves the bootstrap out
    bootstrap_users: int = Field(50_000, ge=100)  # users of a side, above which Welch's interval stands alone
    observed: tuple[str, ...] = ()  # campaigns of other tools, as glob patterns: without a holdout, so adjusted for
    adjust_users: int = Field(20_000, ge=200)  # users, chosen by hash, that the propensity of these is fitted to
    least_smd: float = Field(0.1, gt=0)  # standardised mean difference above which two sides are not alike


class LearningConfig(BaseModel):
    """How the next strategy follows from outcomes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    objective: Literal["conversions", "revenue"] = "conversions"  # what an action is chosen by
    exploration_floor: float = Field(0.02, ge=0, le=0.2)  # least share of an action that is not stopped
    weekly_discount: float = Field(0.97, gt=0, le=1)  # what evidence is worth a week later
    prior_rate: float = Field(0.05, gt=0, lt=1)  # conversion rate that is believed before any outcome
    prior_users: float = Field(20.0, gt=0)  # users whose outcomes weigh as much as that belief
    prior_lift: float = Field(0.01, ge=0, lt=1)  # what a contact is believed to add to the rate before any outcome
    level: float = Field(0.05, gt=0, lt=0.5)  # of the confidence sequence that scales an action up or stops it
    draws: int = Field(512, ge=64, le=8192)  # draws from the posteriors


class DemandConfig(BaseModel):
    """The forecast of units per segment and category."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    weeks: int = Field(4, ge=1, le=13)  # weeks ahead
    top_items: int = Field(20, ge=0, le=1000)  # best-selling items that get a forecast of their own
    top_categories: int = Field(50, ge=1, le=1000)  # categories that do; the others are added up as one
    history_weeks: int = Field(104, ge=8)  # weeks before as_of that are looked at
    origins: int = Field(4, ge=1, le=26)  # forecasts from earlier weeks by which ways are judged
    cover_warning_days: int = Field(14, ge=1)  # stock that lasts for less is told in a note


class CampaignsConfig(BaseModel):
    """The campaign of the run and what comes of it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    strategies: str | None = "conf/strategies.yaml"  # actions and channels, from the working folder; null: skip
    scheme: str = "value"  # whose segments actions are chosen for
    campaign_id: str | None = Field(None, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")  # default: campaign-<starts_on>
    starts_on: date | None = None  # first day of contacts; default: as_of
    days: int = Field(7, ge=1, le=365)  # days on which contacts are sent
    holdout_share: float = Field(0.1, gt=0, le=0.5)  # of each segment's users who may be contacted: never contacted
    windows_apart: bool = True  # nobody is in a second campaign while the attribution window of the first is open
    consent: Literal["required", "assumed"] = "required"  # assumed: who is contacted agreed elsewhere
    items: int = Field(3, ge=1, le=20)  # items that a contact shows, where the action shows items
    item_take: float = Field(0.1, gt=0, le=1)  # share of the contacts that show an item which may buy one: for stock
    price_users: int = Field(4000, ge=100, le=50_000)  # users, chosen by hash, that budgets are priced on
    lift: LiftConfig = LiftConfig()
    learning: LearningConfig = LearningConfig()
    demand: DemandConfig = DemandConfig()

    @model_validator(mode="after")
    def _has_a_start(self) -> "CampaignsConfig":
        if self.campaign_id is not None and self.starts_on is None:
            raise ValueError("starts_on: is missing; a campaign with an id of its own needs its first day")
        return self
