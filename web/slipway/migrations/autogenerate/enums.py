"""The columns that an enum type has before and after a run, which moves them when values are taken away."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from alembic.operations import ops
from alembic_postgresql_enum import ColumnType, TableReference
from sqlalchemy import ARRAY

from .compare import enum_of


class Columns:
    """Knows from the operations of a run which columns there are, and what their defaults are."""

    def __init__(self, operations: Sequence[Any]) -> None:
        self.created = {o.table_name for o in operations if isinstance(o, ops.CreateTableOp)}
        self.added = {(o.table_name, o.column.name) for o in operations if isinstance(o, ops.AddColumnOp)}
        self.dropped = [o for o in operations if isinstance(o, ops.DropColumnOp)]
        self.altered = {
            (o.table_name, o.column_name): default_of(o.existing_server_default)
            for o in operations
            if isinstance(o, ops.AlterColumnOp) and o.modify_server_default is not False
        }

    def before(self, change: Any) -> list[TableReference]:
        """Return the columns of the type that `change` is about, with the defaults that they have before."""
        kept = [column for column in change.affected_columns if not self.is_new(column)]
        known = [
            replace(c, existing_server_default=self.altered[key(c)]) if key(c) in self.altered else c
            for c in kept
        ]
        return known + [dropped for o in self.dropped if (dropped := reference(o, change.name))]

    def bare(self, columns: Sequence[TableReference]) -> list[TableReference]:
        """Return `columns`; those that another operation gives a default, or drops, without one."""
        gone = {(o.table_name, o.column_name) for o in self.dropped}
        others = self.altered.keys() | self.added | gone
        return [
            replace(c, existing_server_default=None) if key(c) in others or self.is_new(c) else c
            for c in columns
        ]

    def is_new(self, column: TableReference) -> bool:
        """Tell whether the run adds `column`."""
        return column.table_name in self.created or key(column) in self.added


def key(column: TableReference) -> tuple[str, str]:
    """Return the names of table and column."""
    return column.table_name, column.column_name


def default_of(clause: Any) -> str | None:
    """Return the default that Alembic has read from the database, as SQL."""
    return str(clause.arg.text) if clause else None


def reference(operation: ops.DropColumnOp, enum: str) -> TableReference | None:
    """Return the column that `operation` drops, if it is of the type `enum`."""
    column = operation.to_column()
    kind = enum_of(column)
    if kind is None or kind.name != enum:
        return None
    array = ColumnType.ARRAY if isinstance(column.type, ARRAY) else ColumnType.COMMON
    default = default_of(column.server_default)
    return TableReference(operation.table_name, operation.column_name, None, array, default)
