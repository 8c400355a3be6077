"""What revisions are about, in a few words: their message, and so the name of the file."""

from typing import Any

from alembic.operations import ops
from alembic_postgresql_enum.operations.add_enum_values import AddEnumValuesOp
from alembic_postgresql_enum.operations.create_enum import CreateEnumOp
from alembic_postgresql_enum.operations.drop_enum import DropEnumOp
from alembic_postgresql_enum.operations.sync_enum_values import SyncEnumValuesOp

from .plan import Part


def title(part: Part) -> str:
    """Return what `part` is about: the first operation that does not make way for another."""
    lesser = (CreateEnumOp, ops.DropConstraintOp, ops.DropIndexOp)
    first = next((o for o in part.about if not isinstance(o, lesser)), part.about[0])
    name = str(getattr(first, "constraint_name", None) or getattr(first, "index_name", None))
    if part.verb:
        return f"{part.verb} {name}"
    table = getattr(first, "table_name", None) or getattr(first, "source_table", None)
    if isinstance(first, ops.CreateTableOp | ops.DropTableOp):
        table = ", ".join(o.table_name for o in part.about if isinstance(o, type(first)))
    return describe(first, str(table), name)


def describe(operation: Any, table: str, name: str) -> str:
    """Return what `operation` does."""
    match operation:
        case ops.CreateTableOp():
            return f"create {table}"
        case ops.DropTableOp():
            return f"drop {table}"
        case ops.AddColumnOp():
            return f"add {operation.column.name} to {table}"
        case ops.DropColumnOp():
            return f"drop {operation.column_name} from {table}"
        case ops.AlterColumnOp(modify_name=str()):
            return f"rename {operation.column_name} in {table}"
        case ops.AlterColumnOp():
            return f"change {operation.column_name} in {table}"
        case ops.AddConstraintOp():
            return f"add {name} to {table}"
        case ops.DropConstraintOp():
            return f"drop {name} from {table}"
        case CreateEnumOp():
            return f"create {operation.name}"
        case DropEnumOp():
            return f"drop {operation.name}"
        case AddEnumValuesOp():
            new = [value for value in operation.new_values if value not in operation.old_values]
            return f"add {' '.join(new)} to {operation.name}"
        case SyncEnumValuesOp():
            return f"change the values of {operation.name}"
    return f"change {table}"
