"""Expressions in configuration: what they may say, and which columns they read.

An expression sees one row, of a raw source or of a table, and nothing else. Two checks hold it to that: every name
before a bracket must stand in `FUNCTIONS`, and the parsed tree may hold only columns, literals, operators, casts and
calls.
"""

import re
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.tokens import Token, TokenType

_NAMES = """
    abs add_months array bigint boolean bround btrim cast ceil ceiling char_length coalesce concat concat_ws contains
    convert_timezone crc32 date date_add date_format date_sub date_trunc datediff day dayofmonth decimal double
    element_at endswith exp extract float floor from_json from_unixtime from_utc_timestamp get get_json_object greatest
    hash hour if ifnull initcap instr int isnan isnotnull isnull json_array_length last_day lcase least left len length
    ln locate log log10 log2 lower lpad ltrim make_date make_timestamp md5 minute mod month negative nullif nvl nvl2
    pmod position positive pow power regexp_extract regexp_like regexp_replace replace reverse right rlike round rpad
    rtrim second sha1 sha2 sign signum size split split_part sqrt startswith string substr substring timestamp
    timestamp_micros timestamp_millis timestamp_seconds to_date to_number to_timestamp to_utc_timestamp translate trim
    trunc try_add try_cast try_divide try_element_at try_multiply try_subtract try_to_date try_to_number
    try_to_timestamp ucase unix_date unix_micros unix_millis unix_seconds unix_timestamp upper xxhash64 year
"""
FUNCTIONS = frozenset(_NAMES.split())

_TYPES = frozenset({"char", "dec", "decimal", "numeric", "varchar"})
_OPERATORS = frozenset(
    {"and", "between", "case", "div", "else", "ilike", "in", "interval", "is", "like", "not", "or", "then", "when"}
)
_NODES = (
    exp.Column,
    exp.Identifier,
    exp.Literal,
    exp.RawString,
    exp.Boolean,
    exp.Null,
    exp.Paren,
    exp.Binary,
    exp.Unary,
    exp.Between,
    exp.In,
    exp.Case,
    exp.DataType,
    exp.DataTypeParam,
    exp.Func,
    exp.Interval,
    exp.Var,
    exp.Bracket,
    exp.AtTimeZone,
    exp.FromTimeZone,
    exp.JSONPath,
    exp.JSONPathPart,
)
_REFUSED = {exp.Query: "a sub-query", exp.Star: "*", exp.Window: "a window", exp.Lambda: "a lambda"}
_FIX = "only the raw row's columns, literals, operators, casts, CASE and harmless functions are allowed"


def columns_of(text: str) -> frozenset[str]:
    """The raw columns that the expression reads, as it spells them.

    Raises ValueError, naming what is not allowed, where the expression is not of the allowed kind.
    """
    if "${" in text:
        raise ValueError("has ${, by which Spark puts settings and secrets into a text; write it without")
    try:
        tokens = sqlglot.Dialect.get_or_raise("spark").tokenize(text)
        _refuse_functions(tokens)
        trees = [tree for tree in sqlglot.parse(text, read="spark") if tree is not None]
    except sqlglot.errors.SqlglotError as error:
        raise ValueError(f"is not a Spark SQL expression ({_first_line(error)})") from error
    if len(trees) != 1:
        raise ValueError("is empty; give one Spark SQL expression" if not trees else f"has a ';'; {_FIX}")
    for node in trees[0].walk():
        _refuse(node)
    return frozenset(column.parts[0].name for column in trees[0].find_all(exp.Column))


def _refuse_functions(tokens: list[Token]) -> None:
    for before, token, after in zip([None, *tokens], tokens, [*tokens[1:], None], strict=False):
        if token.token_type is TokenType.SELECT:
            raise ValueError(f"has a sub-query; {_FIX}")
        name = token.text.lower()
        is_word = token.token_type is not TokenType.STRING and re.fullmatch(r"\w+", name) and not name.isdigit()
        if not is_word or after is None or after.token_type is not TokenType.L_PAREN:
            continue
        is_qualified = before is not None and before.token_type is TokenType.DOT
        if is_qualified or name not in FUNCTIONS | _TYPES | _OPERATORS:
            raise ValueError(f"calls {name}(), which is not allowed; {_FIX}")


def _refuse(node: Any) -> None:
    for kind, name in _REFUSED.items():
        if isinstance(node, kind):
            raise ValueError(f"has {name}; {_FIX}")
    name = type(node).__name__
    is_session = name.startswith(("Current", "Session", "Local")) or isinstance(node, exp.AggFunc)
    if is_session or not isinstance(node, _NODES):
        raise ValueError(f"has {node.sql('spark')[:40]}, which is not allowed; {_FIX}")


def _first_line(error: Exception) -> str:
    return re.sub(r"\x1b\[\d*m", "", str(error)).splitlines()[0][:120]
