"""What of the views and of the report a shop may choose."""

import re

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from segspark.bi.marts.keys import check_given_key

# Okabe and Ito's colours (2008), then Tol's, in the order that keeps neighbours apart for colour-blind readers.
COLOURS = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#882255", "#999933", "#332288", "#6b7280",
)  # fmt: skip


class MartsConfig(BaseModel):
    """The views for BI. They change what readers see, not what a run makes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: str = "conf/bi"  # one .sql file per view; relative to the working folder
    min_group: int = Field(10, ge=1)  # users; an aggregate over fewer shows no row, or no number of it

    @model_validator(mode="after")
    def _key_is_usable(self) -> "MartsConfig":
        check_given_key()
        return self


class ReportConfig(BaseModel):
    """The HTML report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field("Segment report", min_length=1, max_length=120)  # heading of the page
    sample_points: int = Field(3000, ge=0, le=20_000)  # users on the map of a scheme; 0 draws the centres only
    min_group: int = Field(10, ge=1)  # users; a segment with fewer shows no size, profile or point
    profile_features: int = Field(12, ge=1, le=60)  # rows of a profile table
    quarantine_reasons: int = Field(10, ge=1, le=100)  # rows of the table of reasons, most frequent first
    example_users: int = Field(4, ge=0, le=20)  # users shown with what is recommended to them, one of a segment, no id
    example_items: int = Field(3, ge=1, le=10)  # items shown for each of them
    colours: tuple[str, ...] = Field(COLOURS, min_length=2)  # by segment_id, from the first; used again when they end

    @field_validator("colours")
    @classmethod
    def _are_hex(cls, colours: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [colour for colour in colours if not re.fullmatch("#[0-9a-fA-F]{6}", colour)]
        if wrong:
            raise ValueError(f"{wrong[0]!r} is no colour; write six hexadecimal digits, such as #0072b2")
        return colours
