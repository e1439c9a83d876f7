"""The planned campaign: whom it contacts by what, and who is left out."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from segspark.bi.config import ReportConfig
from segspark.bi.report.campaign.labels import Place, action_name, at_least, groups_hidden, money, place_of, span
from segspark.bi.report.content import Row, RunRows, Scheme
from segspark.bi.wording import counted
from segspark.core.words import NOTHING, neutral, percent, sentence

STAGE = "campaigns"


@dataclass(frozen=True)
class Line:
    """One action for one segment."""

    place: Place
    action: str
    channel: str
    cells: tuple[str, ...]  # contacts, held out, cost, expected gain
    days: str


@dataclass(frozen=True)
class LeftOut:
    """One reason why users are neither contacted nor held out."""

    reason: str
    users: str
    share: str


@dataclass(frozen=True)
class Plan:
    """The planned campaign."""

    told: Markup  # in one sentence
    lines: tuple[Line, ...]
    hidden: str  # what is said of groups that are too small
    left_out: tuple[LeftOut, ...]


def plan_of(rows: RunRows, schemes: Sequence[Scheme], config: ReportConfig) -> Plan:
    """The campaign that the run planned; without one, why."""
    found = next(iter(rows.campaign.campaigns), None)
    if found is None:
        return Plan(_why_none(rows), (), "", ())
    own = [row for row in rows.campaign.planned if row["campaign_id"] == found["campaign_id"]]
    shown = [row for row in own if row["contacts"] + row["held_out"] >= config.min_group]
    placed = [(row, place_of(row["segment_name"], found["scheme"], schemes)) for row in shown]
    placed.sort(key=lambda pair: (pair[1].order, -pair[0]["contacts"], pair[0]["action"], pair[0]["channel"]))
    return Plan(
        told=_in_a_sentence(found, config),
        lines=tuple(_line(row, place, config) for row, place in placed),
        hidden=groups_hidden(len(own) - len(shown), config.min_group),
        left_out=_left_out(found, config),
    )


def _in_a_sentence(row: Row, config: ReportConfig) -> Markup:
    if not row["contacts"]:
        text = Markup("<bdi>{}</bdi> contacts nobody of {}.")
        return text.format(neutral(row["campaign_id"]), counted(row["users"], "user"))
    is_few = row["contacts"] < config.min_group
    text = Markup(
        "<bdi>{}</bdi> contacts {} of {} on {}, for {}, and holds {} out to compare with; after their cost the contacts"
        " are expected to bring {}."
    )
    return text.format(
        neutral(row["campaign_id"]),
        at_least(row["contacts"], config.min_group),
        counted(row["users"], "user"),
        span(row["starts_on"], row["ends_on"]),
        NOTHING if is_few else money(row["cost"]),
        at_least(row["held_out"], config.min_group),
        NOTHING if is_few else money(row["expected_gain"]),
    )


def _line(row: Row, place: Place, config: ReportConfig) -> Line:
    is_few = row["contacts"] < config.min_group
    amounts = (NOTHING, NOTHING) if is_few else (money(row["cost"]), money(row["expected_gain"]))
    people = (at_least(row[name], config.min_group) for name in ("contacts", "held_out"))
    return Line(
        place=place,
        action=action_name(row["action"]),
        channel=sentence(row["channel"]),
        cells=(*people, *amounts),
        days=NOTHING if is_few else span(row["first_day"], row["last_day"]),
    )


def _left_out(row: Row, config: ReportConfig) -> tuple[LeftOut, ...]:
    """Most users first; a reason of few users is named without their share."""
    told = sorted(row["left_out"] or (), key=lambda each: (-each["users"], each["reason"]))
    return tuple(
        LeftOut(
            reason=sentence(each["reason"]),
            users=at_least(each["users"], config.min_group),
            share=percent(each["users"] / row["users"]) if each["users"] >= config.min_group else NOTHING,
        )
        for each in told
    )


def _why_none(rows: RunRows) -> Markup:
    notes = [row["note"] for row in rows.stages if row["stage"] == STAGE and row["status"] == "skipped" and row["note"]]
    if notes:
        return Markup("This run planned no campaign: <bdi>{}</bdi>.").format(neutral(notes[0]).rstrip("."))
    return Markup(
        "This run planned no campaign: the stage campaigns plans one for the segments of a scheme, where the source"
        " users tells who agreed to be contacted."
    )
