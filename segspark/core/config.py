"""What of the session and of housekeeping a shop may choose."""

from pydantic import BaseModel, ConfigDict, Field


class SessionConfig(BaseModel):
    """Execution settings. None of them changes a result, so none is part of a run's digest."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    master: str = "local[*]"  # used unless spark-submit names one
    driver_memory: str = "4g"  # heap of the local driver
    shuffle_partitions: int = Field(8, ge=1)  # before adaptive execution coalesces them
    stages_at_once: int = Field(1, ge=1, le=16)  # stages that run side by side where they do not need each other
    ui: bool = False  # Spark's own page
    checkpoints: str | None = None  # a folder that all executors reach; default: inside the lake
    conf: dict[str, str] = {}  # further Spark settings, as they are


class HousekeepingConfig(BaseModel):
    """Who may work on the lake at a time, what `prune` leaves, what is too old. None of it changes a result."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    lease_seconds: float = Field(600, ge=10)  # a run without a sign of life for so long no longer holds the lake
    keep_runs: int = Field(5, ge=1)  # published runs that `prune` leaves, the newest first, beside pinned ones
    vacuum_hours: float = Field(168, ge=0)  # files that no version needs are removed when they are older
    quarantine_days: int = Field(90, ge=0)  # rejected rows are removed when they are older
    stale_after_days: int | None = Field(7, ge=1)  # `status` warns where as_of of what is published is longer ago
