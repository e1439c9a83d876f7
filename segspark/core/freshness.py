"""How old what readers see is, and whether that is older than the shop wants it."""

from dataclasses import dataclass
from datetime import date, datetime, timezone

from pyspark.sql import functions as F

from segspark.core.contracts import PUBLICATIONS, RUNS
from segspark.core.lake import Lake


@dataclass(frozen=True)
class Published:
    """The run that readers see."""

    run_id: str
    as_of: date  # it describes what was before this day
    published_at: datetime  # UTC, without a zone


def what_is_published(lake: Lake) -> Published | None:
    """The newest publication; None before the first."""
    run_id = lake.published_run()
    if run_id is None:
        return None
    newest = lake.read(PUBLICATIONS).agg(F.max_by(F.unix_micros("published_at"), "seq")).first()
    known = lake.read(RUNS).where(F.col("run_id") == run_id).agg(F.max("as_of")).first()
    assert newest is not None and known is not None
    return Published(run_id, known[0], datetime.fromtimestamp(newest[0] / 1e6, timezone.utc).replace(tzinfo=None))


def told(published: Published, now: datetime) -> str:
    """The run, the last day that it knows, and how long ago that was; `now` in UTC."""
    age = _days((now.date() - published.as_of).days)
    when = f"{published.published_at:%Y-%m-%d %H:%M} UTC"
    return f"{published.run_id}, data before {published.as_of.isoformat()} ({age} ago), published {when}"


def warning(published: Published, now: datetime, stale_after_days: int | None) -> str | None:
    """One line where the data of the published run are older than allowed, with what to do; None where all is well."""
    age = (now.date() - published.as_of).days
    if stale_after_days is None or age <= stale_after_days:
        return None
    return (
        f"stale: what is published knows nothing of the last {_days(age)}, housekeeping.stale_after_days allows "
        f"{stale_after_days}; bring newer input and `segspark run`"
    )


def _days(count: int) -> str:
    return f"{count:,} day" if count == 1 else f"{count:,} days"
