"""What a spreadsheet may open: text cells that it does not take for formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

# What begins a formula in the usual spreadsheets, also after blanks; the last four are full-width forms that some take
# for the same (OWASP, "CSV Injection"). A text that begins with a tab or an end of line counts whatever follows. Java
# and DuckDB's RE2 read it alike.
FORMULA = r"^(?:[\t\r\n]|[ \t\n\x0B\f\r\x00]*[=+\-@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}])"
NEUTRALISED = "'"  # before a cell: spreadsheets show the rest as text


def neutralised(frame: DataFrame) -> DataFrame:
    """The frame with an apostrophe before each text that a spreadsheet would compute; all else as it is."""
    from pyspark.sql import functions as F
    from pyspark.sql.types import StringType

    def neutral(name: str) -> Column:
        text = F.col(f"`{name}`")
        return F.when(text.rlike(FORMULA), F.concat(F.lit(NEUTRALISED), text)).otherwise(text)

    return frame.withColumns(
        {f.name: neutral(f.name) for f in frame.schema.fields if isinstance(f.dataType, StringType)}
    )


def neutralising_sql(name: str) -> str:
    """The same of one text column, as an expression of DuckDB over its quoted name."""
    neutral = NEUTRALISED.replace("'", "''")
    return f"CASE WHEN regexp_matches({name}, '{FORMULA}') THEN '{neutral}' || {name} ELSE {name} END AS {name}"
