"""Indexes, and unique constraints made of them, on tables that stay in use meanwhile.

What was done by half is dropped first, so all of it can be run again.
"""

from typing import Any

from alembic.operations import ops

from . import sql


def drop(operation: ops.CreateIndexOp | ops.DropIndexOp) -> ops.DropIndexOp:
    """Return what drops the index of `operation`, or what is left of an attempt to build it."""
    return ops.DropIndexOp(
        str(operation.index_name), operation.table_name, if_exists=True, postgresql_concurrently=True
    )


def build(operation: ops.CreateIndexOp) -> ops.CreateIndexOp:
    """Return `operation`, while the table is in use."""
    operation.kw["postgresql_concurrently"] = True
    return operation


def detach(operation: ops.CreateUniqueConstraintOp) -> list[Any]:
    """Return what drops the constraint of `operation`, or what is left of an attempt to add it."""
    name, table = str(operation.constraint_name), operation.table_name
    constraint = ops.DropConstraintOp(name, table, type_="unique", if_exists=True)
    return [constraint, ops.DropIndexOp(name, table, if_exists=True, postgresql_concurrently=True)]


def attach(operation: ops.CreateUniqueConstraintOp) -> list[Any]:
    """Return what adds the constraint of `operation` by way of an index, so that the table stays in use."""
    name, table = str(operation.constraint_name), operation.table_name
    constraint = operation.to_constraint()
    index = ops.CreateIndexOp(name, table, [*constraint.columns], unique=True, **constraint.dialect_kwargs)
    when = " DEFERRABLE" * bool(constraint.deferrable)
    when += f" INITIALLY {constraint.initially}" if constraint.initially else ""
    quoted = sql.quote(name)
    add = f"ALTER TABLE {sql.quote(table)} ADD CONSTRAINT {quoted} UNIQUE USING INDEX {quoted}"
    return [*detach(operation), build(index), sql.execute(add + when)]
