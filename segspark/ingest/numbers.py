"""Numbers as programs and people write them.

A program writes digits, a point and perhaps an exponent. A person writes a currency beside the number (a sign, or three
capital letters), brackets around what is negative, and signs between groups of three digits. What separates groups in
one country is the decimal sign of another, so that such numbers are read only where the configuration says which is
which; whoever says so answers for one currency in a column.
"""

from typing import Literal

from pyspark.sql import Column
from pyspark.sql import functions as F

Decimal = Literal["point", "comma"]

PLAIN = r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?$"
NOT_FINITE = r"^[+-]?([Nn][Aa][Nn]|[Ii]nf(inity)?)$"  # kept, for a rule to tell
_BLANK = r"[ \u00a0\u202f]"
_CURRENCY = r"(\p{Sc}|[A-Z]{3})"
_MINUS = "\u2212-"
_SIGN = {"point": r"\.", "comma": ","}
_BETWEEN_GROUPS = {"point": r"[,'\u2019 \u00a0\u202f]", "comma": r"[.'\u2019 \u00a0\u202f]"}


def number(text: Column, decimal: Decimal | None, is_text: Column) -> Column:
    """The number as a program writes it, as text; null where it is none.

    `is_text` tells whether it came as text: what came as a number has its decimal point whatever `decimal` says.
    """
    is_plain = text.rlike(PLAIN) | text.rlike(NOT_FINITE)
    if decimal is None:
        return F.when(is_plain, text)
    as_written = F.when(text.rlike(_written(decimal)), _plainly(text, decimal))
    if decimal == "comma":
        return F.when(is_text, as_written).when(is_plain, text)
    return F.when(is_plain, text).when(is_text, as_written)


def is_ambiguous(text: Column) -> Column:
    """Whether it would be a number if `decimal` said, or said otherwise, what its signs mean."""
    return text.rlike(_written("point")) | text.rlike(_written("comma"))


def _written(decimal: Decimal) -> str:
    between, sign = _BETWEEN_GROUPS[decimal], _SIGN[decimal]
    digits = rf"([0-9]{{1,3}}(?<between>{between})[0-9]{{3}}(\k<between>[0-9]{{3}})*|[0-9]+)"
    plus = rf"[+{_MINUS}]?"
    before = rf"({plus}{_CURRENCY}{_BLANK}*|{_CURRENCY}{_BLANK}*{plus}|{plus})"
    amount = rf"{before}({digits}({sign}[0-9]*)?|{sign}[0-9]+)"
    whole = rf"{amount}({_BLANK}*{_CURRENCY})?"
    return rf"^({whole}|\({whole.replace('between', 'inner')}\))$"


def _plainly(text: Column, decimal: Decimal) -> Column:
    digits = F.regexp_replace(text, rf"[^0-9{_SIGN[decimal]}]", "")
    if decimal == "comma":
        digits = F.replace(digits, F.lit(","), F.lit("."))
    return F.concat(F.when(text.rlike(rf"^\(|[{_MINUS}]"), "-").otherwise(""), digits)
