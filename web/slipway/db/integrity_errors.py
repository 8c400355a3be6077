"""What a constraint of the database has refused, told by the fields that it is about."""

from flask import current_app, request
from sqlalchemy import Index, MetaData, Table
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from sqlalchemy.sql.schema import ColumnCollectionConstraint

Errors = dict[str, list[str]]

STALE = "The record was changed at the same time; get it again."
GENERAL = "The change conflicts with what is stored."
UNIQUE, FOREIGN_KEY = "23505", "23503"  # https://www.postgresql.org/docs/current/errcodes-appendix.html


def conflict(error: IntegrityError | StaleDataError) -> tuple[str, Errors]:
    """Return what is to be said of `error`, and of which fields."""
    if isinstance(error, StaleDataError):
        return STALE, {}
    diagnosis = getattr(error.orig, "diag", None)
    name, table = getattr(diagnosis, "constraint_name", None), getattr(diagnosis, "table_name", None)
    # Its own text has the values of the record.
    current_app.logger.warning("conflict: %s", name)
    code = getattr(error.orig, "pgcode", None)
    if code == FOREIGN_KEY and (error.statement or "").startswith("DELETE"):
        return f"It cannot be deleted, as {referring(str(table))} refer to it.", {}
    fields = fields_of(current_app.extensions["sqlalchemy"].metadata, str(table), name)
    if code == UNIQUE:
        return GENERAL, {field: ["Already taken."] for field in fields}
    if code == FOREIGN_KEY:
        return GENERAL, {field: ["There is no such record."] for field in fields}
    return GENERAL, {}


def referring(table_name: str) -> str:
    """Return what is said of records that refer to another; of those of users, no more than that."""
    table = current_app.extensions["sqlalchemy"].metadata.tables.get(table_name)
    return (
        "other records" if table is not None and "owner_id" in table.columns else table_name.replace("_", " ")
    )


def refused_values(error: DataError) -> Errors:
    """Return what is to be said of values that Postgres has refused, by the fields that have sent them."""
    current_app.logger.warning("refused: %s", getattr(error.orig, "pgcode", None))
    told = str(getattr(getattr(error.orig, "diag", None), "message_primary", ""))
    body = request.get_json(silent=True)
    sent = {**request.args, **request.form, **(body if isinstance(body, dict) else {})}
    names = [name for name, value in sent.items() if f'"{value}"' in told]
    return {name: ["Not a value that the database takes."] for name in names or ["_schema"]}


def fields_of(metadata: MetaData, table_name: str, constraint: str | None) -> list[str]:
    """Return the columns of a table that `constraint`, by its name, is about; but for whose the record is."""
    table = metadata.tables.get(table_name)
    if table is None:
        return []
    found = [rule for rule in rules(table) if rule.name == constraint]
    return [column.key for rule in found for column in rule.columns if column.key != "owner_id"]


def rules(table: Table) -> list[Index | ColumnCollectionConstraint]:
    """Return the constraints of `table` that have columns, and its unique indexes."""
    constraints = [rule for rule in table.constraints if isinstance(rule, ColumnCollectionConstraint)]
    return [*constraints, *table.indexes]
