"""What the segments room can be told."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

LEAST, MOST = 2, 100


class SchemeConfig(BaseModel):
    """One way to cut the users into segments."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: Literal["kmeans"] = "kmeans"  # squared Euclidean distance
    source: Literal["features", "factors"] = "features"  # what users are compared by: prepared_features, user_factors
    columns: tuple[str, ...] = ()  # of prepared_features, by their names in feature_selection; none: all
    weights: dict[str, float] = {}  # multiplies prepared columns, beside the weights of features.prepare.blocks
    k: int | Literal["auto"] = "auto"  # segments; auto tries every number in k_range
    k_range: tuple[int, int] = (2, 10)  # least and most segments that auto tries
    min_share: float = Field(0.01, ge=0, lt=0.5)  # share of users below which a segment is too small to act on
    strength: float = Field(0.8, gt=0, le=1)  # prediction strength from which a number of segments is well supported
    splits: int = Field(5, ge=1, le=30)  # times the sample is halved to measure prediction strength
    sample: int = Field(20_000, ge=100)  # users, chosen by hash and held on the driver, that k is chosen on
    starts: int = Field(5, ge=1, le=100)  # starts of each fit on the sample, best cost kept
    fit: Literal["full", "sample"] = "full"  # who the final centres are fitted on: everyone (MLlib), or fit_sample
    fit_sample: int = Field(200_000, ge=100)  # users, chosen by hash and held on the driver, that fit: sample uses
    fit_starts: int = Field(2, ge=1, le=20)  # starts of the fit on everyone, best cost kept
    fit_partitions: int | None = Field(None, ge=1)  # of the fit on everyone; default: one per 2 million numbers
    max_iter: int = Field(50, ge=1)  # iterations of one start
    tolerance: float = Field(1e-4, ge=0)  # a start ends when no centre moves farther, in prepared units
    unit_length: bool = False  # scale every vector to length 1, so that only its direction counts
    names: Literal["personas", "tastes"] = "personas"  # the part of the personas file that names the segments
    refit: Literal["auto", "always", "never"] = "auto"  # auto: as published until something changes; always: k free too
    churn_budget: float = Field(0.2, ge=0, le=1)  # share of users whom a refit alone may move; more is not published

    @field_validator("k", mode="before")
    @classmethod
    def _is_a_number_or_auto(cls, value: object) -> object:
        is_possible = isinstance(value, int) and not isinstance(value, bool) and LEAST <= value <= MOST
        if value != "auto" and not is_possible:
            raise ValueError(f"{value!r} is neither auto nor a whole number from {LEAST} to {MOST}")
        return value

    @field_validator("k_range")
    @classmethod
    def _is_a_range(cls, value: tuple[int, int]) -> tuple[int, int]:
        if min(value) < LEAST:
            raise ValueError(f"{min(value)} is below {LEAST}; two segments are the least that can be told apart")
        if max(value) > MOST:
            raise ValueError(f"{max(value)} is above {MOST}, the most segments that are tried")
        if value[0] > value[1]:
            raise ValueError(f"{value[0]} is above {value[1]}; the least number of segments comes first")
        return value

    @property
    def numbers(self) -> list[int]:
        """Every number of segments to try."""
        return list(range(self.k_range[0], self.k_range[1] + 1)) if self.k == "auto" else [self.k]


TASTE = {"source": "factors", "unit_length": True, "names": "tastes"}


class SegmentsConfig(BaseModel):
    """The two schemes that come out of the box, further ones, and where their names come from."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: SchemeConfig = SchemeConfig()  # on behaviour and profile: prepared_features
    taste: SchemeConfig = SchemeConfig.model_validate(TASTE)  # on what users like: user_factors
    others: dict[str, SchemeConfig] = {}  # further schemes, by names of your own
    personas: str = "conf/personas.yaml"  # names, their conditions and strategies; relative to the working folder
    profile_sample: int = Field(50_000, ge=100)  # users, chosen by hash, that medians and percentiles are taken over
    top_values: int = Field(12, ge=1, le=100)  # most frequent values of a category that profiles show

    @field_validator("taste", mode="before")
    @classmethod
    def _keeps_taste_defaults(cls, value: object) -> object:
        """A scheme given in part keeps what makes it `taste`."""
        return {**TASTE, **value} if isinstance(value, dict) else value

    @field_validator("others")
    @classmethod
    def _names_are_free(cls, others: dict[str, SchemeConfig]) -> dict[str, SchemeConfig]:
        for name in others:
            if name in ("value", "taste") or not name.isidentifier():
                raise ValueError(f"{name}: a further scheme needs a name of letters, digits and _ of its own")
        return others

    @property
    def schemes(self) -> dict[str, SchemeConfig]:
        """Every scheme by name, in the order of fitting."""
        return {"value": self.value, "taste": self.taste, **self.others}
