"""What earlier campaigns changed: the newest in full, the others in a line each."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from segspark.bi.config import ReportConfig
from segspark.bi.report.campaign.labels import ALL, Place, action_name, place_of, points, signed
from segspark.bi.report.content import Row, RunRows, Scheme
from segspark.core.words import NOTHING, neutral, number, percent

MOST_DRAWN = 16  # effects on the chart
SHARE = "conversion"
MEASURES = {
    SHARE: "Users who ordered, in points",
    "revenue_cuped": "Revenue per user, narrowed by earlier spending",
    "revenue": "Revenue per user",
    "active_days": "Active days per user",
    "rating": "Mean rating of who rated",
}
VERDICTS = {"works": "works", "harms": "harms", "inconclusive": "inconclusive", "informs": "informs"}
UNKNOWN = (
    "No effect of an earlier campaign is known yet: it is told once users were held out and the days in which orders"
    " count for a contact are over. Orders after the contact bring it, or the source outcomes, where who sends tells"
    " what was delivered."
)


@dataclass(frozen=True)
class Effect:
    """One measure of one action in one segment, or of all."""

    place: Place
    action: str
    measure: str
    people: tuple[str, str]  # contacted, held out
    means: tuple[str, str]  # of them; nothing where few of either side ordered
    lift: str
    interval: str
    verdict: str
    least: str  # the least effect that would have been seen, where nothing was
    row: Row


@dataclass(frozen=True)
class Earlier:
    """An earlier campaign as a whole."""

    campaign: str
    lift: str
    interval: str
    verdict: str


@dataclass(frozen=True)
class Move:
    """Users of a segment who moved in one way after the newest campaign."""

    place: Place
    move: str
    cells: tuple[str, ...]  # of the contacted, of those held out, difference, interval


@dataclass(frozen=True)
class Effects:
    """What is known of earlier campaigns."""

    campaign: str  # the newest; empty where none is known
    is_observed: bool  # nobody was held out at random
    shares: tuple[Effect, ...]  # of conversion, as a whole first
    others: tuple[Effect, ...]  # of other measures
    moves: tuple[Move, ...]
    earlier: tuple[Earlier, ...]
    failed: tuple[Row, ...]  # checks, of any campaign

    @property
    def drawn(self) -> list[Effect]:
        """Of conversion, as a whole and for each pair of segment and action: the clearest, where they are many."""
        pairs = [one for one in self.shares if (one.row["segment_name"] == ALL) == (one.row["action"] == ALL)]
        clearest = sorted(pairs, key=_clearness)[:MOST_DRAWN]
        return [one for one in pairs if one in clearest]


def effects_of(rows: RunRows, schemes: Sequence[Scheme], config: ReportConfig) -> Effects:
    """The effects with enough users on either side."""
    known = [row for row in rows.campaign.lifts if is_shown(row, config)]
    order = sorted({(row["starts_on"] or date.min, row["campaign_id"]) for row in known}, reverse=True)
    newest = order[0][1] if order else ""
    own = [row for row in known if row["campaign_id"] == newest]
    few = {_key(row) for row in own if row["measure"] == SHARE and _is_of_few(row, config)}
    scheme = next((row["scheme"] for row in (*rows.campaign.campaigns, *rows.campaign.strategies)), None)
    effects = [_effect(row, place_of(row["segment_name"], scheme, schemes), _key(row) in few) for row in own]
    effects.sort(key=_in_reading_order)
    wholes = {row["campaign_id"]: row for row in known if _is_whole(row)}
    return Effects(
        campaign=neutral(newest),
        is_observed=any(row["method"] == "weighting" for row in own),
        shares=tuple(effect for effect in effects if effect.row["measure"] == SHARE),
        others=tuple(effect for effect in effects if effect.row["measure"] != SHARE),
        moves=tuple(
            _move(row, place_of(row["segment_name"], scheme, schemes), config) for row in _moves(rows, newest, config)
        ),
        earlier=tuple(_earlier(wholes[name]) for _, name in order[1:] if name in wholes),
        failed=tuple(sorted((row for row in rows.campaign.checks if row["passed"] is False), key=_in_order)),
    )


def is_shown(row: Row, config: ReportConfig) -> bool:
    """Whether there are enough users on either side to tell of, and to tell anything."""
    return row["verdict"] in VERDICTS and min(row["treated_users"], row["control_users"]) >= config.min_group


def _effect(row: Row, place: Place, is_of_few: bool) -> Effect:
    is_share = row["measure"] == SHARE
    said, shown = (points, percent) if is_share else (signed, number)
    hides = is_of_few and row["measure"] not in ("active_days", "rating")
    return Effect(
        place=place,
        action=action_name(row["action"]),
        measure=MEASURES.get(row["measure"], neutral(row["measure"])),
        people=(number(row["treated_users"]), number(row["control_users"])),
        means=(NOTHING, NOTHING) if hides else (shown(row["treated"]), shown(row["control"])),
        lift=said(row["lift"]),
        interval=f"{said(row['lift_low'])} to {said(row['lift_high'])}",
        verdict=VERDICTS[row["verdict"]],
        least=said(row["least_detectable"]).lstrip("+") if _tells_least(row) else "",
        row=row,
    )


def _earlier(row: Row) -> Earlier:
    interval = f"{points(row['lift_low'])} to {points(row['lift_high'])}"
    return Earlier(neutral(row["campaign_id"]), points(row["lift"]), interval, VERDICTS[row["verdict"]])


def _moves(rows: RunRows, campaign: str, config: ReportConfig) -> list[Row]:
    own = [row for row in rows.campaign.moves if row["campaign_id"] == campaign and row["move"] != "same"]
    shown = [row for row in own if min(row["treated_users"], row["control_users"]) >= config.min_group]
    return sorted(shown, key=lambda row: (row["segment_name"], row["move"]))


def _move(row: Row, place: Place, config: ReportConfig) -> Move:
    shares = [NOTHING if _is_of_few(row, config) else percent(row[side]) for side in ("treated", "control")]
    interval = f"{points(row['low'])} to {points(row['high'])}"
    return Move(place, neutral(row["move"]), (*shares, points(row["difference"]), interval))


def _is_of_few(row: Row, config: ReportConfig) -> bool:
    """Whether a share of either side is that of some users, but fewer than may be told of."""
    counts = (row[side] * row[f"{side}_users"] for side in ("treated", "control"))
    return any(0 < count < config.min_group - 0.5 for count in counts)


def _tells_least(row: Row) -> bool:
    return row["verdict"] == "inconclusive" and row["least_detectable"] is not None


def _clearness(effect: Effect) -> tuple[bool, bool, float]:
    """The whole first, then what has a verdict, the largest first."""
    row = effect.row
    return not _is_whole(row), row["verdict"] == "inconclusive", -abs(row["lift"])


def _is_whole(row: Row) -> bool:
    return bool((row["segment_name"], row["action"], row["measure"]) == (ALL, ALL, SHARE))


def _key(row: Row) -> tuple[str, str]:
    return row["segment_name"], row["action"]


def _in_reading_order(effect: Effect) -> tuple[object, ...]:
    row, measures = effect.row, list(MEASURES)
    place = measures.index(row["measure"]) if row["measure"] in measures else len(measures)
    return effect.place.order, row["action"] != ALL, row["action"], place


def _in_order(row: Row) -> tuple[str, str]:
    return row["campaign_id"], row["check"]
