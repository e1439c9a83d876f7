"""What a spreadsheet may open: text cells that it does not take for formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# What begins a formula in the usual spreadsheets, the last four in the full-width forms that some take for the same
# (OWASP, "CSV Injection"), also after blanks, controls and marks that a spreadsheet trims. A text that begins with a
# tab or an end of line counts whatever follows. Java and DuckDB's RE2 read it alike.
_TRIMMED = r"[\x00-\x20\x7F\x{A0}\x{200B}-\x{200F}\x{2060}\x{FEFF}]*"
_SIGNS = r"[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}]"
FORMULA = rf"^(?:[\t\r\n]|{_TRIMMED}{_SIGNS})"
# Where a spreadsheet takes `;` or a tab for what ends a cell, the rest of a text is a cell of its own.
INSIDE = rf"([;\t]{_TRIMMED})({_SIGNS})"
NEUTRALISED = "'"  # before a cell: spreadsheets show the rest as text


def neutralised(frame: DataFrame) -> DataFrame:
    """The frame with an apostrophe before each text that a spreadsheet would compute; all else as it is."""
    from pyspark.sql import functions as F
    from pyspark.sql.types import StringType

    def neutral(name: str) -> Column:
        text = F.regexp_replace(F.col(f"`{name}`"), INSIDE, f"$1{NEUTRALISED}$2")
        return F.when(text.rlike(FORMULA), F.concat(F.lit(NEUTRALISED), text)).otherwise(text)

    return frame.withColumns(
        {f.name: neutral(f.name) for f in frame.schema.fields if isinstance(f.dataType, StringType)}
    )


def neutralising_sql(name: str) -> str:
    """The same of one text column, as an expression of DuckDB over its quoted name."""
    neutral = NEUTRALISED.replace("'", "''")
    text = f"regexp_replace({name}, '{INSIDE}', '\\1{neutral}\\2', 'g')"
    return f"CASE WHEN regexp_matches({name}, '{FORMULA}') THEN '{neutral}' || {text} ELSE {text} END AS {name}"
