"""The statements that Alembic has no operations for, and what changes of enum types are in SQL.

A revision holds that as it is, so it can be read and linted, and needs no library for the rest of its life.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from alembic.operations import ops
from alembic_postgresql_enum import ColumnType, TableReference
from alembic_postgresql_enum.operations.add_enum_values import AddEnumValuesOp
from alembic_postgresql_enum.operations.create_enum import CreateEnumOp
from alembic_postgresql_enum.operations.drop_enum import DropEnumOp
from alembic_postgresql_enum.operations.sync_enum_values import SyncEnumValuesOp
from sqlalchemy.dialects import postgresql

quote = postgresql.dialect().identifier_preparer.quote  # type: ignore[no-untyped-call]


def execute(statement: str) -> ops.ExecuteSQLOp:
    """Return the operation that executes `statement`, in which no colon names a parameter."""
    return ops.ExecuteSQLOp(re.sub(r"(?<![:\w\\]):(?=\w)", r"\\:", statement))


def lifecycle(change: CreateEnumOp | DropEnumOp) -> tuple[list[ops.ExecuteSQLOp], list[ops.ExecuteSQLOp]]:
    """Return what creates or drops a type, and what takes that back."""
    name = quote(change.name)
    created, dropped = [execute(create(name, change.enum_values))], [execute(f"DROP TYPE {name}")]
    return (created, dropped) if isinstance(change, CreateEnumOp) else (dropped, created)


def literal(value: str) -> str:
    """Return `value` as SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def create(name: str, values: Iterable[str]) -> str:
    """Return the statement that creates the type `name`."""
    return f"CREATE TYPE {name} AS ENUM ({', '.join(map(literal, values))})"


def additions(change: AddEnumValuesOp) -> Iterator[ops.ExecuteSQLOp]:
    """Yield what adds values to a type, each at its place."""
    name, old, new = quote(change.name), change.old_values, change.new_values
    before = f" BEFORE {literal(old[0])}" if old else ""
    for last, value in zip([None, *new], new, strict=False):
        if value not in old:
            place = before if last is None else f" AFTER {literal(last)}"
            yield execute(f"ALTER TYPE {name} ADD VALUE IF NOT EXISTS {literal(value)}{place}")


def exchange(
    change: AddEnumValuesOp | SyncEnumValuesOp, values: Sequence[str], columns: Sequence[TableReference]
) -> Iterator[ops.ExecuteSQLOp]:
    """Yield what gives a type, and its `columns`, other values: Postgres cannot take one away."""
    name, old = quote(change.name), quote(f"{change.name}_old")
    yield from (execute(f"DROP INDEX {quote(index.name)}") for index in change.indexes_to_recreate)
    yield execute(f"ALTER TYPE {name} RENAME TO {old}")
    yield execute(create(name, values))
    for column in columns:
        yield from map(execute, retype(column, name))
    yield execute(f"DROP TYPE {old}")
    yield from (execute(index.definition) for index in change.indexes_to_recreate)


def retype(column: TableReference, name: str) -> Iterator[str]:
    """Yield the statements that move `column` to the new type of that name: no default stands that."""
    array = "[]" if column.column_type == ColumnType.ARRAY else ""
    alter = f"ALTER TABLE {quote(column.table_name)} ALTER COLUMN {quote(column.column_name)}"
    yield f"{alter} DROP DEFAULT"
    yield f"{alter} TYPE {name}{array} USING {quote(column.column_name)}::text{array}::{name}{array}"
    if column.existing_server_default is not None:
        yield f"{alter} SET DEFAULT {column.existing_server_default}"
