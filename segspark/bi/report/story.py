"""The run in plain words. Names that users or sources gave are escaped and isolated where they stand."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from segspark.bi.report.changes import moved_share
from segspark.bi.report.content import Row, RunRows, Scheme, Segment
from segspark.bi.wording import METRIC_LABELS, counted, duration, metric_label, metric_term, times
from segspark.core.runs import TAKEN_OVER
from segspark.core.words import NOTHING, neutral, number, percent

HEADLINE_METRIC = "ndcg_at_k"
DRAWN_METRICS = {  # those from 0 to 1 of which more is better
    "ndcg_at_k",
    "recall_at_k",
    "precision_at_k",
    "map_at_k",
    "hit_rate_at_k",
    "mrr",
    "auc",
    "coverage",
}
NOTABLE = 1.2  # times its share of users that a segment spends, to be told


@dataclass(frozen=True)
class Headline:
    """One of the three numbers on top."""

    value: str
    label: str
    detail: Markup


def headlines(rows: RunRows, schemes: Sequence[Scheme]) -> list[Headline]:
    """Users in segments, the spending of the segment that stands out, recommendations against popularity.

    Where no spending is known, rows accepted in its place.
    """
    return [_users(rows, schemes), _spending(schemes) or _rows(rows), _recommendations(rows)]


def sentences(rows: RunRows, schemes: Sequence[Scheme], campaign: Markup) -> list[Markup]:
    """What happened in this run; `campaign` is what is told of the plan."""
    said = [*map(_about_scheme, schemes), _about_changes(rows, schemes), about_recommendations(rows)]
    said += [campaign if rows.campaign.campaigns else Markup(""), _about_sources(rows), _about_checks(rows)]
    return [sentence for sentence in said if sentence]


def judged(rows: RunRows) -> list[Row]:
    """The metrics of each recommender that have popularity's value beside them, at one length of the list.

    Metric by metric, so that the recommenders stand side by side.
    """
    own = [row for row in rows.metrics if row["popularity_value"] is not None and "-" not in row["method"]]
    own = [row for row in own if row["method"] != "popularity"]
    lengths = sorted({row["k"] for row in own if row["k"]})
    k = 10 if 10 in lengths else lengths[0] if lengths else 0
    order = list(METRIC_LABELS)
    told = [row for row in own if row["k"] in (k, 0)]
    return sorted(told, key=lambda row: (order.index(row["metric"]) if row["metric"] in order else 99, row["method"]))


def left_out(rows: RunRows) -> list[Row]:
    """The stages that were skipped; their notes name the source that would bring them."""
    return [stage for stage in rows.stages if stage["status"] == "skipped"]


def about_stages(rows: RunRows) -> Markup:
    """How long the stages took, which may have run side by side, and what became of them."""
    if not rows.stages:
        return Markup("No stage is on record for this run.")
    ended = Counter(row["status"] for row in rows.stages)
    reused = f", {ended[TAKEN_OVER]} taken over from the run before" if ended[TAKEN_OVER] else ""
    longest = max(rows.stages, key=lambda row: row["seconds"] or 0.0)
    told = "{} done{} and {} skipped before this page was written, {} added up; <bdi>{}</bdi> took longest."
    return Markup(told).format(
        counted(ended["done"], "stage"),
        reused,
        ended["skipped"],
        duration(sum(row["seconds"] or 0.0 for row in rows.stages)),
        neutral(longest["stage"]),
    )


def about_recommendations(rows: RunRows) -> Markup:
    """How much better than the bestsellers, and whether chance explains it."""
    row = _headline_metric(rows)
    if row is None:
        return Markup("")
    text = Markup(
        "Judged on what {users} bought or saw later, the recommendations score {value} against {popular} for showing "
        "everyone the bestsellers ({label}, where 1 is best)."
    ).format(
        users=counted(row["users"], "user"),
        value=number(row["value"]),
        popular=number(row["popularity_value"]),
        label=metric_term(row["metric"], row["k"]),
    )
    return text + _chance(rows, row)


def _chance(rows: RunRows, judged_row: Row) -> Markup:
    row = _gain(rows, judged_row)
    if row is None:
        return Markup("")
    verdict = "that may be chance: it includes no gain" if _may_be_chance(row) else "chance does not explain it"
    return Markup(" The difference is {} (95% interval {} to {}): {}.").format(
        number(row["value"]), number(row["low"]), number(row["high"]), verdict
    )


def _gain(rows: RunRows, judged_row: Row) -> Row | None:
    """The difference with popularity user by user, where it has an interval."""
    wanted = (f"{judged_row['method']}-popularity", judged_row["metric"], judged_row["k"])
    found = (row for row in rows.metrics if (row["method"], row["metric"], row["k"]) == wanted)
    return next((row for row in found if row["low"] is not None), None)


def _may_be_chance(gain: Row) -> bool:
    return bool(gain["low"] <= 0 <= gain["high"])


def _users(rows: RunRows, schemes: Sequence[Scheme]) -> Headline:
    if not schemes:
        return Headline(NOTHING, "users in segments", _why_not(rows, "segments"))
    first, others = schemes[0], schemes[1:]
    also = [f"{counted(len(scheme.segments), 'segment')} by {scheme.name}" for scheme in others]
    detail = Markup("by {}{}").format(first.name, "".join(f"; also {text}" for text in also))
    return Headline(number(first.users), f"users in {counted(len(first.segments), 'segment')}", detail)


def _recommendations(rows: RunRows) -> Headline:
    row = _headline_metric(rows)
    if row is None:
        return Headline(NOTHING, "recommendations were not judged", _why_not(rows, "evaluate"))
    popular = row["popularity_value"]
    gain = _gain(rows, row)
    detail = Markup("{}: {} against {}{}").format(
        metric_label(row["metric"], row["k"]),
        number(row["value"]),
        number(popular),
        "; may be chance" if gain and _may_be_chance(gain) else "",
    )
    return Headline(times(row["value"] / popular) if popular else NOTHING, "as good as showing bestsellers", detail)


def _rows(rows: RunRows) -> Headline:
    rows_in, accepted, quarantined, filtered = _totals(rows)
    if not rows_in:
        return Headline(NOTHING, "of input rows accepted", _why_not(rows, "ingest"))
    detail = Markup("of {} rows, {} in quarantine, {} filtered out").format(
        number(rows_in), number(quarantined), number(filtered)
    )
    return Headline(percent(accepted / rows_in), "of input rows accepted", detail)


def _about_sources(rows: RunRows) -> Markup:
    rows_in, accepted, quarantined, filtered = _totals(rows)
    if not rows_in:
        return Markup("No input file is on record for this run.")
    names = ", ".join(neutral(row["source"]) for row in rows.sources)
    return Markup(
        "The run read {} from {} ({}): {} were accepted, {} set aside in quarantine with a reason, {} left out by the "
        "configured filters."
    ).format(
        counted(rows_in, "row"),
        counted(len(rows.sources), "source"),
        names,
        number(accepted),
        number(quarantined),
        number(filtered),
    )


def _spending(schemes: Sequence[Scheme]) -> Headline | None:
    first = next(iter(schemes), None)
    top = _top_spender(first) if first else None
    if top is None:
        return None
    label = Markup("of spending comes from <bdi>{}</bdi>").format(top.title)
    return Headline(percent(top.spending_share), label, Markup("{} of users").format(percent(top.share)))


def _top_spender(scheme: Scheme) -> Segment | None:
    """The segment that spends most beyond its share of users, where it stands out."""
    known = [segment for segment in scheme.shown if segment.spending_share and segment.share]
    top = max(known, key=lambda s: ((s.spending_share or 0.0) / s.share, -s.segment_id), default=None)
    stands_out = top is not None and (top.spending_share or 0.0) >= NOTABLE * top.share
    return top if stands_out else None


def _about_scheme(scheme: Scheme) -> Markup:
    start = Markup("By {}, {} fall into {}.").format(
        scheme.name, counted(scheme.users, "user"), counted(len(scheme.segments), "segment")
    )
    if not scheme.shown:
        return start
    largest = max(scheme.shown, key=lambda segment: segment.size)
    text = start + Markup(" The largest is <bdi>{}</bdi> with {} of users").format(
        largest.title, percent(largest.share)
    )
    top = _top_spender(scheme)
    if top is None:
        return text + "."
    return text + Markup("; <bdi>{}</bdi>, {} of users, brings {} of spending.").format(
        top.title, percent(top.share), percent(top.spending_share)
    )


def _about_changes(rows: RunRows, schemes: Sequence[Scheme]) -> Markup:
    shares = {scheme.name: moved_share(scheme, rows) for scheme in schemes}
    told = [f"{percent(share)} by {name}" for name, share in shares.items() if share is not None]
    if not told:
        return Markup("")
    return Markup("Of the users who were in the published run too, in another segment now: {}; see {}.").format(
        ", ".join(told), Markup("<a href='#changes'>what changed</a>")
    )


def _about_checks(rows: RunRows) -> Markup:
    judged_checks = [check for check in rows.quality if check["bound"] is not None or not check["passed"]]
    failed = [check for check in judged_checks if not check["passed"]]
    if not judged_checks:
        return Markup("")
    if not failed:
        return Markup("All {} of data quality passed.").format(counted(len(judged_checks), "check"))
    return Markup("{} of {} of data quality failed; see <a href='#quality'>data quality</a>.").format(
        len(failed), counted(len(judged_checks), "check")
    )


def _headline_metric(rows: RunRows) -> Row | None:
    own = [row for row in judged(rows) if row["metric"] == HEADLINE_METRIC]
    return min(own, key=lambda row: (row["method"] != "als", row["method"]), default=None)


def _totals(rows: RunRows) -> tuple[int, int, int, int]:
    names = ("rows_in", "accepted", "quarantined", "filtered")
    rows_in, accepted, quarantined, filtered = (sum(row[name] or 0 for row in rows.sources) for name in names)
    return rows_in, accepted, quarantined, filtered


def _why_not(rows: RunRows, stage: str) -> Markup:
    notes = [row["note"] for row in rows.stages if row["stage"] == stage and row["status"] == "skipped"]
    return Markup("<bdi>{}</bdi>").format(neutral(notes[0])) if notes and notes[0] else Markup("not part of this run")
