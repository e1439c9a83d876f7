"""Why an action's share is what it is, for a person."""

from dataclasses import dataclass

from segspark.campaigns.config import LearningConfig
from segspark.campaigns.learning.posteriors import Posterior
from segspark.campaigns.learning.verdicts import Verdict


@dataclass(frozen=True)
class Told:
    """What a reason is made of."""

    verdict: Verdict
    gain: float  # expected, after the cost
    share: float
    previous: float | None
    best: float  # probability to be the best of the live
    live: int  # actions of the segment that are not stopped


def reason_of(told: Told, config: LearningConfig) -> str:
    """One sentence with the numbers that decided."""
    verdict = told.verdict
    if verdict.status == "stopped":
        return _stopped(verdict, config)
    best = f"best in {100 * told.best:.0f} % of draws"
    if verdict.status == "scaled":
        users = verdict.lift.users if verdict.lift else 0
        return f"{_move(told)}: {_effect(verdict, config)} over {users:,} users; {best}"
    is_even = told.share >= 1 / told.live - 1e-9
    place = f"{'untried' if verdict.status == 'untried' else 'held'} at {_share(told, is_even)}"
    if verdict.status == "untried":
        return f"{place}: no outcomes yet"
    if verdict.lift is None:
        return f"{place}: no campaign yet with both contacted and held out"
    odds = "" if is_even else f"; {best}"
    if verdict.lift.is_above_zero:
        return f"{place}: {_effect(verdict, config)}, but a contact loses {-told.gain:,.2f} after its cost{odds}"
    return f"{place}: {_effect(verdict, config)} does not exclude zero{odds}"


def reason_of_none(none: Posterior, is_contacted: bool) -> str:
    """The same for no contact."""
    if none.users <= 0:
        seen = "nobody held out yet; the rate is the one believed before any outcome"
    else:
        users = f"{none.users:,.0f} held out, older ones counting less"
        seen = f"{100 * none.rate:.1f} % convert without a contact ({users})"
    return seen if is_contacted else f"no contact, as every action is stopped; {seen}"


def _stopped(verdict: Verdict, config: LearningConfig) -> str:
    if verdict.behind is None or verdict.lift is None:
        return f"stopped: {_effect(verdict, config)}"
    behind, lift = verdict.behind, verdict.lift
    against = _amount(behind.lift, behind.low, behind.high, config)
    alone = _amount(lift.lift, *lift.plain(config.level), config)
    return f"stopped: {against} against {verdict.better}, and likely below no contact: {alone} in this look alone"


def _share(told: Told, is_even: bool) -> str:
    if not is_even:
        return f"{100 * told.share:.0f} %"
    return "an even share" if told.live > 1 else "all contacts, as the only action left"


def _move(told: Told) -> str:
    now = f"{100 * told.share:.0f} %"
    if told.previous is None:
        return f"scaled to {now}"
    before = f"{100 * told.previous:.0f} %"
    if before == now:
        return f"scaled, still at {now}"
    return f"scaled {'up' if told.share > told.previous else 'down'} from {before} to {now}"


def _effect(verdict: Verdict, config: LearningConfig) -> str:
    assert verdict.lift is not None
    return _amount(verdict.lift.lift, verdict.lift.low, verdict.lift.high, config)


def _amount(lift: float, low: float, high: float, config: LearningConfig) -> str:
    if config.objective == "revenue":
        return f"{lift:+,.2f} per user ({low:,.2f} to {high:,.2f})"
    return f"{100 * lift:+.1f} points of conversion ({100 * low:.1f} to {100 * high:.1f})"
