"""What a shop can do for its users: `conf/strategies.yaml`, checked."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from segspark.core.errors import ConfigError
from segspark.core.expressions import columns_of
from segspark.core.model_files import read_model

NO_ACTION = "none"  # no contact: what the holdout shows
EVERYONE = "all"  # as a persona: any segment, also one without a name
UNNAMED = "unnamed"  # as a persona: a segment that earned no name


class Channel(BaseModel):
    """A way to reach people, and what it may cost a day."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    contacts_per_day: int = Field(gt=0)  # contacts at most
    money_per_day: float = Field(gt=0)  # in the shop's currency, over all actions of the channel


class Action(BaseModel):
    """Something to do for a user."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1)  # for people
    channel: str  # one of `channels`
    personas: tuple[str, ...] = Field(min_length=1)  # segments it suits by name; `all`, or `unnamed` for the nameless
    audience: str = "true"  # Spark SQL over user_features: for whom it is true, who else of the segment is left out
    cost: float = Field(ge=0)  # per contact, in the shop's currency, with what is given away
    cool_down_days: int = Field(14, ge=0)  # after the same action, before the user may get it again
    items: Literal["none", "recommended", "new", "cheap"] = "none"  # what the contact shows
    incentive: bool = False  # gives something away: never to users at risk

    @field_validator("audience")
    @classmethod
    def _audience_is_harmless(cls, audience: str) -> str:
        columns_of(audience)
        return audience


class Strategies(BaseModel):
    """Everything in the strategies file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    channels: dict[str, Channel] = Field(min_length=1)
    quiet_days: int = Field(3, ge=0)  # after any contact, before the next
    risk: str = "false"  # Spark SQL over user_features: users at risk, who get no incentive
    actions: dict[str, Action] = Field(min_length=1)

    @field_validator("risk")
    @classmethod
    def _risk_is_harmless(cls, risk: str) -> str:
        columns_of(risk)
        return risk

    @model_validator(mode="after")
    def _names_fit(self) -> Strategies:
        for name, action in self.actions.items():
            if name in (NO_ACTION, EVERYONE):
                raise ValueError(f"actions.{name}: the name is taken; give the action another")
            if action.channel not in self.channels:
                known = ", ".join(self.channels)
                raise ValueError(f"actions.{name}.channel: {action.channel} is no channel; known are {known}")
            channel = self.channels[action.channel]
            if action.cost > channel.money_per_day:
                raise ValueError(
                    f"actions.{name}.cost: {action.cost:g} is more than channels.{action.channel}.money_per_day"
                    f" ({channel.money_per_day:g}); no contact could be paid"
                )
        return self

    def expressions(self) -> dict[str, str]:
        """Every Spark SQL expression over user_features in the file, by the path of its key."""
        of_actions = {f"actions.{name}.audience": action.audience for name, action in self.actions.items()}
        return {"risk": self.risk, **of_actions}

    def features(self) -> set[str]:
        """The columns of user_features that these go by."""
        return {column for text in self.expressions().values() for column in columns_of(text)}

    def suits(self, segment_name: str, named: bool) -> list[str]:
        """The actions that a segment may receive, in the order of the file."""
        labels = {segment_name, EVERYONE} | (set() if named else {UNNAMED})
        return [name for name, action in self.actions.items() if labels & set(action.personas)]


def load_strategies(path: str, earned: frozenset[str] | None) -> Strategies:
    """Reads the strategies file. ConfigError where it is absent or wrong, or where no segment may receive an action.

    `earned` are the names that segments can earn; None where nobody knows before they are made.
    """
    strategies = read_model(path, Strategies, "campaigns.strategies")
    if earned is not None:
        _check_personas(strategies, path, earned)
    return strategies


def _check_personas(strategies: Strategies, path: str, earned: frozenset[str]) -> None:
    known = earned | {EVERYONE, UNNAMED}
    for name, action in strategies.actions.items():
        if not set(action.personas) & known:
            raise ConfigError(
                f"{path}: actions.{name}.personas: no segment may receive it: none can be called"
                f" {' or '.join(action.personas)}; known are {', '.join(sorted(known))}"
            )
