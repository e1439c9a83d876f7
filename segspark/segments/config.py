"""What the segments room can be told."""

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

LEAST, MOST = 2, 100
Member = Literal["kmeans", "kmedians", "bisecting", "mixture", "ward", "average"]
Rule = Literal["rfm", "activity"]
Source = Literal["features", "factors", "raw", "graph"]
Algorithm = Member | Literal["dbscan", "hdbscan", "consensus"] | Rule


class SchemeConfig(BaseModel):
    """One way to cut the users into segments."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    algorithm: Algorithm = "kmeans"  # of segments/methods
    distance: Literal["euclidean", "cosine"] = "euclidean"  # what kmeans sums: its square, or 1 - cosine
    start: Literal["kmeans++", "random"] = "kmeans++"  # where kmeans and kmedians start: users far apart, or any users
    source: Source = "features"  # prepared_features, user_factors; raw: user_features; graph: user_similarity
    columns: tuple[str, ...] = ()  # of prepared_features, by their names in feature_selection; none: all
    weights: dict[str, float] = {}  # multiplies prepared columns, beside the weights of features.prepare.blocks
    k: int | Literal["auto"] = "auto"  # segments; auto tries every number in k_range
    k_range: tuple[int, int] = (2, 10)  # least and most segments that auto tries
    min_share: float = Field(0.01, ge=0, lt=0.5)  # share of users below which a segment is too small to act on
    strength: float = Field(0.8, gt=0, le=1)  # prediction strength from which a number of segments is well supported
    splits: int = Field(5, ge=1, le=30)  # times the sample is halved to measure prediction strength
    refits: int = Field(3, ge=1, le=20)  # to 80 % of the sample each, to measure stability
    sample: int = Field(20_000, ge=100)  # users, chosen by hash and held on the driver, that k is chosen on
    starts: int = Field(5, ge=1, le=100)  # starts of each fit on the sample, best cost kept
    fit: Literal["full", "sample"] = "full"  # who the final centres are fitted on: everyone (MLlib), or fit_sample
    fit_sample: int = Field(200_000, ge=100)  # users, chosen by hash and held on the driver, that fit: sample uses
    fit_starts: int = Field(2, ge=1, le=20)  # starts of the fit on everyone, best cost kept
    fit_partitions: int | None = Field(None, ge=1)  # of the fit on everyone; default: one per 2 million numbers
    micro_clusters: int = Field(1_000, ge=50, le=5_000)  # that stand for all users in ward, average and dbscan
    members: tuple[Member, ...] = ("kmeans", "ward", "mixture")  # methods that consensus fuses
    min_points: int = Field(5, ge=2, le=100)  # neighbours of a dense place: micro-clusters in dbscan, users in hdbscan
    density_sample: int = Field(20_000, ge=100, le=20_000)  # users, chosen by hash, that hdbscan is fitted to
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

    @model_validator(mode="after")
    def _distance_is_of_the_algorithm(self) -> "SchemeConfig":
        if self.distance == "cosine" and self.algorithm != "kmeans":
            raise ValueError(f"distance: cosine is for kmeans; {self.algorithm} has a distance of its own")
        return self

    @model_validator(mode="after")
    def _rules_read_raw_columns(self) -> "SchemeConfig":
        if (self.algorithm in get_args(Rule)) != (self.source == "raw"):
            rules = " and ".join(get_args(Rule))
            raise ValueError(f"source: raw is for {rules}, and they need it; {self.algorithm} has {self.source}")
        if self.source == "raw" and (self.columns or self.weights or self.unit_length):
            raise ValueError(f"columns, weights and unit_length are not for {self.algorithm}: its columns are its own")
        return self

    @model_validator(mode="after")
    def _graph_has_no_columns(self) -> "SchemeConfig":
        if self.source == "graph" and (self.columns or self.weights):
            raise ValueError("columns and weights are for source: features; a graph has no columns with names")
        return self

    @field_validator("members")
    @classmethod
    def _are_several(cls, members: tuple[Member, ...]) -> tuple[Member, ...]:
        if len(set(members)) != len(members) or len(members) < 2:
            raise ValueError("two members or more, each once, are needed for a consensus")
        return members

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
    rule_depth: int = Field(6, ge=1, le=8)  # questions that a rule asks at most
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
