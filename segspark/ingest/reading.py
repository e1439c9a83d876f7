"""Raw rows: every line of a file, or every record of a typed file, with its place; then its fields by name.

Text is read as lines and parsed afterwards, because Spark's own csv and json readers drop or merge broken rows. What
a row has beside its raw columns begins with two underscores:

- `__url`, `__block`, `__id`: the file, the part of the file that one task read, and a number that rises within the part
- `__raw`: the row as it came, as text
- `__problem`: why it cannot be read; null where it can
"""

from collections.abc import Sequence
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from segspark.core.files import escaped
from segspark.ingest.config import SourceConfig
from segspark.ingest.files import SourceFile, encoding, line_options, open_typed, separator
from segspark.ingest.peek import MARK

PLACE = ("__url", "__block", "__id", "__raw")
TASK_BYTES = 2**20  # of files, as they lie there: what is worth a task
_END = "\u0001"  # put behind a line as one more field: it is found in its place only where the line is whole
_EXTRA_FIELDS = 32  # so many fields too many are counted, to tell how many there are
_MOST_FIELDS = 20_000  # Spark's csv parser throws above 20,480


def scan(spark: SparkSession, source: SourceConfig, columns: Sequence[str], files: Sequence[SourceFile]) -> DataFrame:
    """Every row of the files with its place: lines of text formats, records with their columns of the others.

    `__id` is taken right at the scan; nothing that drops rows is moved below it. `columns` are the raw columns of the
    files, which must share them. Small files are read by few tasks: one, where that is the work of one.
    """
    if source.is_multiline:
        rows = _records(spark, source, columns, files)
    elif source.is_text:
        lines = spark.read.options(**line_options(source)).text(escaped(file.opened for file in files))
        rows = lines.withColumnRenamed("value", "__raw")
    else:
        rows = open_typed(spark, source, files)
    named = [name for name in rows.columns if name != "__raw"]
    placed = rows.select(
        F.col("_metadata.file_path").alias("__url"),
        F.col("_metadata.file_block_start").alias("__block"),
        F.monotonically_increasing_id().alias("__id"),
        "*",
    )
    placed = placed.coalesce(max(1, sum(file.size for file in files) // TASK_BYTES))
    if source.is_text and not source.is_multiline:
        return placed.select(*PLACE)
    raw = F.to_json(F.struct(*(_named(name) for name in named if name != "__broken")), {"ignoreNullFields": "false"})
    text = F.coalesce("__broken", raw) if source.is_multiline else raw
    return placed.withColumn("__raw", text).select(*PLACE, *(_named(name) for name in named))


def parse(rows: DataFrame, source: SourceConfig, columns: Sequence[str]) -> DataFrame:
    """The scanned rows with their raw columns and `__problem`. One row out for every row in, header lines too."""
    if source.is_multiline:
        problem = F.when(F.col("__broken").isNotNull(), f"not the {len(columns)} fields that the header has")
        return rows.withColumn("__problem", problem).drop("__broken")
    if not source.is_text:
        return rows.withColumn("__problem", F.lit(None).cast("string"))
    if source.format == "json":
        return _parse_json(rows, columns)
    return _parse_csv(rows, source, columns)


def content_of(rows: DataFrame, by: Sequence[str] = ("__url",)) -> DataFrame:
    """One row per file of the scanned rows: `by`, rows, and a digest that does not depend on the order of rows.

    The digest is the count, the exclusive or of the rows' 64-bit hashes, and the sum of their upper halves: the sum
    sees rows that come twice, which cancel each other out in the exclusive or.
    """
    hashed = rows.select(*by, F.xxhash64("__raw").alias("hash"))
    sums = hashed.groupBy(*by).agg(
        F.count(F.lit(1)).alias("rows"),
        F.bit_xor("hash").alias("either"),
        F.sum(F.shiftrightunsigned("hash", 32)).alias("total"),
    )
    digest = F.concat_ws("-", "rows", F.lower(F.hex("either")), F.lower(F.hex("total")))
    return sums.select(*by, "rows", digest.alias("digest"))


def _records(
    spark: SparkSession, source: SourceConfig, columns: Sequence[str], files: Sequence[SourceFile]
) -> DataFrame:
    schema = ", ".join([*(f"`{_quoted(name)}` string" for name in columns), "`__broken` string"])
    given = {"escape": '"', "header": "true", **source.options}
    options = {**given, "encoding": encoding(source.options), "columnNameOfCorruptRecord": "__broken"}
    return spark.read.options(**options).schema(schema).csv(escaped(file.opened for file in files))


def _parse_json(rows: DataFrame, columns: Sequence[str]) -> DataFrame:
    line = _without_mark(F.col("__raw"))
    fields = ", ".join(f"`{_quoted(name)}`: string" for name in columns or ["__none"])
    # With an empty object behind it, a line is an array of two only where it is one whole JSON value.
    both = F.concat(F.lit("["), line, F.lit(",{}]"))
    values = F.from_json(both, f"array<struct<{fields}>>", {"allowNonNumericNumbers": "false"})
    readable = rows.withColumn("__unreadable", _unreadable(line))
    parsed = readable.withColumn("__values", F.when(F.col("__unreadable").isNull(), values))
    is_object = F.coalesce(F.size("__values") == 2, F.lit(False)) & F.ltrim(line).startswith("{")
    problem = F.coalesce("__unreadable", F.when(~is_object, "not one JSON object"))
    record = F.when(is_object, F.get("__values", F.lit(0)))
    return parsed.select(*PLACE, problem.alias("__problem"), *(record.getField(name).alias(name) for name in columns))


def _parse_csv(rows: DataFrame, source: SourceConfig, columns: Sequence[str]) -> DataFrame:
    text = _without_mark(F.col("__raw"))
    sign = separator(source.options)
    separators = F.length("__raw") - F.length(F.replace("__raw", F.lit(sign), F.lit("")))  # of several signs: of all
    is_narrow = (F.length("__raw") <= _MOST_FIELDS) | (separators <= _MOST_FIELDS * len(sign))
    whole = F.when(is_narrow, F.concat(text, F.lit(sign + _END)))
    lines = rows.withColumn("__line", whole)
    parsed = lines.withColumn("__fields", F.from_csv("__line", _places(len(columns) + 1), _csv_options(source)))
    field = _all_fields(F.col("__fields"), len(columns) + 1)
    is_whole = field[-1].eqNullSafe(F.lit(_END))
    is_header = reduce(lambda a, b: a & b, (field[i].eqNullSafe(F.lit(name)) for i, name in enumerate(columns)))
    problem = F.coalesce(
        _unreadable(F.col("__raw")),
        F.when(~is_whole, _wrong_count(source, len(columns))),
        F.when(is_header, "the header line once more") if source.has_header else F.lit(None),
    )
    named = (field[place].alias(name) for place, name in enumerate(columns))
    return parsed.select(*PLACE, problem.alias("__problem"), *named)


def _wrong_count(source: SourceConfig, count: int) -> Column:
    """The reason for a line whose fields do not end where the header's do; reads the line anew, with room for more."""
    room = count + 1 + _EXTRA_FIELDS
    fields = F.array(F.from_csv("__line", _places(room), _csv_options(source)))  # in an array to be read but once
    ends = F.transform(fields, lambda each: F.array_position(F.array(*_all_fields(each, room)), _END))
    found = F.get(ends, F.lit(0)) - 1
    expected = f"fields where the {'header' if source.has_header else 'first line'} has {count}"
    counted = F.concat(found.cast("string"), F.lit(f" {expected}"))
    return F.when(found > 0, counted).otherwise(f"a quote left open, or more than {room - 1} {expected}")


def _without_mark(line: Column) -> Column:
    return F.when(line.startswith(MARK), F.substring(line, F.lit(2), F.length(line))).otherwise(line)


def _unreadable(line: Column) -> Column:
    reasons = F.when(~F.is_valid_utf8(line), "the text is not UTF-8")
    return reasons.when(F.trim(line) == "", "empty line")


def _csv_options(source: SourceConfig) -> dict[str, str]:
    passed = {key: str(value) for key, value in source.options.items() if key in ("quote", "escape", "nullValue")}
    return {"escape": '"', **passed, "sep": separator(source.options)}


def _all_fields(record: Column, count: int) -> list[Column]:
    return [record.getField(f"f{place}") for place in range(count)]


def _places(count: int) -> str:
    return ", ".join(f"f{place} string" for place in range(count))


def _named(name: str) -> Column:
    return F.col(f"`{_quoted(name)}`")


def _quoted(name: str) -> str:
    return name.replace("`", "``")
