"""The `sources:` and `ingest:` parts of the configuration."""

import codecs
import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from segspark.core.contracts import EVENTS, ITEMS, ORDERS, OUTCOMES, RATINGS, USERS, Contract
from segspark.core.expressions import columns_of

LOGS: dict[str, Contract] = {
    c.name: c for c in (EVENTS, ORDERS, USERS, ITEMS, RATINGS, OUTCOMES)
}  # in the order of reading
REQUIRED: dict[str, tuple[str, ...]] = {  # what a mapping cannot do without
    "events": ("user_id", "event_time", "event_type"),
    "orders": ("order_id", "item_id", "order_time"),
    "users": ("user_id",),
    "items": ("item_id",),
    "ratings": ("user_id", "item_id", "rated_at", "rating"),
    "outcomes": ("campaign_id", "user_id", "sent_at"),
}
MADE = {"day", "ingest_seq"}  # never mapped
OPTIONS: dict[str, tuple[str, ...]] = {
    "csv": ("header", "sep", "quote", "escape", "nullValue", "multiLine", "lineSep", "encoding"),
    "json": ("lineSep",),
    "parquet": (),
    "delta": (),
}


class SourceConfig(BaseModel):
    """One source: where the raw rows are, and how the columns of its log table are made from them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str | list[str] | None = None  # files, folders (with what is below them) or globs; or `table`
    table: str | None = None  # a table that Spark knows by name, made of files: a Delta table, for one
    format: Literal["csv", "json", "parquet", "delta"] = "csv"  # json is one object per line
    options: dict[str, str | bool] = {}  # of the format; csv has a header and doubled quotes (RFC 4180) unless said
    decimal: Literal["point", "comma"] | None = None  # of numbers that people wrote: € 1,234.50 or 1.234,50
    where: str | None = None  # Spark SQL over the raw columns; rows it is not true for are left out and counted
    columns: dict[str, str] = Field(min_length=1)  # log table's column: Spark SQL expression over the raw columns

    @field_validator("options")
    @classmethod
    def _options_are_known(cls, options: dict[str, Any], info: ValidationInfo) -> dict[str, str]:
        allowed = OPTIONS.get(info.data.get("format", ""), ())
        for name in options:
            if name not in allowed:
                raise ValueError(f"{name} is not an option here; allowed: {', '.join(allowed) or 'none'}")
        sign = str(options.get("sep", ","))
        if sign == "" or str(options.get("quote", '"')) in sign.replace("\\t", "\t"):
            raise ValueError("sep: give one sign or several, none of them the quote")
        for name in ("quote", "escape"):
            if len(str(options.get(name, ""))) > 1:
                raise ValueError(f"{name}: give one sign, or none")
        if "encoding" in options and not options.get("multiLine"):
            raise ValueError("encoding goes with multiLine: true only; lines are read as UTF-8")
        try:
            codecs.lookup(str(options.get("encoding", "UTF-8")))
        except LookupError:
            raise ValueError(f"encoding: {options['encoding']} is not known; UTF-8, UTF-16, windows-1252 are") from None
        return {name: str(value).lower() if isinstance(value, bool) else value for name, value in options.items()}

    @field_validator("where")
    @classmethod
    def _where_is_harmless(cls, where: str | None) -> str | None:
        if where is not None:
            columns_of(where)
        return where

    @field_validator("columns")
    @classmethod
    def _expressions_are_harmless(cls, columns: dict[str, str]) -> dict[str, str]:
        for name, text in columns.items():
            try:
                columns_of(text)
            except ValueError as error:
                raise ValueError(f"{name}: {error}") from error
        return columns

    @model_validator(mode="after")
    def _has_one_place(self) -> "SourceConfig":
        if (self.path is None) == (self.table is None) or self.path == [] or self.path == "":
            raise ValueError("give `path` (files, folders, globs) or `table`, one of the two")
        return self

    @property
    def paths(self) -> list[str]:
        """The configured paths; empty for a table."""
        return [self.path] if isinstance(self.path, str) else list(self.path or [])

    @property
    def roots(self) -> list[str]:
        """Of each configured path the part before its first wildcard; all files of the source lie in or at one."""
        return [_before_wildcard(path.removeprefix("file:")) for path in self.paths]

    @property
    def is_text(self) -> bool:
        """Whether rows are lines of text."""
        return self.table is None and self.format in ("csv", "json")

    @property
    def is_table(self) -> bool:
        """Whether the files belong to a table, which says which of them count."""
        return self.table is not None or self.format == "delta"

    @property
    def has_header(self) -> bool:
        """Whether the first line of each file names the columns."""
        return self.is_text and self.format == "csv" and self.options.get("header", "true") == "true"

    @property
    def is_multiline(self) -> bool:
        """Whether a csv row may go over several lines, so that lines cannot be read one by one."""
        return self.is_text and self.options.get("multiLine") == "true"

    def expressions(self) -> Iterator[tuple[str, str]]:
        """Every expression with the end of its key: `where`, and `columns.x` for each column."""
        if self.where is not None:
            yield "where", self.where
        for name, text in self.columns.items():
            yield f"columns.{name}", text


class SourcesConfig(BaseModel):
    """Every source is optional but one of events, orders, ratings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    events: SourceConfig | None = None  # click stream
    orders: SourceConfig | None = None  # order lines
    users: SourceConfig | None = None  # profiles
    items: SourceConfig | None = None  # catalogue
    ratings: SourceConfig | None = None  # ratings and reviews
    outcomes: SourceConfig | None = None  # campaign contacts that were sent, and what the sender knows of them

    @field_validator(*LOGS)
    @classmethod
    def _columns_fit_the_log(cls, source: SourceConfig | None, info: ValidationInfo) -> SourceConfig | None:
        name = str(info.field_name)
        if source is None:
            return None
        allowed = [column for column in LOGS[name].names if column not in MADE]
        for column in source.columns:
            if column not in allowed:
                raise ValueError(f"columns.{column}: {name} has no such column; allowed: {', '.join(allowed)}")
        for column in REQUIRED[name]:
            if column not in source.columns:
                raise ValueError(f"columns.{column}: is missing; say which raw column or expression gives it")
        return source

    @model_validator(mode="after")
    def _has_behaviour(self) -> "SourcesConfig":
        if not (self.events or self.orders or self.ratings):
            raise ValueError("name at least one of events, orders, ratings: segments come from behaviour")
        return self

    def given(self) -> dict[str, SourceConfig]:
        """The configured sources by name, in the order of reading."""
        return {name: source for name in LOGS if (source := getattr(self, name)) is not None}


class IngestConfig(BaseModel):
    """The bounds that a row must keep, or it goes to quarantine; and how much of that a run may have."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    earliest: date = date(1995, 1, 1)  # no event, order or rating is older
    max_price: float = Field(1_000_000, gt=0)  # of one unit, in the shop's currency
    max_quantity: float = Field(100_000, gt=0)  # units in one order line
    max_income: float = Field(1_000_000_000, gt=0)  # a year, in the shop's currency
    max_age: int = Field(120, ge=1)  # years
    bad_files: Literal["quarantine", "fail"] = "quarantine"  # a file that cannot be read is left out, or stops the run
    max_quarantined_share: float = Field(0.05, ge=0, le=1)  # of a source's rows since the published run; above, exit 3
    max_userless_share: float = Field(0.5, ge=0, le=1)  # of order lines without a user; above, the check fails
    max_repeated_share: float = Field(0.01, ge=0, le=1)  # of rows that repeat another exactly; above, the check fails
    null_user_ids: tuple[str, ...] = ("nan", "null", "none", "undefined", "n/a")  # mean no user, in any case
    max_age_days: int = Field(31, ge=1)  # from a source's newest row to as_of; above, the freshness check fails


def _before_wildcard(path: str) -> str:
    parts = re.split(r"(?=/)", path)
    plain = itertools.takewhile(lambda part: not re.search(r"[*?{\[]", part), parts)
    return "".join(plain) or ("/" if path.startswith("/") else ".")


def mapping_digest(source: SourceConfig, config: IngestConfig) -> str:
    """Of all that decides what becomes of a row, but not of where the files are."""
    mapping = source.model_dump(mode="json", include={"format", "options", "where", "columns"})
    bounds = config.model_dump(mode="json", include={"earliest", "max_price", "max_quantity", "max_income", "max_age"})
    # What later versions added counts where it is not the default: files that were read before stay known.
    mapping |= source.model_dump(mode="json", include={"decimal"}, exclude_defaults=True)
    bounds |= config.model_dump(mode="json", include={"null_user_ids"}, exclude_defaults=True)
    text = json.dumps([mapping, bounds], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
