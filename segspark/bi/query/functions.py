"""Which functions of Spark's SQL mean the same in DuckDB, and how those are said that sqlglot would say otherwise.

A test asks both engines for each of them. What is not here is refused: the same name may stand for something else, as
`mode`, `skewness` or `levenshtein` do.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

NUMBERS = (
    *(exp.Abs, exp.Sign, exp.Floor, exp.Ceil, exp.Round, exp.Exp, exp.Ln, exp.Log, exp.Pow, exp.Sqrt),
    *(exp.Greatest, exp.Least, exp.SafeDivide),
)
CHOICES = (exp.And, exp.Or, exp.Case, exp.If, exp.Coalesce, exp.Nullif, exp.Nvl2, exp.EqualNull, exp.Exists)
TEXTS = (
    *(
        exp.Upper,
        exp.Lower,
        exp.Length,
        exp.Trim,
        exp.Pad,
        exp.Left,
        exp.Right,
        exp.Replace,
        exp.Translate,
        exp.Reverse,
    ),
    *(exp.Repeat, exp.Concat, exp.StrPosition, exp.StartsWith, exp.EndsWith, exp.Contains, exp.SplitPart),
    *(exp.RegexpLike, exp.RegexpExtract, exp.RegexpSplit, exp.Initcap),
)
TIMES = (
    *(exp.Year, exp.Quarter, exp.Month, exp.WeekOfYear, exp.Day, exp.DayOfMonth, exp.DayOfYear, exp.Hour, exp.Minute),
    *(exp.Second, exp.DateDiff, exp.LastDay, exp.NextDay, exp.TimestampTrunc, exp.CurrentDate, exp.TimeStrToTime),
)
AGGREGATES = (
    *(exp.Count, exp.CountIf, exp.Sum, exp.Avg, exp.Min, exp.Max, exp.Median, exp.ApproxDistinct, exp.AnyValue),
    *(exp.First, exp.Last, exp.LogicalAnd, exp.LogicalOr, exp.Stddev, exp.StddevPop, exp.StddevSamp, exp.Variance),
    *(exp.VariancePop, exp.CovarPop, exp.CovarSamp, exp.ArrayAgg, exp.ArrayUniqueAgg, exp.GroupConcat),
)
WINDOWS = (
    *(exp.RowNumber, exp.Rank, exp.DenseRank, exp.PercentRank, exp.CumeDist, exp.Ntile, exp.Lag, exp.Lead),
    *(exp.FirstValue, exp.LastValue, exp.NthValue),
)
ARRAYS = (
    *(exp.Array, exp.ArraySize, exp.ArrayContains, exp.ArrayToString, exp.ArrayMin, exp.ArrayMax, exp.ArraySort),
    *(exp.ArraySlice, exp.Explode, exp.Posexplode, exp.VarMap, exp.MapKeys, exp.Struct),
)

FIELDS = ("YEAR", "QUARTER", "MONTH", "WEEK", "DAY", "HOUR", "MINUTE")
PARTS_OF_A_DAY = ("HOUR", "HOURS", "MINUTE", "MINUTES", "SECOND", "SECONDS")
# A format as sqlglot reads Spark's: yyyy, MMM, EEE, then MM, dd, HH, mm and ss.
FORMAT = re.compile(r"(%Y|%b|%a|%[mdHMS](strict)?|[-/:., ])*")
Check = Callable[[exp.Expr], bool]


def _is_plain(text: exp.Expr | None, signs: str) -> bool:
    """Whether it is a text literal without any of the signs."""
    return isinstance(text, exp.Literal) and not set(signs) & set(text.name)


def _is_compared(interval: exp.Expr) -> bool:
    """Whether what it is added to is compared only: a date and some days are a date in Spark, a time in DuckDB."""
    above = interval.parent
    while isinstance(above, exp.Add | exp.Sub | exp.Paren):
        above = above.parent
    return isinstance(above, exp.Predicate)


IN_SOME_FORMS: dict[type[exp.Expr], Check] = {  # these only mean the same where the check is true
    exp.Extract: lambda node: node.name.upper() in FIELDS,
    exp.Interval: lambda node: str(node.args.get("unit", "")).upper() in PARTS_OF_A_DAY or _is_compared(node),
    exp.Lateral: lambda node: not node.args.get("outer"),
    exp.With: lambda node: not node.args.get("recursive"),
    exp.Like: lambda node: _is_plain(node.args.get("expression"), "\\"),  # which escapes in Spark
    exp.ILike: lambda node: _is_plain(node.args.get("expression"), "\\"),
    exp.RegexpReplace: lambda node: _is_plain(node.args.get("replacement"), "$\\"),  # groups have other names
    exp.TimeToStr: lambda node: FORMAT.fullmatch(node.args["format"].name) is not None,
    exp.TsOrDsToDate: lambda node: not node.args.get("format"),
}


def _cast(cast: exp.Expr) -> exp.Expr:
    """Spark's CAST fails where a value does not fit, and cuts off decimals where DuckDB rounds."""
    kind = exp.TryCast if cast.args.get("safe") else exp.Cast
    value, to = cast.this, cast.args["to"]
    if not to.is_type(*exp.DataType.INTEGER_TYPES) or isinstance(value, exp.Literal):
        return kind(this=value, to=to)
    has_decimals = exp.RegexpLike(
        this=_function("TYPEOF", value), expression=exp.Literal.string("^(DOUBLE|FLOAT|DECIMAL)")
    )
    cut = _function("TRUNC", kind(this=value.copy(), to=exp.DataType.build("double")))
    choice = exp.Case(ifs=[exp.If(this=has_decimals, true=kind(this=cut, to=to))])
    choice.set("default", kind(this=value.copy(), to=to.copy()))
    return choice


def _from_one(text: exp.Expr) -> exp.Expr:
    """Spark takes the place 0 for the first."""
    start = text.args.get("start")
    if isinstance(start, exp.Literal) and start.name == "0":
        text.set("start", exp.Literal.number(1))
    return text


def _function(name: str, *arguments: exp.Expr) -> exp.Expr:
    return exp.Anonymous(this=name, expressions=[argument.copy() for argument in arguments])


def _as_date(node: exp.Expr) -> exp.Expr:
    return exp.Cast(this=node.copy(), to=exp.DataType.build("date"))


SAID_OTHERWISE: dict[type[exp.Expr], Callable[[exp.Expr], exp.Expr]] = {
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Substring: _from_one,
    exp.Quantile: lambda node: _function("QUANTILE_CONT", node.this, node.args["quantile"]),
    exp.ApproxQuantile: lambda node: _function("QUANTILE_DISC", node.this, node.args["quantile"]),
    exp.ArgMax: lambda node: _function("ARG_MAX_NULL", node.this, node.expression),
    exp.ArgMin: lambda node: _function("ARG_MIN_NULL", node.this, node.expression),
    exp.DayOfWeek: lambda node: exp.Paren(this=exp.Add(this=node.copy(), expression=exp.Literal.number(1))),
    exp.TsOrDsAdd: _as_date,
    exp.AddMonths: _as_date,
}
FUNCTIONS = (*NUMBERS, *CHOICES, *TEXTS, *TIMES, *AGGREGATES, *WINDOWS, *ARRAYS, *IN_SOME_FORMS, *SAID_OTHERWISE)


def means_the_same(node: exp.Expr) -> bool:
    """Whether DuckDB does by this node, as it is said here, what Spark does."""
    check = IN_SOME_FORMS.get(type(node))
    return type(node) in FUNCTIONS if check is None else check(node)


def said_for_duckdb(node: exp.Expr) -> exp.Expr:
    """The node as DuckDB must be told it; its parts were told before."""
    change = SAID_OTHERWISE.get(type(node))
    return node if change is None else change(node)
