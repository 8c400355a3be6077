"""Runs Alembic's migrations: https://alembic.sqlalchemy.org/en/latest/tutorial.html"""

from typing import Any

from alembic import context
from flask import current_app
from sqlalchemy import Connection

from slipway.migrations.autogenerate.compare import PLUGINS

db = current_app.extensions["migrate"].db


def write_no_empty_one(_context: Any, _revision: Any, directives: list[Any]) -> None:
    """Have `db migrate` write a revision only where there is something to do."""
    if getattr(context.config.cmd_opts, "autogenerate", False) and directives[0].upgrade_ops.is_empty():
        directives.clear()


def configure(**where: Any) -> None:
    """Set up the migration context, online (`connection`) or for SQL on the screen (`url`)."""
    context.configure(
        **where,
        target_metadata=db.metadata,
        compare_type=True,
        compare_server_default=True,
        autogenerate_plugins=PLUGINS,
        process_revision_directives=write_no_empty_one,
        transaction_per_migration=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def run_online() -> None:
    """Run over the connection that the caller gave, else over one of the app's."""
    connection: Connection | None = context.config.attributes.get("connection")
    if connection is not None:
        configure(connection=connection)
        return
    with db.engine.connect() as own:
        configure(connection=own)


if context.is_offline_mode():
    configure(url=current_app.config["SQLALCHEMY_DATABASE_URI"], literal_binds=True)
else:
    run_online()
