import pytest

from segspark.core.expressions import columns_of


@pytest.mark.parametrize(
    ("text", "columns"),
    [
        ("InvoiceNo", {"InvoiceNo"}),
        ("`Customer ID`", {"Customer ID"}),
        ("'US'", set()),
        ("regexp_replace(CustomerID, '[.]0$', '')", {"CustomerID"}),
        ("to_utc_timestamp(to_timestamp(InvoiceDate), 'Europe/London')", {"InvoiceDate"}),
        ("if(no LIKE 'C%' OR cast(qty AS int) < 0, 'cancelled', 'paid')", {"no", "qty"}),
        ("CASE WHEN a IN ('x', 'y') THEN b ELSE c::decimal(10, 2) END", {"a", "b", "c"}),
        ("split(a, '-')[0] || extract(year FROM b)", {"a", "b"}),
        ("user.address.city", {"user"}),
        ("a + INTERVAL 1 DAY", {"a"}),
        ("'reflect(x), (select 1)'", set()),
    ],
)
def test_harmless_expressions_pass_and_tell_the_raw_columns_they_read(text, columns):
    assert columns_of(text) == columns


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("(SELECT 1)", "a sub-query"),
        ("a IN (SELECT 1)", "a sub-query"),
        ("exists(SELECT 1)", "exists()"),
        ("concat(a, '${env:SEGSPARK_PSEUDONYM_KEY}')", "has ${, by which Spark puts settings and secrets"),
        ("'${system:user.name}'", "has ${"),
        ("reflect('java.lang.System', 'exit')", "reflect()"),
        ("java_method('a', 'b')", "java_method()"),
        ("`reflect`('a', 'b')", "reflect()"),
        ("reflect /* a remark */ ('a', 'b')", "reflect()"),
        ("system.builtin.upper(a)", "upper()"),
        ("my_function(a)", "my_function()"),
        ("max(a)", "max()"),
        ("row_number() OVER (ORDER BY a)", "row_number()"),
        ("transform(a, x -> x)", "transform()"),
        ("rand()", "rand()"),
        ("now()", "now()"),
        ("input_file_name()", "input_file_name()"),
        ("current_user", "CURRENT_USER"),
        ("current_date", "CURRENT_DATE"),
        ("a; DROP TABLE b", "';'"),
        (":secret", ":secret"),
        ("*", "*"),
        ("", "is empty"),
        ("a b c d", "is not a Spark SQL expression"),
    ],
)
def test_what_reaches_beyond_the_raw_row_is_refused_by_name(text, named):
    with pytest.raises(ValueError) as error:
        columns_of(text)
    assert named in str(error.value)


def test_spark_leaves_what_looks_like_a_variable_as_it_is(spark):
    told = ("${env:PATH}", "${system:user.name}")
    assert spark.sql(f"SELECT '{told[0]}' AS a, '{told[1]}' AS b").first() == told
