"""How many segments a refit makes: as many as published, until that number has lost its support."""

from segspark.segments.choice import Candidate, best
from segspark.segments.config import SchemeConfig
from segspark.segments.stability.reuse import Earlier, settings_of


def published_number(earlier: Earlier | None, config: SchemeConfig) -> int | None:
    """The number to keep, noise left out; None where it is chosen freely: other settings, `refit: always`, no model."""
    if earlier is None or earlier.model is None or earlier.settings is None or config.refit == "always":
        return None
    if settings_of(earlier.settings) != settings_of(config):
        return None
    return earlier.model.k - (earlier.model.placement.noise is not None)


def choose_again(candidates: list[Candidate], config: SchemeConfig, number: int | None) -> Candidate:
    """The best candidate of that number of segments where it meets as much as the best of all does, else the latter.

    What is met is room (no segment below the least share) before strength (prediction strength at its bound). Another
    number would split or merge segments that people plan by, for a score that may turn again next month.
    """
    chosen = best(candidates)
    same = [candidate for candidate in candidates if candidate.k == number]
    if not same:
        return chosen
    kept = best(same)
    return kept if _support(kept, config) >= _support(chosen, config) else chosen


def kept_note(name: str, kept: Candidate, candidates: list[Candidate]) -> list[str]:
    """What a person is told where another number of segments would score higher."""
    other = best(candidates)
    if other.k == kept.k:
        return []
    return [
        f"{name}: {kept.k} segments are kept as published, though {other.k} score higher now; segments.{name}.refit:"
        " always chooses their number anew"
    ]


def _support(candidate: Candidate, config: SchemeConfig) -> tuple[bool, bool]:
    return candidate.min_share >= config.min_share, candidate.prediction_strength >= config.strength
