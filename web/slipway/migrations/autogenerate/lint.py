"""Looks for what would hurt a big, live table in the SQL of a revision, by squawk (https://squawkhq.com).

A revision that breaks a rule on purpose says so: `accepts = ["renaming-column"]`. One that takes away what
the code from before may need says whether that can run on the schema after it: `backward_compatible = False`.
"""

import io
import json
import shutil
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext

from ..history import walk
from ..state import NotPreparedError

UNREADABLE = "needs-database"
RULES = {
    "adding-field-with-default": "every row is written anew while the table is locked;"
    " add the column without the default, set that in a second step, and fill the rows in batches",
    "adding-foreign-key-constraint": "both tables are locked while every row is looked at;"
    " add it with postgresql_not_valid=True, and validate it in a revision of its own",
    "adding-not-nullable-field": "the table is locked while every row is looked at;"
    " add the check IS NOT NULL, not valid, validate it in a revision of its own, then set NOT NULL",
    "adding-required-field": "rows that are there already have no value for it, so this fails;"
    " give it a server_default, or let it be null and fill it first",
    "adding-serial-primary-key-field": "the table is locked while an index is built;"
    " build a unique index concurrently, and make the primary key of it",
    "ban-drop-column": "its data is gone, and the code that runs until the deploy is done still reads it;"
    " take it out of the models first, and drop it with a later deploy",
    "ban-drop-not-null": "code that runs may not expect null; see that all of it does",
    "ban-drop-table": "its data is gone, and the code that runs until the deploy is done still reads it;"
    " take it out of the models first, and drop it with a later deploy",
    "changing-column-type": "every row may be written anew while nobody can use the table;"
    " add a column of the new type, fill it, and change over",
    "constraint-missing-not-valid": "the table is locked while every row is looked at;"
    " add it with postgresql_not_valid=True, and validate it in a revision of its own",
    "disallowed-unique-constraint": "nobody can use the table while its index is built;"
    " build the index concurrently, and add the constraint USING INDEX",
    "renaming-column": "the code that runs until the deploy is done knows the old name only;"
    " add a column, fill it, change over, and drop the old one later",
    "renaming-table": "the code that runs until the deploy is done knows the old name only;"
    " keep the name, and set __tablename__",
    "require-concurrent-index-creation": "nobody can write to the table while it is built;"
    " build it with postgresql_concurrently=True, in op.get_context().autocommit_block()",
    "require-concurrent-index-deletion": "nobody can use the table while it is waited for;"
    " drop it with postgresql_concurrently=True, in op.get_context().autocommit_block()",
    UNREADABLE: "its SQL cannot be told without a database, so nothing in it is looked at;"
    " write what it does as SQL, or see to the other rules yourself",
}
DROPPING = frozenset({"ban-drop-column", "ban-drop-table", "require-concurrent-index-deletion"})
# After these, code that knows the old schema misses what it names, or writes what is no longer taken.
BREAKING = frozenset(
    {
        "adding-not-nullable-field",
        "adding-required-field",
        "ban-alter-identity",
        "ban-drop-column",
        "ban-drop-default",
        "ban-drop-domain",
        "ban-drop-extension",
        "ban-drop-function",
        "ban-drop-generated-expression",
        "ban-drop-schema",
        "ban-drop-sequence",
        "ban-drop-table",
        "ban-drop-type",
        "ban-drop-view",
        "ban-set-schema",
        "changing-column-type",
        "renaming-column",
        "renaming-object",
        "renaming-table",
    }
)


@dataclass(frozen=True)
class Finding:
    """A rule that a statement breaks."""

    rule: str
    statement: str

    @property
    def hurts(self) -> bool:
        """Tell whether it hurts a big, live table."""
        return self.rule in RULES

    @property
    def breaks(self) -> bool:
        """Tell whether the code from before may fail after it."""
        return self.rule in BREAKING

    def __str__(self) -> str:
        return f"{self.statement}: {RULES[self.rule]} ({self.rule})"


def lint() -> Iterator[str]:
    """Yield, of each revision, what it breaks and does not accept, or does not say of it, a line each."""
    for script in walk():
        accepted = getattr(script.module, "accepts", [])
        name, found = Path(script.path).name, findings(script.module)
        yield from (f"{name}: accepts {rule!r}, which is no rule" for rule in accepted if rule not in RULES)
        yield from (f"{name}: {one}" for one in found if one.hurts and one.rule not in accepted)
        yield from (f"{name}: {fault}" for fault in unsaid(script.module, found))


def unsaid(revision: ModuleType, found: Iterable[Finding]) -> Iterator[str]:
    """Yield what is wrong with what `revision`, in which there is `found`, says of its compatibility."""
    breaking = [finding for finding in found if finding.breaks]
    if hasattr(revision, "backward_compatible"):
        if not isinstance(revision.backward_compatible, bool):
            yield f"backward_compatible is {revision.backward_compatible!r}; it is to be True or False"
    elif breaking:
        yield (
            f"{breaking[0].statement}: the code from before may fail after it ({breaking[0].rule});"
            " say backward_compatible = False, or True where that code no longer needs what goes"
        )


def findings(revision: ModuleType) -> list[Finding]:
    """Return what the upgrade of `revision` breaks."""
    try:
        lines = sql(revision).splitlines()
    except Exception as error:
        return [Finding(UNREADABLE, repr(error))]
    broken = [(f["rule_name"], lines[f["line"]].strip(" ;")) for f in squawk("\n".join(lines))]
    found = [Finding(rule, statement) for rule, statement in dict.fromkeys(broken)]
    return [finding for finding in found if finding.hurts or finding.breaks]


def sql(revision: ModuleType) -> str:
    """Return the SQL that the upgrade of `revision` consists of."""
    output = io.StringIO()
    context = MigrationContext.configure(
        dialect_name="postgresql", opts={"as_sql": True, "output_buffer": output, "literal_binds": True}
    )
    with Operations.context(context), context.begin_transaction():
        revision.upgrade()
    return output.getvalue()


def squawk(statements: str) -> list[dict[str, Any]]:
    """Return what squawk finds in `statements`."""
    beside = Path(sys.executable).with_name("squawk")
    program = str(beside) if beside.exists() else shutil.which("squawk")
    if program is None:
        raise NotPreparedError("there is no squawk, which looks through revisions: pip install squawk-cli")
    command = [program, "--reporter", "json"]
    run = subprocess.run(command, input=statements, capture_output=True, text=True)  # noqa: S603 # our own
    try:
        found: list[dict[str, Any]] = json.loads(run.stdout or "[]")
    except ValueError as error:
        raise NotPreparedError(f"squawk failed: {run.stderr or run.stdout}") from error
    return found
