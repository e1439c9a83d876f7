"""What a person is told of a scheme: doubts about its segments, what moved, why a run must not be published."""

from segspark.segments.choice import Candidate
from segspark.segments.config import SchemeConfig
from segspark.segments.methods.method import Everyone
from segspark.segments.stability.changes import BEHAVIOUR, GONE, NEW, REFIT, Churn
from segspark.segments.stability.reuse import Earlier

NEARLY_ALL = 0.9  # share of users; a segment of more says next to nothing


def outsiders(name: str, everyone: Everyone) -> list[str]:
    """How many users a graph has no place for."""
    if everyone.outside == 0:
        return []
    people = everyone.users + everyone.outside
    return [f"{name}: {everyone.outside:,} of {people:,} users are like nobody, and so in no segment"]


def doubts(name: str, chosen: Candidate, scheme: SchemeConfig) -> list[str]:
    """What speaks against the chosen number of segments."""
    found = []
    if chosen.min_share < scheme.min_share:
        found.append(
            f"{name}: a segment holds {100 * chosen.min_share:.2g} % of the users, below segments.{name}.min_share"
        )
    if chosen.max_share > NEARLY_ALL:
        found.append(
            f"{name}: one segment holds {100 * chosen.max_share:.0f} % of the users, and little is told by it; try"
            " another algorithm or other columns"
        )
    if chosen.prediction_strength < scheme.strength:
        found.append(
            f"{name}: {chosen.k} segments reach a prediction strength of {chosen.prediction_strength:.2f}, below"
            f" {scheme.strength:g}: the users shade into one another and the borders are by convention"
        )
    return found


def moves(name: str, earlier: Earlier, reason: str | None, churn: Churn) -> str:
    """How the users of the published run fared, in one line."""
    model = f"fitted anew ({reason})" if reason else "the published model serves again"
    if earlier.rotation is not None:
        model += f"; today's items lie like that run's to {earlier.rotation.congruence:.2f} once turned"
    counted = ", ".join(f"{churn.users.get(cause, 0):,} {cause}" for cause in (BEHAVIOUR, REFIT, NEW, GONE))
    return f"{name}: {model}; since run {earlier.run_id} of {churn.in_both:,} users in both moved: {counted}"


def refusal(name: str, scheme: SchemeConfig, churn: Churn, run_id: str) -> str | None:
    """Why the run must not be published: a refit moves more users than it may. None where it does not."""
    if churn.by_refit <= scheme.churn_budget:
        return None
    path = f"segments.{name}"
    keep = f"keep the number of segments by {path}.k"
    if scheme.source == "features":
        keep = f"keep the published model by features.prepare.refit and {path}.refit: never"
    return (
        f"{path}: the refit would move {churn.by_refit:.1%} of {churn.in_both:,} users without new behaviour of theirs,"
        f" above churn_budget {scheme.churn_budget:.0%}: nothing is published. See the rows of run {run_id} in"
        f" segment_lineage and segment_changes (scheme {name}); then raise {path}.churn_budget to accept the new"
        f" segments, or {keep}"
    )
