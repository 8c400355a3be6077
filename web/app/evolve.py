"""`db evolve`, behind `make migrate`: write and apply the revision that takes the database to the models."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from alembic import command
from alembic.operations import ops
from alembic.script import Script
from flask import current_app

from .prepare import NotPreparedError, Schema, migration_engine, migrations, prepare, upgrade

Renames = Sequence[tuple[str, str]]


def evolve(message: str | None = None, renames: Renames = (), *, drop: bool = False) -> None:
    """Bring the database to head; in development, write and apply a revision if the models differ from it.

    `renames` are the (old, new) names of columns that are renamed rather than dropped and added. What would
    lose data stops it (NotPreparedError) unless `drop`.
    """
    state = prepare()
    if not current_app.config["DEVELOPMENT"]:
        return
    if state is Schema.AHEAD:
        raise NotPreparedError(
            "the database has had migrations that this code does not have; go back to the code that has them,"
            " or start over with an empty database: make clean"
        )
    with nothing_kept_of_failures():
        script = write_revision(message, renames, drop)
        if script is None:
            if renames:
                raise NotPreparedError("there is nothing to rename: change the model first")
            click.echo("The models and the database agree: nothing to migrate.")
            return
        upgrade(migration_engine())
    path = Path(script.path)
    click.echo(f"\nweb/{path.relative_to(Path(current_app.root_path).parent)}\n")
    click.echo(path.read_text(encoding="utf-8"))


@contextmanager
def nothing_kept_of_failures() -> Iterator[None]:
    """Delete the revision that was written meanwhile where it is not one, or cannot be applied."""
    folder = Path(current_app.extensions["migrate"].directory) / "versions"
    before = set(folder.glob("*.py"))
    try:
        yield
    except BaseException:
        for path in set(folder.glob("*.py")) - before:
            click.echo(f"{path.name} was not kept, as it cannot be applied:", err=True)
            path.unlink()
        raise


def write_revision(message: str | None, renames: Renames, drop: bool) -> Script | None:
    """Write a revision for the difference between models and database; None where there is none."""

    def review(context: Any, revision: Any, directives: list[ops.MigrationScript]) -> None:
        directive = directives[0]
        [upgrade_ops], [downgrade_ops] = directive.upgrade_ops_list, directive.downgrade_ops_list
        if upgrade_ops.is_empty():
            directives.clear()
            return
        for old, new in renames:
            rename_column(upgrade_ops, old, new)
            rename_column(downgrade_ops, new, old)
        if not drop:
            refuse_loss(upgrade_ops)
        directive.message = message or summary(upgrade_ops)

    config = migrations()
    with migration_engine().connect() as connection:
        config.attributes["connection"] = connection
        script = command.revision(config, autogenerate=True, process_revision_directives=review)
    return script if isinstance(script, Script) else None


def flat(container: ops.OpContainer) -> Iterator[Any]:
    """Yield every operation in `container` and in the tables' containers within."""
    for operation in container.ops:
        if isinstance(operation, ops.OpContainer):
            yield from flat(operation)
        else:
            yield operation


def rename_column(container: ops.OpContainer, old: str, new: str) -> None:
    """Turn the drop of column `old` and the addition of `new`, in one table, into a renaming."""
    for table in container.ops:
        if not isinstance(table, ops.ModifyTableOps):
            continue
        added = [o for o in table.ops if isinstance(o, ops.AddColumnOp) and o.column.name == new]
        dropped = [o for o in table.ops if isinstance(o, ops.DropColumnOp) and o.column_name == old]
        if added and dropped:
            table.ops[table.ops.index(added[0])] = ops.AlterColumnOp(
                table.table_name, old, schema=table.schema, modify_name=new
            )
            table.ops.remove(dropped[0])
            return
    raise NotPreparedError(f"rename={old}:{new}: no table drops {old} and adds {new}")


def refuse_loss(container: ops.OpContainer) -> None:
    """Raise NotPreparedError if an operation would lose data, with the ways on."""
    lost, ways = [], []
    for operation in flat(container):
        if isinstance(operation, ops.DropTableOp):
            lost.append(f"the table {operation.table_name}")
        elif isinstance(operation, ops.DropColumnOp):
            lost.append(f"the column {operation.table_name}.{operation.column_name}")
            ways += [
                f"  make migrate rename={operation.column_name}:{name}  to rename it and keep its data"
                for name in added_columns(container, operation.table_name)
            ]
    if lost:
        ways.append("  make migrate drop=yes  to drop it and its data")
        what = ", ".join(lost)
        raise NotPreparedError("\n".join([f"this would drop {what}; nothing was written. Type", *ways]))


def added_columns(container: ops.OpContainer, table: str) -> list[str]:
    """Return the names of the columns that are added to `table`."""
    added = (o for o in flat(container) if isinstance(o, ops.AddColumnOp))
    return [o.column.name for o in added if o.table_name == table]


def summary(container: ops.OpContainer) -> str:
    """Return what the first operation in `container` does, in a few words."""
    first = next(flat(container))
    table = getattr(first, "table_name", "")
    match first:
        case ops.CreateTableOp():
            return f"create {table}"
        case ops.DropTableOp():
            return f"drop {table}"
        case ops.AddColumnOp():
            return f"add {first.column.name} to {table}"
        case ops.DropColumnOp():
            return f"drop {first.column_name} from {table}"
        case ops.AlterColumnOp(modify_name=str()):
            return f"rename {first.column_name} in {table}"
    return f"change {table}"
