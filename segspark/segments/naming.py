"""A name only where its persona's conditions hold, and the numbers that earned it."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import log

from segspark.segments.personas import AnyOf, Catalogue, Condition, Persona
from segspark.segments.placements.rules import Rule
from segspark.segments.profiles import Profile, Profiles, Stats

WIDEST = log(4.0)  # margins beyond four times the bound count as four times: one feature does not outweigh the rest
NOISE = "noise"
UNUSUAL = 3  # features that an unnamed segment is described by


@dataclass(frozen=True)
class Named:
    """What a segment is called, and why."""

    name: str
    title: str
    why: str
    strategy: str


@dataclass(frozen=True)
class Match:
    """A persona that holds for a segment. `strength` is the mean margin of its conditions, from 0."""

    strength: float
    held: tuple[Condition, ...]


def name_segments(
    profiles: Profiles,
    personas: dict[str, Persona],
    catalogue: Catalogue,
    earlier: Mapping[int, str] | None = None,
    noise: int | None = None,
) -> list[Named]:
    """One name per segment, in the order of the profiles.

    A segment keeps the name that it had `earlier` (by segment_id) while the persona's conditions hold, whoever meets
    them better. Then strongest match first, each name once; equals go by the order of the personas, then of the
    segments. A segment that gets none is `segment-N`, told by its most unusual features. The one at the position
    `noise`, of users who belong together by nothing but that, is called so and gets no persona's name.
    """
    order, had = list(personas), dict(earlier or {})
    matches = {
        (name, number): match
        for name, persona in personas.items()
        for number, profile in enumerate(profiles.segments)
        if number != noise and (match := match_persona(persona, profile, profiles.everyone)) is not None
    }
    given: dict[int, str] = {}
    kept = {(name, number) for name, number in matches if had.get(profiles.ids[number]) == name}
    for name, number in sorted(matches, key=lambda m: (m not in kept, -matches[m].strength, order.index(m[0]), m[1])):
        if number not in given and name not in given.values():
            given[number] = name
    named = []
    for number, (segment_id, profile) in enumerate(zip(profiles.ids, profiles.segments, strict=True)):
        if number in given:
            name, persona = given[number], personas[given[number]]
            why = _in_words(matches[name, number].held, profile, profiles)
            named.append(Named(name, persona.title, why, persona.strategy))
        elif number == noise:
            why = describe_unusual("users in no dense place", profile, profiles)
            named.append(Named(NOISE, NOISE.capitalize(), why, catalogue.unnamed))
        else:
            why = describe_unusual("no persona's conditions hold", profile, profiles)
            named.append(Named(f"segment-{segment_id}", f"Segment {segment_id}", why, catalogue.unnamed))
    return named


def name_by_rules(profiles: Profiles, rules: list[Rule]) -> list[Named]:
    """The names of the rules that made the segments, in the order of the profiles."""
    return [
        Named(rule.name, rule.title, describe_unusual(f"by rule: {rule.told}", profile, profiles), rule.strategy)
        for rule, profile in zip(rules, profiles.segments, strict=True)
    ]


def taste_personas(profiles: Profiles, catalogue: Catalogue) -> dict[str, Persona]:
    """One persona per value of the category of `tastes` that the profiles show."""
    if catalogue.tastes is None:
        return {}
    prefix = f"{catalogue.tastes.category}="
    values = [feature.removeprefix(prefix) for feature in profiles.everyone if feature.startswith(prefix)]
    return dict(catalogue.tastes.persona(value) for value in values)


def match_persona(persona: Persona, profile: Profile, everyone: Profile) -> Match | None:
    """The match of a segment with a persona; None where some condition does not hold."""
    margins: list[float] = []
    held: list[Condition] = []
    for part in persona.all:
        conditions = part.any if isinstance(part, AnyOf) else (part,)
        holding = [(m, c) for c in conditions if (m := margin(c, profile, everyone)) is not None]
        if not holding:
            return None
        margins.append(max(m for m, _ in holding))
        held += [condition for _, condition in holding]
    return Match(sum(margins) / len(margins), tuple(held))


def margin(condition: Condition, profile: Profile, everyone: Profile) -> float | None:
    """How far inside its bound a value is, as the logarithm of their ratio, from 0 to log 4.

    None where the condition does not hold, which it never does where the feature is absent or without a value.
    """
    value = measured(condition, profile, everyone)
    if value is None:
        return None
    ratios = []
    if condition.at_least is not None:
        ratios.append(value / condition.at_least)
    if condition.at_most is not None:
        ratios.append(condition.at_most / value if value > 0 else float("inf"))
    least = min(ratios)
    return min(log(least), WIDEST) if least >= 1.0 else None


def measured(condition: Condition, profile: Profile, everyone: Profile) -> float | None:
    """The number that a condition's bounds apply to; None where the segment or all users have none."""
    value = _statistic(profile.get(condition.feature), condition.statistic)
    if value is None or not condition.lift:
        return value
    reference = _statistic(everyone.get(condition.feature), condition.statistic)
    return value / reference if reference is not None and reference > 0 else None


def describe_unusual(reason: str, profile: Profile, profiles: Profiles) -> str:
    """The reason, and the features whose mean lies farthest from all users', in standard deviations of all users."""
    gaps = []
    for feature, everyone in profiles.everyone.items():
        own = profile.get(feature)
        if own is None or own.mean is None or everyone.mean is None or not everyone.deviation:
            continue
        gaps.append((-abs(own.mean - everyone.mean) / everyone.deviation, feature))
    features = [feature for _, feature in sorted(gaps)[:UNUSUAL]]
    told = [sentence(feature, "mean", profile, profiles) for feature in features]
    return f"{reason}; most unusual: " + "; ".join(told) if told else reason


def sentence(feature: str, statistic: str, profile: Profile, profiles: Profiles) -> str:
    """As `monetary 1,240 against 310 for all users (4.0 times)`."""
    own = _statistic(profile.get(feature), statistic)
    everyone = _statistic(profiles.everyone.get(feature), statistic)
    subject = feature if statistic == "mean" else f"{feature} ({statistic})"
    text = f"{subject} {_number(own, feature, profiles)} against {_number(everyone, feature, profiles)} for all users"
    return f"{text} ({own / everyone:.1f} times)" if own is not None and everyone else text


def _in_words(held: tuple[Condition, ...], profile: Profile, profiles: Profiles) -> str:
    told = [sentence(condition.feature, condition.statistic, profile, profiles) for condition in held]
    return "; ".join(dict.fromkeys(told))


def _statistic(stats: Stats | None, statistic: str) -> float | None:
    return None if stats is None else getattr(stats, statistic)


def _number(value: float | None, feature: str, profiles: Profiles) -> str:
    if value is None:
        return "none"
    if feature in profiles.shares:
        return f"{100 * value:.0f} %"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 else f"{value:.2g}"
