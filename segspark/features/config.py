"""What the features room can be told."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

WINDOWS = (7, 30, 90, 365)


class Block(BaseModel):
    """Features that belong together and weigh the same."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[str, ...]  # names in user_features; of two near-duplicates the one named first is kept
    weight: float = Field(
        default=1.0, gt=0
    )  # multiplies the scaled columns: 2 counts as if each stood there four times


PURCHASES = Block(
    columns=(
        "recency_days",
        "frequency",
        "monetary",
        "aov",
        "items_per_order",
        "inter_purchase_days_mean",
        "discount_share",
        "new_product_share",
        "repeat_item_share",
        "price_level",
    )
)
VISITS = Block(columns=("sessions", "events_per_session", "view_to_cart_rate", "cart_to_order_rate"))
PROFILE = Block(columns=("tenure_days", "age", "income"))


class PrepareConfig(BaseModel):
    """From user_features to the numbers that models see."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    blocks: dict[str, Block] = {"purchases": PURCHASES, "visits": VISITS, "profile": PROFILE}  # what models see
    categories: tuple[str, ...] = ()  # one-hot encoded: gender, education, region, favourite_category
    category_weight: float = Field(default=1.0, gt=0)  # multiplies each one-hot column
    fill: dict[str, Literal["median", "low", "high", "zero"]] = {
        "recency_days": "high",  # who never bought is as far away as the farthest
        "inter_purchase_days_mean": "high",
    }  # what stands for a missing value; low and high are the winsorising bounds; default: median
    winsorise: float = Field(default=0.01, ge=0, lt=0.5)  # share of users at each end whose values are pulled in
    log_skewness: float = Field(
        default=1.0, ge=0
    )  # above this skewness the logarithm is taken of what is never negative
    scaling: Literal["standard", "robust"] = "standard"  # by mean and deviation, or by median and quartiles
    max_missing: float = Field(default=0.95, gt=0, le=1)  # a feature missing for a larger share of users is left out
    max_correlation: float = Field(
        default=0.95, gt=0, le=1
    )  # of two features correlated more than this one is left out
    pca_share: float | None = Field(
        default=None, gt=0, le=1
    )  # share of variance that principal components keep; none: no PCA
    fit_users: int = Field(
        default=50_000, ge=100, le=1_000_000
    )  # users, chosen by hash, on whom bounds and scales are fitted
    refit: Literal["auto", "always", "never"] = "auto"  # auto: as the published run prepared, unless a feature drifted

    @model_validator(mode="after")
    def _names_are_unique(self) -> "PrepareConfig":
        names = [column for block in self.blocks.values() for column in block.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{', '.join(twice)} stands in two blocks; name each feature once")
        if not names and not self.categories:
            raise ValueError("no feature is named; name at least one in blocks or categories")
        return self


class FeaturesConfig(BaseModel):
    """From logs to one row per user."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    session_gap_minutes: int = Field(default=30, ge=1, le=720)  # a longer silence starts a new visit
    windows_days: tuple[int, ...] = WINDOWS  # days before as_of over which counts and sums are also taken
    bot_events_per_day: int = Field(default=1000, ge=1)  # events; whoever makes more on one day is no person
    new_product_days: int = Field(default=60, ge=1)  # days after its launch, or first sale, for which an item is new
    night_from_hour: int = Field(default=22, ge=0, le=23)  # first hour of the night, UTC
    night_to_hour: int = Field(default=6, ge=0, le=23)  # first hour of the day, UTC
    drift_bound: float = Field(default=0.25, gt=0)  # population stability index above which a feature has drifted
    prepare: PrepareConfig = PrepareConfig()

    @field_validator("windows_days")
    @classmethod
    def _windows_rise(cls, windows: tuple[int, ...]) -> tuple[int, ...]:
        if any(days < 1 for days in windows) or len(set(windows)) != len(windows):
            raise ValueError(f"{list(windows)}: windows are distinct numbers of days, each at least 1")
        return tuple(sorted(windows))

    def shapes_days(self) -> str:
        """The settings that the day tables depend on, as text: with another text they are built anew."""
        night = f"{self.night_from_hour}-{self.night_to_hour}"
        return f"2|gap={self.session_gap_minutes}|night={night}|bot={self.bot_events_per_day}"
