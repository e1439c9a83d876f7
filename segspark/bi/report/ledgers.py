"""From rows that the driver has to those that the report shows: files by source, stages, and what items are."""

from collections.abc import Iterable, Mapping
from operator import itemgetter

from segspark.bi.report.content import Row
from segspark.bi.report.examples import COMPARED
from segspark.core.runs import PIN, WHOLE_RUN

COUNTS = ("rows_in", "accepted", "quarantined", "filtered")


def rows_by_source(source_files: Iterable[Row], ingest_seq: int) -> list[Row]:
    """One row per source: its files and rows up to the file that the run saw last."""
    by_source: dict[str, list[Row]] = {}
    for row in source_files:
        if row["ingest_seq"] <= ingest_seq:
            by_source.setdefault(row["source"], []).append(row)
    return [
        {"source": source, "files": len(files), **{name: sum(row[name] or 0 for row in files) for name in COUNTS}}
        for source, files in sorted(by_source.items())
    ]


def newest_stages(runs: Iterable[Row], run_id: str) -> list[Row]:
    """One row per stage of the run: what became of it last, in the order in which the stages began."""
    own = [row for row in runs if row["run_id"] == run_id and row["stage"] not in (WHOLE_RUN, PIN)]
    newest = {row["stage"]: row for row in sorted(own, key=itemgetter("heartbeat_at"))}
    return sorted(newest.values(), key=itemgetter("started_at", "stage"))


def with_items(lists: Iterable[Row], items: Mapping[str, Row]) -> list[Row]:
    """The rows of `example_lists`, each with description and category of its item, and descriptions by item as `names`.

    `items` are those that lists and reasons name: by item_id their description and category.
    """
    names = {item_id: item["description"] for item_id, item in items.items() if item["description"] is not None}
    nothing = {"description": None, "category": None}
    return [
        {
            **{name: row[name] for name in ("scheme", "segment_id", "rank", "item_id", "reason")},
            **{name: items.get(row["item_id"], nothing)[name] for name in nothing},
            "features": {name: row[name] for name in COMPARED if name in row},
            "names": names,
        }
        for row in sorted(lists, key=itemgetter("scheme", "segment_id", "rank"))
    ]


def named_in(lists: Iterable[Row]) -> set[str]:
    """The ids that items of the lists have, and every word of their reasons, which may be one."""
    return {word for row in lists for word in (row["item_id"], *(row["reason"] or "").split())}
