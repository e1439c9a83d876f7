"""Each function that a question may use, and each form of a SELECT, in Spark and in DuckDB over the same rows."""

import math
from datetime import date, datetime, timezone
from decimal import Decimal

import duckdb
import pytest
from sqlglot import exp

from segspark.bi.query.functions import FUNCTIONS
from segspark.bi.query.question import in_duckdb, read_question
from segspark.core.errors import InputError

ROWS = [
    (1, 2.5, -1.25, "alpha beta", date(2024, 1, 31), datetime(2024, 1, 31, 23, 59, 58, 123456), ["a", "b"], True, "g1"),
    (2, -0.5, 3.0, "Beta, Gamma", date(2024, 2, 29), datetime(2024, 2, 29), ["b"], False, "g1"),
    (3, 1234.5678, 0.0, "", date(2023, 12, 25), datetime(2023, 12, 25, 12, 30), ["z", "y", "z"], None, "g2"),
    (4, None, None, None, None, None, None, None, "g2"),
    (5, 0.125, 7.0, "zürich é", date(2020, 3, 1), datetime(2020, 3, 1, 5, 6, 7), ["c", "a"], True, None),
    (-6, 99.995, -7.5, "  pad ", date(1999, 12, 31), datetime(1999, 12, 31, 18), ["x"], False, "g3"),
]
COLUMNS = {
    **{"i": "int", "x": "double", "y": "double", "s": "string", "d": "date", "ts": "timestamp", "a": "array<string>"},
    **{"b": "boolean", "g": "string"},
}
SCALARS = """
    abs(x); sign(x); floor(x); ceil(x); ceiling(y); round(x); round(x, 2); round(x, -1); exp(y); ln(abs(x)); log(abs(x))
    log(10, abs(x)); log10(abs(x)); log2(abs(x)); pow(x, 2); power(x, 2); sqrt(abs(x)); greatest(x, y); least(x, y)
    x / nullif(y, 0); try_divide(x, y); i % 4; mod(i, 4); i div 4; -x; x + y; x * y; i & 3; i | 3; i ^ 3; ~i
    b AND x > 0; b OR x > 0; NOT b; CASE WHEN x > 1 THEN 'a' WHEN x < 0 THEN 'b' ELSE 'c' END; if(x > 1, 'a', 'b')
    CASE i WHEN 1 THEN 'one' END; coalesce(x, y, 0); nvl(x, 0); ifnull(x, 0); nullif(i, 1); nvl2(x, 1, 2); x IS NULL
    x IS NOT NULL; equal_null(i, 1); i <=> 1; i <> 1; i IN (1, 2); x BETWEEN 0 AND 3; x > 1 IS NULL
    EXISTS (SELECT 1 FROM t u WHERE u.g = t.g AND u.i <> t.i); (SELECT max(x) FROM t u WHERE u.g = t.g)
    s LIKE '%a%'; s NOT LIKE 'a%'; s ILIKE 'B%'; s RLIKE '^[a-z]+'; regexp_like(s, 'a'); startswith(s, 'a'); s || '!'
    endswith(s, 'a'); contains(s, 'a'); upper(s); lower(s); ucase(s); lcase(s); initcap(s); length(s); char_length(s)
    trim(s); ltrim(s); rtrim(s); trim(BOTH 'a' FROM s); lpad(s, 12, '*'); rpad(s, 12, '*'); substring(s, 2, 3)
    substring(s, 2); substr(s, -3); substring(s, -3, 2); substring(s, 0, 2); left(s, 3); right(s, 3)
    replace(s, 'a', 'o'); translate(s, 'ab', 'xy'); reverse(s); repeat(s, 2); concat(s, '!'); concat(s, i)
    instr(s, 'a'); locate('a', s); position('a' IN s); split_part(s, ' ', 1); split(s, '[ ,]')
    regexp_replace(s, '[aeiou]', '_'); regexp_extract(s, '([a-z]+)', 1)
    year(d); quarter(d); month(ts); weekofyear(d); day(d); dayofmonth(d); dayofyear(d); dayofweek(d); hour(ts)
    minute(ts); second(ts); extract(YEAR FROM d); extract(QUARTER FROM d); extract(MONTH FROM d); extract(WEEK FROM d)
    extract(DAY FROM d); extract(HOUR FROM ts); extract(MINUTE FROM ts); date_trunc('month', d); date_trunc('week', ts)
    date_trunc('day', ts); date_trunc('quarter', d); date_trunc('year', d); date_add(d, 3); date_sub(d, 3); d + 3; d - 3
    add_months(d, 1); add_months(d, -1); datediff(d, date '2024-01-01'); date_diff(d, date '2024-01-01'); last_day(d)
    next_day(d, 'MON'); current_date() > d; ts + INTERVAL 2 HOURS; ts - INTERVAL 30 MINUTES
    d + INTERVAL 3 DAYS > date '2024-01-31'; d - INTERVAL 1 MONTH <= date '2023-12-31'; d > '2024-01-01'
    date_format(d, 'yyyy-MM'); date_format(d, 'dd.MM.yyyy'); date_format(ts, 'yyyy-MM-dd HH:mm:ss')
    date_format(d, 'EEE, MMM yyyy'); to_date(cast(d AS string)); to_timestamp(cast(ts AS string)); date(ts)
    cast(ts AS date); cast(d AS timestamp); cast(d AS string); cast(x AS int); cast(x AS bigint); cast(b AS int)
    cast(cast(i AS string) AS int); cast(cast(x AS decimal(10, 2)) AS int); try_cast(s AS int); int(x); double(i)
    cast(x AS decimal(10, 2)); cast(i AS double); cast(i AS boolean); cast(b AS string); cast(i AS string); i::double
    size(a); array_size(a); array_contains(a, 'a'); array_join(a, ' '); array_min(a); array_max(a); sort_array(a)
    slice(a, 1, 2); array(1, i); a[0]; element_at(a, 1); element_at(a, -1); named_struct('p', i).p; struct(i, x)
    map('k', i)['k']; map_keys(map('k', i)); array_sort(a)
"""
AGGREGATES = """
    count(*); count(x); count(DISTINCT g); count(DISTINCT x, y); count_if(x > 1); sum(i); sum(x); sum(DISTINCT i)
    sum(x) FILTER (WHERE x > 0); sum(if(b, 1, 0)); avg(x); avg(i); min(x); max(x); min(s); max(d); max(b); median(x)
    percentile(x, 0.5); percentile(x, 0.9); percentile(i, 0.25); percentile_approx(x, 0.5); approx_percentile(x, 0.9)
    approx_count_distinct(i); any_value(i) IS NOT NULL; first(i) IS NOT NULL; last(i) IS NOT NULL; bool_and(x > -100)
    bool_or(x > 1); stddev(x); stddev_samp(x); stddev_pop(x); variance(x); var_samp(x); var_pop(x); covar_pop(x, y)
    covar_samp(x, y); max_by(s, i); min_by(s, i); max_by(x, y); sort_array(collect_list(i)); sort_array(array_agg(s))
    sort_array(collect_set(i)); sum(cast(x AS decimal(10, 2)))
    avg(cast(x AS decimal(10, 2))); count(DISTINCT i) / count(*); array_max(collect_list(x))
"""
OVER = """
    row_number() OVER (ORDER BY i); rank() OVER (ORDER BY g); dense_rank() OVER (ORDER BY g)
    percent_rank() OVER (ORDER BY i); cume_dist() OVER (ORDER BY i); ntile(3) OVER (ORDER BY i)
    lag(x) OVER (ORDER BY i); lag(x, 2, 0) OVER (ORDER BY i); lead(x) OVER (PARTITION BY g ORDER BY i)
    first_value(x) OVER (PARTITION BY g ORDER BY i); last_value(x) OVER (PARTITION BY g ORDER BY i)
    nth_value(x, 2) OVER (ORDER BY i); sum(x) OVER (PARTITION BY g); sum(x) OVER (ORDER BY i); count(*) OVER ()
    sum(x) OVER (ORDER BY i ROWS BETWEEN 1 PRECEDING AND CURRENT ROW); x / sum(x) OVER ()
    avg(x) OVER (ORDER BY i ROWS UNBOUNDED PRECEDING); row_number() OVER (ORDER BY x DESC NULLS LAST, i)
"""
WHOLE = """
    SELECT g, count(*) FROM t GROUP BY ALL ORDER BY ALL; SELECT DISTINCT g FROM t ORDER BY g; SELECT i FROM t ORDER BY x
    SELECT i FROM t ORDER BY x DESC; SELECT i FROM t ORDER BY x DESC NULLS LAST
    SELECT i FROM t ORDER BY i LIMIT 2 OFFSET 1
    SELECT g, sum(x) s FROM t GROUP BY g HAVING sum(x) > 0 ORDER BY 1; SELECT * EXCEPT (a, ts) FROM t ORDER BY i
    SELECT i, v FROM t LATERAL VIEW explode(a) e AS v ORDER BY i, v
    SELECT i, p, v FROM t LATERAL VIEW posexplode(a) e AS p, v ORDER BY i, p
    SELECT i, explode(a) v FROM t ORDER BY i, v
    SELECT t.i, u.i j FROM t JOIN t u ON t.g = u.g ORDER BY 1, 2
    SELECT t.i, u.i j FROM t LEFT JOIN t u ON t.i = u.i + 1 ORDER BY 1, 2
    SELECT i FROM t LEFT SEMI JOIN (SELECT i FROM t WHERE x > 0) u USING (i) ORDER BY i
    SELECT i FROM t LEFT ANTI JOIN (SELECT i FROM t WHERE x > 0) u USING (i) ORDER BY i
    SELECT i FROM t WHERE i IN (SELECT i FROM t WHERE x > 0) ORDER BY i; SELECT i FROM t UNION SELECT 1 ORDER BY i
    SELECT i FROM t UNION ALL SELECT 1 ORDER BY i; SELECT i FROM t EXCEPT SELECT 1 ORDER BY i
    SELECT i FROM t MINUS SELECT 1 ORDER BY i; SELECT i FROM t INTERSECT SELECT 1; FROM t SELECT i ORDER BY i
    WITH n AS (SELECT i FROM t), m AS (SELECT i + 1 AS j FROM n) SELECT * FROM m ORDER BY j
    WITH t AS (SELECT i FROM t WHERE i > 2) SELECT * FROM t ORDER BY i
    SELECT g, b, count(*) FROM t GROUP BY ROLLUP (g, b) ORDER BY 1, 2, 3
    SELECT g, b, count(*) FROM t GROUP BY CUBE (g, b) ORDER BY 1, 2, 3
    SELECT g, b, count(*) FROM t GROUP BY GROUPING SETS ((g), (b)) ORDER BY 1, 2, 3
    SELECT i, row_number() OVER (PARTITION BY g ORDER BY i) r FROM t QUALIFY r = 1 ORDER BY i
    SELECT * FROM VALUES (1, 'a'), (2, 'b') AS v(p, q) ORDER BY p; SELECT i + 1 AS j, j + 1 AS k FROM t ORDER BY i
    SELECT /*+ BROADCAST(t) */ i FROM t WHERE s = 'alpha beta' OR s = "Beta, Gamma" ORDER BY i -- and a comment
    SELECT sum(x) OVER w s FROM t WINDOW w AS (PARTITION BY g) ORDER BY s; SELECT 'it\\'s' AS q, r'\\d' AS r
    SELECT g, sum(count(*)) OVER () AS n FROM t GROUP BY g ORDER BY g
    SELECT listagg(g, ',') WITHIN GROUP (ORDER BY i) AS l FROM t; (SELECT 1 AS one)
"""
REFUSED = """
    mode(i); skewness(x); kurtosis(x); corr(x, y); levenshtein(s, 'a'); hash(s); format_string('%s', s); typeof(i)
    monthname(d); months_between(d, d); trunc(d, 'MM'); isnan(x); concat_ws('-', a); array_distinct(a); rand(); uuid()
    d + INTERVAL 3 DAYS; s LIKE 'a\\\\_'; regexp_replace(s, '(a)', '$1'); date_format(d, 'G'); extract(DOW FROM d)
    transform(a, v -> upper(v)); getenv('HOME'); current_setting('threads'); read_text('/etc/hosts'); current_user()
    reflect('java.lang.System', 'getenv', 'HOME'); version(); input_file_name(); a:b; sum(x) FILTER (WHERE rand() > 1)
"""


def told(text):
    return [each.strip() for line in text.strip().splitlines() for each in line.split(";") if each.strip()]


def plain(value):
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).replace(tzinfo=None) if value.tzinfo else value
    if isinstance(value, Decimal | int | float) and not isinstance(value, bool):
        return float(f"{float(value):.12g}") if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    return [plain(each) for each in value] if isinstance(value, list | tuple) else value


@pytest.fixture(scope="module")
def table(spark, tmp_path_factory):
    """The rows as `t`, in Spark's session and in DuckDB."""
    place = str(tmp_path_factory.mktemp("functions") / "t")
    schema = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    spark.createDataFrame(ROWS, schema).coalesce(1).write.parquet(place)
    spark.read.parquet(place).createOrReplaceTempView("t")
    database = duckdb.connect()
    database.execute("SET TimeZone = 'UTC'")
    shown = f"SELECT * REPLACE (CAST(ts AS TIMESTAMP) AS ts) FROM read_parquet('{place}/*.parquet')"
    database.execute(f"CREATE VIEW t AS {shown}")
    yield spark, database
    spark.catalog.dropTempView("t")


def in_spark(spark, statement):
    return [plain(list(row.asDict(recursive=True).values())) for row in spark.sql(statement).collect()]


def answers(database, statement):
    return [plain(row) for row in database.execute(in_duckdb(read_question(statement))).fetchall()]


@pytest.mark.parametrize(
    ("expressions", "around"),
    [
        (SCALARS, "SELECT {} FROM t WHERE i <> 4 ORDER BY i"),
        (AGGREGATES, "SELECT {} FROM t"),
        (AGGREGATES, "SELECT {} FROM t GROUP BY g ORDER BY g"),
        (OVER, "SELECT {} FROM t ORDER BY i"),
    ],
    ids=["scalars", "aggregates", "aggregates by group", "windows"],
)
def test_functions_have_the_same_values_in_both_engines(table, expressions, around):
    """In Spark all at once, which takes a tenth of the time."""
    spark, database = table
    asked = told(expressions)
    columns = ", ".join(f"{expression} AS c{number}" for number, expression in enumerate(asked))
    together = in_spark(spark, around.format(columns))
    for number, expression in enumerate(asked):
        found = answers(database, around.format(f"{expression} AS c"))
        assert [row[number] for row in together] == [row[0] for row in found], expression


def test_nulls_are_nulls_in_both_engines(table):
    spark, database = table
    asked = [each for each in told(SCALARS) if not each.startswith(("cast(x AS int)", "int(x)"))]
    columns = ", ".join(f"{expression} AS c{number}" for number, expression in enumerate(asked))
    (together,) = in_spark(spark, f"SELECT {columns} FROM t WHERE i = 4")
    for number, expression in enumerate(asked):
        assert answers(database, f"SELECT {expression} AS c FROM t WHERE i = 4") == [[together[number]]], expression


@pytest.mark.parametrize("statement", told(WHOLE))
def test_forms_of_a_select_have_the_same_rows_in_both_engines(table, statement):
    spark, database = table
    assert answers(database, statement) == in_spark(spark, statement)


def test_every_function_that_is_let_through_was_compared():
    asked = [f"SELECT {each} AS c FROM t" for each in told(SCALARS) + told(AGGREGATES) + told(OVER)] + told(WHOLE)
    seen = {type(node) for statement in asked for node in read_question(statement).query.walk()}
    assert [kind.__name__ for kind in FUNCTIONS if kind not in seen] == []


@pytest.mark.parametrize("expression", told(REFUSED))
def test_what_may_mean_something_else_is_refused_with_the_engine_that_knows_it(expression):
    with pytest.raises(InputError, match=r"^query: .*ask with --engine spark$"):
        in_duckdb(read_question(f"SELECT {expression} AS c FROM t"))


def test_columns_without_a_name_are_called_as_they_were_asked():
    said = in_duckdb(read_question("SELECT count(*), sum(x), g, 'a' FROM t UNION SELECT 1, 2, 'b', 'c'"))
    assert said.startswith("""SELECT COUNT(*) AS "count(*)", SUM("x") AS "sum(x)", "g", 'a' AS "'a'" FROM""")


def test_every_kind_that_is_let_through_is_a_kind_of_sqlglots():
    assert all(isinstance(kind, type) and issubclass(kind, exp.Expression) for kind in FUNCTIONS)
