"""Refuses what would lose data, or cannot be, before a revision is written."""

from collections.abc import Iterator

from alembic.operations import ops
from sqlalchemy import Connection, func, select, table
from sqlalchemy import column as named

from ..state import NotPreparedError
from ..upgrade import HINTS
from .plan import flat


def refuse_loss(container: ops.OpContainer, connection: Connection) -> None:
    """Raise NotPreparedError if an operation would lose data, with how much that is, and the ways on."""
    lost, ways = [], []
    for operation in flat(container):
        if isinstance(operation, ops.DropTableOp):
            lost.append(f"the table {operation.table_name} with {rows(connection, operation.table_name)}")
        elif isinstance(operation, ops.DropColumnOp):
            where, name = operation.table_name, operation.column_name
            lost.append(f"the column {where}.{name}, which has a value in {rows(connection, where, name)}")
            ways += [
                f"  make migrate rename={name}:{new}  to rename it and keep its data"
                for new in added_columns(container, where)
            ]
    if lost:
        ways.append("  make migrate drop=yes  to drop it and its data")
        what = " and ".join(lost)
        raise NotPreparedError("\n".join([f"this would drop {what}; nothing was written. Type", *ways]))


def refuse_required(container: ops.OpContainer, connection: Connection) -> None:
    """Raise NotPreparedError if a new column must have a value that the rows there are would not get."""
    for operation in flat(container):
        if not isinstance(operation, ops.AddColumnOp):
            continue
        column = operation.column
        if (
            column.nullable
            or column.server_default is not None
            or not count(connection, operation.table_name)
        ):
            continue
        what = f"the new column {operation.table_name}.{column.name} contains null values, and must not"
        raise NotPreparedError(f"{what}; nothing was written.\n{HINTS['contains null values']}")


def rows(connection: Connection, name: str, column: str | None = None) -> str:
    """Return how many rows a table has, or how many of them with a value in `column`, in words."""
    number = count(connection, name, column)
    return f"{number} row" if number == 1 else f"{number} rows"


def count(connection: Connection, name: str, column: str | None = None) -> int:
    """Return how many rows a table has, or how many of them with a value in `column`."""
    counted = func.count() if column is None else func.count(named(column))
    return connection.execute(select(counted).select_from(table(name))).scalar_one()


def added_columns(container: ops.OpContainer, name: str) -> Iterator[str]:
    """Yield the names of the columns that are added to a table."""
    added = (o for o in flat(container) if isinstance(o, ops.AddColumnOp))
    return (o.column.name for o in added if o.table_name == name)
