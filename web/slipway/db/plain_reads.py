"""Which SELECTs surely change nothing, lock nothing, and say nothing of the transaction that they are in."""

import re
from typing import Any

from sqlalchemy import Select
from sqlalchemy.sql import elements, functions, operators, selectable, visitors

# https://www.postgresql.org/docs/current/xfunc-volatility.html: none of them is volatile.
STABLE = frozenset(
    """
    abs array_length avg char_length coalesce concat count current_date current_timestamp date_part date_trunc
    greatest least length lower max min now nullif replace round sum to_tsquery to_tsvector trim ts_rank upper
    """.split()  # noqa: SIM905 # a list of strings would be a line for each
)
OPERATORS = ("@@", "@>", "<@", "->", "->>", "#>", "#>>", "?", "&&")
LITERAL = re.compile(r"'(?!now|to|yes)\w*'|\d+", re.ASCII | re.IGNORECASE)  # no 'now' and 'today'
PLAIN = (
    elements.BindParameter,
    elements.BinaryExpression,
    elements.BooleanClauseList,
    elements.Case,
    elements.Cast,
    elements.ClauseList,
    elements.ExpressionClauseList,
    elements.Extract,
    elements.False_,
    elements.Grouping,
    elements.Label,
    elements.Null,
    elements.True_,
    elements.Tuple,
    elements.TypeClause,
    elements.UnaryExpression,
    selectable.Alias,
    selectable.Exists,
    selectable.Join,
    selectable.ScalarSelect,
    selectable.Select,
    selectable.SelectStatementGrouping,
    selectable.TableClause,
)


def is_plain_read(statement: Select[Any]) -> bool:
    """Tell whether all that `statement` is made of is known, and none of it does anything but read.

    The text of a prefix, a suffix or a hint is not looked at.
    """
    return all(map(is_plain, visitors.iterate(statement)))


def is_plain(element: Any) -> bool:
    """Tell whether a part of a statement is known to do nothing but read."""
    if isinstance(element, functions.FunctionElement):
        return getattr(element, "name", "").lower() in STABLE and not getattr(element, "packagenames", ())
    if isinstance(element, elements.BinaryExpression) and isinstance(element.operator, operators.custom_op):
        return element.operator.opstring in OPERATORS
    if isinstance(element, elements.ColumnClause):
        return not element.is_literal or bool(LITERAL.fullmatch(element.name))
    if isinstance(element, elements.TextClause):
        return bool(LITERAL.fullmatch(element.text))
    return isinstance(element, PLAIN)
