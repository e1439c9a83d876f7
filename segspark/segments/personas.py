"""The names that segments can earn: `conf/personas.yaml`, checked."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from segspark.core.errors import ConfigError
from segspark.core.model_files import read_model

Statistic = Literal["mean", "median", "p10", "p90"]


class Condition(BaseModel):
    """One feature of a segment against a bound: in the feature's unit, or in times of all users with `lift`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    feature: str  # of user_features, of `shares`, or one value of a category as gender=f
    statistic: Statistic = "mean"  # over the segment's users
    lift: bool = False  # compare with the same statistic of all users: a bound of 2 is twice theirs
    at_least: float | None = Field(None, gt=0)
    at_most: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _has_a_bound(self) -> Condition:
        if self.at_least is None and self.at_most is None:
            raise ValueError("neither at_least nor at_most is given; a condition needs a bound")
        return self


class AnyOf(BaseModel):
    """Holds where one of its conditions does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    any: tuple[Condition, ...] = Field(min_length=1)


class Persona(BaseModel):
    """A name and what must be true of a segment that bears it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str  # for people
    strategy: str  # what marketing does with the segment
    all: tuple[Condition | AnyOf, ...] = Field(min_length=1)  # every one must hold


class Share(BaseModel):
    """A feature of segments: the share of users whose feature lies between two values, both included."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    feature: str  # of user_features
    lower: float = Field(alias="from")
    upper: float = Field(alias="to")


class Tastes(BaseModel):
    """A name for every value of a category that a segment prefers; `{value}` stands for the value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: str  # column of user_features
    name: str
    title: str
    strategy: str
    share: float = Field(gt=0, le=1)  # least share of the segment's users with the value
    lift: float = Field(gt=0)  # least share in times of all users'

    def persona(self, value: str) -> tuple[str, Persona]:
        """The name and the persona of one value."""
        feature = f"{self.category}={value}"
        conditions = (
            Condition(feature=feature, at_least=self.share),
            Condition(feature=feature, lift=True, at_least=self.lift),
        )
        texts = [text.replace("{value}", value) for text in (self.name, self.title, self.strategy)]
        return texts[0], Persona(title=texts[1], strategy=texts[2], all=conditions)


class Catalogue(BaseModel):
    """Everything in the personas file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    shares: dict[str, Share] = {}
    personas: dict[str, Persona]
    tastes: Tastes | None = None
    unnamed: str  # strategy of a segment that earns no name

    def features(self) -> dict[str, str]:
        """Every feature that the file names, by the path of the key that names it."""
        named = {f"shares.{name}.feature": share.feature for name, share in self.shares.items()}
        for name, persona in self.personas.items():
            for path, condition in _conditions(persona):
                named[f"personas.{name}.{path}.feature"] = condition.feature
        return named


def load_catalogue(path: str) -> Catalogue:
    """Reads the personas file. ConfigError where it is absent or wrong, with the path of the key."""
    return read_model(path, Catalogue, "segments.personas")


def check_features(catalogue: Catalogue, path: str, known: set[str], categories: set[str]) -> None:
    """ConfigError for a feature that is neither known nor a share nor a value of a category."""
    for where, feature in catalogue.features().items():
        is_value = "=" in feature and feature.split("=")[0] in categories
        is_share = where.startswith("personas.") and feature in catalogue.shares
        if not (feature in known or is_value or is_share):
            raise ConfigError(f"{path}: {where}: {feature} is no feature; known are {', '.join(sorted(known))}")


def _conditions(persona: Persona) -> list[tuple[str, Condition]]:
    found: list[tuple[str, Condition]] = []
    for number, part in enumerate(persona.all):
        inner = part.any if isinstance(part, AnyOf) else ()
        found += [(f"all.{number}.any.{place}", condition) for place, condition in enumerate(inner)]
        found += [(f"all.{number}", part)] if isinstance(part, Condition) else []
    return found
