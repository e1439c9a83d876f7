"""What is listed as allowed works: every listed function passes the check, and Spark evaluates it."""

import re

import pytest

from segspark.core.expressions import FUNCTIONS, columns_of

ROW = "SELECT 'x,y' AS a, 'x' AS b, 2 AS n, DATE'2024-01-31' AS d, TIMESTAMP'2024-01-31 10:00' AS t, '{\"a\": 1}' AS j"
CALLS = """
    abs(n) add_months(d, 1) array(a, b) bigint(n) boolean('true') bround(n, 1) btrim(a) cast(a AS string) ceil(n)
    ceiling(n) char_length(a) coalesce(a, b) concat(a, b) concat_ws('-', a, b) contains(a, b)
    convert_timezone('UTC', 'Europe/Berlin', timestamp_ntz'2024-01-31 10:00') crc32(a) date(t) date_add(d, 1)
    date_format(t, 'yyyy') date_sub(d, 1) date_trunc('month', t) datediff(d, d) day(d) dayofmonth(d) decimal(n)
    double(n) element_at(split(a, ','), 1) endswith(a, b) exp(n) extract(year FROM d) float(n) floor(n)
    from_json(j, 'a string') from_unixtime(n) from_utc_timestamp(t, 'Europe/Berlin') get(split(a, ','), 0)
    get_json_object(j, '$.a') greatest(n, n) hash(a) hour(t) if(a = b, 1, 2) ifnull(a, b) initcap(a) instr(a, b)
    int(n) isnan(n) isnotnull(a) isnull(a) json_array_length('[1]') last_day(d) lcase(a) least(n, n) left(a, 1) len(a)
    length(a) ln(n) locate(a, b) log(n) log10(n) log2(n) lower(a) lpad(a, 3, 'x') ltrim(a) make_date(2024, 1, 1)
    make_timestamp(2024, 1, 1, 1, 1, 1) md5(a) minute(t) mod(n, 2) month(d) negative(n) nullif(a, b) nvl(a, b)
    nvl2(a, b, a) pmod(n, 3) position(a, b) positive(n) pow(n, 2) power(n, 2) regexp_extract(a, '(x)', 1)
    regexp_like(a, 'x') regexp_replace(a, 'x', 'y') replace(a, 'x', 'y') reverse(a) right(a, 1) rlike(a, 'x')
    round(n, 1) rpad(a, 3, 'x') rtrim(a) second(t) sha1(a) sha2(a, 256) sign(n) signum(n) size(split(a, ','))
    split(a, ',') split_part(a, ',', 1) sqrt(n) startswith(a, b) string(n) substr(a, 1, 2) substring(a, 1, 2)
    timestamp('2024-01-31') timestamp_micros(n) timestamp_millis(n) timestamp_seconds(n) to_date('2024-01-31')
    to_number('12', '99') to_timestamp('2024-01-31') to_utc_timestamp(t, 'Europe/Berlin') translate(a, 'x', 'y')
    trim(a) trunc(d, 'month') try_add(n, n) try_cast(a AS int) try_divide(n, n) try_element_at(split(a, ','), 1)
    try_multiply(n, n) try_subtract(n, n) try_to_date('2024-01-31') try_to_number('12', '99')
    try_to_timestamp('2024-01-31') ucase(a) unix_date(d) unix_micros(t) unix_millis(t) unix_seconds(t)
    unix_timestamp(t) upper(a) xxhash64(a) year(d)
"""
CALL = re.compile(r"\b(\w+)\((?:[^()]|\((?:[^()]|\([^()]*\))*\))*\)")


@pytest.fixture(scope="module")
def calls():
    return {found.group(1): found.group() for found in CALL.finditer(CALLS)}


def test_every_listed_function_is_called_here_and_allowed(calls):
    assert set(calls) == FUNCTIONS
    assert [name for name, call in calls.items() if not isinstance(columns_of(call), frozenset)] == []


def test_spark_evaluates_every_listed_function(calls, spark):
    row = spark.sql(ROW).selectExpr(*(f"{call} AS `{name}`" for name, call in calls.items())).first()
    assert row.get_json_object == "1" and row.nullif == "x,y" and row.try_cast is None and row.year == 2024
