"""A scheme's model: the published run's where it still serves, else chosen and fitted anew."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from segspark.core.stage import Run
from segspark.segments.checks import possible
from segspark.segments.choice import try_candidates
from segspark.segments.config import SchemeConfig
from segspark.segments.fit import fit_scheme
from segspark.segments.methods.method import Everyone
from segspark.segments.methods.registry import METHODS
from segspark.segments.model import SegmentModel
from segspark.segments.notes import doubts
from segspark.segments.sample import sample_vectors
from segspark.segments.stability.number import choose_again, kept_note, published_number
from segspark.segments.stability.reuse import Earlier, Spaces, carry_over, reason_to_fit, settings_of
from segspark.segments.tables import Row, model_rows


@dataclass(frozen=True)
class Made:
    """A model, its rows of segment_models, and what there is to tell of it."""

    model: SegmentModel
    rows: list[Row]
    notes: list[str]
    reason: str | None = None  # why it was fitted; None where it is the published one, or there is none

    @property
    def is_new(self) -> bool:
        """Whether it was fitted although there is a published one."""
        return self.reason is not None


@dataclass(frozen=True)
class Order:
    """One scheme to make a model of."""

    name: str
    config: SchemeConfig
    run: Run
    tell: Callable[[str], None]


def make_model(order: Order, everyone: Everyone, earlier: Earlier | None, spaces: Spaces) -> Made:
    """The published run's model with today's sizes, or one fitted anew, with the reason."""
    if earlier is None:
        return fit_model(order, everyone, None, None)
    reason = reason_to_fit(earlier, order.config, spaces)
    if reason is None and earlier.today is not None:
        model = carry_over(everyone, earlier.today)
        sizes = model.sizes_by_id if order.config.source != "raw" else {}  # a rule's segment may be empty
        empty = [str(segment_id) for segment_id, size in sizes.items() if size == 0]
        if not empty or order.config.refit == "never":
            order.tell(f"{order.name}: {model.k} segments by the model of run {earlier.run_id}")
            return Made(model, earlier.tried, [])
        reason = f"nobody is in segment {', '.join(empty)} any more"
    return fit_model(order, everyone, reason, published_number(earlier, order.config))


def fit_model(order: Order, everyone: Everyone, reason: str | None, number: int | None) -> Made:
    """Choice of the parameters on the sample, then the fit for everyone. Its segments are numbered from 0.

    `number` is that of the published segments, kept while it is as well supported as any; None for a free choice.
    """
    name, scheme, seed, users = order.name, order.config, order.run.seed, everyone.users
    sample = sample_vectors(everyone.vectors, scheme.sample, users, seed)
    wanted = METHODS[scheme.algorithm].candidates(scheme, sample.points)
    allowed = possible(wanted, sample.points, scheme, f"segments.{name}")
    order.tell(f"{name}: trying {len(allowed)} candidates on {len(sample.points):,} of {users:,} users")
    candidates = try_candidates(sample, allowed, scheme, seed)
    chosen = choose_again(candidates, scheme, number)
    order.tell(f"{name}: {chosen.k} segments; fitting them to {users:,} users")
    fitted = fit_scheme(everyone, sample, chosen, scheme, seed)
    final = {**fitted.final, "fitted_in": order.run.run_id, "settings": settings_of(scheme)}
    rows = model_rows(name, scheme, candidates, chosen, replace(fitted, final=final))
    notes = doubts(name, chosen, scheme) + kept_note(name, chosen, candidates)
    return Made(fitted.model, rows, notes, reason)
