"""From raw columns to the log table's columns, so that no row can stop the job.

Sessions run in ANSI mode, where a bad cast or a division by zero throws. Spark's `try_to_binary` evaluates its whole
argument inside a TryEval, which answers null where it throws. The value goes through it as text behind a `=`, so that
null (threw), empty (the value is null) and `=…` (the value) can be told apart. The CASE around it is what keeps Spark
from evaluating an expression that two columns share once, outside of both.
"""

from collections.abc import Sequence

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import Contract
from segspark.core.errors import InputError
from segspark.ingest.config import SourceConfig

_KINDS = {
    "double": "a number",
    "int": "a whole number",
    "bigint": "a whole number",
    "timestamp": "a time",
    "boolean": "true or false",
    "array<float>": "a list of numbers",
}
_WHITE = " \t\r\n\u00a0"  # stripped from both ends of every text


def check_expressions(rows: DataFrame, name: str, source: SourceConfig) -> None:
    """Raises InputError, naming the key, where Spark cannot make sense of an expression over these columns."""
    for key, text in source.expressions():
        try:
            kind = rows.select(F.expr(text).alias("value")).schema["value"].dataType.simpleString()
        except AnalysisException as error:
            raise InputError(f"sources.{name}.{key}: {str(error).splitlines()[0]}") from error
        if key == "where" and kind != "boolean":
            raise InputError(f"sources.{name}.where: is {kind}; give a condition, which is true or false")


def map_columns(rows: DataFrame, source: SourceConfig, contract: Contract, kept: Sequence[str]) -> DataFrame:
    """The parsed rows with the mapped columns of the log table in place of the raw ones.

    Adds `__filtered`; `__problem` tells also which expression fails or gives a value of another type. Columns of the
    contract that the mapping does not name are not there. `kept` are carried along. One row out for each row in.
    """
    is_readable = F.col("__problem").isNull()
    types = {column.name: column.type for column in contract.columns if column.name in source.columns}
    texts = [_guarded(source.columns[name], is_readable).alias(f"__text_{name}") for name in types]
    where = F.lit("=true") if source.where is None else _guarded(source.where, is_readable)
    guarded = rows.select(*kept, "__problem", where.alias("__where"), *texts)
    is_kept = F.col("__where") == "=true"
    values = [_typed(_text(name), kind).alias(name) for name, kind in types.items()]
    typed = guarded.select(*kept, "__problem", "__where", *(f"__text_{name}" for name in types), *values)
    problem = F.coalesce(
        F.col("__problem"),
        F.when(F.col("__where").isNull(), "`where` fails on this row"),
        F.when(is_kept, F.coalesce(*(_mistake(name, kind) for name, kind in types.items()))),
    )
    is_filtered = F.col("__problem").isNull() & F.coalesce(~is_kept, F.lit(False))
    return typed.select(*kept, problem.alias("__problem"), is_filtered.alias("__filtered"), *types)


def _guarded(expression: str, is_readable: Column) -> Column:
    value = F.concat(F.lit("="), F.expr(expression).cast("string"))
    attempt = F.call_function("try_to_binary", F.coalesce(value, F.lit("")), F.lit("utf-8")).cast("string")
    return F.when(is_readable, attempt)


def _text(name: str) -> Column:
    """The value as text; null where it is blank."""
    return F.nullif(F.btrim(F.expr(f"substring(`__text_{name}`, 2)"), F.lit(_WHITE)), F.lit(""))


def _typed(text: Column, kind: str) -> Column:
    if kind in ("int", "bigint"):  # `34.0`, as other tools write whole numbers with gaps, is 34
        number = text.try_cast("decimal(38,6)")
        return F.when(number == F.floor(number), number.try_cast(kind))
    if kind == "timestamp":  # Spark reads `12:30` as today
        return F.when(text.rlike(r"^[0-9]{4}"), text.try_cast(kind))
    if kind == "array<float>":
        return F.from_json(text, kind)
    return text if kind == "string" else text.try_cast(kind)


def _mistake(name: str, kind: str) -> Column:
    failed = F.when(F.col(f"__text_{name}").isNull(), f"the expression for {name} fails on this row")
    if kind == "string":
        return failed
    return failed.when(_text(name).isNotNull() & F.col(name).isNull(), f"{name} is not {_KINDS[kind]}")
