"""Makes of what differs the revisions that a big, live table stands: each locks it for a moment at most.

Most often it is one. Of several, the first drops indexes concurrently, the next adds values to enum types, as
only a later transaction may use them; then comes what one transaction can do; then constraints are validated,
and at last indexes are built concurrently. Each takes back what it did, in the state that it left.
"""

from collections.abc import Iterable, Iterator
from copy import copy
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from alembic.autogenerate.api import AutogenContext
from alembic.autogenerate.render import render_op, renderers
from alembic.operations import ops
from alembic_postgresql_enum.operations.add_enum_values import AddEnumValuesOp
from alembic_postgresql_enum.operations.create_enum import CreateEnumOp
from alembic_postgresql_enum.operations.drop_enum import DropEnumOp
from alembic_postgresql_enum.operations.sync_enum_values import SyncEnumValuesOp

from . import sql
from .enums import Columns
from .indexes import attach, build, detach, drop

Operation = Any  # Alembic's operations have no attributes in common


class Concurrently(ops.OpContainer):
    """Operations outside a transaction, as Postgres wants it of CREATE INDEX CONCURRENTLY."""


@renderers.dispatch_for(Concurrently)
def render_concurrently(context: AutogenContext, container: Concurrently) -> list[str]:
    """Return the lines of `container`; what several operations begin with is there once."""
    lines = dict.fromkeys(line for operation in container.ops for line in render_op(context, operation))
    return ["with op.get_context().autocommit_block():", *lines, ""]


@dataclass
class Undo:
    """Stands where a change of an enum type is taken back."""

    change: SyncEnumValuesOp


@dataclass
class Part:
    """A revision to be: the operations that it is about, what it does, and what takes that back."""

    verb: str = ""
    concurrent: bool = False
    about: list[Operation] = field(default_factory=list)
    there: list[Operation] = field(default_factory=list)
    back: list[Operation] = field(default_factory=list)

    def add(
        self, about: Iterable[Operation], there: Iterable[Operation], back: Iterable[Operation] = ()
    ) -> None:
        """Add a step; going back, the last one comes first."""
        self.about += about
        self.there += there
        self.back = [*back, *self.back]

    def script(self, revision: str, head: str, message: str) -> ops.MigrationScript:
        """Return what Alembic writes the revision from."""
        there, back = self.there, self.back
        if self.concurrent:
            there, back = [Concurrently(there)], [Concurrently(back)]
        return ops.MigrationScript(
            revision, ops.UpgradeOps(there), ops.DowngradeOps(back), message=message, head=head
        )


class Plan:
    """Sorts the operations in `container`, all that differs, into parts."""

    def __init__(self, container: ops.OpContainer) -> None:
        operations = in_order_of_drops(sorted(both_ways(flat(container)), key=rank))
        self.dropped = {o.table_name for o in operations if isinstance(o, ops.DropTableOp)}
        self.columns = Columns(operations)
        self.created = self.columns.created
        self.drops, self.builds = Part("drop", concurrent=True), Part("build", concurrent=True)
        self.values, self.main, self.validation = Part(), Part(), Part("validate")
        for operation in operations:
            self.place(operation)

    def parts(self) -> list[Part]:
        """Return the parts that do something, in their order; all that is concurrent may be one."""
        if self.builds.about and not self.values.about and not self.main.about:
            self.drops.add([], self.builds.there, self.builds.back)
            self.drops.verb, self.drops.about = self.builds.verb, self.builds.about
            self.builds = Part()
        parts = [self.drops, self.values, self.main, self.validation, self.builds]
        return [part for part in parts if part.about]

    def place(self, operation: Operation) -> None:
        """Put `operation` where it belongs."""
        match operation:
            case ops.CreateIndexOp() if operation.table_name not in self.created:
                self.builds.add([operation], [drop(operation), build(operation)], [drop(operation)])
            case ops.DropIndexOp() if operation.table_name not in self.dropped:
                self.drops.add([operation], [drop(operation)], [drop(operation), build(operation.reverse())])
            case ops.CreateUniqueConstraintOp() if operation.table_name not in self.created:
                self.builds.add([operation], attach(operation), detach(operation))
            case ops.CreateForeignKeyOp() if operation.source_table not in self.created:
                self.constrain(operation, operation.source_table)
            case ops.CreateCheckConstraintOp() if operation.table_name not in self.created:
                self.constrain(operation, operation.table_name)
            case AddEnumValuesOp():
                back = sql.exchange(operation, operation.old_values, self.columns.before(operation))
                self.values.add([operation], sql.additions(operation), back)
            case CreateEnumOp() | DropEnumOp():
                self.main.add([operation], *sql.lifecycle(operation))
            case SyncEnumValuesOp():
                columns = self.columns.bare(self.columns.before(operation))
                self.main.add([operation], sql.exchange(operation, operation.new_values, columns))
            case Undo(change):
                columns = self.columns.bare(change.affected_columns)
                self.main.add([], [], sql.exchange(change, change.old_values, columns))
            case _:
                self.main.add([operation], [unbound(operation)], [reverse(operation)])

    def constrain(self, operation: Operation, table: str) -> None:
        """Add a constraint that holds for new rows at once, and for all once it is validated."""
        undo = operation.reverse()
        operation.kw["postgresql_not_valid"] = True
        self.main.add([operation], [operation], [undo])
        name = sql.quote(operation.constraint_name)
        self.validation.add(
            [operation],
            [sql.execute(f"ALTER TABLE {sql.quote(table)} VALIDATE CONSTRAINT {name}")],
        )


def flat(container: ops.OpContainer) -> Iterator[Operation]:
    """Yield every operation in `container` and in the tables' containers within."""
    for operation in container.ops:
        if isinstance(operation, ops.OpContainer):
            yield from flat(operation)
        else:
            yield operation


def both_ways(operations: Iterable[Operation]) -> Iterator[Operation]:
    """Yield `operations`; values of a type are exchanged before defaults that have them, there and back."""
    for operation in operations:
        yield operation
        if isinstance(operation, SyncEnumValuesOp):
            yield Undo(operation)


def rank(operation: Operation) -> int:
    """Tell what comes first: constraints go before the columns that they name change, and come after."""
    match operation:
        case CreateEnumOp():
            return 0
        case ops.DropConstraintOp():
            return 1 if operation.constraint_type == "foreignkey" else 2
        case SyncEnumValuesOp() | ops.DropIndexOp():
            return 3
        case Undo():
            return 5
        case ops.AddConstraintOp():
            return 6
    return 4


def in_order_of_drops(operations: list[Operation]) -> list[Operation]:
    """Return `operations`, with tables dropped before those that they refer to; Alembic goes by name."""
    tables = {o.table_name: o for o in operations if isinstance(o, ops.DropTableOp)}
    order = TopologicalSorter({name: set[str]() for name in tables})
    for name, operation in tables.items():
        for key in operation.to_table().foreign_keys:
            target = key.target_fullname.rpartition(".")[0]
            if target in tables and target != name:
                order.add(target, name)
    drops = (tables[name] for name in order.static_order())
    return [next(drops) if isinstance(o, ops.DropTableOp) else o for o in operations]


def reverse(operation: Operation) -> Operation:
    """Return what takes `operation` back."""
    if isinstance(operation, ops.AlterColumnOp) and operation.modify_name:
        table, old, new = operation.table_name, operation.column_name, operation.modify_name
        return ops.AlterColumnOp(table, new, schema=operation.schema, modify_name=old)
    return operation.reverse()


def unbound(operation: Operation) -> Operation:
    """Return `operation`, without the check that a column's type may bring along: `constrain` adds it."""
    if isinstance(operation, ops.AddColumnOp):
        column: Any = operation.column
        if getattr(column.type, "create_constraint", False):
            operation.column = copy(column)
            operation.column.type = copy(column.type)
            operation.column.type.create_constraint = False  # type: ignore[attr-defined] # it has one
    return operation
