"""From raw columns to the log table's columns, so that no row can stop the job.

Sessions run in ANSI mode, where a bad cast or a division by zero throws. Spark's `try_to_binary` evaluates its whole
argument inside a TryEval, which answers null where it throws. The value goes through it as text behind a `=`, so that
null (threw), empty (the value is null) and `=…` (the value) can be told apart. The CASE around it is what keeps Spark
from evaluating an expression that two columns share once, outside of both.
"""

from collections.abc import Iterator, Mapping, Sequence

from pyspark.errors import AnalysisException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from segspark.core.contracts import Contract
from segspark.core.errors import InputError
from segspark.core.expressions import columns_of
from segspark.ingest.config import SourceConfig
from segspark.ingest.numbers import is_ambiguous, number

_KINDS = {
    "double": "a number",
    "int": "a whole number",
    "bigint": "a whole number",
    "timestamp": "a time",
    "boolean": "true or false",
    "array<float>": "a list of numbers",
}
_NUMBERS = ("double", "int", "bigint")
NEEDS_DECIMAL = "is a number only if `decimal` of the source says what its signs mean"
_WHITE = " \t\r\n\u00a0"  # stripped from both ends of every text


def check_expressions(rows: DataFrame, name: str, source: SourceConfig) -> None:
    """Raises InputError, naming the key, where Spark cannot make sense of an expression over these columns."""
    expressions = dict(source.expressions())
    try:
        kinds = _kinds(rows, expressions)
    except AnalysisException:  # of which one, is asked of each
        kinds = [kind for key, text in expressions.items() for kind in _kinds_or_key(rows, name, key, text)]
    for key, kind in zip(expressions, kinds, strict=True):
        if key == "where" and kind != "boolean":
            raise InputError(f"sources.{name}.where: is {kind}; give a condition, which is true or false")


def _kinds(rows: DataFrame, expressions: Mapping[str, str]) -> list[str]:
    schema = rows.select(*(F.expr(text).alias(key) for key, text in expressions.items())).schema
    return [field.dataType.simpleString() for field in schema]


def _kinds_or_key(rows: DataFrame, name: str, key: str, text: str) -> list[str]:
    try:
        return _kinds(rows, {key: text})
    except AnalysisException as error:
        raise InputError(f"sources.{name}.{key}: {str(error).splitlines()[0]}") from error


def map_columns(rows: DataFrame, source: SourceConfig, contract: Contract, kept: Sequence[str]) -> DataFrame:
    """The parsed rows with the mapped columns of the log table in place of the raw ones.

    Adds `__filtered`; `__problem` tells also which expression fails or gives a value of another type. Columns of the
    contract that the mapping does not name are not there. `kept` are carried along. One row out for each row in.
    """
    types = {column.name: column.type for column in contract.columns if column.name in source.columns}
    is_readable = F.col("__problem").isNull()
    where = F.lit("=true") if source.where is None else _guarded(source.where, "boolean", is_readable)
    texts = {name: _text(source, source.columns[name], kind, is_readable) for name, kind in types.items()}
    # Step by step: Spark would write what several columns of one step share into each of them.
    numbers = [name for name, kind in types.items() if kind in _NUMBERS]
    read = rows.select(
        *kept,
        "__problem",
        where.alias("__where"),
        *(text.alias(f"__text_{name}") for name, text in texts.items()),
        *(_comes_as_text(source, source.columns[name]).alias(f"__is_text_{name}") for name in numbers),
    )
    plain = read.withColumns({f"__plain_{name}": _plain(name, source.columns[name]) for name in types})
    plain = plain.withColumns(
        {f"__number_{n}": number(F.col(f"__plain_{n}"), source.decimal, F.col(f"__is_text_{n}")) for n in numbers}
    )
    typed = plain.withColumns({name: _typed(name, kind) for name, kind in types.items()})
    is_kept = F.col("__where") == "=true"
    mistakes = [mistake for name, kind in types.items() for mistake in _mistakes(name, kind, source.columns[name])]
    problem = F.coalesce(
        F.col("__problem"),
        F.when(F.col("__where").isNull(), "`where` fails on this row"),
        F.when(is_kept, F.coalesce(F.lit(None), *mistakes)),
    )
    is_filtered = F.col("__problem").isNull() & F.coalesce(~is_kept, F.lit(False))
    return typed.select(*kept, problem.alias("__problem"), is_filtered.alias("__filtered"), *types)


def _text(source: SourceConfig, expression: str, kind: str, is_readable: Column) -> Column:
    """The expression's value as text, behind a `=` where it may fail."""
    if _is_column(expression):
        value = F.expr(expression).cast("string") if source.is_text else _as_text(expression, kind)
        return F.when(is_readable, value)
    return _guarded(expression, kind, is_readable)


def _as_text(expression: str, kind: str) -> Column:
    """The value as text: a number that is to be a text, as an id is, in digits, `12340` and not `1.234E4`."""
    text = F.expr(expression).cast("string")
    if kind != "string":
        return text
    digits = text.try_cast("decimal(38,6)").cast("string")
    whole = F.regexp_replace(F.regexp_replace(digits, r"(\.[0-9]*?)0+$", "$1"), r"\.$", "")
    is_inexact = F.expr(f"typeof({expression})").isin("double", "float")  # known before any row is read
    return F.when(is_inexact, F.coalesce(whole, text)).otherwise(text)


def _guarded(expression: str, kind: str, is_readable: Column) -> Column:
    value = F.concat(F.lit("="), _as_text(expression, kind))
    attempt = F.call_function("try_to_binary", F.coalesce(value, F.lit("")), F.lit("utf-8")).cast("string")
    return F.when(is_readable, attempt)


def _is_column(expression: str) -> bool:
    """Whether the expression is a raw column as it is, which cannot fail."""
    return columns_of(expression) == {expression.strip().strip("`")}


def _plain(name: str, expression: str) -> Column:
    """The value as text; null where it is blank."""
    value = F.col(f"__text_{name}") if _is_column(expression) else F.expr(f"substring(`__text_{name}`, 2)")
    return F.nullif(F.btrim(value, F.lit(_WHITE)), F.lit(""))


def _comes_as_text(source: SourceConfig, expression: str) -> Column:
    """Whether the value is text and no number yet: known before any row is read."""
    if source.is_text and _is_column(expression):
        return F.lit(True)
    return F.expr(f"typeof({expression})") == "string"


def _typed(name: str, kind: str) -> Column:
    text = F.col(f"__number_{name}" if kind in _NUMBERS else f"__plain_{name}")
    if kind in ("int", "bigint"):  # `34.0`, as other tools write whole numbers with gaps, is 34
        whole = text.try_cast("decimal(38,6)")
        return F.coalesce(text.try_cast(kind), F.when(whole == F.floor(whole), whole.try_cast(kind)))
    if kind == "timestamp":  # Spark reads `12:30` as today
        return F.when(text.rlike(r"^[0-9]{4}"), text.try_cast(kind))
    if kind == "array<float>":
        return F.from_json(text, kind)
    return text if kind == "string" else text.try_cast(kind)


def _mistakes(name: str, kind: str, expression: str) -> Iterator[Column]:
    if not _is_column(expression):
        yield F.when(F.col(f"__text_{name}").isNull(), f"the expression for {name} fails on this row")
    if kind != "string":
        text = F.col(f"__plain_{name}")
        is_other = text.isNotNull() & F.col(name).isNull()
        if kind in _NUMBERS:
            yield F.when(is_other & is_ambiguous(text) & F.col(f"__number_{name}").isNull(), f"{name} {NEEDS_DECIMAL}")
        yield F.when(is_other, f"{name} is not {_KINDS[kind]}")
