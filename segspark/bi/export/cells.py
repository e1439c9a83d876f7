"""What a spreadsheet may open: text cells that it does not take for formulas."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType

# What begins a formula in the usual spreadsheets, also after blanks; the last four are full-width forms that some take
# for the same (OWASP, "CSV Injection"). A text that begins with a tab or an end of line counts whatever follows.
FORMULA = r"^(?:[\t\r\n]|[\s\x00]*[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])"
NEUTRALISED = "'"  # before a cell: spreadsheets show the rest as text


def neutralised(frame: DataFrame) -> DataFrame:
    """The frame with an apostrophe before each text that a spreadsheet would compute; all else as it is."""
    texts = [field.name for field in frame.schema.fields if isinstance(field.dataType, StringType)]
    return frame.withColumns({name: _neutral(F.col(f"`{name}`")) for name in texts})


def _neutral(text: Column) -> Column:
    return F.when(text.rlike(FORMULA), F.concat(F.lit(NEUTRALISED), text)).otherwise(text)
