"""Writes the revisions that take the database to the models, unless data would be lost or a table hurt."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from alembic import command, util
from alembic.operations import ops
from alembic.script import Script

from ..state import NotPreparedError
from ..upgrade import migration_engine, migrations, script_directory
from .data_loss import refuse_loss, refuse_required
from .lint import DROPPING, UNREADABLE, Finding, findings
from .messages import title
from .plan import Plan

Renames = Sequence[tuple[str, str]]


def write_revisions(message: str | None, renames: Renames, drop: bool, begun: set[str]) -> list[Script]:
    """Write the revisions for the difference between models and database; none where there is none.

    `begun` gets the ids of those whose files may be there from then on.
    """

    def review(context: Any, revision: Any, directives: list[ops.MigrationScript]) -> None:
        [container], connection = directives[0].upgrade_ops_list, context.connection
        head = directives[0].head
        directives.clear()
        if container.is_empty():
            return
        for old, new in renames:
            rename_column(container, old, new)
        if not drop:
            refuse_loss(container, connection)
        refuse_required(container, connection)
        directives += chain(Plan(container), message, str(head))
        begun.update(str(script.rev_id) for script in directives)

    config = migrations()
    script_directory()  # which tells of a migration that cannot be loaded
    with migration_engine().connect() as connection:
        config.attributes["connection"] = connection
        written = command.revision(config, autogenerate=True, process_revision_directives=review)
    return [script for script in util.to_list(written) or [] if script is not None]


def chain(plan: Plan, message: str | None, head: str) -> Iterator[ops.MigrationScript]:
    """Yield a script for each part of `plan`, each upon the one before; `message` names the main one."""
    parts = plan.parts()
    main = plan.main if plan.main in parts else parts[0]
    for part in parts:
        revision = util.rev_id()
        yield part.script(revision, head, message if message and part is main else title(part))
        head = revision


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


def refuse_danger(scripts: Sequence[Script], renames: Renames, accepts: Collection[str], drop: bool) -> None:
    """Raise NotPreparedError if a revision breaks a rule that is not accepted; it names those that are."""
    accepted = {*accepts} | ({"renaming-column"} if renames else set()) | (DROPPING if drop else set())
    refused = []
    for script in scripts:
        found = [finding for finding in findings(script.module) if finding.rule != UNREADABLE]
        refused += [finding for finding in found if finding.hurts and finding.rule not in accepted]
        write_constants(Path(script.path), found)
    if refused:
        what = "this may hurt where the table is big and in use; nothing was written."
        way = way_on(renames, {*accepts, *(finding.rule for finding in refused)}, drop)
        raise NotPreparedError(
            "\n".join([what, *map(str, refused), "Type", f"  {way}  to write it all the same"])
        )


def way_on(renames: Renames, accepts: Collection[str], drop: bool) -> str:
    """Return the command that accepts what is in `accepts` as well."""
    words = ["make migrate"]
    if renames:
        words.append(f"rename={','.join(map(':'.join, renames))}")
    if drop:
        words.append("drop=yes")
    return " ".join([*words, f"accept={','.join(sorted(accepts))}"])


def write_constants(path: Path, found: Sequence[Finding]) -> None:
    """Have the revision at `path` accept what is `found` in it, and say that older code may fail after it."""
    names = ", ".join(f'"{rule}"' for rule in sorted({finding.rule for finding in found if finding.hurts}))
    lines = f"accepts = [{names}]\n" if names else ""
    if any(finding.breaks for finding in found):
        lines += "backward_compatible = False\n"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("\ndepends_on =", f"\n{lines}depends_on =", 1), encoding="utf-8")
