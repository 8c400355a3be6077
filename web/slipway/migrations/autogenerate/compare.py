"""Lets Alembic see what it misses: checks, what indexes hold, values of enum types.

Postgres writes expressions in its own words: "a IN (1, 2)" becomes "a = ANY (ARRAY[1, 2])". So what a model
says is put into a temporary table, is read from there, and is then compared. The temporary table has the name
of the real one, which it hides, and is rolled back.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import alembic_postgresql_enum  # noqa: F401 # for the enum types: it registers itself
from alembic.autogenerate import comparators
from alembic.autogenerate.api import AutogenContext
from alembic.ddl.impl import ComparisonResult
from alembic.ddl.postgresql import PostgresqlImpl
from alembic.operations import ops
from alembic.util import DispatchPriority
from sqlalchemy import (
    ARRAY,
    DDL,
    CheckConstraint,
    ClauseElement,
    Column,
    Connection,
    Enum,
    Index,
    Table,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.postgresql import ENUM
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import CreateIndex, CreateTable, ExecutableDDLElement
from sqlalchemy.types import TypeEngine

from ..state import NotPreparedError

PLUGINS = ["alembic.autogenerate.*", "alembic.ext.checkconstraint_byname"]

CHECK = (
    "SELECT pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE conrelid = to_regclass(:table) AND conname = :name"
)
INDEX = (
    "SELECT pg_get_indexdef(indexrelid) FROM pg_index"
    " WHERE indexrelid = to_regclass(quote_ident(:name)) AND indisvalid"
)
DEFAULT = (
    "SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef"
    " JOIN pg_attribute ON attrelid = adrelid AND attnum = adnum"
    " WHERE adrelid = to_regclass(:table) AND attname = :name"
)
# Where the table is, and that a check has yet to be validated, are no differences.
NO_DIFFERENCE = re.compile(r"(?<=INDEX ).* (?=USING )| NOT VALID$", re.DOTALL)


class Impl(PostgresqlImpl):
    """Alembic's part for Postgres; by its `__dialect__` it takes the place of the one that Alembic has."""

    __dialect__ = "postgresql"

    def compare_check_constraint(
        self, metadata_constraint: CheckConstraint, reflected_constraint: CheckConstraint
    ) -> ComparisonResult:
        """Compare two checks of the same name."""
        table, name = table_of(metadata_constraint), str(reflected_constraint.name)
        quote = self.dialect.identifier_preparer.quote
        words = self.render_ddl_sql_expr(metadata_constraint.sqltext)
        add = f"ALTER TABLE {quote(table.name)} ADD CONSTRAINT {quote(name)} "
        found = self.compare_words(CHECK, table, name, ddl(f"{add}CHECK ({words})"))
        return found if found.is_equal else self.compare_settled(table, name, add, f"CHECK ({words})", found)

    def compare_settled(
        self, table: Table, name: str, add: str, check: str, found: ComparisonResult
    ) -> ComparisonResult:
        """Compare once more what Postgres makes of its own words: casts move when these are read again."""
        if self.connection is None or table.schema is not None:
            return found
        told = str(self.connection.scalar(text(CHECK), self.named(table, name)))
        try:
            same = self.settle(table, name, add, told) == self.settle(table, name, add, check)
        except DBAPIError:  # it is about columns that the model does not have
            return found
        return ComparisonResult.Equal() if same else found

    def settle(self, table: Table, name: str, add: str, words: str) -> str:
        """Return what becomes of `words` when Postgres has read its own twice."""
        connection = self.connection
        for _ in range(2):
            with scratch(connection, table):  # type: ignore[arg-type] # there is one
                connection.execute(ddl(add + words))  # type: ignore[union-attr] # see above
                words = str(connection.scalar(text(CHECK), self.named(table, name)))  # type: ignore[union-attr] # see above
        return NO_DIFFERENCE.sub("", words)

    def named(self, table: Table, name: str) -> dict[str, str]:
        """Return the parameters of the queries."""
        return {"table": self.dialect.identifier_preparer.quote(table.name), "name": name}

    def compare_indexes(self, metadata_index: Index, reflected_index: Index) -> ComparisonResult:
        """Compare two indexes of the same name: columns, expressions, order, method and condition."""
        table = metadata_index.table
        if table is None or table.schema is not None:
            return super().compare_indexes(metadata_index, reflected_index)
        return self.compare_words(INDEX, table, str(reflected_index.name), CreateIndex(metadata_index))

    def compare_server_default(
        self,
        inspector_column: Column[Any],
        metadata_column: Column[Any],
        rendered_metadata_default: str | None,
        rendered_inspector_default: str | None,
    ) -> bool:
        """Tell whether two defaults of a column differ."""
        table, name = metadata_column.table, metadata_column.name
        if table.schema or None in (rendered_metadata_default, rendered_inspector_default):
            return bool(
                super().compare_server_default(  # type: ignore[no-untyped-call]
                    inspector_column, metadata_column, rendered_metadata_default, rendered_inspector_default
                )
            )
        if rendered_metadata_default == rendered_inspector_default:
            return False
        compiler = self.dialect.ddl_compiler(self.dialect, CreateTable(metadata_column.table))
        default = compiler.get_column_default_string(metadata_column)
        quote = self.dialect.identifier_preparer.quote
        changed = ddl(f"ALTER TABLE {quote(table.name)} ALTER COLUMN {quote(name)} SET DEFAULT {default}")
        return not self.compare_words(DEFAULT, table, name, changed).is_equal

    def render_ddl_sql_expr(self, expr: ClauseElement, *given: Any, **options: Any) -> str:
        """Return `expr` as a revision has it: percent signs are not doubled, as the driver has them."""
        return super().render_ddl_sql_expr(expr, *given, **options).replace("%%", "%")

    def compare_words(
        self, query: str, table: Table, name: str, statement: ExecutableDDLElement
    ) -> ComparisonResult:
        """Compare what Postgres says of `name` with what it would say after `statement`."""
        if self.connection is None or table.schema is not None:  # what is in another schema cannot be hidden
            return ComparisonResult.Skip("it is in another schema")
        connection = self.connection
        named = self.named(table, name)
        told = connection.scalar(text(query), named)
        try:
            with scratch(connection, table):
                connection.execute(statement)
                wanted = connection.scalar(text(query), named)
        except DBAPIError as error:
            why = str(error.orig).splitlines()[0]
            raise NotPreparedError(
                f"Postgres does not take {name} of the model of {table.name}: {why}"
            ) from error
        if told is not None and NO_DIFFERENCE.sub("", told) == NO_DIFFERENCE.sub("", str(wanted)):
            return ComparisonResult.Equal()
        return ComparisonResult.Different(f"{told} to {wanted}")


@comparators.dispatch_for("table", priority=DispatchPriority.LAST)
def put_checks_into_words(context: AutogenContext, changes: ops.ModifyTableOps, *given: object) -> None:
    """Make text of new checks: of columns, each copy that Alembic makes would join the model's table."""
    impl = context.migration_context.impl
    for operation in changes.ops:
        if isinstance(operation, ops.CreateCheckConstraintOp) and not isinstance(operation.condition, str):
            operation.condition = impl.render_ddl_sql_expr(operation.condition)


@comparators.dispatch_for("schema", priority=DispatchPriority.LAST)
def add_checks_of_columns(context: AutogenContext, changes: ops.UpgradeOps, *given: object) -> None:
    """Give new tables the checks that stand at their columns, which Alembic leaves out."""
    impl = context.migration_context.impl
    for operation in changes.ops:
        if isinstance(operation, ops.CreateTableOp):
            for column in [item for item in operation.columns if isinstance(item, Column)]:
                checks = [check for check in column.constraints if isinstance(check, CheckConstraint)]
                for check in checks:
                    words = impl.render_ddl_sql_expr(check.sqltext)
                    operation.columns = [*operation.columns, CheckConstraint(words, name=check.name)]


def table_of(constraint: CheckConstraint) -> Table:
    """Return the table of `constraint`, which may be one of a column."""
    parent: Table | Column[Any] = constraint.parent
    return parent if isinstance(parent, Table) else parent.table


def ddl(statement: str) -> DDL:
    """Return `statement` as it is, percent signs included."""
    return DDL(statement.replace("%", "%%"))  # type: ignore[no-untyped-call] # SQLAlchemy's


@contextmanager
def scratch(connection: Connection, table: Table) -> Iterator[None]:
    """Hide `table` behind an empty temporary one, with the columns and the enum types of the model."""
    quote = connection.dialect.identifier_preparer.quote
    savepoint = connection.begin_nested()
    try:
        for enum in {enum.name: enum for enum in map(enum_of, table.columns) if enum is not None}.values():
            ENUM(*enum.enums, name=enum.name, schema="pg_temp").create(connection, checkfirst=False)
        columns = [f"{quote(c.name)} {c.type.compile(connection.dialect)}" for c in table.columns]
        connection.execute(ddl(f"CREATE TEMPORARY TABLE {quote(table.name)} ({', '.join(columns)})"))
        yield
    finally:
        savepoint.rollback()


def enum_of(column: Column[Any]) -> Enum | None:
    """Return the enum type of `column`, if it has one."""
    kind: TypeEngine[Any] = column.type
    if isinstance(kind, ARRAY):
        kind = kind.item_type
    if isinstance(kind, TypeDecorator):
        kind = kind.impl_instance
    return kind if isinstance(kind, Enum) and kind.native_enum and kind.schema is None else None
